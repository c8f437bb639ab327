package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
)

// disputed is a flat that the company measured, with the bill of the season, in an installation whose clock moves.
type disputed struct {
	*app.App
	t     *testing.T
	clock *dbtest.Clock
	m     measure.Measurement
	v     finding.View
}

var ctx = context.Background()

func newDisputed(t *testing.T, tenths int) *disputed {
	t.Helper()
	d := &disputed{t: t, clock: dbtest.NewClock()}
	var err error
	if d.App, err = app.New(ctx, config.Config{Data: t.TempDir(), Cities: []int{city}}.WithDefaults(), app.Options{Clock: d.clock.Now, Fast: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	root := actor.SystemFor("test", actor.Command)
	for _, l := range []struct{ kind, csv string }{
		{"companies", "code,name\nC1,城北热力\n"},
		{"communities", "name,district,company,connected\n向阳花园,东城区,C1,是\n"},
		{"households", "户号,小区,楼号,单元,房号,户主,电话,面积,价格类别\nH1,向阳花园,3,2,601,张喆,13800002231,100,居民\n"},
		{"fees", "户号,采暖期,应收,实收\nH1,2025-2026,2420.00,2300.00\n"},
	} {
		in := register.Request{City: city, Kind: place.Kind(l.kind), Version: map[string]string{"companies": "2025", "communities": "2025"}[l.kind], From: civil.NewDate(2025, 10, 1), Source: "文", Name: "list.csv"}
		if r, err := d.Register.Import(ctx, root, in, strings.NewReader(l.csv)); err != nil {
			t.Fatalf("%s: %v: %+v", l.kind, err, r.Faults)
		}
	}
	company := actor.Actor{ID: "c1", Kind: actor.Person, Org: "C1", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C1"}}}}
	if d.m, err = d.Measure.Request(ctx, person(actor.RoleSeat, "centre"), measure.Requesting{City: city, Account: "H1", Contact: cases.Party{Name: "张喆", Phone: "13800002231"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Equipment.Save(ctx, company, equipment.Entry{City: city, Number: "T-1", Owner: "C1", VerifiedOn: civil.NewDate(2025, 10, 1), ValidUntil: civil.NewDate(2026, 9, 30)}); err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(2 * time.Hour)
	when := d.clock.Now()
	if _, err := d.Measure.Submit(ctx, company, measure.Submission{
		City: city, Visit: "device-0001", Measurement: d.m.ID, Arrival: &measure.Arrival{Outcome: measure.Met, At: when, Testers: []string{"甲", "乙"}},
		Readings: &measure.Readings{Instrument: "T-1", Owner: "C1", WindowsSince: when.Add(-2 * time.Hour), HeightCM: 120, Rooms: []measure.RoomReading{{Room: "客厅", Type: "living_room", TempC: celsius.Tenths(tenths), At: when}}},
		Signatures: []measure.Signature{
			{Side: measure.UserSide, Name: "张喆", Relation: "self", Strokes: "1,1 2,2", At: when}, {Side: measure.CompanySide, Name: "赵师傅", Strokes: "1,1", At: when},
		},
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

// objected files and accepts an objection to the company's result.
func (d *disputed) objected(by actor.Actor) {
	d.t.Helper()
	d.clock.Advance(time.Hour)
	var err error
	d.v, err = d.Findings.File(ctx, by, finding.Filing{City: city, Measurement: d.m.ID, Ground: finding.Result, Way: finding.Laboratory, Text: "对结果有异议", Applicant: "张喆", Phone: "13800002231"})
	if err == nil {
		d.v, err = d.Findings.Step(ctx, authority(), finding.Stepping{Act: d.act(), Event: finding.Accept})
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func authority() actor.Actor { return person(actor.RoleDistrict, "D1") }

func (d *disputed) act() finding.Act {
	return finding.Act{City: city, ID: d.v.ID, Version: d.v.Version}
}

// decided lets a laboratory find a temperature a day later; the objection weighs it by itself, and the paper names it.
func (d *disputed) decided(tenths int) {
	d.t.Helper()
	d.clock.Advance(24 * time.Hour)
	rooms := []measure.RoomReading{{Room: "客厅", Type: "living_room", TempC: celsius.Tenths(tenths), At: d.clock.Now()}}
	_, err := d.Measure.ReportLab(ctx, authority(), measure.LabReport{Act: measure.Act{City: city, ID: d.m.ID}, Lab: measure.Lab{Laboratory: "L1", ReportNo: "检2026-7", Readings: rooms}})
	if err != nil {
		d.t.Fatal(err)
	}
	if d.v, err = d.Findings.Get(ctx, authority(), city, d.v.ID); err != nil || d.v.State != finding.Weighed {
		d.t.Fatalf("after the laboratory's report the objection is %s, %v", d.v.State, err)
	}
	lab := d.v.Log[len(d.v.Log)-1]
	if lab.By != "laboratory" || lab.Of != d.m.ID {
		d.t.Fatalf("the last evidence is %+v", lab)
	}
	if _, err = d.Findings.Decide(ctx, authority(), finding.Deciding{Act: d.act(), Form: finding.Opinion, Prevails: lab.Record, Opinion: "以检测机构结果为准", Cost: finding.Company}); err != nil {
		d.t.Fatal(err)
	}
}

// facts are the tests that the household's claim rests on; empty when there is no claim.
func (d *disputed) facts() (tests, counted int) {
	d.t.Helper()
	v, err := d.Settle.Claim(ctx, person(actor.RoleSectionHead, "centre"), city, "2025-2026", "H1")
	if err != nil {
		return 0, 0 // nothing counts
	}
	return strings.Count(v.Facts, "客厅="), v.Counted
}

// The company's warm result pays nothing; the laboratory's cold one, which the finding names, begins the claim alone.
func TestAFindingThatItWasColdBeginsTheClaim(t *testing.T) {
	t.Parallel()
	d := newDisputed(t, 190)
	if tests, _ := d.facts(); tests != 0 {
		t.Fatalf("a claim with %d tests from a warm flat", tests)
	}
	d.objected(person(actor.RoleSeat, "centre"))
	d.decided(150)
	if tests, counted := d.facts(); tests != 1 || counted == 0 {
		t.Errorf("the claim rests on %d tests and counts %d days, want the laboratory's alone", tests, counted)
	}
}

// The company's cold result is objected to by the company itself; the laboratory's warm one, which the finding names, takes
// its place, and nothing is owed.
func TestAFindingThatItWasWarmEndsTheClaim(t *testing.T) {
	t.Parallel()
	d := newDisputed(t, 150)
	if tests, counted := d.facts(); tests != 1 || counted == 0 {
		t.Fatalf("the cold flat's claim has %d tests and %d days", tests, counted)
	}
	d.objected(actor.Actor{ID: "c1", Kind: actor.Person, Org: "C1", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C1"}}}})
	d.decided(200)
	if tests, counted := d.facts(); tests != 1 || counted != 0 {
		t.Errorf("after the finding the claim has %d tests and %d days, want the laboratory's and none", tests, counted)
	}
}

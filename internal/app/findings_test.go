package app_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/text"
)

// A company does not come to measure; the seat files the complaint, the authority accepts and issues its finding, which
// prints with the company's name and what the household's log says.
func TestAnObjectionFindsItsMeasurement(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a := open(t)
	root := actor.SystemFor("test", actor.Command)
	for _, l := range []struct{ kind, csv string }{
		{"companies", "code,name\nC1,城北热力\n"},
		{"communities", "name,district,company,connected\n向阳花园,东城区,C1,是\n"},
	} {
		in := register.Request{City: city, Kind: place.Kind(l.kind), Version: "2025", From: civil.NewDate(2025, 10, 1), Source: "文", Name: "list.csv"}
		if r, err := a.Register.Import(ctx, root, in, strings.NewReader(l.csv)); err != nil {
			t.Fatalf("%s: %v: %+v", l.kind, err, r.Faults)
		}
	}
	known, err := db.Read(ctx, a.DB, func(tx *db.Tx) ([]place.Community, error) { return place.CommunitiesIn(ctx, tx, city) })
	if err != nil || len(known) != 1 {
		t.Fatalf("%d communities, %v; want one", len(known), err)
	}
	seat, authority := person(actor.RoleSeat, "centre"), person(actor.RoleDistrict, "D1")
	m, err := a.Measure.Request(ctx, seat, measure.Requesting{City: city, Community: known[0].ID, Building: "3", Unit: "2", Room: "601", Contact: cases.Party{Name: "张喆", Phone: "13800002231"}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := a.Findings.File(ctx, seat, finding.Filing{City: city, Measurement: m.ID, Ground: finding.Absent, Way: finding.Complaint, Text: "约好没来", Applicant: "张喆", Phone: "13800002231"})
	if err != nil || v.Company != "C1" || v.Home != m.Home || v.MeasurementNo != m.No {
		t.Fatalf("filed: %+v, %v", v.Finding, err)
	}
	act := func() finding.Act { return finding.Act{City: city, ID: v.ID, Version: v.Version} }
	if v, err = a.Findings.Step(ctx, authority, finding.Stepping{Act: act(), Event: finding.Accept}); err != nil {
		t.Fatal(err)
	}
	if v, err = a.Findings.Decide(ctx, authority, finding.Deciding{Act: act(), Form: finding.Opinion, Opinion: "企业未按时入户测温", Cost: finding.Company}); err != nil {
		t.Fatal(err)
	}
	if v.Paper.Company.ZH != "城北热力" {
		t.Errorf("the paper names %q", v.Paper.Company.ZH)
	}
	if d, err := a.Findings.Sheet(ctx, authority, city, v.ID, text.ZH); err != nil || d.Number != v.Paper.No {
		t.Errorf("the sheet: %+v, %v", d, err)
	}
}

package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/territory"
)

const city = 990100

func open(t *testing.T) *app.App {
	t.Helper()
	cfg := config.Config{Data: t.TempDir(), Cities: []int{city}}.WithDefaults()
	a, err := app.New(context.Background(), cfg, app.Options{Clock: func() civil.Instant { return dbtest.Start }, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func person(role actor.Role, org string) actor.Actor {
	return actor.Actor{ID: string(role), Kind: actor.Person, Org: org, Door: actor.Page, Grants: []actor.Grant{{Role: role, City: city}}}
}

// A company reports that a community is without heat; the seat's answer knows it, the next caller's case belongs to it and
// goes its own way, and the caller hears what is said about the stop.
func TestAStopReachesTheNextCaller(t *testing.T) {
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
	company, seat := person(actor.RoleCompany, "C1"), person(actor.RoleSeat, "centre")
	stop, err := a.Outages.Report(ctx, company, outage.Report{
		City: city, Company: "C1", Kind: outage.Sudden, Reason: "一次网爆管", Until: dbtest.Start.Add(6 * time.Hour), Scope: []outage.Scope{{Community: known[0].ID}},
	})
	if err != nil {
		t.Fatal(err)
	}
	said, err := a.Territory.Attribute(ctx, seat, city, territory.Query{Text: "向阳花园3号楼2单元601不热"})
	if err != nil || said.Outage == nil || said.Outage.ID != stop.ID {
		t.Fatalf("the seat is told of %+v, %v; want the stop", said.Outage, err)
	}
	opened, err := a.Cases.Open(ctx, seat, cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热", Category: "cold_home", Nature: citypack.Repair,
		Caller: cases.Party{Phone: "13803510001"}, Address: "向阳花园3号楼2单元601", Room: "601", Scope: cases.Home, TestRequest: "no",
		Details: cases.Details{Since: "今早", Neighbours: "yes", Leak: "no"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if opened.Case.Outage != stop.ID {
		t.Errorf("the case belongs to %q; want the stop", opened.Case.Outage)
	}
	view, err := a.Outages.Change(ctx, company, outage.Change{City: city, ID: stop.ID, Version: stop.Version, Event: outage.Begin, Text: "正在焊接"})
	if err != nil || len(view.Cases) != 1 {
		t.Fatalf("cases of the stop: %v, %v; want one", view.Cases, err)
	}
	if err := a.Runner.RunDue(ctx); err != nil {
		t.Fatal(err)
	}
	told, err := db.Read(ctx, a.DB, func(tx *db.Tx) ([]notice.View, error) { return a.Notices.Of(ctx, tx, city, opened.Case.Subject()) })
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range told {
		if strings.Contains(n.Text, "正在焊接") && n.To == "138****0001" {
			return
		}
	}
	t.Errorf("the caller heard %+v; want what was said about the stop", told)
}

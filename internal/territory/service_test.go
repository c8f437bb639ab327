package territory_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
)

const cityCode = 990100

// desk is a service on a database, with a machine clock that tests move.
type desk struct {
	*territory.Service
	t       *testing.T
	d       *db.DB
	places  *place.Service
	machine atomic.Int64
	root    actor.Actor
}

func newDesk(t *testing.T, d *db.DB) *desk {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	k := &desk{t: t, d: d, places: place.New(d, ring), root: actor.SystemFor("test", actor.Command)}
	k.machine.Store(1_000_000)
	k.Service = territory.NewService(d, k.places, func() time.Time { return time.UnixMilli(k.machine.Load()) })
	return k
}

func company(code string) actor.Actor {
	return actor.Actor{ID: "u-" + code, Name: code, Kind: actor.Person, Org: code, Grants: []actor.Grant{{Role: actor.RoleCompany, City: cityCode}}}
}

// write puts rows into the registers as an import would, all of the first edition.
func (k *desk) write(fn func(ctx context.Context, tx *db.Tx) error) {
	k.t.Helper()
	ctx := context.Background()
	if err := db.Do(ctx, k.d, func(tx *db.Tx) error {
		for _, kind := range place.Kinds() {
			if _, err := place.HoldIn(ctx, tx, cityCode, kind); err != nil {
				return err
			}
		}
		return fn(ctx, tx)
	}); err != nil {
		k.t.Fatal(err)
	}
}

func row(key string) place.Edition {
	return place.Edition{City: cityCode, Key: key, Until: place.Forever}
}

func insert[T any](ctx context.Context, tx *db.Tx, table string, rows ...T) error {
	return db.InsertAll(ctx, tx, table, rows)
}

// register keeps the small city of the engine's tests: areas of version V1, communities, two households.
func (k *desk) register() {
	k.t.Helper()
	s := city()
	k.write(func(ctx context.Context, tx *db.Tx) error {
		for _, d := range s.Districts {
			if err := insert(ctx, tx, "district", place.District{City: cityCode, Code: d.Code, Name: d.Name, Created: tx.Now}); err != nil {
				return err
			}
		}
		for _, c := range s.Companies {
			if err := insert(ctx, tx, "company", place.Company{Edition: row(c.Code), Code: c.Code, Name: c.Name, Kind: place.HeatingCompany}); err != nil {
				return err
			}
		}
		for _, c := range s.Communities {
			lng, lat := c.Point.Lng, c.Point.Lat
			line := place.Community{
				Edition: row(c.District + "|" + c.Name), ID: c.ID, Name: c.Name, Aliases: c.Aliases, District: c.District, Street: c.Street,
				Address: c.Address, Lng: &lng, Lat: &lat, Connected: c.Connected, NotServed: string(c.NotServed),
			}
			if err := insert(ctx, tx, "community", line); err != nil {
				return err
			}
		}
		return insert(ctx, tx, "household",
			place.HouseholdRow{Edition: row("H1"), Account: "H1", Community: "sun", Building: "3", Unit: "2", Room: "601", HeatStatus: "waiting_valve"},
			place.HouseholdRow{Edition: row("H2"), Account: "H2", Community: "jade", Building: "1", Unit: "1", Room: "101"})
	})
	k.version("V1", civil.Date{}, s.Areas)
}

// version keeps areas as a version that holds from a day.
func (k *desk) version(code string, from civil.Date, areas []territory.Area) {
	k.t.Helper()
	k.write(func(ctx context.Context, tx *db.Tx) error {
		if err := territory.SaveVersionIn(ctx, tx, territory.Version{City: cityCode, Code: code, From: from}); err != nil {
			return err
		}
		for _, a := range areas {
			r := territory.AreaRow{Edition: row(code + "|" + a.Code), Version: code, Code: a.Code, Company: a.Company, Station: a.Station, HeatSource: a.Source}
			if a.Geometry != nil {
				b, err := a.Geometry.GeoJSON()
				if err != nil {
					return err
				}
				text := string(b)
				r.Geometry = &text
			}
			if err := insert(ctx, tx, "area", r); err != nil {
				return err
			}
		}
		return k.BumpIn(ctx, tx, cityCode)
	})
}

func (k *desk) ask(by actor.Actor, q territory.Query) territory.Answer {
	k.t.Helper()
	a, err := k.Attribute(context.Background(), by, cityCode, q)
	if err != nil {
		k.t.Fatal(err)
	}
	return a
}

func TestAttributeFromTheRegisters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.register()
		a := k.ask(k.root, territory.Query{Text: "南湖区建设路12号阳光花园3号楼2单元601不热"})
		if a.Decision != territory.Assigned || a.Company != "C1" || a.Area != "N1" || a.Station != "S1" || a.Changed != nil {
			t.Errorf("got %+v", a)
		}
		a = k.ask(k.root, territory.Query{Household: "H1"})
		if a.Company != "C1" || a.Method != territory.ByHousehold || a.Room != "601" || a.HeatStatus != territory.HeatWaitingValve {
			t.Errorf("by account: got %+v", a)
		}
		if a := k.ask(k.root, territory.Query{Text: "自暖花苑的房子"}); a.Decision != territory.NotServed {
			t.Errorf("own heating: got %+v", a)
		}
		got, err := k.Suggest(context.Background(), k.root, cityCode, "yghy", 3)
		if err != nil || len(got) == 0 || got[0].Name != "阳光花园" || got[0].Company != "C1" {
			t.Errorf("suggest: %+v, %v", got, err)
		}
	})
}

func TestAttributeHidesForeignAccounts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.register()
		if a := k.ask(company("C1"), territory.Query{Household: "H1"}); a.Company != "C1" {
			t.Errorf("own household: %+v", a)
		}
		if a := k.ask(company("C1"), territory.Query{Household: "H2"}); a.Community != nil || a.Decision != territory.Unknown || a.Room != "" {
			t.Errorf("another company's household: %+v", a)
		}
		if _, err := k.Attribute(context.Background(), actor.Anonymous(actor.Public), cityCode, territory.Query{Text: "阳光花园"}); err == nil {
			t.Error("a visitor may ask")
		}
	})
}

func TestANewVersionChangesHands(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.register()
		if a := k.ask(k.root, territory.Query{Text: "阳光花园3号楼不热"}); a.Company != "C1" {
			t.Fatalf("before: %+v", a)
		}
		areas := city().Areas
		areas[0].Company = "C3" // N1: C1 to C3
		k.version("V2", dbtest.Start.Date().AddDays(-30), areas)
		k.version("V3", dbtest.Start.Date().AddDays(30), city().Areas)
		a := k.ask(k.root, territory.Query{Text: "阳光花园3号楼不热"})
		if a.Company != "C3" || a.Changed == nil || a.Changed.From != "C1" || a.Changed.Since != dbtest.Start.Date().AddDays(-30) || a.MayAutoDispatch() {
			t.Errorf("under the new version: %+v, changed %+v", a, a.Changed)
		}
		a = k.ask(k.root, territory.Query{Text: "阳光花园3号楼不热", At: dbtest.Start.Add(-60 * 24 * time.Hour)})
		if a.Company != "C1" || a.Changed != nil {
			t.Errorf("before it: %+v", a)
		}
		a = k.ask(k.root, territory.Query{Text: "阳光花园3号楼不热", At: dbtest.Start.Add(60 * 24 * time.Hour)})
		if a.Company != "C1" || a.Changed == nil || a.Changed.From != "C3" {
			t.Errorf("after it: %+v", a)
		}
	})
}

func TestAnotherProcessIsSeenWithinASecond(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		here, there := newDesk(t, d), newDesk(t, d)
		here.register()
		q := territory.Query{Text: "阳光花园3号楼不热"}
		there.ask(there.root, q)
		areas := city().Areas
		areas[0].Company = "C3"
		here.version("V2", dbtest.Start.Date(), areas)
		if a := there.ask(there.root, q); a.Company != "C1" {
			t.Errorf("looked too early: %+v", a)
		}
		there.machine.Add(1000)
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if there.ask(there.root, q).Company == "C3" {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("the new version is never seen")
			}
		}
	})
}

func building(community, no string) place.Building {
	return place.Building{Edition: row(community + "|" + no), Community: community, No: no}
}

// BenchmarkLoad reads a city of 20,000 communities, 200,000 buildings and 2,000 drawn areas from the database and builds
// its index.
func BenchmarkLoad(b *testing.B) {
	d := dbtest.SQLite(b)
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	if err := db.Do(ctx, d, func(tx *db.Tx) error { return benchCity(ctx, tx) }); err != nil {
		b.Fatal(err)
	}
	root := actor.SystemFor("bench", actor.Command)
	for b.Loop() {
		s := territory.NewService(d, place.New(d, ring), time.Now)
		if got, err := s.Suggest(ctx, root, cityCode, "阳光", 1); err != nil || len(got) != 1 {
			b.Fatal(got, err)
		}
	}
}

func benchCity(ctx context.Context, tx *db.Tx) error {
	s := territory.BenchSnapshot(20_000, 2_000, 1)
	for _, kind := range place.Kinds() {
		if _, err := place.HoldIn(ctx, tx, cityCode, kind); err != nil {
			return err
		}
	}
	if err := territory.SaveVersionIn(ctx, tx, territory.Version{City: cityCode, Code: "V1"}); err != nil {
		return err
	}
	for _, a := range s.Areas {
		g, err := a.Geometry.GeoJSON()
		if err != nil {
			return err
		}
		text := string(g)
		if err := insert(ctx, tx, "area", territory.AreaRow{Edition: row("V1|" + a.Code), Version: "V1", Code: a.Code, Company: a.Company, Geometry: &text}); err != nil {
			return err
		}
	}
	var communities []place.Community
	var lines []territory.CommunityLine
	var buildings []place.Building
	for _, c := range s.Communities {
		communities = append(communities, place.Community{Edition: row(c.ID), ID: c.ID, Name: c.Name, Aliases: c.Aliases, District: c.District, Address: c.Address, Lng: &c.Point.Lng, Lat: &c.Point.Lat, Connected: true})
		lines = append(lines, territory.CommunityLine{Edition: row("V1|" + c.ID), Version: "V1", Community: c.ID, Area: c.Area})
	}
	for _, b := range s.Buildings {
		buildings = append(buildings, building(b.Community, b.No))
	}
	if err := insert(ctx, tx, "community", communities...); err != nil {
		return err
	}
	if err := insert(ctx, tx, "community_line", lines...); err != nil {
		return err
	}
	return insert(ctx, tx, "building", buildings...)
}

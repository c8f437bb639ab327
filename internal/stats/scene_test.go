package stats_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/stats"
)

// sceneCases are a morning: two homes of one building, one elsewhere, one told in secret, and some of yesterday.
func sceneCases() []cases.Case {
	now := dbtest.Start
	cold := cases.Case{
		ReceivedAt: now.Add(-30 * time.Minute), Status: cases.Dispatched, Company: "C1", District: "D1", Area: "A1", Category: "cold_home", Kind: "quality",
		Community: "m1", CommunityName: "明月里", Building: "3", Address: "明月里3号楼2单元601", CallerPhone: "138****0001",
	}
	next, far, hidden, before, closed := cold, cold, cold, cold, cold
	next.Status = cases.Handling
	far.Area, far.Community, far.CommunityName, far.Building, far.Company = "A2", "m2", "向阳花园", "1", "C2"
	hidden.Secret, hidden.Building = true, ""
	before.ReceivedAt, before.Status = now.Add(-24*time.Hour-10*time.Minute), cases.Archived
	closed.ReceivedAt, closed.Status = now.Add(-22*time.Hour), cases.Archived
	return []cases.Case{cold, next, far, hidden, before, closed}
}

func TestScene(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		put(t, d, sceneCases()...)
		s := stats.New(d, nil)
		v, err := s.Scene(ctx, regulator, city)
		if err != nil {
			t.Fatal(err)
		}
		if v.Received.N != 4 || v.Open.N != 4 || v.Unsigned != 3 || v.SameHour != 1 {
			t.Errorf("received %d, open %d, unsigned %d, yesterday by now %d; want 4, 4, 3, 1", v.Received.N, v.Open.N, v.Unsigned, v.SameHour)
		}
		at := dbtest.Start.Add(-30 * time.Minute).Time().Hour()
		if v.Hours[at] != 4 {
			t.Errorf("hours %v; want four at %d", v.Hours, at)
		}
		total := int64(0)
		for _, n := range v.Yesterday {
			total += n
		}
		if total != 2 {
			t.Errorf("yesterday %v; want two", v.Yesterday)
		}
		wantUnits := []stats.UnitLoad{{Company: "C1", Open: 3, Unsigned: 2}, {Company: "C2", Open: 1, Unsigned: 1}}
		if diff := cmp.Diff(wantUnits, v.Units); diff != "" {
			t.Error(diff)
		}
		wantBuildings := []stats.BuildingLoad{{Community: "m1", Name: "明月里", Building: "3", Company: "C1", Open: 2}}
		if diff := cmp.Diff(wantBuildings, v.Buildings); diff != "" {
			t.Error(diff)
		}
		if len(v.News) != 5 || v.News[0].At.Before(v.News[4].At) {
			t.Fatalf("news %+v; want the day's cases, newest first", v.News)
		}
		hidden := 0
		for _, n := range v.News {
			if n.Community == "" {
				hidden++
			}
		}
		if hidden != 1 {
			t.Errorf("%d cases hide their community; want the one told in secret", hidden)
		}
	})
}

// Homes are counted once by the area that serves their building, and again when the lists change.
func TestSceneCountsHomes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		put(t, d, sceneCases()...)
		homes := func(edition int64, buildings ...string) {
			t.Helper()
			err := db.Do(ctx, d, func(tx *db.Tx) error {
				if _, err := db.Exec(ctx, tx, `DELETE FROM register WHERE city_id = $1`, city); err != nil {
					return err
				}
				if _, err := db.Exec(ctx, tx, `INSERT INTO register (city_id, kind, edition, run, owner, beat, changed_at)
					VALUES ($1, 'households', $2, '', '', 0, $3)`, city, edition, tx.Now); err != nil {
					return err
				}
				for _, b := range buildings {
					if _, err := db.Exec(ctx, tx, `INSERT INTO household (city_id, row_key, edition, until_edition, row_sum, account, community, building, unit, room,
						person, holder, phone, area_m2, use_type, price_class, heat_status, paid, station, zone, riser)
						VALUES ($1, $2, $3, $4, '', $2, 'm1', $5, '1', '101', '', '', '', '', '', '', '', '', '', '', '')`,
						city, tx.NewID(), edition, int64(1)<<53-1, b); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		s := stats.New(d, nil)
		s.Owner = func(_ context.Context, _ *db.Tx, _ int, _, building string) (company, area string, err error) {
			if building == "9" {
				return "", "", nil // nobody serves it
			}
			return "C1", "A1", nil
		}
		of := func(by actor.Actor) map[string]stats.AreaLoad {
			t.Helper()
			if _, err := s.Count(ctx, city); err != nil {
				t.Fatal(err)
			}
			v, err := s.Scene(ctx, by, city)
			if err != nil {
				t.Fatal(err)
			}
			out := map[string]stats.AreaLoad{}
			for _, a := range v.Areas {
				out[a.Area] = a
			}
			return out
		}
		homes(1, "3", "3", "4", "9")
		got := of(regulator)
		if a := got["A1"]; a.Households != 3 || a.Open != 3 {
			t.Errorf("A1 %+v; want three homes and three open cases", a)
		}
		if rate, known := got["A1"].PerThousand(); rate != 10_000 || !known {
			t.Errorf("rate %d %t", rate, known)
		}
		if _, known := got["A2"].PerThousand(); known || got["A2"].Open != 1 {
			t.Errorf("A2 %+v; want a case and no homes", got["A2"])
		}
		homes(2, "3")
		if a := of(regulator)["A1"]; a.Households != 4 { // the rows of the first edition are seen still
			t.Errorf("A1 %+v; want the homes of the new edition", a)
		}
	})
}

func TestSceneKeepsToItsScope(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	put(t, d, sceneCases()...)
	s := stats.New(d, nil)
	elsewhere := actor.Actor{ID: "d", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleDistrict, City: city, Districts: []string{"D9"}}}}
	v, err := s.Scene(ctx, elsewhere, city)
	if err != nil || v.Open.N != 0 || len(v.News) != 0 || len(v.Areas) != 0 || len(v.Buildings) != 0 || v.Hours != [24]int64{} {
		t.Errorf("another district sees %+v, %v", v, err)
	}
	company := actor.Actor{ID: "c", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C1"}}}}
	if _, err := s.Scene(ctx, company, city); !fault.Is(err, fault.Denied) {
		t.Errorf("a company sees the wall: %v", err)
	}
	if _, _, err := s.Hours(ctx, company, city); !fault.Is(err, fault.Denied) {
		t.Errorf("a company sees the hours: %v", err)
	}
}

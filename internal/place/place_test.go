package place_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
)

const city = 990100

// desk is a service on a database with two companies, each with a community.
type desk struct {
	*place.Service
	t *testing.T
	d *db.DB
}

func newDesk(t *testing.T, d *db.DB) *desk {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	k := &desk{place.New(d, ring), t, d}
	k.Owner = func(_ context.Context, _ *db.Tx, _ int, community, _ string) (string, string, error) {
		return map[string]string{"sun": "C1", "jade": "C2"}[community], "", nil
	}
	ctx := context.Background()
	err = db.Do(ctx, d, func(tx *db.Tx) error {
		for _, kind := range place.Kinds() {
			if _, err := place.HoldIn(ctx, tx, city, kind); err != nil {
				return err
			}
		}
		p, err := secret.Subject(ctx, tx, ring, city, secret.Phone, "13812345678")
		if err != nil {
			return err
		}
		own := place.HouseholdRow{Edition: row("H1"), Account: "H1", Community: "sun", Building: "3", Unit: "1", Room: "601", Riser: "R1", HeatStatus: "on"}
		own.Floor = place.FloorOf(own.Room)
		own.Seal(p, "欧阳锋", "13812345678")
		other := place.HouseholdRow{Edition: row("H2"), Account: "H2", Community: "jade", Building: "3", Unit: "1", Room: "601"}
		other.Seal(p, "欧阳锋", "13812345678")
		gone := own
		gone.Edition, gone.Account = place.Edition{City: city, Key: "H3", From: 1, Until: place.Forever}, "H3" // of an edition that is not seen yet
		for _, table := range []struct {
			name string
			add  func(string) error
		}{
			{"company", func(t string) error {
				return db.InsertAll(ctx, tx, t, []place.Company{{Edition: row("C1"), Code: "C1", Name: "一热", Kind: place.HeatingCompany, Phone: "0351-1111111"}, {Edition: row("C2"), Code: "C2", Name: "二热", Kind: place.OwnBoiler}})
			}},
			{"community", func(t string) error {
				return db.InsertAll(ctx, tx, t, []place.Community{
					{Edition: row("D1|阳光花园"), ID: "sun", Name: "阳光花园", Aliases: []string{"阳光苑"}, District: "D1", Address: "建设路12号", Station: "S1", Connected: true},
					{Edition: row("D2|翡翠名邸"), ID: "jade", Name: "翡翠名邸", District: "D2", Connected: true},
				})
			}},
			{"household", func(t string) error { return db.InsertAll(ctx, tx, t, []place.HouseholdRow{own, other, gone}) }},
		} {
			if err := table.add(table.name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func row(key string) place.Edition { return place.Edition{City: city, Key: key, Until: place.Forever} }

func as(role actor.Role, org string) actor.Actor {
	return actor.Actor{ID: "u-" + org, Kind: actor.Person, Org: org, Grants: []actor.Grant{{Role: role, City: city}}}
}

func TestACompanySeesItsOwnHouseholds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		one, two, seat := as(actor.RoleCompany, "C1"), as(actor.RoleCompany, "C2"), as(actor.RoleSeat, "")
		for _, c := range []struct {
			by   actor.Actor
			want string
		}{{one, "H1"}, {two, "H2"}, {seat, "H1 H2"}} {
			var seen []string
			for _, account := range []string{"H1", "H2", "H3", "H9"} {
				if _, err := k.Household(ctx, c.by, city, account); err == nil {
					seen = append(seen, account)
				} else if !fault.Is(err, fault.NotFound) {
					t.Errorf("%s of %s: %v; want NotFound", account, c.by.ID, err)
				}
			}
			if got := strings.Join(seen, " "); got != c.want {
				t.Errorf("%s sees %s; want %s", c.by.ID, got, c.want)
			}
			list, err := k.ByPhone(ctx, c.by, city, "138-1234-5678")
			if got := accounts(list); got != c.want || err != nil {
				t.Errorf("%s finds %s by telephone, %v; want %s", c.by.ID, got, err, c.want)
			}
			var at []place.Household
			for _, community := range []string{"sun", "jade"} {
				some, err := k.At(ctx, c.by, city, place.Address{Community: community, Building: "3号楼", Room: "601室"})
				if err != nil {
					t.Error(err)
				}
				at = append(at, some...)
			}
			if got := accounts(at); got != c.want {
				t.Errorf("%s sees %s at the address; want %s", c.by.ID, got, c.want)
			}
		}
		if _, err := k.Reveal(ctx, two, city, "H1", "回拨"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another's household revealed: %v", err)
		}
		if _, err := k.Reveal(ctx, as(actor.RoleRegulator, ""), city, "H1", "回拨"); !fault.Is(err, fault.Denied) {
			t.Errorf("revealed without the right: %v", err)
		}
		k.Owner = nil
		if _, err := k.Household(ctx, one, city, "H1"); !fault.Is(err, fault.NotFound) {
			t.Errorf("nobody knows who serves: %v", err)
		}
		if _, err := k.Household(ctx, actor.Anonymous(actor.Public), city, "H1"); !fault.Is(err, fault.Denied) {
			t.Errorf("a visitor: %v", err)
		}
	})
}

func accounts(list []place.Household) string {
	var out []string
	for _, h := range list {
		out = append(out, h.Account)
	}
	return strings.Join(out, " ")
}

func TestNamesAndTelephonesAreMasked(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		six := 6
		got, err := k.Household(ctx, as(actor.RoleSeat, ""), city, "H1")
		want := place.Household{
			Account: "H1", Community: "sun", CommunityName: "阳光花园", District: "D1", Building: "3", Unit: "1", Room: "601", Floor: &six,
			Holder: "欧阳*", Phone: "138****5678", HeatStatus: "on", Station: "S1", Riser: "R1", Company: "C1",
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		erased, err := k.ByPhone(ctx, as(actor.RoleSeat, ""), city, "13812345678")
		if err != nil || len(erased) != 2 {
			t.Fatalf("got %d, %v", len(erased), err)
		}
		err = db.Do(ctx, d, func(tx *db.Tx) error {
			r, _, err := place.HouseholdIn(ctx, tx, city, "H1")
			if err != nil {
				return err
			}
			return secret.Erase(ctx, tx, city, r.Person)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Household(ctx, as(actor.RoleSeat, ""), city, "H1"); err != nil || got.Holder != "" || got.Phone != "" || got.Room != "601" {
			t.Errorf("after erasure: %+v, %v", got, err)
		}
	})
}

func TestCommunitiesPageByPage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		err := db.Do(ctx, d, func(tx *db.Tx) error {
			var more []place.Community
			for i := range 30 {
				more = append(more, place.Community{Edition: row(fmt.Sprint(i)), ID: fmt.Sprint("c", i), Name: fmt.Sprintf("小区%d", i%7), District: "D1", Address: "Abc路"})
			}
			return db.InsertAll(ctx, tx, "community", more)
		})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		f := place.CommunityFilter{District: "D1", Request: page.Request{Size: 4}}
		for {
			p, err := k.Communities(ctx, as(actor.RoleCompany, "C2"), city, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range p.Items {
				if seen[c.ID] {
					t.Errorf("%s twice", c.ID)
				}
				seen[c.ID] = true
			}
			if f.After = p.Next; p.Next == "" {
				break
			}
		}
		if len(seen) != 31 {
			t.Errorf("%d communities; want 31", len(seen))
		}
		for query, want := range map[string]int{"阳光苑": 1, "建设路": 1, "abc": 30, "%": 0, "小区3": 4} {
			p, err := k.Communities(ctx, as(actor.RoleSeat, ""), city, place.CommunityFilter{Query: query})
			if err != nil || len(p.Items) != want {
				t.Errorf("%s: %d, %v; want %d", query, len(p.Items), err, want)
			}
		}
	})
}

func TestWhoAnswersTonight(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		own := as(actor.RoleCompany, "C1")
		save := func(in place.ShiftInput) place.Shift {
			in.City, in.Company = city, "C1"
			s, err := k.SaveShift(ctx, own, in)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		morning, evening := dbtest.Start, dbtest.Start.Add(12*time.Hour)
		day := save(place.ShiftInput{Station: "S1", From: morning, To: evening, Name: "张三", Phone: "13900000001", Leader: "钱总 13900000003"})
		save(place.ShiftInput{Station: "S1", From: evening, Name: "李四", Phone: "13900000002"})
		save(place.ShiftInput{From: morning, Name: "调度", Phone: "0351-2222222", Backup: "139 0000 0009"})
		for _, c := range []struct {
			at   civil.Instant
			st   string
			want string
		}{
			{morning, "S1", "station 13900000001, company 0351-2222222, leader 13900000003, backup 13900000009, desk 0351-1111111"},
			{evening, "S1", "station 13900000002, company 0351-2222222, backup 13900000009, desk 0351-1111111"},
			{morning, "S2", "company 0351-2222222, backup 13900000009, desk 0351-1111111"},
			{morning.Add(-time.Millisecond), "S1", "desk 0351-1111111"},
		} {
			chain, err := k.DutyChain(ctx, as(actor.RoleSeat, ""), city, "C1", c.st, c.at)
			var got []string
			for _, n := range chain {
				got = append(got, string(n.Rung)+" "+n.Phone)
			}
			if s := strings.Join(got, ", "); s != c.want || err != nil {
				t.Errorf("%s at %s: %s, %v", c.st, c.at, s, err)
			}
		}
		in := place.ShiftInput{City: city, Company: "C1", Station: "S1", From: morning, To: evening, Name: "王五", Phone: "13900000007"}
		if _, err := k.SaveShift(ctx, own, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("a shift twice: %v", err)
		}
		if _, err := k.SaveShift(ctx, as(actor.RoleCompany, "C2"), in); !fault.Is(err, fault.Denied) {
			t.Errorf("by another company: %v", err)
		}
		in.Rev = day.Rev
		if s, err := k.SaveShift(ctx, own, in); err != nil || s.Name != "王五" {
			t.Errorf("changed: %+v, %v", s, err)
		}
		if err := k.DropShift(ctx, own, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("dropped what was changed: %v", err)
		}
		list, err := k.Roster(ctx, own, city, place.ShiftFilter{Company: "C1", Station: "S1"})
		if err != nil || len(list.Items) != 2 || list.Items[0].Name != "王五" {
			t.Fatalf("roster: %+v, %v", list, err)
		}
		in.Rev = list.Items[0].Rev
		if err := k.DropShift(ctx, own, in); err != nil {
			t.Errorf("dropped: %v", err)
		}
	})
}

func TestTwoEditOneShift(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		in := place.ShiftInput{City: city, Company: "C1", Station: "S1", From: dbtest.Start, Phone: "13900000001"}
		first, err := k.SaveShift(ctx, as(actor.RoleLeader, ""), in)
		if err != nil {
			t.Fatal(err)
		}
		var won atomic.Int32
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				in := in
				in.Rev, in.Phone = first.Rev, fmt.Sprintf("1390000010%d", i)
				if _, err := k.SaveShift(ctx, as(actor.RoleLeader, ""), in); err == nil {
					won.Add(1)
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 8 changed the shift that all had seen; want 1", won.Load())
		}
	})
}

func TestStations(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k, ctx := newDesk(t, d), context.Background()
		head := as(actor.RoleSectionHead, "")
		st, err := k.SaveStation(ctx, head, place.StationInput{City: city, Code: "S1", Name: "城北一站", Company: "C1"})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Do(ctx, d, func(tx *db.Tx) error {
			if err := place.NoteLoopIn(ctx, tx, place.Loop{City: city, Station: "S1", Code: "高区", Name: "高区"}); err != nil {
				return err
			}
			return place.NoteStationIn(ctx, tx, place.Station{City: city, Code: "S1", Name: "S1", Company: "C2"})
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := k.Stations(ctx, head, city, "C1")
		if err != nil || len(list) != 1 || list[0].Name != "城北一站" || len(list[0].Loops) != 1 {
			t.Errorf("a list that names it changes nothing: %+v, %v", list, err)
		}
		in := place.StationInput{City: city, Code: "S1", Name: "城北站", Company: "C1", Version: st.Version}
		if _, err := k.SaveStation(ctx, head, in); err != nil {
			t.Error(err)
		}
		for name, c := range map[string]struct {
			by   actor.Actor
			in   place.StationInput
			want fault.Kind
		}{
			"seen before":     {head, in, fault.Conflict},
			"there already":   {head, place.StationInput{City: city, Code: "S1"}, fault.Conflict},
			"unknown company": {head, place.StationInput{City: city, Code: "S2", Company: "C9"}, fault.Invalid},
			"no code":         {head, place.StationInput{City: city}, fault.Invalid},
			"a seat":          {as(actor.RoleSeat, ""), place.StationInput{City: city, Code: "S2"}, fault.Denied},
		} {
			if _, err := k.SaveStation(ctx, c.by, c.in); !fault.Is(err, c.want) {
				t.Errorf("%s: %v; want %s", name, err, c.want)
			}
		}
	})
}

package citypack_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/packs"
)

const taiyuan = 140100

var allPacks = sync.OnceValues(func() (*citypack.Set, error) { return citypack.Load(packs.FS) })

func newService(t *testing.T, d *db.DB) *citypack.Service {
	t.Helper()
	set, err := allPacks()
	if err != nil {
		t.Fatal(err)
	}
	return citypack.NewService(d, set, calendar.Embedded())
}

func someone(role actor.Role) actor.Actor {
	return actor.Actor{
		ID: "p-" + string(role), Name: "张三", Kind: actor.Person, Org: "centre", Door: actor.Page,
		Grants: []actor.Grant{{Role: role, City: taiyuan}},
	}
}

func rules(t *testing.T, s *citypack.Service) *citypack.Rules {
	t.Helper()
	r, err := s.Rules(context.Background(), taiyuan)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func acts(t *testing.T, d *db.DB) (out []string) {
	t.Helper()
	ctx := context.Background()
	list, err := db.Read(ctx, d, func(tx *db.Tx) ([]audit.Entry, error) { return audit.History(ctx, tx, taiyuan, "pack:140100", 0) })
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.Check(list); err != nil {
		t.Errorf("the chain of the pack: %v", err)
	}
	for _, e := range list {
		out = append(out, e.Act)
	}
	return out
}

func TestApproveMakesAValueApply(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, head := newService(t, d), someone(actor.RoleSectionHead)
		first := rules(t, s).Pack.Provisionals()[0]
		in := citypack.Approving{City: taiyuan, Values: []citypack.Chosen{{Path: first.Path, Value: first.Text}}, Note: "市局文件"}

		if err := s.Approve(ctx, someone(actor.RoleSeat), in); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat approves: %v; want Denied", err)
		}
		if err := s.Approve(ctx, head, in); err != nil {
			t.Fatal(err)
		}
		values, err := s.ListValues(ctx, head, taiyuan)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if v.Path == first.Path && (v.Provisional || v.Approval == nil || v.Approval.By != "张三" || v.Approval.At != dbtest.Start) {
				t.Errorf("approved value: %+v; want it to apply, with name and date", v)
			}
		}
		if err := s.Approve(ctx, head, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("approving twice: %v; want Conflict", err)
		}
		for name, c := range map[string]citypack.Approving{
			"nothing":         {City: taiyuan},
			"no such value":   {City: taiyuan, Values: []citypack.Chosen{{Path: "no.such", Value: "1"}}},
			"the same twice":  {City: taiyuan, Values: []citypack.Chosen{in.Values[0], in.Values[0]}},
			"long note":       {City: taiyuan, Values: in.Values, Note: strings.Repeat("长", 501)},
			"confirmed value": {City: taiyuan, Values: confirmed(values)},
		} {
			if err := s.Approve(ctx, head, c); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v; want Invalid", name, err)
			}
		}
		second := rules(t, s).Pack.Provisionals()[0]
		stale := citypack.Approving{City: taiyuan, Values: []citypack.Chosen{{Path: second.Path, Value: second.Text + "9"}}}
		if err := s.Approve(ctx, head, stale); !fault.Is(err, fault.Conflict) {
			t.Errorf("approving what reads differently: %v; want Conflict", err)
		}
		out := citypack.Withdrawal{City: taiyuan, Path: first.Path, Reason: "读错了"}
		if err := s.Withdraw(ctx, head, out); err != nil {
			t.Fatal(err)
		}
		if err := s.Withdraw(ctx, head, out); !fault.Is(err, fault.NotFound) {
			t.Errorf("withdrawing twice: %v; want NotFound", err)
		}
		if got := rules(t, s).Pack.Provisionals()[0].Path; got != first.Path {
			t.Errorf("first provisional after withdrawal is %s; want %s", got, first.Path)
		}
		if err := s.Approve(ctx, head, in); err != nil {
			t.Errorf("approving again after a withdrawal: %v", err)
		}
		if diff := cmp.Diff([]string{"pack.approve", "pack.withdraw", "pack.approve"}, acts(t, d)); diff != "" {
			t.Errorf("acts (-want +got):\n%s", diff)
		}
	})
}

func confirmed(values []citypack.Value) []citypack.Chosen {
	for _, v := range values {
		if v.Confidence.Confirmed() {
			return []citypack.Chosen{{Path: v.Path, Value: v.Text}}
		}
	}
	return nil
}

func TestSeasonDeclared(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, head := newService(t, d), someone(actor.RoleSectionHead)
		oct25 := civil.On(civil.NewDate(2025, 10, 25), 0, 0)
		in := citypack.SeasonInput{City: taiyuan, Season: "2025-2026", Start: oct25, Document: "并政告〔2025〕9号"}
		if _, err := s.DeclareSeason(ctx, someone(actor.RoleLeader), in); !fault.Is(err, fault.Denied) {
			t.Errorf("a shift leader declares: %v; want Denied", err)
		}
		first, err := s.DeclareSeason(ctx, head, in)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := rules(t, s).Season(dbtest.Start, ""); !ok || got.Start != oct25 || !got.Declared || got.Provisional {
			t.Errorf("season: %+v, %v; want the declared start", got, ok)
		}
		if _, err := s.DeclareSeason(ctx, head, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("declaring again: %v; want Conflict", err)
		}
		longer := in
		longer.End, longer.Version = civil.On(civil.NewDate(2026, 4, 10), 24, 0), first.Version
		if _, err := s.DeclareSeason(ctx, head, longer); err != nil {
			t.Fatalf("extending: %v", err)
		}
		if _, err := s.DeclareSeason(ctx, head, longer); !fault.Is(err, fault.Conflict) {
			t.Errorf("extending what somebody else extended: %v; want Conflict", err)
		}
		if got := rules(t, s).Phase(civil.On(civil.NewDate(2026, 4, 5), 8, 0), ""); got != citypack.PhaseSeason {
			t.Errorf("5 April of an extended season is %q; want the season", got)
		}
		for name, change := range map[string]func(*citypack.SeasonInput){
			"label":    func(i *citypack.SeasonInput) { i.Season = "2025" },
			"document": func(i *citypack.SeasonInput) { i.Document = " " },
			"no times": func(i *citypack.SeasonInput) { i.Start = 0 },
			"year":     func(i *citypack.SeasonInput) { i.Start = oct25.Add(400 * 24 * time.Hour) },
			"inverted": func(i *citypack.SeasonInput) { i.Start, i.End = oct25, oct25.Add(-time.Hour) },
		} {
			bad := in
			bad.County = "古交市"
			change(&bad)
			if _, err := s.DeclareSeason(ctx, head, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v; want Invalid", name, err)
			}
		}
		list, err := s.ListSeasons(ctx, head, taiyuan)
		if err != nil || len(list) != 1 || list[0].Version != 2 {
			t.Errorf("declared: %+v, %v; want one, in its second version", list, err)
		}
	})
}

const holidays2027 = `{"year":2027,"days":[{"name":"元旦","date":"2027-01-01","isOffDay":true},{"name":"元旦","date":"2027-01-02","isOffDay":true},{"name":"元旦","date":"2027-01-10","isOffDay":false}]}`

func TestHolidaySwitchedOffStaysOff(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, head := newService(t, d), someone(actor.RoleSectionHead)
		in := citypack.HolidayImport{City: taiyuan, Source: "国办发明电", Body: []byte(holidays2027)}
		jan10 := civil.NewDate(2027, 1, 10)
		workday := func(want, wantKnown bool) {
			t.Helper()
			if got, known := rules(t, s).Calendar.IsWorkday(jan10); got != want || known != wantKnown {
				t.Errorf("10 January 2027: work %v, known %v; want %v, %v", got, known, want, wantKnown)
			}
		}
		workday(false, false)
		dry := in
		dry.DryRun = true
		if c, err := s.ImportHolidays(ctx, head, dry); err != nil || c.New != 3 || !c.Changed {
			t.Errorf("dry run: %+v, %v; want three new entries", c, err)
		}
		workday(false, false)
		if _, err := s.ImportHolidays(ctx, head, in); err != nil {
			t.Fatal(err)
		}
		workday(true, true)
		if c, err := s.ImportHolidays(ctx, head, in); err != nil || c.Changed {
			t.Errorf("the same file again: %+v, %v; want no change", c, err)
		}
		off := citypack.HolidaySwitch{City: taiyuan, Year: 2027, Date: jan10, Off: true, Reason: "公告没有这一天"}
		if _, err := s.SwitchHoliday(ctx, head, off); err != nil {
			t.Fatal(err)
		}
		workday(false, true)
		if c, err := s.ImportHolidays(ctx, head, in); err != nil || c.Changed || c.Off != 1 {
			t.Errorf("the same file after a switch: %+v, %v; want no change and one entry off", c, err)
		}
		workday(false, true)
		if _, err := newService(t, d).SwitchHoliday(ctx, head, citypack.HolidaySwitch{City: taiyuan, Year: 2030, Date: jan10, Off: true, Reason: "x"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("switching in an unknown year: %v; want NotFound", err)
		}
		list, err := s.Holidays(ctx, head, taiyuan)
		if err != nil || list[0].Year.Year != 2027 || !list[0].Imported || list[1].Imported {
			t.Errorf("years: %+v, %v; want 2027 as imported, then those of the program", list, err)
		}
		if _, err := s.ImportHolidays(ctx, someone(actor.RoleSeat), in); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat imports: %v; want Denied", err)
		}
		if diff := cmp.Diff([]string{"holidays.import", "holidays.switch"}, acts(t, d)); diff != "" {
			t.Errorf("acts (-want +got):\n%s", diff)
		}
	})
}

func TestPeakIsSeenAtOnceHereAndWithinASecondElsewhere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		here, there := newService(t, d), newService(t, d)
		now := time.Unix(1_800_000_000, 0)
		there.SetMachine(func() time.Time { return now })
		leader := someone(actor.RoleLeader)
		if rules(t, here).Peak || rules(t, there).Peak {
			t.Fatal("peak mode is on in a new city")
		}
		if _, err := here.SetPeak(ctx, leader, citypack.PeakInput{City: taiyuan, On: true}); !fault.Is(err, fault.Invalid) {
			t.Errorf("without a reason: %v; want Invalid", err)
		}
		if _, err := here.SetPeak(ctx, someone(actor.RoleSeat), citypack.PeakInput{City: taiyuan, On: true, Reason: "x"}); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat switches: %v; want Denied", err)
		}
		if _, err := here.SetPeak(ctx, leader, citypack.PeakInput{City: taiyuan, On: true, Reason: "寒潮，来电激增"}); err != nil {
			t.Fatal(err)
		}
		if !rules(t, here).Peak {
			t.Error("this process does not see its own change")
		}
		now = now.Add(time.Second)
		if !rules(t, there).Peak {
			t.Error("another process does not see the change after a second")
		}
		w, err := there.Peak(ctx, leader, taiyuan)
		if err != nil || !w.On || w.By != "张三" || w.Reason != "寒潮，来电激增" || w.At != dbtest.Start {
			t.Errorf("switch: %+v, %v; want who, why and when", w, err)
		}
	})
}

func TestOneOfTwoLeadersSwitches(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, leader := newService(t, d), someone(actor.RoleLeader)
		errs := make(chan error, 8)
		for range cap(errs) {
			go func() {
				_, err := s.SetPeak(context.Background(), leader, citypack.PeakInput{City: taiyuan, On: true, Reason: "寒潮"})
				errs <- err
			}()
		}
		won := 0
		for range cap(errs) {
			switch err := <-errs; {
			case err == nil:
				won++
			case !fault.Is(err, fault.Conflict):
				t.Errorf("a second leader: %v; want Conflict", err)
			}
		}
		if won != 1 || len(acts(t, d)) != 1 {
			t.Errorf("%d of 8 switched, %d acts; want 1", won, len(acts(t, d)))
		}
	})
}

func TestServedCities(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := newService(t, d)
		for _, city := range []int{990100, taiyuan, taiyuan} {
			if err := s.EnsureCity(ctx, city); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.EnsureCity(ctx, 123456); !fault.Is(err, fault.NotFound) {
			t.Errorf("a city without a pack: %v; want NotFound", err)
		}
		got, err := s.Served(ctx)
		if diff := cmp.Diff([]int{taiyuan, 990100}, got); err != nil || diff != "" {
			t.Errorf("served %v, %v", got, err)
		}
	})
}

func TestRuleLimitByPhase(t *testing.T) {
	t.Parallel()
	s := newService(t, dbtest.SQLite(t))
	find := s.RuleLimit(context.Background())
	for name, c := range map[string]struct {
		at   civil.Instant
		want string
	}{
		"first ten days": {civil.On(civil.NewDate(2025, 11, 5), 8, 0), "5"},
		"later":          {civil.On(civil.NewDate(2026, 1, 15), 8, 0), "2"},
	} {
		l, _, provisional, explain, err := find(taiyuan, "quality_on_site", c.at)
		if err != nil || l.Amount.String() != c.want || l.Unit != calendar.Hours || !provisional || len(explain) != 2 || explain[0].Article != "35" {
			t.Errorf("%s: %s %s, provisional %v, %v, %v; want %s hours, provisional, of article 35", name, l.Amount, l.Unit, provisional, explain, err, c.want)
		}
	}
	for field, c := range map[string]struct {
		city int
		rule string
	}{"rule": {taiyuan, "no_such"}, "city": {123456, "sign"}} {
		_, _, _, _, err := find(c.city, c.rule, dbtest.Start)
		if e := fault.Of(err); e.Kind != fault.Invalid || e.Fields[0].Name != field {
			t.Errorf("%s: %v; want a message about the field", field, err)
		}
	}
}

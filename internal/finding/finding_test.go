package finding_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/packs"
)

const city = 990100

var ctx = context.Background()

func person(role actor.Role, org string, districts ...string) actor.Actor {
	return actor.Actor{ID: string(role) + org, Kind: actor.Person, Org: org, Grants: []actor.Grant{{Role: role, City: city, Districts: districts}}}
}

func company(code string) actor.Actor {
	return actor.Actor{ID: code, Kind: actor.Person, Org: code, Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{code}}}}
}

var (
	seat     = person(actor.RoleSeat, "centre")
	district = person(actor.RoleDistrict, "D1", "和平区")
	c1, c2   = company("C1"), company("C2")
)

// world has one measurement, M1, of a flat that C1 serves, with a failed test of the company in its log.
type world struct {
	*finding.Service
	t       *testing.T
	d       *db.DB
	now     *dbtest.Clock
	runner  *jobs.Runner
	mu      sync.Mutex
	log     []finding.Evidence
	told    []string
	decided []finding.Finding
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := set.City(city)
	if err != nil {
		t.Fatal(err)
	}
	rules := &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}
	ring, err := secret.LoadRing(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, d: d, now: dbtest.NewClock()}
	d.SetClock(w.now.Now)
	w.log = []finding.Evidence{w.test("r1", "test", "company", 178)}
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: slog.New(slog.DiscardHandler), Machine: time.Now, Cities: func() []int { return []int{city} }})
	w.Service, err = finding.New(finding.Options{
		DB: d, Ring: ring, Jobs: w.runner,
		Rules: func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return rules, nil },
		Matter: func(_ context.Context, _ *db.Tx, by actor.Actor, _ int, id string) (finding.Matter, error) {
			if id != "M1" && id != "M2" {
				return finding.Matter{}, fault.New(fault.NotFound, "not_found")
			}
			return finding.Matter{Measurement: id, No: "测1", Home: "1004412", Account: "1004412", Season: "2025-2026", Company: "C1", District: "和平区", Station: "S1", Address: "幸福里3号楼2单元601"}, nil
		},
		Log: func(context.Context, *db.Tx, int, string, string) ([]finding.Evidence, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.log), nil
		},
		Own: func(_ context.Context, _ *db.Tx, _ int, p cases.Proof) (finding.Claimant, error) {
			if p != receipt {
				return finding.Claimant{}, fault.New(fault.NotFound, "not_found")
			}
			return finding.Claimant{Measurements: []string{"M1"}}, nil
		},
		Tell: func(_ context.Context, _ *db.Tx, f finding.Finding, what string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told = append(w.told, what)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.OnDecided = func(_ context.Context, _ *db.Tx, _ actor.Actor, f finding.Finding) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.decided = append(w.decided, f)
		return nil
	}
	w.now.Advance(time.Hour)
	return w
}

func (w *world) test(record, kind, by string, tenths int) finding.Evidence {
	ok := tenths >= 180
	return finding.Evidence{Record: record, Type: kind, By: by, At: w.now.Now(), Conforming: &ok, Rooms: []finding.Room{{Room: "客厅", TempC: celsius.Tenths(tenths)}}}
}

func filing() finding.Filing {
	return finding.Filing{City: city, Measurement: "M1", Ground: finding.Result, Way: finding.Complaint, Text: "测温时开着电暖气", Applicant: "张喆", Phone: "13800002231"}
}

func (w *world) file(in finding.Filing) finding.View {
	w.t.Helper()
	v, err := w.File(ctx, seat, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) step(by actor.Actor, v finding.View, e finding.Event, reason string) (finding.View, error) {
	return w.Step(ctx, by, finding.Stepping{Act: act(v, reason), Event: e})
}

func act(v finding.View, reason string) finding.Act {
	return finding.Act{City: city, ID: v.ID, Version: v.Version, Reason: reason}
}

func (w *world) must(v finding.View, err error) finding.View {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func wantKind(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}

func opinion(v finding.View, record string) finding.Deciding {
	return finding.Deciding{Act: act(v, ""), Form: finding.Opinion, Prevails: record, Opinion: "经复核，室温不达标，以检测机构结果为准。", Cost: finding.Company}
}

// TestFromTheObjectionToThePaper: the user objects, the authority accepts and hears the company, a laboratory tests, the paper
// names the laboratory's result as the rules say, and settlement hears of it.
func TestFromTheObjectionToThePaper(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v := w.file(filing())
		if v.State != finding.Filed || v.Side != finding.User || v.No != "异20260115-001" || v.Applicant == "张喆" || v.DueAt.IsZero() || v.Promise.Source == "" {
			t.Errorf("filed: %+v", v.Finding)
		}
		_, err := w.File(ctx, seat, filing())
		wantKind(t, "a second objection", err, fault.Conflict)
		_, err = w.Answer(ctx, c1, act(v, "早说了"))
		wantKind(t, "the company before it was asked", err, fault.Conflict)

		v = w.must(w.step(district, v, finding.Accept, ""))
		_, err = w.step(district, v, finding.Weigh, "")
		wantKind(t, "nothing new to weigh", err, fault.Conflict)
		v = w.must(w.Answer(ctx, c1, act(v, "检测合规，用户在场")))
		w.now.Advance(24 * time.Hour)
		w.log = append(w.log, w.test("r2", "lab_report", "laboratory", 165))
		v = w.must(w.step(district, v, finding.Weigh, ""))

		_, err = w.Decide(ctx, district, opinion(v, "r1"))
		if e := fault.Of(err); e == nil || len(e.Fields) != 1 || e.Fields[0].Name != "prevails" || e.Fields[0].Key != "finding.prevails.laboratory" {
			t.Errorf("the company's result over the laboratory's: %v", err)
		}
		v = w.must(w.Decide(ctx, district, opinion(v, "r2")))
		if v.State != finding.Issued || v.Paper.No != "复2026-0001" || v.Paper.Prevails.Record != "r2" || len(v.Paper.Evidence) != 2 || len(v.Paper.Remedies) != 3 || v.Paper.Force == nil || len(v.Allowed) != 0 {
			t.Errorf("issued: %+v", v.Paper)
		}
		if diff := cmp.Diff([]string{"accepted", "decided"}, w.told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if len(w.decided) != 1 || w.decided[0].Paper.Prevails.Record != "r2" {
			t.Errorf("settlement heard of %+v", w.decided)
		}
		_, err = w.Decide(ctx, district, opinion(v, "r1"))
		wantKind(t, "a second paper", err, fault.Conflict)
		w.checkChain("finding.file", "finding.accept", "finding.answer", "finding.weigh", "finding.issue")
		w.checkPaper(v)
		again := w.file(filing())
		if again.ID == v.ID || again.No != "异20260116-001" {
			t.Errorf("a new objection after the paper: %s %s", again.ID, again.No)
		}
	})
}

func (w *world) checkChain(acts ...string) {
	w.t.Helper()
	admin := person(actor.RoleAdmin, "centre")
	got, err := db.Read(ctx, w.d, func(tx *db.Tx) ([]string, error) {
		list, err := audit.List(ctx, tx, admin, city, audit.Filter{Subject: "household:1004412"})
		var out []string
		for _, e := range slices.Backward(list.Items) {
			out = append(out, e.Act)
			if strings.Contains(e.Body, "张喆") {
				w.t.Errorf("%s holds a name: %s", e.Act, e.Body)
			}
		}
		return out, err
	})
	if diff := cmp.Diff(acts, got); err != nil || diff != "" {
		w.t.Errorf("chain of the household, %v (-want +got):\n%s", err, diff)
	}
}

// checkPaper prints the paper: the authority reads the applicant's name, the company does not.
func (w *world) checkPaper(v finding.View) {
	w.t.Helper()
	for by, full := range map[string]bool{"district": true, "c1": false} {
		who := map[string]actor.Actor{"district": district, "c1": c1}[by]
		for _, l := range []text.Lang{text.ZH, text.EN} {
			d, err := w.Sheet(ctx, who, city, v.ID, l)
			if err != nil {
				w.t.Fatal(err)
			}
			pairs := d.Blocks[0].(paper.Pairs).Pairs
			said := fmt.Sprint(d)
			if strings.Contains(said, "张喆") != full || d.Number != "复2026-0001" || pairs[0].Label != map[text.Lang]string{text.ZH: "申请人", text.EN: "Applicant"}[l] {
				w.t.Errorf("%s reads %+v", by, d)
			}
			for _, want := range []string{"16.5 ℃", "17.8 ℃", "检测合规，用户在场"} {
				if !strings.Contains(said, want) {
					w.t.Errorf("%s: %q is not on the paper: %s", by, want, said)
				}
			}
			if err := new(paper.Press).Print(&bytes.Buffer{}, d); err != nil {
				w.t.Error(err)
			}
		}
	}
}

// TestACompanyThatDoesNotCome: the complaint has the authority's own clock, and the paper may name no result.
func TestACompanyThatDoesNotCome(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.log = []finding.Evidence{{Record: "r1", Type: "missed_by_company", At: w.now.Now(), By: "company"}}
		in := filing()
		in.Ground = finding.Absent
		v := w.file(in)
		v = w.must(w.step(district, v, finding.Accept, ""))
		w.now.Set(v.DueAt.Add(-time.Minute))
		if err := w.runner.RunDue(ctx); err != nil {
			t.Fatal(err)
		}
		if got := w.must(w.Get(ctx, c1, city, v.ID)); got.Late {
			t.Error("late before its time")
		}
		w.now.Set(v.DueAt)
		if err := w.runner.RunDue(ctx); err != nil {
			t.Fatal(err)
		}
		v = w.must(w.Get(ctx, district, city, v.ID))
		late, err := w.List(ctx, district, city, finding.Filter{Open: true, Late: true})
		if err != nil || !v.Late || len(late.Items) != 1 || w.told[len(w.told)-1] != "late" {
			t.Errorf("late: %v, listed %d, %v, told %v", v.Late, len(late.Items), err, w.told)
		}
		in2 := opinion(v, "")
		in2.Opinion = "企业未按时入户测温"
		v = w.must(w.Decide(ctx, district, in2))
		if v.Paper.Prevails != nil || v.State != finding.Issued || !v.Late {
			t.Errorf("issued: %+v", v.Finding)
		}
	})
}

func TestWhoMayWhat(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v := w.file(filing())
		elsewhere := person(actor.RoleDistrict, "D2", "向阳区")
		for name, by := range map[string]actor.Actor{"another company": c2, "another district": elsewhere} {
			_, err := w.Get(ctx, by, city, v.ID)
			wantKind(t, name+" reads", err, fault.NotFound)
			list, err := w.List(ctx, by, city, finding.Filter{})
			if err != nil || len(list.Items) != 0 {
				t.Errorf("%s lists %d, %v", name, len(list.Items), err)
			}
			_, err = w.step(by, v, finding.Accept, "")
			wantKind(t, name+" accepts", err, fault.NotFound)
			_, err = w.Sheet(ctx, by, city, v.ID, text.ZH)
			wantKind(t, name+" prints", err, fault.NotFound)
		}
		_, err := w.step(c1, v, finding.Accept, "")
		wantKind(t, "the company accepts", err, fault.Denied)
		_, err = w.step(seat, v, finding.Accept, "")
		wantKind(t, "the seat accepts", err, fault.Denied)
		_, err = w.step(c1, v, finding.Withdraw, "不想查")
		wantKind(t, "the company withdraws the user's objection", err, fault.Conflict)
		_, err = w.File(ctx, c2, finding.Filing{City: city, Measurement: "M2", Ground: finding.Result, Way: finding.Laboratory, Text: "不服"})
		wantKind(t, "another company objects", err, fault.NotFound)
		_, err = w.Sheet(ctx, district, city, v.ID, text.ZH)
		wantKind(t, "printed before it is issued", err, fault.Conflict)

		own, err := w.File(ctx, c1, finding.Filing{City: city, Measurement: "M2", Ground: finding.Result, Way: finding.Laboratory, Text: "对复测结果不服"})
		if err != nil || own.Side != finding.Company || own.Applicant != "" {
			t.Fatalf("the company objects: %+v, %v", own.Finding, err)
		}
		if got := w.must(w.step(c1, own, finding.Withdraw, "接受结果")); got.State != finding.Withdrawn {
			t.Errorf("withdrawn: %s", got.State)
		}
	})
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	for name, c := range map[string]struct {
		by     actor.Actor
		change func(*finding.Filing)
		field  string
	}{
		"no measurement":    {seat, func(f *finding.Filing) { f.Measurement = "" }, "measurement"},
		"no text":           {seat, func(f *finding.Filing) { f.Text = " " }, "text"},
		"unknown ground":    {seat, func(f *finding.Filing) { f.Ground = "cold" }, "ground"},
		"unknown way":       {seat, func(f *finding.Filing) { f.Way = "duel" }, "way"},
		"nobody objects":    {seat, func(f *finding.Filing) { f.Applicant = "" }, "applicant"},
		"its own absence":   {c1, func(f *finding.Filing) { f.Ground = finding.Absent }, "ground"},
		"more than is read": {seat, func(f *finding.Filing) { f.Text = strings.Repeat("冷", 2001) }, "text"},
	} {
		in := filing()
		c.change(&in)
		_, err := w.File(ctx, c.by, in)
		if e := fault.Of(err); e == nil || len(e.Fields) != 1 || e.Fields[0].Name != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	v := w.must(w.step(district, w.file(filing()), finding.Accept, ""))
	for name, c := range map[string]struct {
		change func(*finding.Deciding)
		field  string
	}{
		"a ruling without a law":   {func(in *finding.Deciding) { in.Form = finding.Ruling }, "form"},
		"a form that is none":      {func(in *finding.Deciding) { in.Form = "oracle" }, "form"},
		"a result that is not":     {func(in *finding.Deciding) { in.Prevails = "r9" }, "prevails"},
		"no result":                {func(in *finding.Deciding) { in.Prevails = "" }, "prevails"},
		"no opinion":               {func(in *finding.Deciding) { in.Opinion = "" }, "opinion"},
		"a cost that nobody bears": {func(in *finding.Deciding) { in.Cost = "city" }, "cost"},
	} {
		in := opinion(v, "r1")
		c.change(&in)
		_, err := w.Decide(ctx, district, in)
		if e := fault.Of(err); e == nil || len(e.Fields) != 1 || e.Fields[0].Name != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := w.step(district, v, finding.Issue, "")
	wantKind(t, "a paper without its text", err, fault.Invalid)
	mediated := opinion(v, "")
	mediated.Form, mediated.PerformBy, mediated.Cost = finding.Mediation, civil.NewDate(2026, 2, 1), ""
	if got := w.must(w.Decide(ctx, district, mediated)); got.State != finding.Mediated || got.Paper.No != "调2026-0001" || got.Paper.Force != nil {
		t.Errorf("mediated: %+v", got.Paper)
	}
}

// TestTwoDecideAtOnce: of two officers who saw one version, one issues the paper, and its number is the first.
func TestTwoDecideAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v := w.must(w.step(district, w.file(filing()), finding.Accept, ""))
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = w.Decide(ctx, district, opinion(v, "r1")) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !fault.Is(err, fault.Conflict) {
				t.Errorf("lost with %v", err)
			}
		}
		got := w.must(w.Get(ctx, district, city, v.ID))
		if won != 1 || got.Paper == nil || got.Paper.No != "复2026-0001" {
			t.Errorf("%d issued, paper %+v", won, got.Paper)
		}
	})
}

func TestSentTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := filing()
		in.Key = "k1"
		first, second := w.file(in), w.file(in)
		if first.ID != second.ID {
			t.Errorf("filed twice: %s and %s", first.ID, second.ID)
		}
		in.Text = "另一件事"
		_, err := w.File(ctx, seat, in)
		wantKind(t, "the same key for another objection", err, fault.Conflict)
	})
}

package knowledge_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/packs"
)

const city = 990100

var ctx = context.Background()

func person(id string, role actor.Role) actor.Actor {
	return actor.Actor{ID: id, Name: id, Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: role, City: city}}}
}

var (
	writer = person("writer", actor.RoleKnowledge)
	head   = person("head", actor.RoleSectionHead)
	seat   = person("seat", actor.RoleSeat)
)

type world struct {
	t       *testing.T
	d       *db.DB
	now     *dbtest.Clock
	service *knowledge.Service
	notices *notice.Service
	ring    *secret.Ring
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
	w := &world{t: t, d: d, now: dbtest.NewClock()}
	d.SetClock(w.now.Now)
	if w.ring, err = secret.LoadRing(t.TempDir(), ""); err != nil {
		t.Fatal(err)
	}
	if w.notices, err = notice.New(notice.Options{DB: d, Ring: w.ring}); err != nil {
		t.Fatal(err)
	}
	rules := &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}
	w.service, err = knowledge.New(knowledge.Options{DB: d, Notices: w.notices, Rules: func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return rules, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func texts(title, answer string) knowledge.Texts {
	return knowledge.Texts{TitleZH: title, AnswerZH: answer, Source: "测试"}
}

func (w *world) write(by actor.Actor, in knowledge.DraftInput) knowledge.Version {
	w.t.Helper()
	in.City = city
	v, err := w.service.Write(ctx, by, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) move(by actor.Actor, v knowledge.Version, e knowledge.Event, effective civil.Instant) knowledge.Version {
	w.t.Helper()
	v, err := w.service.Move(ctx, by, in(v, e, effective))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func in(v knowledge.Version, e knowledge.Event, effective civil.Instant) knowledge.MoveInput {
	return knowledge.MoveInput{City: city, Article: v.Article, No: v.No, Version: v.Version, Event: e, Reason: "原因", Effective: effective}
}

// publish writes an article and brings it into force.
func (w *world) publish(t knowledge.Texts) knowledge.Version {
	w.t.Helper()
	v := w.write(writer, knowledge.DraftInput{Kind: knowledge.Script, Texts: t})
	return w.move(head, w.move(writer, v, knowledge.Submit, 0), knowledge.Approve, 0)
}

func (w *world) search(text string) []string {
	w.t.Helper()
	views, err := w.service.Search(ctx, seat, knowledge.Query{City: city, Text: text})
	if err != nil {
		w.t.Fatal(err)
	}
	var titles []string
	for _, v := range views {
		titles = append(titles, v.TitleZH)
	}
	return titles
}

func TestVersionsAndEffect(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v1 := w.write(writer, knowledge.DraftInput{Kind: knowledge.Fault, Texts: texts("气堵", "放气")})
		if got := w.search("气堵"); len(got) != 0 {
			t.Errorf("a draft is found: %v", got)
		}
		if _, err := w.service.Read(ctx, seat, city, v1.Article, 1); !fault.Is(err, fault.NotFound) {
			t.Errorf("a seat reads a draft: %v; want NotFound", err)
		}
		v1 = w.move(writer, v1, knowledge.Submit, 0)
		if _, err := w.service.Move(ctx, writer, in(v1, knowledge.Approve, 0)); !fault.Is(err, fault.Denied) {
			t.Errorf("the author approves: %v; want Denied", err)
		}
		if _, err := w.service.Write(ctx, writer, knowledge.DraftInput{City: city, Article: v1.Article, Texts: texts("气堵", "二")}); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second version while the first is reviewed: %v; want Conflict", err)
		}
		v1 = w.move(head, v1, knowledge.Approve, 0)
		v2 := w.write(writer, knowledge.DraftInput{Article: v1.Article, Texts: texts("气堵", "慢慢放气")})
		v2 = w.write(writer, knowledge.DraftInput{Article: v1.Article, No: 2, Version: v2.Version, Texts: texts("气堵", "慢慢放气，接毛巾")})
		tomorrow := dbtest.Start.Add(24 * time.Hour)
		v2 = w.move(head, w.move(writer, v2, knowledge.Submit, 0), knowledge.Approve, tomorrow)
		use := func() int {
			v, err := db.Read(ctx, d, func(tx *db.Tx) (knowledge.Version, error) { return w.service.Use(ctx, tx, city, v1.Article) })
			if err != nil {
				return 0
			}
			return v.No
		}
		if got := use(); got != 1 {
			t.Errorf("version %d today; want 1", got)
		}
		w.now.Set(tomorrow)
		if got := use(); got != 2 {
			t.Errorf("version %d tomorrow; want 2", got)
		}
		old, err := w.service.Read(ctx, seat, city, v1.Article, 1)
		if err != nil || old.Answer[text.ZH] != "放气" || old.Live {
			t.Errorf("what a case was answered with: %+v, %v", old, err)
		}
		w.move(head, v2, knowledge.Withdraw, 0)
		if got := use(); got != 0 {
			t.Errorf("version %d after withdrawing; want none", got)
		}
	})
}

func TestDraftsAreGuarded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v := w.write(writer, knowledge.DraftInput{Kind: knowledge.Fault, Texts: texts("一", "一")})
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 6 {
			wg.Go(func() {
				_, err := w.service.Write(ctx, writer, knowledge.DraftInput{City: city, Article: v.Article, No: 1, Version: v.Version, Texts: texts("二", "二")})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case !fault.Is(err, fault.Conflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d of six edits of one version won; want one", won)
		}
	})
}

func TestSearch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		long := texts("报停怎么办", "到营业厅，100%按规定")
		long.Words = "停用 空置"
		w.publish(long)
		w.publish(texts("停热公告", "正在抢修"))
		w.publish(texts("气堵", "报停之外的答复"))
		for _, c := range []struct {
			q    string
			want []string
		}{
			{"报停", []string{"报停怎么办", "气堵"}}, // the title first
			{"bt", []string{"报停怎么办"}},
			{"QD", []string{"气堵"}},
			{"ｑｄ", []string{"气堵"}},
			{"停 抢修", []string{"停热公告"}},
			{"kz", []string{"报停怎么办"}},
			{"0%按", []string{"报停怎么办"}},
			{"%", []string{"报停怎么办"}},
			{"_", nil},
			{"没有这样的", nil},
		} {
			if diff := cmp.Diff(c.want, w.search(c.q)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.q, diff)
			}
		}
		for range 2 {
			if _, err := w.service.Search(ctx, seat, knowledge.Query{City: city, Text: "锅炉 爆", Final: true}); err != nil {
				t.Fatal(err)
			}
		}
		misses, err := w.service.Misses(ctx, writer, city, dbtest.Start.Date())
		if diff := cmp.Diff([]knowledge.Miss{{Query: "锅炉 爆", Times: 2}}, misses); diff != "" || err != nil {
			t.Errorf("looked for in vain (-want +got), %v:\n%s", err, diff)
		}
	})
}

func TestSeeds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		seeds, err := knowledge.Seeds()
		if err != nil || len(seeds) < 25 {
			t.Fatalf("%d seeds, %v; want at least 25", len(seeds), err)
		}
		system := actor.SystemFor("demo", actor.Command)
		if _, err := w.service.Plant(ctx, writer, city, true); !fault.Is(err, fault.Denied) {
			t.Errorf("one person publishes without a second: %v; want Denied", err)
		}
		n, err := w.service.Plant(ctx, system, city, true)
		if err != nil || n != len(seeds) {
			t.Fatalf("planted %d of %d, %v", n, len(seeds), err)
		}
		if n, err := w.service.Plant(ctx, system, city, false); err != nil || n != 0 {
			t.Errorf("planted again: %d, %v; want none", n, err)
		}
		views, err := w.service.Search(ctx, seat, knowledge.Query{City: city})
		if err != nil || len(views) != len(seeds) {
			t.Fatalf("found %d, %v; want all", len(views), err)
		}
		for _, v := range views {
			if v.AnswerEN == "" || v.HintEN == "" || v.TitleEN == "" || len([]rune(v.AnswerZH)) > knowledge.MaxAnswer || len(v.Categories) == 0 {
				t.Errorf("%s is not complete", v.TitleZH)
			}
			for _, s := range []string{v.Answer[text.ZH], v.Answer[text.EN], v.Hint[text.ZH]} {
				if strings.Contains(s, "{") || strings.Contains(s, "未载明") {
					t.Errorf("%s leaves a value open: %s", v.TitleZH, s)
				}
			}
			if strings.ContainsAny(v.AnswerZH, "0123456789") {
				t.Errorf("%s writes a figure instead of naming the rule: %s", v.TitleZH, v.AnswerZH)
			}
		}
		views, err = w.service.Search(ctx, seat, knowledge.Query{City: city, Text: "烫", Category: "cold_home"})
		if err != nil || len(views) == 0 || !strings.Contains(views[0].Answer[text.ZH], "18℃") {
			t.Errorf("the city's standard is not filled in: %+v, %v", views, err)
		}
	})
}

func TestUnknownValuesAreSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	_, err := w.service.Write(ctx, writer, knowledge.DraftInput{City: city, Kind: knowledge.Fee, Texts: texts("罚款", "罚{fine.max}元")})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("a value that no rule has: %v; want Invalid", err)
	}
}

func TestReceipts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		people, err := staff.New(staff.Options{DB: d, Ring: w.ring, Machine: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		system := actor.SystemFor("test", actor.Command)
		if _, err := people.SaveOrganisation(ctx, system, staff.OrgInput{City: city, Code: "centre", Kind: staff.Centre, NameZH: "中心", NameEN: "Centre"}); err != nil {
			t.Fatal(err)
		}
		var seats []actor.Actor
		for _, login := range []string{"a.seat", "b.seat", "c.leader"} {
			role := actor.RoleSeat
			if login == "c.leader" {
				role = actor.RoleLeader
			}
			p, err := people.CreatePerson(ctx, system, staff.NewPerson{
				City: city, Login: login, Name: login, Org: "centre",
				Grants: []actor.Grant{{Role: role, City: city}}, Password: "correct horse battery",
			})
			if err != nil {
				t.Fatal(err)
			}
			seats = append(seats, person(p.ID, role))
		}
		must := texts("先读", "先读")
		must.MustRead = []actor.Role{actor.RoleSeat}
		v := w.publish(must)
		for i, want := range []int{1, 1, 0} {
			got, err := w.service.MustReads(ctx, seats[i], city)
			if err != nil || len(got) != want {
				t.Errorf("%s must read %d, %v; want %d", seats[i].Name, len(got), err, want)
			}
		}
		for range 2 {
			if err := w.service.Confirm(ctx, seats[0], city, v.Article, v.No); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := w.service.MustReads(ctx, seats[0], city); err != nil || len(got) != 0 {
			t.Errorf("after confirming: %d, %v; want none", len(got), err)
		}
		proof, err := w.service.Prove(ctx, head, city, v.Article, v.No)
		if err != nil || len(proof.Lines) != 2 || proof.Read != 1 || proof.Lines[0].ReadAt != dbtest.Start || !proof.Lines[1].ReadAt.IsZero() {
			t.Errorf("proof sheet: %+v, %v; want two seats, one of them read", proof.Lines, err)
		}
		if _, err := w.service.Prove(ctx, seats[0], city, v.Article, v.No); !fault.Is(err, fault.Denied) {
			t.Errorf("a seat asks for the proof sheet: %v; want Denied", err)
		}
	})
}

func TestFlags(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v := w.publish(texts("气堵", "放气"))
		if _, err := w.service.Report(ctx, seat, knowledge.FlagInput{City: city, Kind: knowledge.Missing}); !fault.Is(err, fault.Invalid) {
			t.Errorf("missing what? %v; want Invalid", err)
		}
		f, err := w.service.Report(ctx, seat, knowledge.FlagInput{City: city, Article: v.Article, No: v.No, Kind: knowledge.Wrong, Note: "阀门方向反了"})
		if err != nil || f.Owner != writer.ID {
			t.Fatalf("flag of %s, %v; want the article's owner", f.Owner, err)
		}
		inbox, err := w.notices.Inbox(ctx, writer, city, page.Request{})
		if err != nil || len(inbox.Items) != 1 || !strings.Contains(inbox.Items[0].Text, "阀门方向反了") {
			t.Errorf("the keepers were told %+v, %v", inbox.Items, err)
		}
		open, err := w.service.Flags(ctx, writer, city)
		if err != nil || len(open) != 1 || open[0].TitleZH != v.TitleZH {
			t.Fatalf("open flags %+v, %v; want one, with the title of the article", open, err)
		}
		if err := w.service.Settle(ctx, writer, city, f.ID, "已改"); err != nil {
			t.Fatal(err)
		}
		if err := w.service.Settle(ctx, writer, city, f.ID, "再改"); !fault.Is(err, fault.Conflict) {
			t.Errorf("settled twice: %v; want Conflict", err)
		}
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		v := w.publish(texts("气堵", "放气"))
		in := knowledge.DraftInput{City: city, Article: v.Article, Texts: texts("气堵", "慢慢放气"), Key: "once"}
		second, err := w.service.Write(ctx, writer, in)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.service.Write(ctx, writer, in); err != nil || again.No != second.No {
			t.Errorf("sent again: version %d, %v; want version %d", again.No, err, second.No)
		}
		numbers := func(by actor.Actor) []int {
			all, err := w.service.History(ctx, by, city, v.Article)
			if err != nil {
				t.Fatal(err)
			}
			var out []int
			for _, p := range all {
				if p.Live != (p.No == v.No) {
					t.Errorf("version %d in force: %v", p.No, p.Live)
				}
				out = append(out, p.No)
			}
			return out
		}
		if diff := cmp.Diff([]int{2, 1}, numbers(writer)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]int{1}, numbers(seat)); diff != "" {
			t.Errorf("a seat sees what is being written: %s", diff)
		}
		draft := w.write(writer, knowledge.DraftInput{Kind: knowledge.Fee, Texts: texts("二", "二")})
		if _, err := w.service.History(ctx, seat, city, draft.Article); !fault.Is(err, fault.NotFound) {
			t.Errorf("a seat asks for a draft: %v; want NotFound", err)
		}
		w.move(writer, draft, knowledge.Discard, 0)
		if _, err := w.service.Read(ctx, seat, city, draft.Article, draft.No); !fault.Is(err, fault.NotFound) {
			t.Errorf("a seat reads a draft that was thrown away: %v; want NotFound", err)
		}
	})
}

func TestValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	all, err := w.service.Values(ctx, writer, city)
	if err != nil || len(all) != len(knowledge.Refs()) || all[0].Says[text.ZH] != "18℃" {
		t.Errorf("%d values, the first says %+v, %v; want all, and 18℃ for %s", len(all), all[0].Says, err, all[0].Ref)
	}
	if _, err := w.service.Values(ctx, seat, city); !fault.Is(err, fault.Denied) {
		t.Errorf("a seat asks for the values: %v; want Denied", err)
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	resident := actor.Anonymous(actor.Public)
	if _, err := w.service.Search(ctx, resident, knowledge.Query{City: city}); !fault.Is(err, fault.Denied) {
		t.Errorf("a resident searches the hints: %v; want Denied", err)
	}
	company := actor.Actor{ID: "c", Kind: actor.Person, Org: "C1", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C1"}}}}
	if _, err := w.service.Search(ctx, company, knowledge.Query{City: city}); err != nil {
		t.Errorf("a company's people search: %v; want what every seat finds", err)
	}
	if _, err := w.service.Write(ctx, seat, knowledge.DraftInput{City: city, Kind: knowledge.Fee, Texts: texts("一", "一")}); !fault.Is(err, fault.Denied) {
		t.Errorf("a seat writes: %v; want Denied", err)
	}
	if got := knowledge.Lifecycle.Check(); len(got) > 0 {
		t.Error(got)
	}
}

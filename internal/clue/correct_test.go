package clue_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

// A reading is corrected once of several at once, with what it was and why; what it was read with stays in its reasons.
func TestAReadingIsCorrectedWithItsReason(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.weibo.Mention(7001, "小张", cold, dbtest.Start, 0)
		w.work(2)
		c := w.only(clue.Filter{State: clue.Undecided})
		in := clue.Correcting{City: city, ID: c.ID, Version: c.Version, Category: "leak", Urgency: "critical", Place: "滨河家园2号楼", Reason: "图里在漏水"}
		if _, err := w.app.Clues.Correct(ctx, company, in); !fault.Is(err, fault.Denied) {
			w.t.Errorf("a company corrects: %v", err)
		}
		for name, bad := range map[string]func(*clue.Correcting){
			"reason":   func(x *clue.Correcting) { x.Reason = " " },
			"category": func(x *clue.Correcting) { x.Category = "no_such" },
			"place":    func(x *clue.Correcting) { x.Place = "不知道的地方" },
		} {
			wrong := in
			bad(&wrong)
			if _, err := w.app.Clues.Correct(ctx, seat, wrong); !fault.Is(err, fault.Invalid) || len(fault.Of(err).Fields) != 1 || fault.Of(err).Fields[0].Name != name {
				w.t.Errorf("a wrong %s: %v", name, err)
			}
		}
		errs := make([]error, 6)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = w.app.Clues.Correct(ctx, seat, in) })
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
				w.t.Errorf("a later correction: %v", err)
			}
		}
		v, err := w.app.Clues.Get(ctx, seat, city, c.ID)
		if err != nil || done != 1 || len(v.Corrections) != 1 {
			w.t.Fatalf("%d corrections done, %d kept, %v", done, len(v.Corrections), err)
		}
		want := []clue.Change{{Field: "category", From: c.Category, To: "leak"}, {Field: "urgency", From: "normal", To: "critical"}, {Field: "place", From: "向阳花园3号楼2单元601", To: "滨河家园2号楼"}}
		if diff := cmp.Diff(want, v.Corrections[0].Changes); diff != "" || v.Corrections[0].Reason != in.Reason || v.Corrections[0].ByName != seat.Name {
			w.t.Errorf("kept (-want +got):\n%s", diff)
		}
		if v.Place != "滨河家园" || v.Room != "" || len(v.Why) != len(c.Why) {
			w.t.Errorf("the clue: %+v", v.Clue)
		}
	})
}

// With the category of the form another than the clue's, the reason is asked for and kept; the whole group follows the first,
// and one answer goes to every author of it.
func TestAGroupIsDecidedAndAnsweredAlike(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.weibo.Mention(1, "甲一", cold, dbtest.Start, 0)
		w.work(2)
		w.weibo.Mention(2, "乙二", cold+"！", dbtest.Start, 0)
		w.weibo.Mention(3, "丙三", cold+"！！", dbtest.Start, 0)
		w.work(2)
		var first clue.Clue
		for _, c := range w.clues(clue.Filter{}) {
			if c.Copies > 0 {
				first = c
			}
		}
		in := clue.Confirming{City: city, ID: first.ID, Version: first.Version, Alike: true}
		in.Opening.Category = "leak"
		if _, err := w.app.Clues.Confirm(ctx, seat, in); !fault.Is(err, fault.Invalid) {
			w.t.Errorf("another category without a reason: %v", err)
		}
		in.Reason = "私信说在漏水"
		got, err := w.app.Clues.Confirm(ctx, seat, in)
		if err != nil || got.Case.Category != "leak" {
			w.t.Fatalf("confirmed as %q, %v", got.Case.Category, err)
		}
		if owed := w.clues(clue.Filter{Owed: true}); len(owed) != 3 {
			w.t.Fatalf("%d authors wait, want all three", len(owed))
		}
		if _, err := w.app.Clues.Answer(ctx, seat, clue.Answering{City: city, ID: first.ID, Text: "已受理，正在处理。", Alike: true}); err != nil {
			w.t.Fatal(err)
		}
		w.work(1)
		if n := len(w.weibo.Comments()); n != 3 || len(w.clues(clue.Filter{Owed: true})) != 0 {
			w.t.Errorf("%d answers, want one for each author", n)
		}
		stats, err := w.app.Clues.Statistics(ctx, seat, city, clue.Period{})
		if err != nil || len(stats) != 1 || stats[0].Answered != 3 || stats[0].Within2h != 3 {
			w.t.Fatalf("statistics %+v, %v", stats, err)
		}
		if mean, median := stats[0].Hours(); mean != "0.1" || median != "0.1" {
			w.t.Errorf("hours to the first reply: mean %s, median %s; want 0.1", mean, median)
		}
	})
}

func TestNextGoesThroughTheQueueAndRoundAgain(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.weibo.Mention(1, "甲一", cold, dbtest.Start, 0)
		w.weibo.Mention(2, "乙二", "今天的晚霞真好看，大家出来看看", dbtest.Start, 0)
		w.work(2)
		list := w.clues(clue.Filter{State: clue.Undecided})
		if len(list) != 2 {
			w.t.Fatalf("%d clues wait", len(list))
		}
		for i, c := range list {
			next, found, err := w.app.Clues.Next(ctx, seat, city, c.ID, clue.Filter{})
			if err != nil || !found || next.ID != list[1-i].ID {
				w.t.Errorf("behind %d: %s, %t, %v", i, next.ID, found, err)
			}
		}
		changed, err := w.app.Clues.Changes(ctx, seat, city, list[0].ChangedAt)
		if err != nil || len(changed) != 2 {
			w.t.Errorf("%d changed, %v", len(changed), err)
		}
	})
}

// A vendor who numbers the rows of every file anew loses nobody's post; the same file twice, and a post that only grew, are
// repeats.
func TestAnIDGivenAgainIsNoRepeat(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		in := clue.Importing{City: city, Account: "vendor2", Name: "posts.csv"}
		for i, c := range []struct {
			rows string
			want clue.Imported
		}{
			{"1,甲,向阳花园3号楼暖气不热，家里很冷\n", clue.Imported{New: 1}},
			{"1,甲,向阳花园3号楼暖气不热，家里很冷\n", clue.Imported{Known: 1}},
			{"1,乙,滨河家园2号楼暖气管漏水，楼道都是水\n", clue.Imported{New: 1}},
			{"1,乙,滨河家园2号楼暖气管漏水，楼道都是水\n", clue.Imported{Known: 1}},
			{"1,甲,向阳花园3号楼暖气不热，家里很冷，求帮助，打了三次电话都没有人来看\n", clue.Imported{Known: 1}},
		} {
			for _, in.DryRun = range []bool{true, false} {
				c.want.Rows, c.want.DryRun = 1, in.DryRun
				got, err := w.app.Clues.Import(ctx, leader, in, strings.NewReader("id,author,text\n"+c.rows))
				if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
					w.t.Errorf("file %d, dry %v: %v (-want +got):\n%s", i+1, in.DryRun, err, diff)
				}
			}
		}
	})
}

func TestDatesOfFeeds(t *testing.T) {
	t.Parallel()
	want := civil.On(civil.NewDate(2026, 1, 15), 8, 0)
	for _, said := range []string{
		"2026-01-15T08:00:00+08:00", "2026-01-15 08:00", "2026-01-15 08:00:00", "2026/1/15 8:00", "2026年1月15日 8时0分", "Thu, 15 Jan 2026 00:00:00 GMT",
		"Thu, 15 Jan 2026 08:00:00 +0800", "Thu, 15 Jan 2026 08:00:00 CST", "15 Jan 2026 08:00:00 +0800", "Thu Jan 15 08:00:00 +0800 2026", "20260115080000",
		"1768435200", "1768435200000", "2026-01-15T08:00:00+0800",
	} {
		got, err := read(t, strings.NewReader("text,at\n冷,\""+said+"\"\n"), clue.CSV, nil)
		if err != nil || len(got) != 1 || got[0].At != want {
			t.Errorf("%q: %+v, %v; want %s", said, got, err, want)
		}
	}
	for said, want := range map[string]civil.Instant{"2026-01-15": civil.NewDate(2026, 1, 15).End().Add(-1e6), "20260115": civil.NewDate(2026, 1, 15).End().Add(-1e6), "昨天": 0, "": 0} {
		got, err := read(t, strings.NewReader("text,at\n冷,"+said+"\n"), clue.CSV, nil)
		if err != nil || len(got) != 1 || got[0].At != want {
			t.Errorf("%q: %+v, %v; want %s", said, got, err, want)
		}
	}
}

// What is cut off is an error, so that the poll does not pass over the rest; what stands beside the list misleads nobody.
func TestListsOfJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, items string
		n           int
		key         string
	}{
		"an empty list":                {`{"code":0,"data":[]}`, "", 0, ""},
		"an empty list before the one": {`{"errors":[],"data":[{"text":"冷"}]}`, "", 1, ""},
		"a value like the path":        {`{"msg":"data","other":{"data":[1]},"data":{"list":[{"text":"冷"}]}}`, "data.list", 1, ""},
		"no such path":                 {`{"data":{}}`, "data.list", 0, "clue.feed.broken"},
		"cut off in the list":          {`{"data":[{"text":"冷"},`, "", 1, "clue.feed.broken"},
		"deep beside the path":         {`{"a":` + strings.Repeat("[", 100), "data.list", 0, "clue.feed.too_deep"},
	} {
		got, err := read(t, strings.NewReader(c.body), clue.JSON, map[string]string{"items": c.items})
		if len(got) != c.n || (c.key == "") != (err == nil) || err != nil && fault.Of(err).Key != c.key {
			t.Errorf("%s: %d entries, %v; want %d, %q", name, len(got), err, c.n, c.key)
		}
	}
}

func TestAtomAuthorAndEntities(t *testing.T) {
	t.Parallel()
	body := `<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><author><name>张三</name><uri>http://a.b</uri><email>a@b.c</email></author>` +
		`<summary type="html">室温&nbsp;&lt;18度，很冷</summary></entry></feed>`
	got, err := read(t, strings.NewReader(body), clue.XML, nil)
	if err != nil || len(got) != 1 || got[0].Author != "张三" || got[0].Text != "室温 <18度，很冷" {
		t.Errorf("%+v, %v", got, err)
	}
}

package dispatch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

func TestEntryStandardByDoor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		bare := cases.Opening{City: city, Text: "不热", Category: "cold_home", Address: "向阳花园3号楼2单元601", Caller: cases.Party{Phone: "13803510001"}}
		for name, c := range map[string]struct {
			edit func(*cases.Opening)
			want []string
		}{
			"seat":    {func(o *cases.Opening) { o.Door = citypack.DoorSeat }, []string{"scope", "details.since", "details.neighbours", "details.leak", "test_request"}},
			"web":     {func(o *cases.Opening) { o.Door = citypack.DoorWeb }, []string{"details.since", "test_request"}},
			"api":     {func(o *cases.Opening) { o.Door = citypack.DoorAPI }, nil},
			"open311": {func(o *cases.Opening) { o.Door = citypack.DoorOpen311 }, nil},
			"critical": {func(o *cases.Opening) {
				o.Door, o.Category, o.Text = citypack.DoorSeat, "leak_burst", "爆管了，喷水"
			}, nil},
		} {
			in := bare
			c.edit(&in)
			_, err := w.cases.Open(ctx, seat, in)
			var got []string
			if err != nil {
				for _, f := range fault.Of(err).Fields {
					got = append(got, f.Name)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: missing %v, want %v (%v)", name, got, c.want, err)
			}
		}
		w.rules.Peak = true
		in := bare
		in.Door, in.Scope, in.TestRequest, in.Details.Leak = citypack.DoorSeat, cases.Home, "no", "no"
		if c := w.open(in); !c.Peak || c.Status != cases.Dispatched {
			t.Errorf("peak entry: peak %t, %s", c.Peak, c.Status)
		}
	})
}

func TestPaperKeepsTheOriginalTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		at := w.now.Now().Add(-3 * time.Hour)
		in := cold(func(o *cases.Opening) { o.ReceivedAt = at })
		if _, err := w.cases.Open(ctx, seat, in); !fault.Is(err, fault.Invalid) {
			t.Errorf("a late entry without reason and second person: %v", err)
		}
		in.Paper, in.CheckedBy = "昨夜断网，纸质登记", "李敏"
		c := w.open(in)
		if c.ReceivedAt != at || !c.Paper || c.TestAt != at {
			t.Errorf("received %s, test %s, want both %s", c.ReceivedAt, c.TestAt, at)
		}
		if k := w.clock(c, citypack.ClockResident); k.Started != at {
			t.Errorf("the resident's clock starts %s, want %s", k.Started, at)
		}
	})
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	far := 10.0
	for name, c := range map[string]struct {
		edit  func(*cases.Opening)
		field string
	}{
		"telephone":       {func(o *cases.Opening) { o.Caller.Phone = "abc" }, "caller.phone"},
		"category":        {func(o *cases.Opening) { o.Category = "nope" }, "category"},
		"nature":          {func(o *cases.Opening) { o.Nature = "x" }, "nature"},
		"outside city":    {func(o *cases.Opening) { o.Lng, o.Lat = &far, &far }, "lng"},
		"future":          {func(o *cases.Opening) { o.ReceivedAt = w.now.Now().Add(time.Hour) }, "received_at"},
		"long text":       {func(o *cases.Opening) { o.Text = strings.Repeat("冷", cases.MaxText+1) }, "text"},
		"long name":       {func(o *cases.Opening) { o.Caller.Name = strings.Repeat("王", 301) }, "caller.name"},
		"channel":         {func(o *cases.Opening) { o.Channel = "pigeon" }, "channel"},
		"test request":    {func(o *cases.Opening) { o.TestRequest = "maybe" }, "test_request"},
		"links to itself": {func(o *cases.Opening) { o.Scope = "galaxy" }, "scope"},
	} {
		_, err := w.cases.Open(ctx, seat, cold(c.edit))
		f := fault.Of(err)
		if f == nil || f.Kind != fault.Invalid || !slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.Name == c.field }) {
			t.Errorf("%s: %v, want Invalid on %s", name, err, c.field)
		}
	}
	if n, err := w.cases.Count(ctx, sender, city, cases.Filter{}); err != nil || n.N != 0 {
		t.Errorf("left behind: %v, %v", n, err)
	}
}

func TestPersonalDataIsMaskedAndRevealed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold(func(o *cases.Opening) { o.Text = "不热，打我老伴 13903512345 也行" }))
		if c.CallerPhone == "13803510001" || strings.Contains(c.Text, "13903512345") || c.CallerName == "王桂兰" {
			t.Errorf("in the clear: %s %s %s", c.CallerName, c.CallerPhone, c.Text)
		}
		raw, err := db.Read(ctx, d, func(tx *db.Tx) (string, error) {
			return db.One[string](ctx, tx, `SELECT text || said || caller_name || caller_phone || caller_sealed || search FROM case_file WHERE city_id = $1 AND id = $2`, city, c.ID)
		})
		if err != nil || strings.Contains(raw, "13903512345") || strings.Contains(raw, "13803510001") || strings.Contains(raw, "王桂兰") {
			t.Errorf("the row gives people away: %v", err)
		}
		got, err := w.cases.Reveal(ctx, north, act(c))
		if err != nil || got.Caller.Phone != "13803510001" || got.Caller.Name != "王桂兰" || !strings.Contains(got.Said, "13903512345") {
			t.Errorf("revealed %+v, %v", got, err)
		}
		if _, err := w.cases.Reveal(ctx, south, act(c)); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company reveals: %v", err)
		}
		v, err := w.cases.View(ctx, leader, city, c.ID)
		if err != nil || v.Timeline[len(v.Timeline)-1].Act != "case.reveal" {
			t.Errorf("the reveal is not kept: %v", err)
		}
		for _, q := range []string{"13803510001", "王桂兰"} {
			l, err := w.cases.List(ctx, seat, city, cases.Filter{Query: q})
			if err != nil || len(l.Items) != 1 {
				t.Errorf("search %q: %d cases, %v", q, len(l.Items), err)
			}
		}
	})
}

func TestInformersStayHidden(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold(func(o *cases.Opening) { o.Secret = true }))
		got := w.must(w.cases.Get(ctx, north, city, c.ID))
		if got.CallerName != "" || got.CallerPhone != "" {
			t.Errorf("the company sees %s %s", got.CallerName, got.CallerPhone)
		}
		if _, err := w.cases.Reveal(ctx, north, act(c, "核对地址")); !fault.Is(err, fault.Denied) {
			t.Errorf("the company reveals an informer: %v", err)
		}
		l, err := w.cases.List(ctx, north, city, cases.Filter{})
		if err != nil || len(l.Items) != 1 || l.Items[0].CallerPhone != "" {
			t.Errorf("list: %+v, %v", l.Items, err)
		}
	})
}

// TestSearchEqualsBruteForce is the lesson of systems that fail on Chinese: whatever is asked, the index finds what a scan
// of every text finds.
func TestSearchEqualsBruteForce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		texts := []string{"暖气不热", "暖 气不热，孩子小", "3号楼2单元整个单元都冷", "3号楼 2单元漏水", "ＡＢＣ座不热", "张师傅说管网末端", "热得很好，表扬", "不热不热不热", "暖", "气暖"}
		var all []cases.Case
		for i, s := range texts {
			if i%3 == 2 { // the index keeps ten days together
				w.now.Advance(11 * 24 * time.Hour)
			}
			all = append(all, w.open(cold(func(o *cases.Opening) {
				o.Text, o.Caller.Name, o.Caller.Phone = s, []string{"张三", "李四"}[i%2], fmt.Sprintf("138035100%02d", i)
				o.Address = []string{"向阳花园3号楼2单元601", "明月里1号楼101"}[i%2]
			})))
		}
		plain := func(s string) string {
			return strings.ToLower(strings.NewReplacer(" ", "", "Ａ", "a", "Ｂ", "b", "Ｃ", "c").Replace(s))
		}
		services := map[int]*cases.Service{0: w.cases, 4: cases.New(cases.Options{DB: d, Ring: w.ring, Look: 4})}
		check := func(when string) {
			t.Helper()
			for _, q := range []string{"暖气", "暖", "3号楼2单元", "3号楼 2单元", "不热", "张", "abc座", "孩子 不热", "热不", "没有的词", "向阳花园3号楼", "%", "_", "不热|花园", "漏水", "元601", "602"} {
				var want []string
				for i, c := range all {
					doc := plain(c.No + "|" + c.CallerName + "|" + c.Address + "|" + c.CommunityName + "|" + texts[i])
					hit := true
					for word := range strings.FieldsSeq(strings.ReplaceAll(q, "|", " ")) {
						hit = hit && strings.Contains(doc, plain(word))
					}
					if hit {
						want = append(want, c.ID)
					}
				}
				slices.Sort(want)
				for look, s := range services {
					for _, f := range []cases.Filter{{Query: q}, {Query: q, State: "open", Sort: "due"}} {
						f.Size = 3
						got := w.ids(s, sender, f)
						slices.Sort(got)
						if d := cmp.Diff(want, got); d != "" {
							t.Errorf("%s: search %q sorted by %q, looking at %d (-want +got):\n%s", when, q, f.Sort, look, d)
						}
					}
				}
				var got []string
				err := w.cases.Export(ctx, leader, city, cases.Filter{Query: q}, func(c cases.Case) error { got = append(got, c.ID); return nil })
				slices.Sort(got)
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Errorf("%s: export of %q, %v (-want +got):\n%s", when, q, err, d)
				}
				n, err := w.cases.Count(ctx, sender, city, cases.Filter{Query: q})
				if err != nil || int(n.N) != len(want) {
					t.Errorf("%s: count %q: %v, %v; want %d", when, q, n, err, len(want))
				}
			}
		}
		check("not packed")
		if err := w.cases.Index(ctx, city); err != nil {
			t.Fatal(err)
		}
		check("packed")
		address := "向阳花园3号楼2单元602"
		all[0] = w.must(w.cases.Amend(ctx, seat, cases.Amendment{Act: act(all[0]), Address: &address}))
		check("changed")
		if err := w.cases.Index(ctx, city); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, "阀门不热")
		all = append(all, w.open(cold(func(o *cases.Opening) { o.Text, o.Caller.Phone = texts[len(texts)-1], "13803510077" })))
		check("packed again, and one new")
	})
}

// TestListCountExportAgree: rows in the list, the number above it and the rows of the export are the same, with linked,
// voided and closed cases, for everybody.
func TestListCountExportAgree(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var all []cases.Case
		for i := range 23 {
			all = append(all, w.open(cold(func(o *cases.Opening) {
				o.Caller.Phone = fmt.Sprintf("138035100%02d", i)
				if i%3 == 0 {
					o.Address, o.Room = "明月里1号楼101", "101"
				}
			})))
		}
		w.must(w.cases.LinkCases(ctx, sender, cases.Linking{Act: act(all[0]), Others: []string{all[3].ID, all[6].ID}}))
		w.must(w.cases.Cancel(ctx, leader, act(all[1], "误录")))
		w.must(w.cases.Withdraw(ctx, seat, act(all[2], "已经热了")))
		if err := w.cases.Fold(ctx, city); err != nil {
			t.Fatal(err)
		}
		w.open(cold(func(o *cases.Opening) { o.Caller.Phone = "13803519999" }))
		filters := map[string]cases.Filter{
			"all": {}, "open": {State: "open"}, "closed": {State: "closed"}, "C1": {Company: "C1"}, "none": {Company: "-"},
			"east": {District: "990101"}, "void": {Status: []cases.Status{cases.Void}}, "linked": {Flag: "linked"},
			"void in C1": {Company: "C1", Status: []cases.Status{cases.Void}}, "seat": {Channel: cases.Phone, Flag: "linked"}, "nobody": {Worker: "w"}, "late": {Late: "broken"}, "today": {From: w.now.Now().Date(), To: w.now.Now().Date()}, "category": {Category: "cold_home", State: "open"},
			"community": {Community: all[0].Community}, "open in a community": {Community: all[0].Community, State: "open"}, "building": {Community: all[0].Community, Building: all[0].Building, From: w.now.Now().Date()},
		}
		hasty := cases.New(cases.Options{DB: d, Ring: w.ring, Look: 4})
		for name, f := range filters {
			for _, by := range []actor.Actor{sender, leader, north, south} {
				listed := w.pages(by, f)
				for _, sort := range []string{"", "received", "due"} {
					if sort == "due" && f.State != "open" {
						continue
					}
					f := f
					f.Sort, f.Size = sort, 7
					if n := len(w.ids(hasty, by, f)); n != listed {
						t.Errorf("%s for %s sorted by %q: %d listed, %d when looking at few at a time", name, by.ID, sort, listed, n)
					}
				}
				n, err := w.cases.Count(ctx, by, city, f)
				if err != nil {
					t.Fatal(err)
				}
				if int(n.N) != listed {
					t.Errorf("%s for %s: %d listed, %d counted", name, by.ID, listed, n.N)
				}
				exported := 0
				if by.MayAny(actor.CaseExport, city) {
					if err := w.cases.Export(ctx, by, city, f, func(cases.Case) error { exported++; return nil }); err != nil {
						t.Fatal(err)
					}
					if exported != listed {
						t.Errorf("%s for %s: %d listed, %d exported", name, by.ID, listed, exported)
					}
				}
			}
		}
		l, err := w.cases.List(ctx, south, city, cases.Filter{})
		if err != nil || slices.ContainsFunc(l.Items, func(c cases.Case) bool { return c.Company != "C2" }) {
			t.Errorf("a company sees another's case: %v", err)
		}
	})
}

// pages walks a list seven at a time and counts.
func (w *world) pages(by actor.Actor, f cases.Filter) int {
	w.t.Helper()
	f.Size = 7
	return len(w.ids(w.cases, by, f))
}

// ids walks a list to its end.
func (w *world) ids(s *cases.Service, by actor.Actor, f cases.Filter) []string {
	w.t.Helper()
	var ids []string
	seen := map[string]bool{}
	for {
		p, err := s.List(ctx, by, city, f)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range p.Items {
			if seen[c.ID] {
				w.t.Errorf("%s stands on two pages", c.No)
			}
			seen[c.ID] = true
			ids = append(ids, c.ID)
		}
		if p.Next == "" {
			return ids
		}
		f.After = p.Next
	}
}

func TestReminderReopeningAndLinks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		near, err := w.cases.Nearby(ctx, seat, city, cases.Near{Phone: "138 0351 0001", Community: "sun", Building: "3"})
		if err != nil || len(near.Caller) != 1 || len(near.Building) != 1 {
			t.Fatalf("earlier cases: %+v, %v", near, err)
		}
		c = w.must(w.cases.Remind(ctx, seat, cases.Reminder{Act: act(c), Channel: cases.Phone, Text: "还没来人"}))
		if c.Urges != 1 {
			t.Errorf("urges %d", c.Urges)
		}
		other := w.open(cold(func(o *cases.Opening) { o.Caller.Phone, o.Room, o.Link = "13803510002", "602", c.ID }))
		c = w.must(w.cases.Get(ctx, seat, city, c.ID))
		if !c.Linked || !other.Linked {
			t.Errorf("linked: %t %t", c.Linked, other.Linked)
		}
		v, err := w.cases.View(ctx, seat, city, c.ID)
		if err != nil || len(v.Links) != 1 {
			t.Fatalf("links %v, %v", v.Links, err)
		}
		c = w.must(w.cases.Unlink(ctx, seat, cases.Act{City: city, ID: c.ID}, v.Links[0].ID))
		if c.Linked {
			t.Error("a link that was undone still shows")
		}
		if _, err := w.cases.Reopen(ctx, seat, cases.Reopening{Act: act(c)}); !fault.Is(err, fault.Conflict) {
			t.Errorf("an open case is reopened: %v", err)
		}
		c = w.closed(c)
		again := w.must(w.cases.Reopen(ctx, seat, cases.Reopening{Act: act(c), Channel: cases.Phone, Text: "还是冷"}))
		if again.Status != cases.Dispatched || again.Company != "C1" || again.Reopens != 1 || again.Solved != "" {
			t.Errorf("reopened: %s %q", again.Status, again.Company)
		}
		done := w.closed(again)
		w.now.Advance(8 * 24 * time.Hour)
		if _, err := w.cases.Reopen(ctx, seat, cases.Reopening{Act: act(done)}); !fault.Is(err, fault.Conflict) {
			t.Errorf("reopened after eight days: %v", err)
		}
	})
}

// closed brings a dispatched case to its end.
func (w *world) closed(c cases.Case) cases.Case {
	w.t.Helper()
	c = w.handled(c)
	c = w.must(w.cases.Verify(ctx, verifier, cases.Verification{Act: act(c), Passed: true, Mode: "evidence"}))
	c = w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Reached: true, Solved: "yes", Channel: "phone"}))
	return w.must(w.cases.Close(ctx, sender, cases.Answering{Act: act(c)}))
}

func TestTheResidentsOwnPage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.open(cold())
		proof := cases.Proof{No: c.No, Phone: "13803510001"}
		p, err := w.cases.Progress(ctx, city, proof)
		if err != nil || p.Status != cases.Dispatched || len(p.Steps) < 2 || len(p.Promises) == 0 {
			t.Fatalf("progress %+v, %v", p, err)
		}
		for name, wrong := range map[string]cases.Proof{
			"another telephone": {No: c.No, Phone: "13803510002"}, "no telephone": {No: c.No}, "another number": {No: "RX1", Phone: "13803510001"}, "token": {Token: "x"},
		} {
			if _, err := w.cases.Progress(ctx, city, wrong); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v, want NotFound", name, err)
			}
		}
		visitor := actor.Anonymous(actor.Public)
		p, err = w.cases.RemindOwn(ctx, visitor, cases.Word{City: city, Text: "快点", Proof: cases.Proof{Token: c.Token}})
		if err != nil || p.Urges != 1 {
			t.Errorf("reminder: %d, %v", p.Urges, err)
		}
		if _, err := w.cases.ReopenOwn(ctx, visitor, cases.Word{City: city, Proof: proof}); !fault.Is(err, fault.Conflict) {
			t.Errorf("still cold before the end: %v", err)
		}
		w.closed(w.must(w.cases.Get(ctx, seat, city, c.ID)))
		p, err = w.cases.ReopenOwn(ctx, visitor, cases.Word{City: city, Text: "还冷", Proof: proof})
		if err != nil || p.Status != cases.Dispatched {
			t.Errorf("still cold: %s, %v", p.Status, err)
		}
		again := cold(func(o *cases.Opening) { o.Door, o.Channel = citypack.DoorWeb, cases.Web })
		o, err := w.cases.Open(ctx, visitor, again)
		if err != nil || !o.Reminder || o.Case.ID != c.ID {
			t.Errorf("the same home reports again by web: reminder %t, %v", o.Reminder, err)
		}
	})
}

func TestCallBackThreeTriesInTwoHalfDays(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.handled(w.open(cold()))
		c = w.must(w.cases.Verify(ctx, verifier, cases.Verification{Act: act(c), Passed: true, Mode: "evidence"}))
		if _, err := w.cases.Close(ctx, sender, cases.Answering{Act: act(c)}); !fault.Is(err, fault.Conflict) {
			t.Errorf("closed without a call: %v", err)
		}
		for i := range 3 {
			c = w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Channel: "phone"}))
			if c.Status != cases.Verified {
				t.Fatalf("try %d in one half-day ends it: %s", i+1, c.Status)
			}
		}
		w.now.Advance(6 * time.Hour)
		c = w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Channel: "phone"}))
		if c.Status != cases.ToClose || c.Solved != "unreached" {
			t.Errorf("after the second half-day: %s %q", c.Status, c.Solved)
		}
	})
}

func TestStillColdInAWarmFlatIsARetestAndNoRework(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		c := w.handled(w.open(cold()))
		c = w.must(w.cases.Verify(ctx, verifier, cases.Verification{Act: act(c), Passed: true, Mode: "evidence"}))
		c = w.must(w.cases.CallBack(ctx, seat, cases.Call{Act: act(c), Reached: true, Solved: "no", Channel: "phone"}))
		if c.Status != cases.Rework || c.Reworks != 0 {
			t.Errorf("%s, reworks %d; want back with the unit and not counted", c.Status, c.Reworks)
		}
		if k := w.clock(c, citypack.ClockRetest); k.State != "running" {
			t.Errorf("re-test clock %s", k.State)
		}
	})
}

func TestAmend(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := cases.Opening{City: city, Door: citypack.DoorSeat, Text: "爆管，热水喷出来了", Category: "leak_burst", Address: "向阳花园3号楼", Caller: cases.Party{Phone: "13803510001"}}
		c := w.open(in)
		if len(c.Missing) == 0 {
			t.Fatal("nothing is missing from a bare report")
		}
		nature, scope := citypack.Complaint, cases.Block
		c = w.must(w.cases.Amend(ctx, seat, cases.Amendment{Act: act(c), Nature: &nature, Scope: &scope, TestRequest: "yes"}))
		if c.Nature != citypack.Complaint || slices.Contains(c.Missing, "scope") || c.TestAt.IsZero() {
			t.Errorf("amended: %s, missing %v, test %s", c.Nature, c.Missing, c.TestAt)
		}
		v, err := w.cases.View(ctx, leader, city, c.ID)
		last := v.Timeline[len(v.Timeline)-1]
		if err != nil || last.Act != "case.amend" || !strings.Contains(last.Body, `"from":"repair"`) {
			t.Errorf("the change of nature is not kept: %s %s", last.Act, last.Body)
		}
		if _, err := w.cases.Amend(ctx, seat, cases.Amendment{Act: cases.Act{City: city, ID: c.ID, Version: 1}, Nature: &nature}); !fault.Is(err, fault.Conflict) {
			t.Errorf("an old version: %v", err)
		}
	})
}

package clue_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/clue/feedfake"
	"github.com/rehu-heat/rehu/internal/clue/weibofake"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
)

const city = 990100

var ctx = context.Background()

func person(role actor.Role, org string) actor.Actor {
	return actor.Actor{ID: string(role), Name: "王芳", Kind: actor.Person, Org: org, Door: actor.Page, Grants: []actor.Grant{{Role: role, City: city}}}
}

var (
	seat    = person(actor.RoleSeat, "centre")
	leader  = person(actor.RoleLeader, "centre")
	company = person(actor.RoleCompany, "C1")
)

type world struct {
	t     *testing.T
	app   *app.App
	now   *dbtest.Clock
	weibo *weibofake.Server
	feed  *feedfake.Server
	base  string
}

func each(t *testing.T, fn func(w *world)) {
	t.Helper()
	run := func(t *testing.T, url string) {
		t.Helper()
		w := &world{t: t, now: dbtest.NewClock(), weibo: weibofake.New("tok", "sec"), feed: feedfake.New("vendor")}
		mux := http.NewServeMux()
		mux.Handle("/2/", w.weibo)
		mux.Handle("/feed.json", w.feed)
		mux.Handle("/moved.json", http.RedirectHandler("/feed.json", http.StatusMovedPermanently))
		mux.HandleFunc("/away.json", func(rw http.ResponseWriter, r *http.Request) { // the same machine under another name
			http.Redirect(rw, r, strings.Replace(w.base, "127.0.0.1", "localhost", 1)+"/feed.json", http.StatusFound)
		})
		srv := httptest.NewServer(mux)
		t.Cleanup(srv.Close)
		w.base = srv.URL
		cfg := config.Config{Data: t.TempDir(), Database: url, Cities: []int{city}}.WithDefaults()
		cfg.Credentials = map[string]string{
			"weibo": "access_token=tok&app_secret=sec&fake=1&base=" + srv.URL + "/2", "vendor": "token=vendor&fake=1", "stranger": "token=vendor",
		}
		var err error
		if w.app, err = app.New(ctx, cfg, app.Options{Clock: w.now.Now, Fast: true}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.app.Close() })
		w.settle()
		fn(w)
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, "") })
	if !dbtest.Quick() {
		t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, dbtest.PostgresURL(t)) })
	}
}

// settle fills the town and sets the accounts up.
func (w *world) settle() {
	w.t.Helper()
	root := actor.SystemFor("test", actor.Command)
	for _, l := range []struct{ kind, csv string }{
		{"companies", "code,name\nC1,城北热力\n"},
		{"communities", "name,district,company,connected\n向阳花园,东城区,C1,是\n滨河家园,东城区,C1,是\n"},
	} {
		in := register.Request{City: city, Kind: place.Kind(l.kind), Version: "2025", From: civil.NewDate(2025, 10, 1), Source: "文", Name: "list.csv"}
		if r, err := w.app.Register.Import(ctx, root, in, strings.NewReader(l.csv)); err != nil {
			w.t.Fatalf("%s: %v: %+v", l.kind, err, r.Faults)
		}
	}
	for _, a := range []channel.AccountInput{
		{City: city, Channel: cases.Weibo, Name: "main", Title: "暖城供热", Credential: "weibo", Enabled: true},
		{City: city, Channel: cases.Opinion, Name: "vendor", Title: "舆情监测", Credential: "vendor", Settings: feedfake.Settings(w.base), Enabled: true},
	} {
		if _, err := w.app.Channels.SetAccount(ctx, leader, a); err != nil {
			w.t.Fatal(err)
		}
	}
}

// work lets minutes pass and the jobs run.
func (w *world) work(minutes int) {
	w.t.Helper()
	for range minutes {
		w.now.Advance(time.Minute)
		if err := w.app.Runner.RunDue(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) clues(f clue.Filter) []clue.Clue {
	w.t.Helper()
	f.Size = page.MaxSize
	list, err := w.app.Clues.List(ctx, seat, city, f)
	if err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}

func (w *world) only(f clue.Filter) clue.Clue {
	w.t.Helper()
	list := w.clues(f)
	if len(list) != 1 {
		w.t.Fatalf("%d clues, want one: %+v", len(list), list)
	}
	return list[0]
}

const cold = "@暖城供热 向阳花园3号楼2单元601暖气不热，家里只有15.5度，打电话13803510001没人管"

func TestAPostBecomesACaseAndIsAnswered(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		post := w.weibo.Mention(7001, "冬天的小张", cold, dbtest.Start, 0)
		w.work(2)
		c := w.only(clue.Filter{State: clue.Undecided})
		if c.Guess != clue.Heating || c.Place != "向阳花园" || c.Building != "3" || c.Company != "C1" || strings.Contains(c.Text, "13803510001") || c.Sender != "冬**" {
			w.t.Errorf("clue %+v", c)
		}
		got, err := w.app.Clues.Confirm(ctx, seat, clue.Confirming{City: city, ID: c.ID, Version: c.Version, Key: "k1"})
		if err != nil {
			w.t.Fatal(err)
		}
		file := got.Case
		if file.Channel != cases.Weibo || file.ReceivedAt != dbtest.Start || file.Community == "" || file.Room != "601" || file.CallerName != "冬**" || file.Company != "C1" || got.Held {
			w.t.Errorf("case %+v held %v", file, got.Held)
		}
		again, err := w.app.Clues.Confirm(ctx, seat, clue.Confirming{City: city, ID: c.ID, Version: c.Version, Key: "k1"})
		if err != nil || again.Case.ID != file.ID {
			w.t.Errorf("the same key again: %v, %v", again.Case.ID, err)
		}
		if _, err := w.app.Clues.Confirm(ctx, leader, clue.Confirming{City: city, ID: c.ID, Version: c.Version}); !fault.Is(err, fault.Conflict) {
			w.t.Errorf("somebody else confirms the version of before: %v", err)
		}
		if _, err := w.app.Clues.Answer(ctx, seat, clue.Answering{City: city, ID: c.ID, Text: "冬天的小张您好，已受理"}); fault.Of(err).Kind != fault.Invalid {
			w.t.Errorf("a public answer with the caller's name: %v", err)
		}
		for range 2 { // pressed twice
			if _, err := w.app.Clues.Answer(ctx, seat, clue.Answering{City: city, ID: c.ID, Text: "您好，已受理并转城北热力，请留意私信。"}); err != nil {
				w.t.Fatal(err)
			}
		}
		w.work(1)
		want := []weibofake.Answer{{ID: w.weibo.Comments()[0].ID, To: post, Text: "您好，已受理并转城北热力，请留意私信。"}}
		if diff := cmp.Diff(want, w.weibo.Comments()); diff != "" {
			w.t.Errorf("comments (-want +got):\n%s", diff)
		}
		if owed := w.clues(clue.Filter{Owed: true}); len(owed) != 0 {
			w.t.Errorf("%d authors wait, want none", len(owed))
		}
	})
}

func TestTheClosingOfACaseOffersAnAnswer(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.weibo.Direct(7002, "老李", "家里暖气不热，屋里只有15度，没人管", dbtest.Start)
		w.work(2)
		c := w.only(clue.Filter{})
		got, err := w.app.Clues.Confirm(ctx, leader, clue.Confirming{City: city, ID: c.ID, Version: c.Version})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.app.Clues.Answer(ctx, leader, clue.Answering{City: city, ID: c.ID, Text: "已收到。"}); err != nil {
			w.t.Fatal(err)
		}
		w.work(1)
		w.now.Advance(time.Hour)
		_, err = w.app.Cases.Terminate(ctx, leader, cases.Act{City: city, ID: got.Case.ID, Version: got.Case.Version, Reason: "小区尚未接入集中供热"})
		if err != nil {
			w.t.Fatal(err)
		}
		v, err := w.app.Clues.Get(ctx, leader, city, w.only(clue.Filter{Owed: true}).ID)
		if err != nil || v.File == nil || v.File.Open {
			w.t.Fatalf("%+v, %v: want the closed case", v.File, err)
		}
		if _, err := w.app.Clues.Answer(ctx, leader, clue.Answering{City: city, ID: c.ID, Text: "您的诉求已办结。"}); err != nil {
			w.t.Fatal(err)
		}
		w.work(1)
		if n := len(w.weibo.Messages()); n != 2 || len(w.clues(clue.Filter{Owed: true})) != 0 {
			w.t.Errorf("%d private answers, want 2", n)
		}
	})
}

func TestCopiesStandTogetherAndEveryAuthorIsAnswered(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		first := w.weibo.Mention(1, "甲", cold, dbtest.Start, 0)
		w.work(2)
		w.weibo.Mention(2, "乙", "转发微博", dbtest.Start, first)
		w.weibo.Mention(3, "丙", "转发："+cold+"！！求扩散 https://t.cn/abc", dbtest.Start, 0)
		w.weibo.Mention(4, "丁", "向阳花园3号楼整栋楼暖气冰凉，孩子都感冒了", dbtest.Start, 0)
		w.feed.Write(feedfake.Post{ID: "f1", Title: "求助", Text: strings.ReplaceAll(cold, "@暖城供热 ", ""), Author: "戊", At: dbtest.Start})
		w.weibo.Mention(6, "己", "滨河家园2号楼暖气不热，室温16度", dbtest.Start, 0)
		w.work(4)
		got := map[string]clue.Grouped{}
		var leaderID string
		for _, c := range w.clues(clue.Filter{}) {
			got[c.Sender] = c.Grouped
			if c.Sender == "*" && c.Copies > 0 {
				leaderID = c.ID
			}
		}
		all := w.clues(clue.Filter{Group: leaderID})
		var why []string
		for _, c := range all {
			why = append(why, string(c.Grouped))
		}
		slices.Sort(why)
		if diff := cmp.Diff([]string{"", "copy", "copy", "repost"}, why); diff != "" && !slices.Contains(why, "place_hour") {
			w.t.Errorf("the group (-want +got):\n%s", diff)
		}
		if n := len(w.clues(clue.Filter{})); n != 6 {
			w.t.Fatalf("%d clues, want one for each author", n)
		}
		c, err := w.app.Clues.Get(ctx, seat, city, leaderID)
		if err != nil {
			w.t.Fatal(err)
		}
		var others []string
		for _, o := range c.Group {
			others = append(others, o.ID)
		}
		if c.Copies != len(others) {
			w.t.Errorf("counts %d copies of %d", c.Copies, len(others))
		}
		done, err := w.app.Clues.Confirm(ctx, seat, clue.Confirming{City: city, ID: c.ID, Version: c.Version, Others: others})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.app.Clues.Answer(ctx, seat, clue.Answering{City: city, ID: c.ID, Text: "已受理，正在处理。", Others: others}); err != nil {
			w.t.Fatal(err)
		}
		for _, o := range w.clues(clue.Filter{Group: leaderID}) {
			if o.Case != done.Case.ID || o.AnsweredAt.IsZero() {
				w.t.Errorf("%s: case %q, answered %v", o.Grouped, o.Case, o.AnsweredAt)
			}
		}
	})
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.feed.Write(feedfake.Post{ID: "1", Text: "听说全市要停暖三天，是真的吗？扩散", Author: "甲", At: dbtest.Start})
		w.work(3)
		c := w.only(clue.Filter{Guess: clue.Hearsay})
		in := clue.Deciding{City: city, ID: c.ID, Version: c.Version, As: clue.Refute, Reason: "无停暖计划"}
		for name, spoil := range map[string]func(*clue.Deciding){
			"without a reason":          func(d *clue.Deciding) { d.Reason = " " },
			"by another word":           func(d *clue.Deciding) { d.As = "delete" },
			"to no case":                func(d *clue.Deciding) { d.As = clue.LinkTo },
			"to a case that is not":     func(d *clue.Deciding) { d.As, d.CaseNo = clue.LinkTo, "19990101-00001" },
			"with a reason like a book": func(d *clue.Deciding) { d.Reason = strings.Repeat("长", 301) },
		} {
			bad := in
			spoil(&bad)
			if _, err := w.app.Clues.Decide(ctx, seat, bad); !fault.Is(err, fault.Invalid) {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.app.Clues.Decide(ctx, company, in); !fault.Is(err, fault.Denied) {
			w.t.Errorf("a company decides: %v", err)
		}
		if _, err := w.app.Clues.List(ctx, company, city, clue.Filter{}); !fault.Is(err, fault.Denied) {
			w.t.Errorf("a company reads: %v", err)
		}
		var won sync.Map
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				one := in
				one.Reason = fmt.Sprint("无停暖计划", i)
				if _, err := w.app.Clues.Decide(ctx, seat, one); err == nil {
					won.Store(i, true)
				} else if !fault.Is(err, fault.Conflict) {
					w.t.Error(err)
				}
			})
		}
		all.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			w.t.Errorf("%d of six decisions on one version held, want one", n)
		}
		now := w.only(clue.Filter{State: clue.Rumour, Owed: true})
		if _, err := w.app.Clues.Decide(ctx, seat, clue.Deciding{City: city, ID: c.ID, Version: now.Version, As: clue.Reconsider, Reason: "看错了"}); err != nil {
			w.t.Error(err)
		}
		opened, err := w.app.Cases.Open(ctx, seat, cases.Opening{City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "暖气不热", Address: "向阳花园", Hold: true})
		if err != nil {
			w.t.Fatal(err)
		}
		link := clue.Deciding{City: city, ID: c.ID, Version: now.Version + 1, As: clue.LinkTo, Reason: "同一件事", CaseNo: opened.Case.No}
		if got, err := w.app.Clues.Decide(ctx, seat, link); err != nil || got.State != clue.Linked || got.Case != opened.Case.ID {
			w.t.Errorf("linked: %+v, %v", got, err)
		}
	})
}

func TestTheQueueIsPagedAndExportedWhole(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		const n = 130
		for i := range n {
			said := fmt.Sprintf("向阳花园%d号楼暖气不热，我家是第%d次反映，冷得第%d天睡不着", i+1, i*7+3, i*13+5)
			if i%10 == 0 {
				said += "，家里有老人"
			}
			w.feed.Write(feedfake.Post{ID: fmt.Sprint(i), Text: said, Author: fmt.Sprint("网友", i), At: dbtest.Start.Add(time.Duration(i) * time.Second)})
		}
		w.work(3)
		var seen []string
		var last clue.Clue
		f := clue.Filter{State: clue.Undecided}
		f.Size = 50
		for {
			list, err := w.app.Clues.List(ctx, seat, city, f)
			if err != nil {
				w.t.Fatal(err)
			}
			for _, c := range list.Items {
				if c.Rank < last.Rank || c.Rank == last.Rank && c.At.Before(last.At) {
					w.t.Fatalf("%v stands behind %v", c, last)
				}
				seen, last = append(seen, c.ID), c
			}
			if f.After = list.Next; f.After == "" {
				break
			}
		}
		exported := 0
		if err := w.app.Clues.Export(ctx, leader, city, clue.Filter{}, func(clue.Clue) error { exported++; return nil }); err != nil {
			w.t.Fatal(err)
		}
		if slices.Sort(seen); len(slices.Compact(seen)) != n || exported != n {
			w.t.Errorf("listed %d, exported %d, want %d", len(seen), exported, n)
		}
		if got := w.clues(clue.Filter{Said: "第3次"}); len(got) != 1 {
			w.t.Errorf("%d clues say 第3次, want 1", len(got))
		}
		stats, err := w.app.Clues.Statistics(ctx, leader, city, clue.Period{})
		if err != nil || len(stats) != 1 || stats[0].In != n || stats[0].New != n || stats[0].Answered != 0 {
			w.t.Errorf("statistics %+v, %v", stats, err)
		}
	})
}

func TestWeiboPaging(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for i := range 120 { // more than two pages
			w.weibo.Mention(int64(i), "甲", fmt.Sprint("向阳花园暖气不热 ", i), dbtest.Start, 0)
		}
		w.work(2)
		if n := len(w.clues(clue.Filter{})); n != 120 {
			w.t.Fatalf("%d clues, want 120", n)
		}
		before := w.weibo.Calls()
		w.work(2)
		if got := w.weibo.Calls() - before; got > 6 || len(w.clues(clue.Filter{})) != 120 {
			w.t.Errorf("%d calls where nothing is new", got)
		}
		w.weibo.Mention(1, "甲", "滨河家园漏水了", dbtest.Start, 0)
		w.weibo.Limit(0, 900)
		w.work(2)
		h := w.health(cases.Weibo)
		if h.LastError != "clue.too_often" || h.NextPoll.Sub(h.ErrorAt) != 15*time.Minute {
			w.t.Errorf("a channel that wants to rest: %+v", h)
		}
		w.weibo.Limit(-1, 0)
		w.work(20)
		if n := len(w.clues(clue.Filter{})); n != 121 {
			w.t.Errorf("%d clues after the rest, want 121", n)
		}
	})
}

func (w *world) health(c cases.Channel) channel.Health {
	w.t.Helper()
	all, err := w.app.Channels.Health(ctx, leader, city)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range all {
		if h.Channel == c {
			return h
		}
	}
	w.t.Fatalf("no account of %s", c)
	return channel.Health{}
}

func TestAnAnswerThatWeiboTookInSilenceIsNotRepeated(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.weibo.Mention(1, "甲", cold, dbtest.Start, 0)
		w.work(2)
		c := w.only(clue.Filter{})
		w.weibo.Mute()
		if _, err := w.app.Clues.Answer(ctx, seat, clue.Answering{City: city, ID: c.ID, Text: "已受理。"}); err != nil {
			w.t.Fatal(err)
		}
		w.work(5)
		v, err := w.app.Clues.Get(ctx, seat, city, c.ID)
		if err != nil || len(v.Replies) != 1 || v.Replies[0].State != channel.Sent || len(w.weibo.Comments()) != 1 {
			w.t.Errorf("replies %+v, %d comments, %v; want one of each", v.Replies, len(w.weibo.Comments()), err)
		}
		if _, err := w.app.Clues.Answer(ctx, seat, clue.Answering{City: city, ID: c.ID, Text: strings.Repeat("长", 200)}); err != nil {
			w.t.Fatal(err)
		}
		w.work(2)
		v, err = w.app.Clues.Get(ctx, seat, city, c.ID)
		if err != nil || v.Replies[1].State != channel.Failed || v.Replies[1].Reason != "clue.weibo.refused" {
			w.t.Errorf("too long for Weibo: %+v, %v", v.Replies[1], err)
		}
	})
}

// A feed inside the network may move on its own host; one that leads to another is not followed, whatever it is.
func TestAFeedInsideLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.feed.Write(feedfake.Post{ID: "1", Text: cold, Author: "甲", At: dbtest.Start})
		want := map[string]string{"vendor": "", "moved": "", "away": "clue.feed.elsewhere"}
		for _, name := range []string{"moved", "away"} {
			in := channel.AccountInput{City: city, Channel: cases.Opinion, Name: name, Title: "舆情监测", Credential: "vendor", Settings: feedfake.Settings(w.base), Enabled: true}
			in.Settings["url"] = w.base + "/" + name + ".json"
			if _, err := w.app.Channels.SetAccount(ctx, leader, in); err != nil {
				w.t.Fatal(err)
			}
		}
		w.work(3)
		all, err := w.app.Channels.Health(ctx, leader, city)
		if err != nil {
			w.t.Fatal(err)
		}
		got := map[string]string{}
		for _, h := range all {
			if h.Channel == cases.Opinion {
				got[h.Name] = h.LastError
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || w.feed.Full() != 2 {
			w.t.Errorf("read %d times, want 2 (-want +got):\n%s", w.feed.Full(), diff)
		}
	})
}

func TestFeedsArePolled(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.feed.Write(feedfake.Post{ID: "1", Text: cold, Author: "甲", At: dbtest.Start, Link: "javascript:alert(1)"})
		w.work(3)
		if c := w.only(clue.Filter{}); c.Link != "" {
			w.t.Errorf("a link that runs a script is kept: %q", c.Link)
		}
		w.work(10)
		if n := w.feed.Full(); n != 1 {
			w.t.Errorf("an unchanged feed was fetched whole %d times", n)
		}
		if _, err := w.app.Channels.SetAccount(ctx, leader, channel.AccountInput{
			City: city, Channel: cases.Opinion, Name: "inside", Title: "内网", Credential: "stranger", Settings: feedfake.Settings(w.base), Enabled: true,
		}); err != nil {
			w.t.Fatal(err)
		}
		w.work(3)
		all, err := w.app.Channels.Health(ctx, leader, city)
		if err != nil || all[0].Name != "inside" || all[0].LastError != "clue.feed.private" {
			w.t.Errorf("an address inside the network: %+v, %v", all[0], err)
		}
	})
}

// Not in parallel: what other tests hold would be counted with it.
func TestAFileOfFiftyThousandRepeatsIsReadInLittleMemory(t *testing.T) {
	each(t, func(w *world) {
		r := newRepeats(w.t, 50_000)
		in := clue.Importing{City: city, Account: "vendor", Name: "posts.csv"}
		root := actor.SystemFor("import", actor.Command)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		got, err := w.app.Clues.Import(ctx, root, in, r)
		runtime.ReadMemStats(&after)
		if err != nil || got.Rows != 50_000 || got.New != 10 || got.Known != 49_990 {
			w.t.Fatalf("imported %+v, %v", got, err)
		}
		const most = 64 << 20
		if after.HeapInuse > before.HeapInuse+most {
			w.t.Errorf("the heap grew by %d MB", (after.HeapInuse-before.HeapInuse)>>20)
		}
		if _, err := w.app.Clues.Import(ctx, seat, in, strings.NewReader("id,text\n1,冷\n")); !fault.Is(err, fault.Denied) {
			w.t.Errorf("a seat imports: %v", err)
		}
		w.work(1)
		if n := len(w.clues(clue.Filter{})); n != 10 {
			w.t.Errorf("%d clues, want 10", n)
		}
	})
}

func TestPushedMessages(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		a, err := w.app.Channels.Access(ctx, city, cases.Weibo, "main")
		if err != nil {
			w.t.Fatal(err)
		}
		d := w.weibo.Direct(9, "甲", cold, dbtest.Start)
		in, ok, err := clue.WeiboPushed(city, "main", []byte(fmt.Sprintf(`{"id":%d,"type":"text","sender_id":9,"created_at":%q,"text":%q}`, d.ID, d.Created, d.Text)))
		if err != nil || !ok {
			w.t.Fatalf("pushed: %v, %v", ok, err)
		}
		if _, fresh, err := w.app.Channels.Record(ctx, in); err != nil || !fresh {
			w.t.Fatalf("kept: %v, %v", fresh, err)
		}
		w.work(2) // the poll brings the same message again
		w.only(clue.Filter{})
		proof := clue.WeiboProof("sec", "1", "n", "x")
		if err := w.app.Channels.Prove(ctx, a.Account, proof); !fault.Is(err, fault.Denied) {
			w.t.Errorf("a forged push: %v", err)
		}
		for name, body := range map[string]string{"not JSON": "<xml/>", "a list": "[]"} {
			if _, _, err := clue.WeiboPushed(city, "main", []byte(body)); !fault.Is(err, fault.Invalid) {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		if _, ok, err := clue.WeiboPushed(city, "main", []byte(`{"id":1,"type":"event","data":{"subtype":"follow"}}`)); ok || err != nil {
			w.t.Errorf("a new follower says nothing: %v, %v", ok, err)
		}
	})
}

func TestErasedAuthors(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		w.weibo.Mention(1, "甲", cold, dbtest.Start, 0)
		w.work(2)
		c := w.only(clue.Filter{})
		v, err := db.Read(ctx, w.app.DB, func(tx *db.Tx) (channel.Heard, error) { return w.app.Channels.HeardIn(ctx, tx, city, c.Message) })
		if err != nil || v.Said == "" || !strings.Contains(v.Said, "13803510001") {
			w.t.Errorf("heard %q, %v", v.Said, err)
		}
	})
}

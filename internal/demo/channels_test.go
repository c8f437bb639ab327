package demo_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
)

// What people write outside is in the queue once, sorted: homes that are cold, words that others copied, and what is nobody's
// task; taken up again, nobody says it twice.
func TestPeopleWriteOutside(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	out, err := demo.NewOutside(srv.URL, "token", "secret", filepath.Join(dir, "ca.pem"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Post.Close() })
	mux.Handle("/2/", out.Weibo)
	mux.Handle("/feed.json", out.Feed)
	cfg := config.Config{Data: dir, Credentials: out.Credentials()}
	cfg.Blob.Dir = filepath.Join(dir, "blobs")
	a, err := app.New(context.WithoutCancel(t.Context()), cfg, app.Options{Seed: 1, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	if err := a.AddCity(t.Context(), sim.Code); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := out.Join(t.Context(), a, small()); err != nil {
			t.Fatal(err)
		}
		if err := a.Runner.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	list, err := a.Clues.List(t.Context(), owner, sim.Code, clue.Filter{Request: page.Request{Size: page.MaxSize}})
	if err != nil {
		t.Fatal(err)
	}
	by, guesses, groups := map[cases.Channel]int{}, map[clue.Guess]int{}, map[string]int{}
	for _, c := range list.Items {
		by[c.Channel]++
		guesses[c.Guess]++
		groups[c.Group]++
	}
	if by[cases.Weibo] != 8 || by[cases.Opinion] != 4 || by[cases.Mail] != 2 {
		t.Errorf("clues by channel %v, want 8 of Weibo, 4 of the vendor and 2 letters", by)
	}
	if guesses[clue.Heating] < 8 || guesses[clue.Heating] == len(list.Items) || guesses[clue.Advert] == 0 || guesses[clue.Hearsay] == 0 {
		t.Errorf("guesses %v, want most heating, and some that are not", guesses)
	}
	if len(groups) >= len(list.Items) {
		t.Errorf("%d groups of %d clues; copies were not joined", len(groups), len(list.Items))
	}
	atDesk(t, a, out, len(list.Items))
}

// atDesk lets a visitor be people outside: what they send is in the queue, and what was answered is shown.
func atDesk(t *testing.T, a *app.App, out *demo.Outside, before int) {
	t.Helper()
	d := &demo.Desk{App: a, Out: out}
	for party, in := range map[string]demo.Saying{
		"weibo":   {From: "路过的小王", Text: "@暖城供热 家里暖气不热，只有13度"},
		"opinion": {From: "论坛网友", Text: "小区地暖不热好几天了，老人受不了"},
		"mail":    {From: "liu.min@example.cn", Text: "家里暖气片不热，请派人来看看。"},
	} {
		if err := d.Do(t.Context(), party, in); err != nil {
			t.Fatalf("%s: %v", party, err)
		}
	}
	for party, in := range map[string]demo.Saying{"mail": {From: "nobody", Text: "不热"}, "weibo": {From: "小王"}, "opinion": {Text: "不热"}} {
		if err := d.Do(t.Context(), party, in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s sends %+v: %v, want Invalid", party, in, err)
		}
	}
	for _, party := range []string{"sms", "receipt", "hotline", "webhook", "bank"} {
		if err := d.Do(t.Context(), party, demo.Saying{From: "1", Text: "1"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s is not played here: %v, want NotFound", party, err)
		}
	}
	if err := a.Runner.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := a.Clues.List(t.Context(), owner, sim.Code, clue.Filter{Request: page.Request{Size: page.MaxSize}})
	if err != nil || len(list.Items) != before+3 {
		t.Fatalf("%d clues, %v; want %d", len(list.Items), err, before+3)
	}
	const answer = "已转供热公司处理。"
	for _, c := range list.Items {
		if strings.Contains(c.Text, "13度") {
			if _, err := a.Clues.Answer(t.Context(), owner, clue.Answering{City: sim.Code, ID: c.ID, Text: answer}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := a.Runner.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Parties() {
		if p.ID == "weibo" && (len(p.Sent) != 1 || p.Sent[0].Text != answer) {
			t.Errorf("Weibo was sent %+v, want the answer", p.Sent)
		}
	}
}

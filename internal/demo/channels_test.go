package demo_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/demo"
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
}

package demo_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/staff"
)

var owner = actor.SystemFor("test", actor.Command)

// install opens an installation in a folder, or on a database.
func install(t *testing.T, dir, url string) *app.App {
	t.Helper()
	cfg := config.Config{Data: dir, Database: url}
	cfg.Blob.Dir = filepath.Join(dir, "blobs")
	a, err := app.New(context.WithoutCancel(t.Context()), cfg, app.Options{Seed: 1, Fast: true, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// small is a little city two and a half days into the season.
func small() demo.Options {
	return demo.Options{Seed: 1, Households: 4_000, At: civil.On(civil.NewDate(2025, 11, 17), 12, 0)}
}

func prepare(t *testing.T, a *app.App, o demo.Options) demo.Info {
	t.Helper()
	info, err := demo.Prepare(t.Context(), a, o)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// story is what can be told about every case, the way a list shows it.
func story(t *testing.T, a *app.App) []string {
	t.Helper()
	var out []string
	f := cases.Filter{Request: page.Request{Size: page.MaxSize}}
	for {
		list, err := a.Cases.List(t.Context(), owner, sim.Code, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list.Items {
			out = append(out, fmt.Sprintf("%s %s %s %s %s %s %s %s late=%t urges=%d returns=%d reworks=%d %s %s due %s", c.ID, c.No, c.Status, c.Category,
				c.ReceivedAt, c.Address, c.Company, c.CallerPhone, c.Late, c.Urges, c.Returns, c.Reworks, c.UpdatedAt, c.Text, c.DueAt))
		}
		if f.After = list.Next; f.After == "" {
			return out
		}
	}
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	engines := map[string]func(t *testing.T) string{"sqlite": func(*testing.T) string { return "" }}
	if !dbtest.Quick() {
		engines["postgres"] = func(t *testing.T) string { return dbtest.PostgresURL(t) }
	}
	first := ""
	for _, engine := range []string{"sqlite", "postgres"} {
		if engines[engine] == nil {
			continue
		}
		t.Run(engine, func(t *testing.T) {
			url := engines[engine](t)
			dir := t.TempDir()
			a := install(t, dir, url)
			info := prepare(t, a, small())
			told := story(t, a)
			checkInfo(t, a, info)
			checkLife(t, a, len(told))
			checkDesks(t, a)
			if first == "" {
				first = fmt.Sprint(told)
			} else if diff := cmp.Diff(first, fmt.Sprint(told)); diff != "" {
				t.Errorf("the same seed tells another story on another database: %s", diff)
			}
			again := prepare(t, a, small())
			if diff := cmp.Diff(told, story(t, a)); diff != "" {
				t.Errorf("a second start changed the history: %s", diff)
			}
			checkInfo(t, a, again)
			if diff := cmp.Diff(info, again); diff != "" {
				t.Errorf("a restart issued other keys: %s", diff)
			}
		})
	}
}

// checkInfo: every login opens a door, both keys are good, and the clock runs.
func checkInfo(t *testing.T, a *app.App, info demo.Info) {
	t.Helper()
	roles := map[string]bool{}
	if len(info.Residents) != 3 {
		t.Errorf("%d residents have their home bound; want 3", len(info.Residents))
	}
	for i, l := range info.Logins {
		if fresh := !roles[l.Role]; fresh {
			ticket, err := a.Staff.Login(t.Context(), staff.Credentials{Login: l.User, Password: l.Password, Address: fmt.Sprintf("10.0.0.%d", i)})
			if err != nil {
				t.Fatalf("%s cannot log in: %v", l.User, err)
			}
			who, ok, err := a.Staff.Authenticate(t.Context(), ticket.Token)
			if err != nil || !ok || len(who.Actor.Grants) == 0 || who.MustChange {
				t.Errorf("%s logs in without rights: %+v %v", l.User, who, err)
			}
		}
		roles[l.Role] = true
	}
	for _, r := range actor.Roles() {
		if !roles[string(r)] {
			t.Errorf("nobody is %s", r)
		}
	}
	for _, key := range []string{info.Open311Key, info.APIToken} {
		if _, ok, err := a.Staff.AuthenticateKey(t.Context(), key); err != nil || !ok {
			t.Errorf("key does not open: %v", err)
		}
	}
	if at := small().At; a.DB.Now().Before(at) || a.DB.Now().After(at.Add(time.Hour)) {
		t.Errorf("the clock shows %s", a.DB.Now())
	}
}

// checkLife: cases of every sort are there, in the places where people look.
func checkLife(t *testing.T, a *app.App, all int) {
	t.Helper()
	if all < 80 || all > 250 {
		t.Errorf("%d cases", all)
	}
	for name, f := range map[string]cases.Filter{
		"open": {State: "open"}, "closed": {State: "closed"}, "answered": {Status: []cases.Status{cases.Answered}}, "late": {Late: "broken"},
		"urged": {Flag: "urged"}, "peak": {Flag: "peak"}, "in work": {Status: []cases.Status{cases.Signed, cases.Handling}},
	} {
		n, err := a.Cases.Count(t.Context(), owner, sim.Code, f)
		if err != nil || n.N == 0 {
			t.Errorf("no case is %s: %+v %v", name, n, err)
		}
	}
}

// The desks hold what people come to look at: a return to answer, a wish for more time.
func checkDesks(t *testing.T, a *app.App) {
	t.Helper()
	waiting, err := a.Dispatch.Waiting(t.Context(), owner, sim.Code, "")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[dispatch.RequestKind]bool{}
	for _, w := range waiting {
		kinds[w.Kind] = kinds[w.Kind] || w.State == dispatch.Open
	}
	if !kinds[dispatch.AskExtension] || !kinds[dispatch.AskDispute] {
		t.Errorf("waiting: %v; want a wish for more time and a dispute", kinds)
	}
}

// What was interrupted is finished by the next process, not begun again.
func TestInterruptedHistoryGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stops := []struct {
		step    demo.Step
		percent int
	}{{demo.Building, 30}, {demo.Hiring, 40}, {demo.Living, 50}}
	half := 0
	for _, at := range stops {
		t.Run(fmt.Sprintf("%s_%d", at.step, at.percent), func(t *testing.T) {
			a := install(t, dir, "")
			ctx, stop := context.WithCancel(t.Context())
			o := small()
			o.Progress = func(s demo.Step, percent int) {
				if s == at.step && percent >= at.percent {
					stop()
				}
			}
			if _, err := demo.Prepare(ctx, a, o); !errors.Is(err, context.Canceled) {
				t.Fatalf("was not interrupted: %v", err)
			}
			half = len(story(t, a))
		})
	}
	a := install(t, dir, "")
	checkInfo(t, a, prepare(t, a, small()))
	told := len(story(t, a))
	b := install(t, t.TempDir(), "")
	prepare(t, b, small())
	if whole := len(story(t, b)); whole != told || half == 0 || half >= told {
		t.Errorf("%d cases at the interruption, %d in the end, %d without one", half, told, whole)
	}
}

// Living on, residents call and companies act, and a restart goes on after the last act.
func TestLive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := install(t, dir, "")
	o := small()
	prepare(t, a, o)
	before := story(t, a)
	o.Speed = 1_000 // a call each second or so
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- demo.Live(ctx, a, o) }()
	for deadline := time.Now().Add(time.Minute); len(story(t, a)) < len(before)+3; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody calls")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	stood := a.DB.Now()
	prepare(t, a, o)
	if back := stood.Sub(a.DB.Now()); back > 10*time.Second {
		t.Errorf("the clock went back by %s", back)
	}
}

package audit_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

const city = 990100

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`{"b":1, "a":"x\u0041\n"}`, `{"a":"xA\n","b":1}`},
		{
			`{"\u20ac":"Euro Sign","\r":"CR","1":"One","\u0080":"c","\ud83d\ude02":"Smiley","\u00f6":"o","\ufb33":"dalet"}`,
			"{\"\\r\":\"CR\",\"1\":\"One\",\"\u0080\":\"c\",\"ö\":\"o\",\"€\":\"Euro Sign\",\"😂\":\"Smiley\",\"\ufb33\":\"dalet\"}",
		}, // RFC 8785, 3.2.3
		{`[null,true,-5,"</script>"]`, `[null,true,-5,"</script>"]`},
	} {
		got, err := audit.CanonicalJSON([]byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("CanonicalJSON(%s) = %s, %v; want %s", c.in, got, err, c.want)
		}
	}
	if got, err := audit.Canonical(map[string]float64{"t": 17.5}); err == nil {
		t.Errorf("a fraction gave %s; want an error", got)
	}
}

func record(t *testing.T, d *db.DB, subject, act string) {
	t.Helper()
	err := db.Do(context.Background(), d, func(tx *db.Tx) error {
		return audit.Record(context.Background(), tx, actor.SystemFor("test", actor.Job), city, audit.Act{Subject: subject, Act: act, Body: map[string]string{"x": act}})
	})
	if err != nil {
		t.Error(err)
	}
}

func history(t *testing.T, d *db.DB, subject string) []audit.Entry {
	t.Helper()
	h, err := db.Read(context.Background(), d, func(tx *db.Tx) ([]audit.Entry, error) {
		return audit.History(context.Background(), tx, city, subject, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestChainUnderConcurrency(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					record(t, d, "case:1", "case.note")
				}
			})
		}
		wg.Wait()
		h := history(t, d, "case:1")
		if err := audit.Check(h); err != nil || len(h) != 20 {
			t.Fatalf("%d entries, %v; want 20 in one chain", len(h), err)
		}
	})
}

func TestCheckFindsEveryChange(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	for _, a := range []string{"a", "b", "c", "d"} {
		record(t, d, "case:1", a)
	}
	for name, spoil := range map[string]func([]audit.Entry) []audit.Entry{
		"changed body":  func(h []audit.Entry) []audit.Entry { h[1].Body = h[0].Body; return h },
		"changed act":   func(h []audit.Entry) []audit.Entry { h[1].Act = "z"; return h },
		"changed time":  func(h []audit.Entry) []audit.Entry { h[3].At++; return h },
		"removed":       func(h []audit.Entry) []audit.Entry { return append(h[:1], h[2:]...) },
		"removed first": func(h []audit.Entry) []audit.Entry { return h[1:] },
		"swapped":       func(h []audit.Entry) []audit.Entry { h[1], h[2] = h[2], h[1]; return h },
	} {
		if err := audit.Check(spoil(history(t, d, "case:1"))); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v; want Invalid", name, err)
		}
	}
}

func TestLogGrows(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := dbtest.NewClock()
		d.SetClock(clock.Now)
		ctx := context.Background()
		var last string
		for i := range 5 {
			record(t, d, "case:1", "a")
			record(t, d, "case:2", "b")
			clock.Advance(time.Minute)
			root, err := audit.AppendLog(ctx, d, city)
			if err != nil || root.Size != int64(i+1) || root.Hash == last {
				t.Fatalf("root %d: %+v, %v", i, root, err)
			}
			last = root.Hash
		}
		root, err := audit.AppendLog(ctx, d, city)
		if err != nil || root.Size != 5 || root.Hash != last {
			t.Errorf("nothing new: %+v, %v; want the same root", root, err)
		}
	})
}

// Two processes that close the log at once add one leaf, and both are told its root.
func TestLogIsClosedByManyAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := dbtest.NewClock()
		d.SetClock(clock.Now)
		for round := range int64(5) {
			record(t, d, "case:1", "a")
			clock.Advance(time.Minute)
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() {
					if root, err := audit.AppendLog(context.Background(), d, city); err != nil || root.Size != round+1 {
						t.Errorf("round %d: %+v, %v", round, root, err)
					}
				})
			}
			wg.Wait()
		}
	})
}

package mail_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/mail/mailfake"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
)

const (
	city = 990100
	heat = "heat@nuan.example.cn"
	wang = "wang.guilan@example.cn"
)

var ctx = context.Background()

func person(role actor.Role, org string) actor.Actor {
	return actor.Actor{ID: string(role), Name: "王芳", Kind: actor.Person, Org: org, Door: actor.Page, Grants: []actor.Grant{{Role: role, City: city}}}
}

var (
	seat   = person(actor.RoleSeat, "centre")
	leader = person(actor.RoleLeader, "centre")
)

// world is a city with a mailbox at the fake post office.
type world struct {
	t    *testing.T
	app  *app.App
	now  *dbtest.Clock
	post *mailfake.Office
	n    int
}

func each(t *testing.T, starttls bool, fn func(w *world)) {
	t.Helper()
	run := func(t *testing.T, url string) {
		t.Helper()
		w := &world{t: t, now: dbtest.NewClock()}
		var err error
		w.post, err = mailfake.Open(mailfake.Options{Boxes: map[string]string{heat: "s3cret"}, CA: filepath.Join(t.TempDir(), "ca.pem")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.post.Close() })
		cfg := config.Config{Data: t.TempDir(), Database: url, Cities: []int{city}, PublicURL: "https://heat.example.cn"}.WithDefaults()
		cfg.Credentials = map[string]string{"mail": w.post.Credential(heat, starttls)}
		if w.app, err = app.New(ctx, cfg, app.Options{Clock: w.now.Now, Machine: w.machine, Fast: true}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.app.Close() })
		w.settle()
		fn(w)
		for _, f := range w.post.Faults() {
			t.Errorf("the post office complains: %s", f)
		}
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, "") })
	if !dbtest.Quick() {
		t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, dbtest.PostgresURL(t)) })
	}
}

func (w *world) machine() time.Time { return time.UnixMilli(int64(w.now.Now())) }

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
	in := channel.AccountInput{City: city, Channel: cases.Mail, Name: "main", Title: "暖城供热中心", Credential: "mail", Enabled: true}
	if _, err := w.app.Channels.SetAccount(ctx, leader, in); err != nil {
		w.t.Fatal(err)
	}
}

// work lets minutes pass and the jobs run; jobs that fail are tried again by themselves.
func (w *world) work(minutes int) {
	w.t.Helper()
	for range minutes {
		w.now.Advance(time.Minute)
		if err := w.app.Runner.RunDue(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}

// writes lets somebody write to the city and gives the id of the letter.
func (w *world) writes(l mailfake.Written) string {
	w.t.Helper()
	w.n++
	l.To, l.At = heat, w.machine()
	if l.From == "" {
		l.From, l.Name = wang, "王桂兰"
	}
	if l.ID == "" {
		l.ID = strings.Repeat("x", w.n) + "@example.cn"
	}
	w.arrives(l.Raw())
	return l.ID
}

func (w *world) arrives(raw []byte) {
	w.t.Helper()
	if err := w.post.Deliver(heat, raw); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) clues() []clue.Clue {
	w.t.Helper()
	list, err := w.app.Clues.List(ctx, seat, city, clue.Filter{Request: page.Request{Size: page.MaxSize}})
	if err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}

func (w *world) only() clue.Clue {
	w.t.Helper()
	list := w.clues()
	if len(list) != 1 {
		w.t.Fatalf("%d clues, want one: %+v", len(list), list)
	}
	return list[0]
}

func (w *world) messages() []channel.Message {
	w.t.Helper()
	list, err := w.app.Channels.Messages(ctx, leader, city, channel.Filter{Request: page.Request{Size: page.MaxSize}})
	if err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}

func (w *world) replies() []channel.Reply {
	w.t.Helper()
	list, err := w.app.Channels.Replies(ctx, leader, city, channel.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}

// confirmed makes a case of a clue.
func (w *world) confirmed(c clue.Clue) cases.Case {
	w.t.Helper()
	out, err := w.app.Clues.Confirm(ctx, leader, clue.Confirming{City: city, ID: c.ID, Version: c.Version})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Case
}

func (w *world) blobsOf(subject string) []blob.Blob {
	w.t.Helper()
	out, err := db.Read(ctx, w.app.DB, func(tx *db.Tx) ([]blob.Blob, error) { return blob.Of(ctx, tx, city, subject) })
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// acts are what the chain of a case says was done.
func (w *world) acts(c cases.Case) []string {
	w.t.Helper()
	v, err := w.app.Cases.View(ctx, leader, city, c.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, e := range v.Timeline {
		out = append(out, e.Act)
	}
	return out
}

func picture(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 40, 40))
	img.Set(1, 1, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

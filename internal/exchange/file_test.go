package exchange_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/fault"
)

// photo is a small picture of one colour.
func photo(t testing.TB, c color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		img.Set(i%8, i/8, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// says has the platform say something with files, and the centre work.
func (w *world) says(no string, files ...exchange.Attachment) {
	w.t.Helper()
	w.fake.Say(exchange.Theirs, no, exchange.Message{Event: exchange.Note, Text: "补充照片", Attachments: files})
	w.flush()
}

// minutes lets the jobs run again and again.
func (w *world) minutes(n int) {
	w.t.Helper()
	for range n {
		w.now.Advance(time.Minute)
		w.run()
	}
}

func (w *world) photosOf(t exchange.Ticket) []blob.Blob {
	w.t.Helper()
	v, err := w.cases.View(ctx, leader, city, t.Case)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Photos
}

// A file that 12345 names is fetched, looked at and hangs on the case, once, however often its program fails meanwhile.
func TestFileComesIn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ticket, _ := w.dispatched()
		a := w.fake.Attach("漏水点.png", "image/png", photo(t, color.RGBA{R: 200, A: 255}))
		w.fake.FailFiles(platformfake.FileDown, platformfake.FileHalf, platformfake.FileDown)
		w.says(ticket.No, a)
		w.minutes(3)
		v := w.ticket(ticket.No)
		if len(v.Files) != 1 || v.Files[0].State != exchange.Kept || v.Files[0].Tries != 4 || v.Files[0].SHA256 != a.SHA256 || v.Attention != "" {
			t.Fatalf("the file: %+v, %q", v.Files, v.Attention)
		}
		kept := w.photosOf(ticket)
		if len(kept) != 1 || kept[0].ID != v.Files[0].Blob || kept[0].Received != a.SHA256 || kept[0].MediaType != "image/jpeg" {
			t.Errorf("on the case: %+v", kept)
		}
		m := w.fakeTicket(exchange.Theirs, ticket.No).Said[1] // the same message again names no second file
		if _, err := w.fake.Send(ctx, m); err != nil {
			t.Fatal(err)
		}
		w.minutes(2)
		if n := len(w.photosOf(ticket)); n != 1 {
			t.Errorf("%d files on the case after the message came twice", n)
		}
	})
}

// What is not what was said, or lies where nothing may be fetched, is not kept; the message stands, staff are told why, and
// can have it fetched again.
func TestFileThatIsNotWhatWasSaid(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("an address inside was called") }))
		defer inside.Close()
		red := photo(t, color.RGBA{R: 255, A: 255})
		good := func(name string) exchange.Attachment {
			return w.fake.Attach(name, "image/png", append(bytes.Clone(red), name...))
		}
		at := func(url string) exchange.Attachment { a := good("x.png"); a.URL = url; return a }
		word := w.fake.Attach("申请.docx", "application/msword", []byte("PK\x03\x04 not a picture at all, but long enough to look at"))
		typed := good("d.png")
		typed.MediaType = "application/pdf"
		large := exchange.Attachment{Name: "长.mp4", MediaType: "video/mp4", Size: 20 << 20, SHA256: good("l.png").SHA256}
		for name, c := range map[string]struct {
			a    exchange.Attachment
			way  platformfake.Fault
			want string
		}{
			"another":      {good("a.png"), platformfake.FileOther, "SHA-256 不符"},
			"more":         {good("b.png"), platformfake.FileMore, "大小"},
			"gone":         {good("c.png"), platformfake.FileGone, "404"},
			"moved":        {good("f.png"), platformfake.FileMoved, "302"},
			"another type": {typed, "", "实为 image/png"},
			"no picture":   {word, "", "报为 application/msword"},
			"too large":    {large, "", "超过 10 MB"},
			"inside":       {at(inside.URL + "/x.png"), "", "inside the own network"},
			"link local":   {at("https://169.254.169.254/latest/meta-data"), "", "inside the own network"},
			"in the clear": {at("http://files.example.com/x.png"), "", "不是 https"},
		} {
			ticket, _ := w.dispatched(func(d *exchange.Details) { d.Text += name })
			if c.way != "" {
				w.fake.FailFiles(c.way)
			}
			w.says(ticket.No, c.a)
			v := w.ticket(ticket.No)
			if len(v.Files) != 1 || v.Files[0].State != exchange.NotFetched || !strings.Contains(v.Files[0].Error, c.want) {
				t.Errorf("%s: %+v, want %s", name, v.Files, c.want)
			}
			if v.Attention != "exchange.attention.file" || v.Taken != 2 || len(w.photosOf(ticket)) != 0 {
				t.Errorf("%s: %q, %d taken, %d files on the case", name, v.Attention, v.Taken, len(w.photosOf(ticket)))
			}
			if name != "another" {
				continue
			}
			in := exchange.Refetching{City: city, File: v.Files[0].ID, Version: v.Files[0].Version}
			if _, err := w.svc.Refetch(ctx, north, in); fault.KindOf(err) != fault.NotFound && fault.KindOf(err) != fault.Denied {
				t.Errorf("a company has it fetched: %v", err)
			}
			if _, err := w.svc.Refetch(ctx, sender, in); err != nil {
				t.Fatal(err)
			}
			if _, err := w.svc.Refetch(ctx, sender, in); fault.KindOf(err) != fault.Conflict {
				t.Errorf("an older version: %v", err)
			}
			w.run()
			if f := w.ticket(ticket.No).Files[0]; f.State != exchange.Kept || len(w.photosOf(ticket)) != 1 {
				t.Errorf("fetched again: %+v", f)
			}
		}
		if !strings.Contains(w.log.String(), "a file is not fetched") {
			t.Error("the log says nothing")
		}
	})
}

// A file at an address on the platform's own program is fetched there, though that stands inside.
func TestFileAtThePlatformsOwnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	raw := photo(t, color.White)
	a := w.fake.Attach("x.png", "image/png", raw)
	files := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { _, _ = rw.Write(raw) }))
	defer files.Close()
	p := w.platform()
	p.URL = files.URL + "/rehu"
	w.save(p, true)
	a.URL = files.URL + "/files/x.png"
	no := w.fake.Open(w.details())
	w.fake.Say(exchange.Theirs, no, exchange.Message{Event: exchange.Note, Text: "照片", Attachments: []exchange.Attachment{a}})
	w.flush()
	if v := w.ticket(no); len(v.Files) != 1 || v.Files[0].State != exchange.Kept {
		t.Errorf("%+v", v.Files)
	}
}

// Ten jobs fetch the same file at once: the case has it once.
func TestFileFetchedAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ticket, _ := w.dispatched()
		a := w.fake.Attach("x.png", "image/png", photo(t, color.Black))
		w.fake.FailFiles(platformfake.FileGone)
		w.says(ticket.No, a)
		f := w.ticket(ticket.No).Files[0]
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				_, err := w.svc.Refetch(ctx, sender, exchange.Refetching{City: city, File: f.ID})
				if err != nil && fault.KindOf(err) != fault.Conflict {
					t.Error(err)
				}
				_ = w.runner.RunDue(ctx)
			})
		}
		all.Wait()
		w.run()
		if n := len(w.photosOf(ticket)); n != 1 {
			t.Errorf("%d files on the case", n)
		}
	})
}

// What staff send along reaches the platform byte by byte; a file that was not named to it is not given, nor to anybody who
// cannot sign.
func TestFileGoesOut(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ticket, _ := w.dispatched()
		var own []blob.Blob
		for _, c := range []color.Color{color.White, color.Black} {
			stored, err := w.blobs.Keep(ctx, blob.Upload{City: city, Purpose: blob.Photo, Name: "现场.png", Reader: bytes.NewReader(photo(t, c))})
			if err != nil {
				t.Fatal(err)
			}
			list, err := w.cases.Attach(ctx, seat, cases.Attaching{Act: act(w.caseOf(ticket)), Photos: []blob.Stored{stored}})
			if err != nil {
				t.Fatal(err)
			}
			own = append(own, list...)
		}
		say := exchange.Saying{City: city, Ticket: ticket.ID, Event: exchange.Note, Text: "现场照片", Files: []string{"of another case"}}
		if _, err := w.svc.Say(ctx, sender, say); fault.KindOf(err) != fault.Invalid || fault.Of(err).Fields[0].Name != "files" {
			t.Errorf("a file that the case does not have: %v", err)
		}
		say.Files = []string{own[0].ID}
		if _, err := w.svc.Say(ctx, sender, say); err != nil {
			t.Fatal(err)
		}
		w.run()
		if err := w.fake.Collect(ctx); err != nil {
			t.Fatal(err)
		}
		if got := w.fake.Got(); len(got) != 1 || int64(len(got[own[0].SHA256])) != own[0].Size {
			t.Errorf("the platform has %d files", len(got))
		}
		q := exchange.FileAsked{Ticket: ticket.No, OpenedBy: exchange.Theirs, SHA256: own[1].SHA256}
		if _, err := w.fake.Fetch(ctx, q); err == nil || !strings.Contains(err.Error(), "404") {
			t.Errorf("a file that was not named: %v", err)
		}
		w.save(w.platform(), false)
		q.SHA256 = own[0].SHA256
		if _, err := w.fake.Fetch(ctx, q); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("a platform that is switched off: %v", err)
		}
		w.save(w.platform(), true)
		w.agreed(exchange.Theirs, ticket.No)
	})
}

// A case that is handed over takes the files along that staff choose.
func TestFileOfACaseHandedOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	stored, err := w.blobs.Keep(ctx, blob.Upload{City: city, Purpose: blob.Photo, Name: "漏点.png", Reader: bytes.NewReader(photo(t, color.White))})
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.cases.Open(ctx, seat, cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "自来水管漏水", Category: "cold_home", Nature: citypack.Repair, Hold: true,
		Caller: cases.Party{Phone: "13803510009"}, Address: "向阳花园3号楼", Photos: []blob.Stored{stored},
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := w.cases.View(ctx, actor.SystemFor("test", actor.Job), city, o.Case.ID)
	if err != nil || len(v.Photos) != 1 {
		t.Fatalf("%d files, %v", len(v.Photos), err)
	}
	if _, err := w.svc.HandOver(ctx, sender, exchange.Handing{City: city, Case: o.Case.ID, Platform: code, Files: []string{v.Photos[0].ID}}); err != nil {
		t.Fatal(err)
	}
	w.run()
	if err := w.fake.Collect(ctx); err != nil || len(w.fake.Got()) != 1 {
		t.Errorf("12345 got %d files, %v", len(w.fake.Got()), err)
	}
	w.agreed(exchange.Ours, o.Case.No)
}

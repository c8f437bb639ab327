package web_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/web"
	"github.com/rehu-heat/rehu/packs"
)

// desk is a house in which cases are handled.
type desk struct {
	*house
	cases *cases.Service
	sends *dispatch.Service
	blobs *blob.Service
	rooms int
}

var bg = context.Background()

func newDesk(t testing.TB, d *db.DB, change ...func(*web.Options)) *desk {
	t.Helper()
	k := &desk{}
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	rules := citypack.NewService(d, set, calendar.Embedded())
	ring, err := secret.LoadRing(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	clocks, err := clock.New(clock.Options{DB: d, Rules: rules.RulesIn})
	if err != nil {
		t.Fatal(err)
	}
	blobs := blob.New(d, blob.Disk(t.TempDir()))
	k.blobs = blobs
	x := territory.Build(estates())
	k.cases = cases.New(cases.Options{
		DB: d, Ring: ring, Blobs: blobs, Clocks: clocks, Rules: rules.RulesIn,
		Attribute: func(_ context.Context, _ *db.Tx, _ int, q territory.Query) (territory.Answer, error) {
			return x.Attribute(q), nil
		},
	})
	k.sends = dispatch.New(dispatch.Options{
		DB: d, Cases: k.cases, Clocks: clocks, Blobs: blobs,
		IsCompany: func(_ context.Context, _ *db.Tx, _ int, code string) (bool, error) {
			return code == "C1" || code == "C2", nil
		},
	})
	articles, err := knowledge.New(knowledge.Options{DB: d, Rules: rules.RulesIn})
	if err != nil {
		t.Fatal(err)
	}
	k.house = newHouse(t, d, func(o *web.Options) {
		o.Deps.Rules, o.Deps.Cases, o.Deps.Dispatch, o.Deps.Blobs = rules, k.cases, k.sends, blobs
		o.Deps.Knowledge = articles
		o.Deps.Places = place.New(d, ring)
		o.Deps.Territory = territory.NewService(d, o.Deps.Places, time.Now)
		for _, c := range change {
			c(o)
		}
	})
	if err := rules.EnsureCity(bg, city); err != nil {
		t.Fatal(err)
	}
	if _, err := articles.Plant(bg, k.root, city, true); err != nil {
		t.Fatal(err)
	}
	return k
}

func estates() territory.Snapshot {
	return territory.Snapshot{
		City: city, CityName: "暖城", Districts: []territory.District{{Code: "990101", Name: "东城区"}, {Code: "990102", Name: "西城区"}},
		Companies: []territory.Company{{Code: "C1", Name: "一热供热有限公司"}, {Code: "C2", Name: "二热供热有限公司"}},
		Communities: []territory.Community{
			{ID: "sun", Name: "向阳花园", District: "990101", Company: "C1", Connected: true},
			{ID: "moon", Name: "明月里", District: "990102", Company: "C2", Connected: true},
			{ID: "lucky1", Name: "幸福里", District: "990101", Company: "C1", Connected: true},
			{ID: "lucky2", Name: "幸福里", District: "990102", Company: "C2", Connected: true},
		},
		Buildings: []territory.Building{{Community: "sun", No: "3"}, {Community: "moon", No: "1"}},
	}
}

// posted is a member of staff as an actor, for what others do in a test.
func posted(role actor.Role, id, org string) actor.Actor {
	return actor.Actor{ID: id, Name: names[role], Kind: actor.Person, Org: org, Door: actor.Page, Grants: []actor.Grant{{Role: role, City: city}}}
}

var (
	seatOf    = posted(actor.RoleSeat, "seat1", "centre")
	companyOf = posted(actor.RoleCompany, "company1", "C1")
	rivalOf   = posted(actor.RoleCompany, "company2", "C2")
)

// open takes a case in at an estate: 向阳花园 is C1's, 明月里 is C2's, 幸福里 may be either's.
func (k *desk) open(estate string, edits ...func(*cases.Opening)) cases.Case {
	k.t.Helper()
	k.rooms++
	in := cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热，室温只有15度，老人在家", Category: "cold_home", Nature: citypack.Repair,
		Caller: cases.Party{Name: "王桂兰", Phone: fmt.Sprintf("138035%05d", k.rooms)}, Address: fmt.Sprintf("%s3号楼2单元%d", estate, 600+k.rooms),
		Room: fmt.Sprint(600 + k.rooms), Scope: cases.Home, TestRequest: "yes", Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"},
	}
	for _, e := range edits {
		e(&in)
	}
	o, err := k.cases.Open(bg, seatOf, in)
	if err != nil {
		k.t.Fatal(err)
	}
	return o.Case
}

func (k *desk) must(c cases.Case, err error) cases.Case {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
	return c
}

func actOn(c cases.Case, reason string) cases.Act {
	return cases.Act{City: city, ID: c.ID, Version: c.Version, Reason: reason}
}

// handled brings a case from dispatch to the company's feedback.
func (k *desk) handled(c cases.Case) cases.Case {
	k.t.Helper()
	c = k.must(k.sends.Sign(bg, companyOf, dispatch.Signing{Act: actOn(c, "")}))
	c = k.must(k.sends.Contact(bg, companyOf, dispatch.Contacting{Act: actOn(c, ""), Result: "connected"}))
	k.clock.Advance(30 * time.Minute)
	c = k.must(k.sends.Arrive(bg, companyOf, dispatch.Visit{Act: actOn(c, ""), Result: "met"}))
	return k.must(k.sends.FeedBack(bg, companyOf, dispatch.Feedback{Act: actOn(c, ""), Form: map[string]string{
		"arrived_at": k.clock.Now().String(), "contact": "用户在家", "temp_before": "15.2", "temp_after": "19.1", "rooms": "客厅、卧室", "truth": "true",
		"cause": "air", "segment": "company", "measures": "立管排气", "solved": "yes", "answer": "已排气，室温回升。",
	}}))
}

// casePath is an address of a case.
func casePath(c cases.Case, more string) string {
	return fmt.Sprintf("/c/%d/cases/%s%s", city, c.ID, more)
}

func form(c cases.Case, pairs ...string) url.Values {
	v := url.Values{"version": {fmt.Sprint(c.Version)}, "_key": {fmt.Sprint(c.ID, len(pairs), time.Now().UnixNano())}}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// stream is a browser that listens to a list.
type stream struct{ lines chan string }

// listen opens the stream of a list as a member of staff.
func (k *desk) listen(login, query string) *stream {
	k.t.Helper()
	c := k.as(login)
	ctx, stop := context.WithCancel(bg)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url+"/c/990100/cases/live"+query, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	got, err := c.c.Do(r)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { stop(); _ = got.Body.Close() })
	s := &stream{lines: make(chan string, 1000)}
	go func() {
		defer close(s.lines)
		for in := bufio.NewScanner(got.Body); in.Scan(); {
			s.lines <- in.Text()
		}
	}()
	return s
}

// until gives what was heard when all words were.
func (s *stream) until(t *testing.T, words ...string) string {
	t.Helper()
	var heard strings.Builder
	limit := time.After(30 * time.Second)
	for {
		missing := false
		for _, w := range words {
			missing = missing || !strings.Contains(heard.String(), w)
		}
		if !missing {
			return heard.String()
		}
		select {
		case line, ok := <-s.lines:
			if !ok {
				t.Fatalf("the stream ended after:\n%s", heard.String())
			}
			heard.WriteString(line + "\n")
		case <-limit:
			t.Fatalf("not heard: %q in\n%s", words, heard.String())
		}
	}
}

// photo attaches a photograph to a case and gives its id.
func (k *desk) photo(c cases.Case) string {
	k.t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 8, 8)), nil); err != nil {
		k.t.Fatal(err)
	}
	kept, err := k.blobs.Save(bg, companyOf, blob.Upload{City: city, Subject: c.Subject(), Purpose: blob.Photo, Name: "thermometer.jpg", Reader: &b})
	if err != nil {
		k.t.Fatal(err)
	}
	return kept.ID
}

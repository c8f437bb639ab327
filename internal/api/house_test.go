package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/api"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/staff"
)

const city = 990100

var ctx = context.Background()

// house is an installation with two companies, and the doors for other programs before it.
type house struct {
	t     testing.TB
	app   *app.App
	clock *dbtest.Clock
	doors *api.API
	log   *bytes.Buffer
	root  actor.Actor
	keys  map[string]string
}

const companies = `code,name,phone
C1,一热供热有限公司,0990-1111111
C2,二热供热有限公司,0990-2222222
`

const areas = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"area":"A1","company":"C1"},"geometry":{"type":"Polygon","coordinates":[[[118.00,40.00],[118.10,40.00],[118.10,40.10],[118.00,40.10],[118.00,40.00]]]}},
{"type":"Feature","properties":{"area":"A2","company":"C2"},"geometry":{"type":"Polygon","coordinates":[[[118.10,40.00],[118.20,40.00],[118.20,40.10],[118.10,40.10],[118.10,40.00]]]}}]}`

const communities = `name,district,address,lng,lat,company,area
向阳花园,东城区,建设路12号,118.05,40.05,C1,A1
明月里,西城区,和平街3号,118.15,40.05,C2,A2
`

// newHouse opens an installation that serves the cities.
func newHouse(t testing.TB, cities ...int) *house {
	t.Helper()
	return newHouseWith(t, nil, cities...)
}

// newHouseWith opens one with settings of its own.
func newHouseWith(t testing.TB, set func(c *config.Config), cities ...int) *house {
	t.Helper()
	if len(cities) == 0 {
		cities = []int{city}
	}
	h := &house{t: t, clock: dbtest.NewClock(), log: &bytes.Buffer{}, root: actor.SystemFor("test", actor.Command), keys: map[string]string{}}
	cfg := config.Config{
		Data: t.TempDir(), Cities: cities,
		Rate: config.Rate{LoginPerMinute: 100_000, PublicPerMinute: 100_000, ReportsPerHour: 100_000, APIPerSecond: 100_000},
	}.WithDefaults()
	if set != nil {
		set(&cfg)
	}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelError}))
	var err error
	if h.app, err = app.New(ctx, cfg, app.Options{Log: log, Clock: h.clock.Now, Fast: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.app.Close(); err != nil {
			t.Error(err)
		}
		if h.log.Len() > 0 {
			t.Errorf("the log of errors is not empty:\n%s", h.log)
		}
	})
	if _, err := h.app.Staff.SaveOrganisation(ctx, h.root, staff.OrgInput{City: city, Code: "centre", Kind: staff.Centre, NameZH: "暖城供热服务中心", NameEN: "Heating centre"}); err != nil {
		t.Fatal(err)
	}
	h.load("companies", companies)
	h.load("areas", areas)
	h.load("communities", communities)
	h.doors = h.open(cfg.Rate)
	return h
}

// open makes the doors with limits.
func (h *house) open(rate config.Rate) *api.API {
	a := h.app
	return api.New(api.Options{
		Deps: api.Deps{Staff: a.Staff, Rules: a.Rules, Places: a.Places, Fees: a.Fees, Refunds: a.Settle, Territory: a.Territory, Cases: a.Cases, Dispatch: a.Dispatch, Outages: a.Outages, Equipment: a.Equipment, Measure: a.Measure, Findings: a.Findings, Blobs: a.Blobs, Bundles: a.Bundles, Calls: a.Calls, Staffing: a.Staffing, Exchange: a.Exchange, Webhooks: a.Webhooks, Residents: a.Residents, WeChat: a.WeChat, Clues: a.Clues, Callbacks: a.Callbacks},
		Rate: rate, Cities: a.Cities, Now: h.clock.Now, Machine: time.Now, Log: a.Log,
	})
}

func (h *house) load(kind, content string) {
	h.t.Helper()
	name := kind + ".csv"
	if kind == "areas" {
		name = kind + ".geojson"
	}
	report, err := h.app.Register.Import(ctx, h.root, register.Request{City: city, Kind: place.Kind(kind), Name: filepath.Base(name), Version: "2025", From: civil.NewDate(2025, 9, 1)}, strings.NewReader(content))
	if err != nil {
		h.t.Fatalf("import %s: %v %+v", kind, err, report.Faults)
	}
}

// key makes an API key with grants and gives its secret; the same name gives the same key.
func (h *house) key(name string, grants ...actor.Grant) string {
	h.t.Helper()
	if s, ok := h.keys[name]; ok {
		return s
	}
	org := "centre"
	for _, g := range grants {
		if len(g.Companies) > 0 {
			org = g.Companies[0]
		}
	}
	issued, err := h.app.Staff.CreateKey(ctx, h.root, staff.NewKey{City: city, Name: name, Org: org, Grants: grants})
	if err != nil {
		h.t.Fatal(err)
	}
	h.keys[name] = issued.Secret
	return issued.Secret
}

// partner is the key of another system of the city.
func (h *house) partner() string { return h.key("partner", grant(actor.RolePartner)) }

func grant(r actor.Role, companies ...string) actor.Grant {
	return actor.Grant{Role: r, City: city, Companies: companies}
}

// cold is a complete report of a cold home.
func cold(edits ...func(*cases.Opening)) cases.Opening {
	in := cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热，室温只有15度", Category: "cold_home", Nature: citypack.Repair,
		Caller: cases.Party{Name: "王桂兰", Phone: "13803510001"}, Address: "向阳花园3号楼2单元601", Room: "601", Scope: cases.Home, TestRequest: "yes",
		Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"},
	}
	for _, e := range edits {
		e(&in)
	}
	return in
}

func (h *house) opened(edits ...func(*cases.Opening)) cases.Case {
	h.t.Helper()
	o, err := h.app.Cases.Open(ctx, h.seat(), cold(edits...))
	if err != nil {
		h.t.Fatalf("open: %v", err)
	}
	return o.Case
}

func (h *house) seat() actor.Actor {
	return actor.Actor{ID: "seat1", Name: "李娜", Kind: actor.Person, Org: "centre", Door: actor.Page, Grants: []actor.Grant{grant(actor.RoleSeat)}}
}

func (h *house) leader() actor.Actor {
	return actor.Actor{ID: "leader1", Name: "孙值班", Kind: actor.Person, Org: "centre", Door: actor.Page, Grants: []actor.Grant{grant(actor.RoleLeader)}}
}

// reply is an answer of a door.
type reply struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

// send asks a door; headers come in pairs.
func (h *house) send(method, target string, body io.Reader, headers ...string) reply {
	h.t.Helper()
	return ask(h.t, h.doors, method, target, body, headers...)
}

func ask(t testing.TB, doors http.Handler, method, target string, body io.Reader, headers ...string) reply {
	t.Helper()
	r := httptest.NewRequest(method, target, body)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	doors.ServeHTTP(w, r)
	return reply{t: t, what: method + " " + target, status: w.Code, header: w.Result().Header, body: w.Body.String()}
}

func (h *house) get(target string, headers ...string) reply {
	h.t.Helper()
	return h.send(http.MethodGet, target, nil, headers...)
}

func (h *house) form(target string, values url.Values, headers ...string) reply {
	h.t.Helper()
	return h.send(http.MethodPost, target, strings.NewReader(values.Encode()), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// want checks the status, and that parts stand in the body, or with "!" before them do not.
func (r reply) want(status int, parts ...string) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Errorf("%s: %d, want %d\n%s", r.what, r.status, status, r.body)
	}
	for _, p := range parts {
		if rest, not := strings.CutPrefix(p, "!"); not == strings.Contains(r.body, strings.TrimPrefix(p, "!")) {
			r.t.Errorf("%s: body and %q (absent: %v)\n%s", r.what, rest, not, r.body)
		}
	}
	return r
}

// into decodes a body of JSON.
func into[T any](r reply) T {
	r.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		r.t.Fatalf("%s: %v\n%s", r.what, err, r.body)
	}
	return v
}

func mustAt(t testing.TB, s string) civil.Instant {
	t.Helper()
	at, err := civil.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func placeFilter(name string) place.CommunityFilter { return place.CommunityFilter{Query: name} }

// session logs a member of staff in and gives the cookie of their browser.
func (h *house) session(role actor.Role) string {
	h.t.Helper()
	const first, good = "Nuan-cheng!88x", "Nuan-cheng!88"
	p, err := h.app.Staff.CreatePerson(ctx, h.root, staff.NewPerson{City: city, Login: string(role), Name: string(role), Org: "centre", Password: first, Grants: []actor.Grant{grant(role)}})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.app.Staff.SetPassword(ctx, actor.Actor{ID: p.ID, Kind: actor.Person}, staff.PasswordChange{Person: p.ID, Current: first, New: good}); err != nil {
		h.t.Fatal(err)
	}
	ticket, err := h.app.Staff.Login(ctx, staff.Credentials{Login: string(role), Password: good, Address: "192.0.2.1"})
	if err != nil {
		h.t.Fatal(err)
	}
	return "rehu_session=" + ticket.Token
}

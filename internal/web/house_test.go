package web_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/web"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

const (
	city = 990100
	good = "Nuan-cheng!88"
)

// house is the whole site on a database: pages, services, people.
type house struct {
	t     testing.TB
	d     *db.DB
	clock *dbtest.Clock
	staff *staff.Service
	pages *web.Web
	url   string
	log   *bytes.Buffer
	root  actor.Actor
}

// newHouse opens the site; options may be changed before it does.
func newHouse(t testing.TB, d *db.DB, change ...func(*web.Options)) *house {
	t.Helper()
	return newHouseWith(t, d, nil, change...)
}

// newHouseWith opens the site with an identity provider.
func newHouseWith(t testing.TB, d *db.DB, p staff.Provider, change ...func(*web.Options)) *house {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, d: d, clock: dbtest.NewClock(), log: &bytes.Buffer{}, root: actor.SystemFor("test", actor.Command)}
	d.SetClock(h.clock.Now)
	h.staff, err = staff.New(staff.Options{
		DB: d, Ring: ring, Machine: time.Now, Provider: p,
		Password: &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []staff.OrgInput{
		{City: city, Code: "centre", Kind: staff.Centre, NameZH: "暖城供热服务中心", NameEN: "Nuancheng heating centre"},
		{City: city, Code: "C1", Kind: staff.Company, NameZH: "一热供热有限公司", NameEN: "First Heating"},
		{City: city, Code: "C2", Kind: staff.Company, NameZH: "二热供热有限公司", NameEN: "Second Heating"},
	} {
		if _, err := h.staff.SaveOrganisation(context.Background(), h.root, o); err != nil {
			t.Fatal(err)
		}
	}
	o := web.Options{
		Deps:   web.Deps{Staff: h.staff, Audit: audit.New(d), Jobs: jobs.New(d)},
		Site:   config.Site{Owner: "暖城市城市管理局", Phone: "12345", ICP: "暖ICP备00000001号"},
		Cities: func() []web.City { return []web.City{{Code: city, NameZH: "暖城市", NameEN: "Nuancheng"}} },
		Now:    h.clock.Now, Machine: time.Now, Rate: config.Rate{LoginPerMinute: 1000},
		Log: slog.New(slog.NewTextHandler(h.log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	if h.pages, err = web.New(o); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h.pages)
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

// person makes a member of staff with a role, whose login is the role's name unless another is given.
func (h *house) person(login string, role actor.Role) staff.Person {
	h.t.Helper()
	if role == actor.RoleCompany || role == actor.RoleStation || role == actor.RoleWorker {
		return h.personOf(login, role, "C1")
	}
	return h.personOf(login, role, "centre")
}

// personOf is somebody of an organisation; whoever is not of the centre sees their own company's cases only.
func (h *house) personOf(login string, role actor.Role, org string) staff.Person {
	h.t.Helper()
	grant := actor.Grant{Role: role, City: city}
	if org != "centre" {
		grant.Companies = []string{org}
	}
	p, err := h.staff.CreatePerson(context.Background(), h.root, staff.NewPerson{
		City: city, Login: login, Name: names[role], Org: org, Password: good + "x", Grants: []actor.Grant{grant},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	err = h.staff.SetPassword(context.Background(), actor.Actor{ID: p.ID, Kind: actor.Person}, staff.PasswordChange{
		Person: p.ID, Current: good + "x", New: good,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

var names = map[actor.Role]string{
	actor.RoleAdmin: "周管理", actor.RoleSeat: "李娜", actor.RoleDispatcher: "赵敏", actor.RoleLeader: "孙值班", actor.RoleCompany: "钱一热",
	actor.RoleSectionHead: "吴科长", actor.RoleLiaison: "郑驻场", actor.RoleStation: "王站长", actor.RoleWorker: "冯师傅", actor.RoleDistrict: "陈区县",
	actor.RoleVerifier: "褚核查", actor.RoleInspector: "卫执法", actor.RoleSupervisor: "蒋监督", actor.RoleRegulator: "沈主管", actor.RoleKnowledge: "韩知识",
}

// client is a browser without scripts: it keeps cookies and does not follow redirects.
type client struct {
	h *house
	c *http.Client
}

// anyone is a client that is not logged in.
func (h *house) anyone() *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &client{h, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a client that is logged in.
func (h *house) as(login string) *client {
	h.t.Helper()
	k := h.anyone()
	k.post("/login", url.Values{"login": {login}, "password": {good}}).want(http.StatusSeeOther)
	return k
}

// answer is what came back.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

func (k *client) get(path string, headers ...string) answer {
	k.h.t.Helper()
	return k.send(http.MethodGet, path, nil, headers...)
}

func (k *client) post(path string, v url.Values, headers ...string) answer {
	k.h.t.Helper()
	return k.send(http.MethodPost, path, v, headers...)
}

func (k *client) send(method, path string, v url.Values, headers ...string) answer {
	k.h.t.Helper()
	r, err := http.NewRequest(method, k.h.url+path, strings.NewReader(v.Encode()))
	if err != nil {
		k.h.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got, err := k.c.Do(r)
	if err != nil {
		k.h.t.Fatal(err)
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if err != nil {
		k.h.t.Fatal(err)
	}
	return answer{k.h.t, method + " " + path, got.StatusCode, got.Header, string(b)}
}

// want fails unless the status is this one and the page holds (or, after "!", does not hold) the words.
func (a answer) want(status int, words ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: got status %d, want %d\n%s", a.what, a.status, status, a.body)
	}
	for _, w := range words {
		if not, cut := strings.CutPrefix(w, "!"); cut && strings.Contains(a.body, not) {
			a.t.Errorf("%s: %q should not be there\n%s", a.what, not, a.body)
		} else if !cut && !strings.Contains(a.body, w) {
			a.t.Errorf("%s: no %q\n%s", a.what, w, a.body)
		}
	}
	return a
}

// to fails unless the answer leads to a path.
func (a answer) to(path string) {
	a.t.Helper()
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != path {
		a.t.Errorf("%s: got %d to %q, want 303 to %q", a.what, a.status, got, path)
	}
}

// browser is a Chromium window, logged in unless login is empty; nil when browser tests are left out.
func (h *house) browser(login string) *webtest.Browser {
	h.t.Helper()
	b := webtest.New(h.t, h.url)
	if b == nil || login == "" {
		return b
	}
	b.Open("/login")
	b.Fill("login", login)
	b.Fill("password", good)
	b.Click("main button")
	b.WaitJS("location.pathname !== '/login'")
	return b
}

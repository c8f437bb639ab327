package web_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/handover"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web"
)

var hole = regexp.MustCompile(`\{[a-z_]+\}`)

// address fills a pattern: the city, and something that does not exist for the rest.
func address(pattern string) string {
	p := strings.ReplaceAll(pattern, "{city}", strconv.Itoa(city))
	return hole.ReplaceAllString(p, "00000000-0000-7000-8000-000000000000")
}

// mayUse says by the table of roles alone whether a role may use a route.
func mayUse(a web.Access, r actor.Role) bool {
	return a.Public || a.Own || slices.ContainsFunc(a.Permissions, r.Has)
}

func TestEveryRouteSaysWhoMayUseIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	for _, r := range h.pages.Routes() {
		kinds := 0
		for _, is := range []bool{r.Access.Public, r.Access.Signed, r.Access.Own, len(r.Access.Permissions) > 0} {
			if is {
				kinds++
			}
		}
		if kinds != 1 {
			t.Errorf("%s %s must be public, one's own, or name permissions: %+v", r.Method, r.Pattern, r.Access)
		}
		residents := strings.HasPrefix(r.Pattern, "/c/{city}/m") || strings.HasPrefix(r.Pattern, "/c/{city}/answer/")
		if strings.HasPrefix(r.Pattern, "/c/") && r.Access.Public && !residents {
			t.Errorf("%s %s: staff's pages are not public", r.Method, r.Pattern)
		}
	}
}

// knock asks for a route and gives the status and what came; of a stream of events only that it began.
func (k *client) knock(method, path string) (status int, body string) {
	k.h.t.Helper()
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, k.h.url+path, nil)
	if err != nil {
		k.h.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	got, err := k.c.Do(r)
	if err != nil {
		k.h.t.Fatal(err)
	}
	defer got.Body.Close()
	if strings.HasPrefix(got.Header.Get("Content-Type"), "text/event-stream") {
		return got.StatusCode, ""
	}
	b, err := io.ReadAll(got.Body)
	if err != nil {
		k.h.t.Fatal(err)
	}
	return got.StatusCode, string(b)
}

// mayInTown says whether a role may use a route, given that companies, stations and workers hold it for their company alone.
func mayInTown(a web.Access, r actor.Role) bool {
	ofCompany := r == actor.RoleCompany || r == actor.RoleStation || r == actor.RoleWorker
	return mayUse(a, r) && (!a.Whole || !ofCompany)
}

// things are what stands in the places of an address: an own case, stop, message ….
type things map[string]string

// of fills an address, with what does not exist for the places that have nothing.
func (s things) of(pattern string) string {
	for hole, id := range s {
		pattern = strings.ReplaceAll(pattern, hole, id)
	}
	return address(pattern)
}

// in says whether an address has a place for one of the things.
func (s things) in(pattern string) bool {
	for hole := range s {
		if strings.Contains(pattern, hole) {
			return true
		}
	}
	return false
}

// walked are the things of the first company and those of the second, with the numbers that the first must never see.
func (k *town) walked() (own, foreign things, secret []string) {
	k.t.Helper()
	mine, theirs := k.opened("向阳花园3号楼2单元601"), k.opened("明月里1号楼")
	if mine.Company != "C1" || theirs.Company != "C2" {
		k.t.Fatalf("the cases are of %q and %q", mine.Company, theirs.Company)
	}
	stop, theirStop := k.reported(), k.stopped(rivalOf, "C2", "明月里", "二次网泄漏")
	k.tell(mine.Subject())
	k.tell(theirs.Subject())
	sheet, err := k.app.Handovers.Write(bg, seatOf, handover.Writing{City: city, Note: "东城区抢修中"})
	if err != nil {
		k.t.Fatal(err)
	}
	articles, err := k.app.Knowledge.List(bg, k.root, city, knowledge.Filter{})
	if err != nil || len(articles.Items) == 0 {
		k.t.Fatalf("no article: %v", err)
	}
	own = things{
		"{case}": mine.ID, "{outage}": stop.ID, "{message}": k.message(mine.Subject()), "{sheet}": sheet.ID, "{article}": articles.Items[0].Article,
		"{community}": k.estate("向阳花园"), "{building}": "3", "{org}": "C1", "{person}": k.person("spare", actor.RoleStation).ID,
	}
	foreign = things{
		"{case}": theirs.ID, "{outage}": theirStop.ID, "{message}": k.message(theirs.Subject()),
		"{community}": k.estate("明月里"), "{building}": "1", "{org}": "C2",
	}
	return own, foreign, []string{theirs.No, theirStop.No}
}

// message is a message about a subject.
func (k *town) message(subject string) string {
	k.t.Helper()
	list, err := k.app.Notices.List(bg, k.root, city, notice.Filter{Subject: subject})
	if err != nil || len(list.Items) == 0 {
		k.t.Fatalf("no message about %s: %v", subject, err)
	}
	return list.Items[0].ID
}

// Every page and act of an installation with places, articles, stops, messages, a hand-over and cases of two companies, as
// every role: nobody gets further than the table of roles says, nobody is refused what it allows but for the place, and the
// people of one company never see the number of the other's case or stop.
func TestEveryRouteWithEveryRole(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	own, foreign, secret := k.walked()
	for _, role := range actor.Roles() {
		k.person(string(role), role)
	}
	for _, role := range actor.Roles() {
		c := k.as(string(role))
		for _, r := range k.pages.Routes() {
			if r.Pattern == "/logout" || strings.HasPrefix(r.Pattern, "/account/") || strings.HasPrefix(r.Pattern, "/login") || r.Access.Signed {
				continue // tested where they belong: they would end this client
			}
			c.walk(role, r, own, true, secret)
			if foreign.in(r.Pattern) {
				c.walk(role, r, foreign, false, secret)
			}
		}
	}
	if s := k.log.String(); strings.Contains(s, "panic") {
		t.Error(s)
	}
}

// walk tries one route with the things of a company.
func (k *client) walk(role actor.Role, r web.Route, with things, mine bool, secret []string) {
	t := k.h.t
	t.Helper()
	ofCompany := role == actor.RoleCompany || role == actor.RoleStation || role == actor.RoleWorker
	status, body := k.knock(r.Method, with.of(r.Pattern))
	switch may := mayInTown(r.Access, role); {
	case !may && status != http.StatusForbidden:
		t.Errorf("%s must not use %s %s, but got %d", role, r.Method, r.Pattern, status)
	case may && status == http.StatusForbidden && mine && !ofCompany:
		t.Errorf("%s may use %s %s, but got 403", role, r.Method, r.Pattern)
	case may && ofCompany && !mine && status < 300 && (strings.Contains(r.Pattern, "{case}") || strings.Contains(r.Pattern, "{outage}") || strings.Contains(r.Pattern, "{message}")):
		t.Errorf("%s of C1 opens what is C2's at %s %s: %d", role, r.Method, r.Pattern, status)
	}
	if status >= 500 {
		t.Errorf("%s: %s %s got %d", role, r.Method, r.Pattern, status)
	}
	for _, no := range secret {
		if ofCompany && strings.Contains(body, no) {
			t.Errorf("%s of C1 sees %s of C2 at %s %s", role, no, r.Method, r.Pattern)
		}
	}
}

// opened is a case of an address, as a seat records it.
func (k *town) opened(address string) cases.Case {
	k.t.Helper()
	o, err := k.app.Cases.Open(bg, seatOf, cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热，室温只有15度", Category: "cold_home", Nature: citypack.Repair,
		Caller: cases.Party{Name: "王桂兰", Phone: "13803510001"}, Address: address, Room: "601", Scope: cases.Home, TestRequest: "yes",
		Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return o.Case
}

func TestNoRouteWithoutLogin(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	k := h.anyone()
	for _, r := range h.pages.Routes() {
		a := k.send(r.Method, address(r.Pattern), url.Values{})
		switch {
		case r.Access.Signed:
			if a.status != http.StatusForbidden {
				t.Errorf("%s %s without a signature: got %d, want 403", r.Method, r.Pattern, a.status)
			}
		case r.Access.Public:
			if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status >= 500 {
				t.Errorf("%s %s: got %d", r.Method, r.Pattern, a.status)
			}
		case r.Method == http.MethodGet:
			if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/login") {
				t.Errorf("%s %s: got %d to %q", r.Method, r.Pattern, a.status, a.header.Get("Location"))
			}
		case a.status != http.StatusUnauthorized:
			t.Errorf("%s %s: got %d, want 401", r.Method, r.Pattern, a.status)
		}
	}
}

func TestForbiddenPageSaysWhichRoleIsNeeded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	h.person("seat", actor.RoleSeat)
	h.as("seat").get("/c/990100/people").want(http.StatusForbidden, "没有权限", "管理人员与单位", "系统管理员")
}

func TestRoutesAreUnique(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	seen := map[string]bool{}
	for _, r := range h.pages.Routes() {
		key := r.Method + " " + hole.ReplaceAllString(r.Pattern, "{}")
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
	}
}

// Every key that a page says is in the catalogue.
func TestEveryWordIsInTheCatalogue(t *testing.T) {
	t.Parallel()
	key := regexp.MustCompile(`"((?:web|ui|nav|staff|role|org_kind)\.[a-z0-9_.]*[a-z0-9_])"`)
	n := 0
	for _, dir := range []string{".", "ui"} {
		for _, ext := range []string{"*.go", "*.templ"} {
			files, err := filepath.Glob(filepath.Join(dir, ext))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if strings.HasSuffix(f, "_test.go") || strings.HasSuffix(f, "_templ.go") {
					continue
				}
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range key.FindAllStringSubmatch(string(b), -1) {
					n++
					if !text.Has(m[1]) {
						t.Errorf("%s says %q, which the catalogue does not know", f, m[1])
					}
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d keys were found: the pattern no longer fits", n)
	}
}

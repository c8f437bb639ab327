package web_test

import (
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
	"github.com/rehu-heat/rehu/internal/db/dbtest"
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

func TestEveryRouteWithEveryRole(t *testing.T) {
	t.Parallel()
	h := newHouse(t, dbtest.SQLite(t))
	for _, role := range actor.Roles() {
		h.person(string(role), role)
		k := h.as(string(role))
		for _, r := range h.pages.Routes() {
			if r.Pattern == "/logout" || strings.HasPrefix(r.Pattern, "/account/") || strings.HasPrefix(r.Pattern, "/login") || r.Access.Signed {
				continue // tested where they belong: they would end this client
			}
			got := k.send(r.Method, address(r.Pattern), url.Values{}).status
			if want := mayUse(r.Access, role); (got != http.StatusForbidden) != want {
				t.Errorf("%s as %s: %s %s got %d, may use it: %v", role, names[role], r.Method, r.Pattern, got, want)
			}
			if got >= 500 {
				t.Errorf("%s: %s %s got %d", role, r.Method, r.Pattern, got)
			}
		}
	}
	if s := h.log.String(); strings.Contains(s, "panic") {
		t.Error(s)
	}
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

package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/api"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
)

// target is where an operation is asked for about one case.
func target(o api.Operation, c cases.Case) string {
	return api.Prefix + strings.NewReplacer("{city}", "990100", "{case}", c.ID, "{blob}", "none", "{community}", "none", "{account}", "none", "{outage}", "none",
		"{measurement}", "none", "{document}", "none", "{instrument}", "none", "{finding}", "none", "{season}", "2025-2026",
		"{settlement}", "none", "{batch}", "none", "{objection}", "none", "{area}", "none", "{company}", "none", "{platform}", "none", "{ticket}", "none", "{message}", "none", "{webhook}", "none", "{day}", "2026-01-15", "{back}", "none",
		"{clue}", "none", "{sample}", "none", "{outcome}", "none", "{appeal}", "none", "{payment}", "none", "{reading}", "none").Replace(o.Path)
}

// knock asks for an operation with a body that no use case accepts as it is: another version of the case.
func (h *house) knock(o api.Operation, at, key string) reply {
	h.t.Helper()
	headers := []string{"Content-Type", "application/json"}
	if key != "" {
		headers = append(headers, "Authorization", "Bearer "+key)
	}
	if o.Method == http.MethodGet {
		return h.send(o.Method, at, nil, headers...)
	}
	body := "{}"
	if strings.Contains(o.Path, "{case}") && o.Name != "add_photos" {
		body = `{"version":999999}`
	}
	return h.send(o.Method, at, strings.NewReader(body), headers...)
}

func bound(r actor.Role) bool {
	return r == actor.RoleCompany || r == actor.RoleStation || r == actor.RoleWorker
}

// TestEveryOperationByEveryRole walks all operations: nobody without a key, nobody without the right, and of another
// company's case nobody learns so much as that it exists.
func TestEveryOperationByEveryRole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.opened(func(in *cases.Opening) { in.TicketNo = "FOREIGN-1" })
	if c.Company != "C1" {
		t.Fatalf("the case is with %q", c.Company)
	}
	roles := append(actor.Roles(), actor.RolePartner)
	for _, o := range h.doors.Operations() {
		if o.Open || o.Resident { // no key opens them: TestStrangersSeeNothing
			continue
		}
		at := target(o, c)
		h.knock(o, at, "").want(http.StatusUnauthorized)
		h.knock(o, at, "rhk_000000000000_"+strings.Repeat("0", 64)).want(http.StatusUnauthorized)
		for _, role := range roles {
			may := len(o.Permissions) == 0 || slices.ContainsFunc(o.Permissions, role.Has)
			foreign := h.knock(o, at, h.key("foreign "+string(role), grant(role, "C2")))
			own := h.knock(o, at, h.key("own "+string(role), ownGrant(role)))
			if !may {
				foreign.want(http.StatusForbidden)
				own.want(http.StatusForbidden)
				continue
			}
			if foreign.status == http.StatusForbidden && strings.Contains(o.Path, "{case}") {
				t.Errorf("%s as %s of another company is forbidden, which says that the case exists", foreign.what, role)
			}
			for _, r := range []reply{foreign, own} {
				if r.status == http.StatusUnauthorized || r.status >= 500 {
					t.Errorf("%s as %s: %d\n%s", r.what, role, r.status, r.body)
				}
			}
			h.hidden(o, c, role, foreign)
			if strings.Contains(o.Path, "{case}") && own.status == http.StatusNotFound && role.Has(actor.CaseRead) && o.Name != "unlink_case" { // there is no link to undo
				t.Errorf("%s as %s of the case's own company: not found", own.what, role)
			}
		}
	}
	if now := h.byNo(c.No); now.Status != c.Status || now.Version != c.Version+int64(now.Urges) { // a reminder needs no version
		t.Errorf("knocking moved the case: %s, version %d", now.Status, now.Version)
	}
}

func ownGrant(r actor.Role) actor.Grant {
	if bound(r) {
		return grant(r, "C1")
	}
	return grant(r)
}

// hidden checks that an answer to another company says nothing about the case.
func (h *house) hidden(o api.Operation, c cases.Case, role actor.Role, r reply) {
	h.t.Helper()
	for _, word := range []string{c.No, "FOREIGN-1", "15度", "2单元601"} {
		if strings.Contains(r.body, word) {
			h.t.Errorf("%s as %s of another company shows %q\n%s", r.what, role, word, r.body)
		}
	}
	if !strings.Contains(o.Path, "{case}") {
		return
	}
	if o.Method == http.MethodGet && r.status != http.StatusNotFound {
		h.t.Errorf("%s as %s of another company: %d, want 404", r.what, role, r.status)
	}
	if r.status < 400 {
		h.t.Errorf("%s as %s of another company: %d", r.what, role, r.status)
	}
}

// TestForeignCaseInLists asks every list, figure and file for another company's case.
func TestForeignCaseInLists(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.opened()
	for _, role := range []actor.Role{actor.RoleCompany, actor.RoleStation} {
		own, foreign := h.key("own "+string(role), grant(role, "C1")), h.key("foreign "+string(role), grant(role, "C2"))
		for _, q := range []string{"", "?q=" + c.No, "?q=%E6%9A%96%E6%B0%94", "?company=C1", "?state=open", "?account=", "?status=dispatched"} {
			h.read(own, v1+"/cases"+q).want(200, c.No)
			h.read(foreign, v1+"/cases"+q).want(200, `{"items":[]}`)
			h.read(foreign, v1+"/cases/count"+q).want(200, `{"n":0}`)
		}
		h.read(foreign, v1+"/cases/changes?since=2020-01-01T00:00:00Z").want(200, `{"items":[]}`)
		h.read(foreign, v1+"/cases/nearby?phone=13803510001").want(200, "!"+c.No)
		h.read(foreign, v1+"/requests").want(200, `{"items":[]}`)
	}
	foreign := h.key("foreign company", grant(actor.RoleCompany, "C2"))
	h.read(foreign, v1+"/cases/export").want(200, "!"+c.No)
	h.post(foreign, v1+"/cases/batch", map[string]any{"do": "sign", "ids": []string{c.ID}}).want(200, `"kind":"not_found"`, "!"+c.No)
	link := map[string]any{"others": []string{c.ID}, "kind": "related"}
	seat := h.key("C2 seat", grant(actor.RoleSeat, "C2"))
	h.post(seat, v1+"/cases/"+c.ID+"/link", link).want(404)
}

// TestSeveralQuestionsGetOneAnswer: each case keeps the answer as its own; what cannot be answered says why beside the rest.
func TestSeveralQuestionsGetOneAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ask := func(in *cases.Opening) { in.Nature, in.Address = citypack.Inquiry, "城南一带" }
	a, b := h.opened(ask), h.opened(ask)
	key := h.key("seat", grant(actor.RoleSeat))
	batch := map[string]any{"do": "answer", "ids": []string{a.ID, b.ID, "nothing"}}
	h.post(key, v1+"/cases/batch", batch).want(422, `"answer"`)
	batch["answer"] = "十一月十五日起供热。"
	h.post(key, v1+"/cases/batch", batch).want(200, a.No, b.No, `"kind":"not_found"`)
	h.read(key, v1+"/cases/"+a.No).want(200, `"status":"answered"`, "十一月十五日起供热。")
	h.post(key, v1+"/cases/batch", batch).want(200, `"kind":"conflict"`)
}

// TestInformerStaysHidden: whoever told something in confidence is not shown to the company by any act's answer either.
func TestInformerStaysHidden(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.opened(func(in *cases.Opening) { in.Secret = true })
	if c.CallerName == "" {
		t.Fatal("the case has no caller")
	}
	unit := h.key("own company", grant(actor.RoleCompany, "C1"))
	for _, r := range []reply{
		h.read(unit, v1+"/cases/"+c.No), h.read(unit, v1+"/cases/"+c.No+"/view"), h.read(unit, v1+"/cases"), h.read(unit, v1+"/cases/export"),
		h.post(unit, v1+"/cases/batch", map[string]any{"do": "sign", "ids": []string{c.ID}}), h.post(unit, v1+"/cases/"+c.No+"/take", nothing),
	} {
		r.want(200, c.No, "!"+c.CallerName, "!"+c.CallerPhone)
	}
	h.post(unit, v1+"/cases/"+c.No+"/reveal", nothing).want(403)
}

// TestStaffReadWithTheirSession: the browser of a member of staff may read, and act only with a key.
func TestStaffReadWithTheirSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.opened()
	cookie := h.session(actor.RoleLeader)
	h.get(v1+"/cases/"+c.No, "Cookie", cookie).want(200, c.No)
	h.send(http.MethodPost, v1+"/cases/"+c.No+"/withdraw", strings.NewReader("{}"), "Cookie", cookie, "Content-Type", "application/json").want(401)
	h.get(v1+"/cases", "Cookie", "rehu_session=nonsense").want(401)
	h.get(o311+"/requests/"+c.No+".json", "Cookie", cookie).want(200, `"description":null`)
}

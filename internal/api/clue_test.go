package api_test

import (
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
)

// TestCluesByKey: another program reads a post with why it is read so, corrects it and makes a case of it.
func TestCluesByKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key("leader", grant(actor.RoleLeader))
	h.read(key, v1+"/clues").want(200, `{"items":[]}`)
	in := channel.Incoming{City: 990100, Channel: cases.Opinion, Account: "vendor", ID: "p1", Form: channel.Post, SenderID: "u1", SenderName: "张三", Text: "向阳花园3号楼2单元601暖气不热，家里只有15度，电话13803510001"}
	if _, _, err := h.app.Channels.Record(ctx, in); err != nil {
		t.Fatal(err)
	}
	if err := h.app.Runner.RunDue(ctx); err != nil {
		t.Fatal(err)
	}
	list := h.read(key, v1+"/clues?state=new").want(200, `"guess":"heating"`, "138****0001", "!13803510001")
	_, rest, _ := strings.Cut(list.body, `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	h.read(key, v1+"/clues/"+id).want(200, `"why":[`, `"others":[]`)
	h.post(key, v1+"/clues/"+id+"/correct", map[string]any{"version": 1, "urgency": "urgent"}).want(422, `"reason"`)
	h.post(key, v1+"/clues/"+id+"/correct", map[string]any{"version": 1, "urgency": "urgent", "reason": "家有老人"}).want(200, `"urgency":"urgent"`)
	h.post(key, v1+"/clues/"+id+"/correct", map[string]any{"version": 1, "urgency": "critical", "reason": "同时改"}).want(409)
	h.read(key, v1+"/clues/"+id).want(200, "家有老人", `"corrections":[`)
	h.read(key, v1+"/clues/export").want(200, id)
	h.read(key, v1+"/clues/count").want(200, `"new":1`)
	h.read(key, v1+"/clues/statistics").want(200, `"channel":"opinion"`)
	company := h.key("company", grant(actor.RoleCompany, "C1"))
	h.read(company, v1+"/clues").want(403)
}

// TestRatesByKey: the figures name their parts, and every list behind them stands.
func TestRatesByKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.key("head", grant(actor.RoleSectionHead))
	days := "?from=2026-01-01&to=2026-01-31"
	h.read(key, v1+"/satisfaction"+days).want(200, `"rate":"response"`, `"groups":[]`)
	h.read(key, v1+"/satisfaction").want(422, `"from"`)
	h.read(key, v1+"/satisfaction/outcomes"+days+"&rate=solved&place=miss").want(200, `{"items":[]}`)
	h.read(key, v1+"/satisfaction/appeals").want(200, `{"items":[]}`)
	h.read(key, v1+"/satisfaction/fixed").want(200, `{"items":[]}`)
	h.post(key, v1+"/satisfaction/fixed", map[string]any{"from": "2026-01-01"}).want(422, `"to"`)
}

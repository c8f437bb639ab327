package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/api"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
)

var update = flag.Bool("update", false, "write the golden files anew")

const v1 = "/api/v1/cities/990100"

// post sends JSON with a key.
func (h *house) post(key, path string, body any, headers ...string) reply {
	h.t.Helper()
	raw, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		if err != nil {
			h.t.Fatal(err)
		}
		raw = string(b)
	}
	return h.send(http.MethodPost, path, strings.NewReader(raw), append([]string{"Content-Type", "application/json", "Authorization", "Bearer " + key}, headers...)...)
}

// read asks with a key.
func (h *house) read(key, path string) reply {
	h.t.Helper()
	return h.get(path, "Authorization", "Bearer "+key)
}

func (h *house) leaderKey() string { return h.key("leader", grant(actor.RoleLeader)) }

// TestContract holds the whole OpenAPI document: the JSON names of every input and answer are what others build on.
func TestContract(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.get("/api/v1/openapi.json").want(200)
	if got := r.header.Get("Content-Type"); got != "application/openapi+json" {
		t.Errorf("content type %q", got)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, []byte(r.body), "", "\t"); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	const name = "testdata/openapi.golden.json"
	if *update {
		if err := os.WriteFile(name, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("the contract changed; if fields were only added, run this test with -update:\n%s", diff)
	}
	h.get("/api/v1/openapi.yaml").want(200, "openapi: 3.1.0", "/api/v1/cities/{city}/cases:")
}

// TestEveryEventHasItsOperation: what a case allows is where to post.
func TestEveryEventHasItsOperation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	by := map[cases.Event]string{
		cases.AcceptReturn: "answer_return", cases.RefuseReturn: "answer_return", cases.FailVerify: "verify", cases.NotSolved: "call_back",
		cases.Postpone: "ask", cases.Park: "ask",
	}
	for _, s := range cases.Lifecycle.Steps {
		name, ok := by[s.Event]
		if !ok {
			name = string(s.Event)
		}
		if !slices.ContainsFunc(h.doors.Operations(), func(o api.Operation) bool {
			return o.Method == http.MethodPost && strings.HasSuffix(o.Path, "/cases/{case}/"+name)
		}) {
			t.Errorf("no operation for %s", s.Event)
		}
	}
}

func TestCaseThroughTheDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.partner()
	opened := into[cases.Opened](h.post(key, v1+"/cases", map[string]any{
		"text": "家里不热，电话13803510001", "category": "cold_home", "address": "向阳花园3号楼2单元601", "caller": map[string]string{"name": "王桂兰", "phone": "13803510001"},
		"details": map[string]any{"since": "昨晚", "temperature": "15.5"}, "received_at": "2026-01-15T07:58:00+08:00", "ticket_no": "T1", "channel": "12345",
	}).want(201, "!13803510001", "!王桂兰", `"door":"api"`))
	c := opened.Case
	if !opened.Dispatched || c.Company != "C1" || c.Door != citypack.DoorAPI || c.Channel != cases.Hotline {
		t.Fatalf("opened %+v", opened)
	}
	h.read(key, v1+"/cases/"+c.ID).want(200, c.No)
	if got := into[cases.Case](h.read(key, v1+"/cases/"+c.No).want(200)); got.ID != c.ID {
		t.Errorf("by its number: %+v", got)
	}
	list := into[page.Of[cases.Case]](h.read(key, v1+"/cases?company=C1&state=open").want(200))
	if len(list.Items) != 1 || list.Items[0].ID != c.ID {
		t.Errorf("list %+v", list)
	}
	h.read(key, v1+"/cases?company=C2").want(200, `{"items":[]}`)
	h.read(key, v1+"/cases/count?state=open").want(200, `{"n":1}`)
	h.read(h.leaderKey(), v1+"/cases/nearby?phone=13803510001").want(200, c.No)

	unit := h.key("C1", grant(actor.RoleCompany, "C1"))
	view := h.read(unit, v1+"/cases/"+c.No+"/view").want(200, `"allowed":`, `"sign"`, `"dispatches":[{`, `"requests":[]`, `"links":[]`, `"zh":`, `"en":`)
	if got := into[struct {
		Explain map[string][]struct{ ZH, EN string }
		Clocks  []struct{ ID string }
	}](view); len(got.Clocks) == 0 || len(got.Explain) != len(got.Clocks) || got.Explain[got.Clocks[0].ID][0].EN == "" {
		t.Errorf("explanations %+v", got)
	}
	signed := into[cases.Case](h.post(unit, v1+"/cases/"+c.No+"/sign", map[string]any{"version": c.Version, "order_no": "D-1"}).want(200))
	if signed.Status != cases.Signed {
		t.Errorf("status %s", signed.Status)
	}
	h.post(unit, v1+"/cases/"+c.No+"/take", map[string]any{"version": c.Version}).want(409, `"kind":"conflict"`, `"key":"conflict.version"`)
	h.post(unit, v1+"/cases/"+c.No+"/close", map[string]any{"version": signed.Version}).want(403, `"kind":"denied"`)
	h.post(unit, v1+"/cases/"+c.No+"/take", nothing).want(200)
}

// nothing is an act that says no more than its name.
const nothing = "{}"

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.partner()
	body := map[string]any{"text": "不热", "category": "cold_home", "address": "向阳花园3号楼"}
	first := into[cases.Opened](h.post(key, v1+"/cases", body, "Idempotency-Key", "k1").want(201))
	again := into[cases.Opened](h.post(key, v1+"/cases", body, "Idempotency-Key", "k1").want(201))
	if first.Case.ID != again.Case.ID {
		t.Errorf("two cases: %s, %s", first.Case.No, again.Case.No)
	}
	body["text"] = "很不热"
	h.post(key, v1+"/cases", body, "Idempotency-Key", "k1").want(409, `"key":"once.other_body"`)
	if other := into[cases.Opened](h.post(key, v1+"/cases", body, "Idempotency-Key", "k2").want(201)); other.Case.ID == first.Case.ID {
		t.Error("another key gave the same case")
	}
	unit := h.key("C1", grant(actor.RoleCompany, "C1"))
	sign := map[string]any{"version": first.Case.Version}
	one := into[cases.Case](h.post(unit, v1+"/cases/"+first.Case.ID+"/sign", sign, "Idempotency-Key", "s1").want(200))
	two := into[cases.Case](h.post(unit, v1+"/cases/"+first.Case.ID+"/sign", sign, "Idempotency-Key", "s1").want(200))
	if one.Version != two.Version {
		t.Errorf("signed twice: %d, %d", one.Version, two.Version)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.leaderKey()
	tests := map[string]struct {
		body   string
		status int
		fields []string
	}{
		"unknown field":         {`{"text":"不热","colour":"red"}`, 422, []string{"colour"}},
		"unknown nested field":  {`{"text":"不热","caller":{"fax":"1"}}`, 422, []string{"caller.fax"}},
		"an id of its own":      {`{"text":"不热","id":"x"}`, 422, []string{"id"}},
		"wrong type":            {`{"text":7,"secret":"yes","lng":"x"}`, 422, []string{"text", "secret", "lng"}},
		"name in other letters": {`{"Text":"不热"}`, 422, []string{"Text"}},
		"twice":                 {`{"text":"不热","text":"冷"}`, 422, []string{"text"}},
		"impossible date":       {`{"text":"不热","received_at":"2026-02-30T08:00:00+08:00"}`, 422, []string{"received_at"}},
		"in the future":         {`{"text":"不热","received_at":"2027-01-01T08:00:00+08:00"}`, 422, []string{"received_at"}},
		"outside the city":      {`{"text":"不热","lng":116.4,"lat":39.9}`, 422, []string{"lng"}},
		"no such place":         {`{"text":"不热","lng":500,"lat":39.9}`, 422, nil},
		"not one of":            {`{"text":"不热","channel":"fax","urgency":"very"}`, 422, []string{"channel", "urgency"}},
		"too warm":              {`{"text":"不热","details":{"temperature":"99"}}`, 422, []string{"details.temperature"}},
		"two decimals":          {`{"text":"不热","details":{"temperature":"15.55"}}`, 422, []string{"details.temperature"}},
		"required":              {`{"category":"cold_home"}`, 422, []string{"text"}},
		"too long":              {`{"text":"` + strings.Repeat("冷", 4001) + `"}`, 422, []string{"text"}},
		"NUL":                   {`{"text":"a\u0000b"}`, 422, []string{"text"}},
		"half a character":      {`{"text":"a\ud800b"}`, 422, []string{"text"}},
		"broken UTF-8":          {"{\"text\":\"\xff\"}", 400, nil},
		"broken JSON":           {`{"text":"不热"`, 400, nil},
		"two values":            {`{"text":"不热"}{}`, 400, nil},
		"a list":                {`[]`, 422, nil},
		"ten megabytes":         {`{"text":"` + strings.Repeat("x", 10<<20) + `"}`, 413, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := ask(t, h.doors, http.MethodPost, v1+"/cases", strings.NewReader(tt.body), "Content-Type", "application/json", "Authorization", "Bearer "+key).want(tt.status)
			if got := r.header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			p := into[httpx.Problem](r)
			if p.Status != tt.status || p.Detail == "" || p.Key == "" {
				t.Errorf("problem %+v", p)
			}
			var names []string
			for _, f := range p.Fields {
				names = append(names, f.Name)
				if f.Message == "" {
					t.Errorf("field %s without a message", f.Name)
				}
			}
			if tt.fields != nil {
				if diff := cmp.Diff(tt.fields, names); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	if n, err := h.app.Cases.Count(ctx, h.root, city, cases.Filter{}); err != nil || n.N != 0 {
		t.Errorf("%v cases were made, %v", n, err)
	}
	h.send(http.MethodPost, v1+"/cases", strings.NewReader("text=x"), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Bearer "+key).want(415, `"kind":"transport"`)
	h.send(http.MethodPost, v1+"/cases", strings.NewReader("{}"), "Content-Type", ";;", "Authorization", "Bearer "+key).want(415)
	h.read(key, v1+"/cases?colour=red").want(422, `"name":"colour"`)
	h.read(key, v1+"/cases?from=2026-02-30").want(422, `"name":"from"`)
	h.read(key, v1+"/cases?size=many").want(422, `"name":"size"`)
	h.read(key, v1+"/cases?after=nonsense").want(422)
	h.read(key, v1+"/cases?q=%zz").want(400)
	h.read(key, v1+"/nothing").want(404, `"kind":"not_found"`)
	h.send(http.MethodDelete, v1+"/cases", nil, "Authorization", "Bearer "+key).want(405)
	h.read(key, "/api/v1/cities/370700/cases").want(404, `"key":"httpx.no_such_city"`)
	h.get(v1+"/cases", "Authorization", "Bearer "+key, "Accept-Language", "en").want(200)
	h.send(http.MethodPost, v1+"/cases", strings.NewReader(`{"colour":1}`), "Content-Type", "application/json", "Authorization", "Bearer "+key, "Accept-Language", "en").want(422, "Unknown field: colour.")
}

func TestScriptInJSONStaysText(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := into[cases.Opened](h.post(h.partner(), v1+"/cases", map[string]string{"text": "<script>alert(1)</script>"}).want(201, "!<script>")).Case
	if c.Text != "<script>alert(1)</script>" {
		t.Errorf("text %q", c.Text)
	}
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.get(v1+"/cases").want(401, `"key":"httpx.not_logged_in"`)
	h.get(v1+"/cases", "Authorization", "Bearer rhk_wrong").want(401)
	h.get(v1+"/cases", "Authorization", "Basic eDp5").want(401)
	h.get("/api/v1/openapi.json", "Authorization", "Bearer rhk_wrong").want(200)
	doors := h.open(config.Rate{PublicPerMinute: 1, APIPerSecond: 1})
	ask(t, doors, http.MethodGet, v1+"/categories", nil).want(401)
	ask(t, doors, http.MethodGet, v1+"/categories", nil).want(429)
	ask(t, doors, http.MethodGet, v1+"/categories", nil, "Authorization", "Bearer "+h.partner()).want(200)
	ask(t, doors, http.MethodGet, v1+"/categories", nil, "Authorization", "Bearer "+h.partner()).want(429)
}

func TestExportHasEveryCase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 7 {
		h.opened(func(in *cases.Opening) { in.Caller.Phone = fmt.Sprintf("1380351200%d", i) })
	}
	key := h.key("dispatcher", grant(actor.RoleDispatcher))
	r := h.read(key, v1+"/cases/export").want(200, "!13803512001")
	if n := strings.Count(r.body, "\n"); n != 7 || r.header.Get("Content-Type") != "application/jsonl" {
		t.Errorf("%d lines, %s", n, r.header.Get("Content-Type"))
	}
	var seen int
	for after := ""; ; {
		p := into[page.Of[cases.Case]](h.read(key, v1+"/cases?size=3&after="+after).want(200))
		seen += len(p.Items)
		if after = p.Next; after == "" {
			break
		}
	}
	if seen != 7 {
		t.Errorf("%d cases over the pages", seen)
	}
	h.read(key, v1+"/cases/export?company=C9").want(200)
	h.read(h.partner(), v1+"/cases/export").want(403)
}

func TestPhotos(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.opened()
	unit := h.key("C1", grant(actor.RoleCompany, "C1"))
	r := h.photo(unit, v1+"/cases/"+c.No+"/photos", "").want(201)
	id := into[page.Of[struct{ ID string }]](r).Items[0].ID
	if got := h.read(unit, v1+"/attachments/"+id).want(200).header.Get("Content-Type"); got != "image/png" && got != "image/jpeg" {
		t.Errorf("content type %q", got)
	}
	foreign := h.key("C2", grant(actor.RoleCompany, "C2"))
	h.read(foreign, v1+"/attachments/"+id).want(404)
	h.photo(foreign, v1+"/cases/"+c.No+"/photos", "").want(404)
	h.post(unit, v1+"/cases/"+c.No+"/photos", "{}").want(422, `"name":"photos"`)
	h.read(unit, v1+"/attachments/none").want(404)

	signed := into[cases.Case](h.post(unit, v1+"/cases/"+c.No+"/sign", dispatch.Signing{Act: cases.Act{Version: c.Version}}).want(200))
	h.photo(unit, v1+"/cases/"+c.No+"/arrive", fmt.Sprintf(`{"version":%d,"result":"nobody","call_log":"09:10","slip":true,"note":"无人"}`, signed.Version)).want(200)
	view := into[struct{ Photos []struct{ ID string } }](h.read(unit, v1+"/cases/"+c.No+"/view").want(200))
	if len(view.Photos) != 2 {
		t.Errorf("%d photographs", len(view.Photos))
	}
	h.photo(unit, v1+"/cases/"+c.No+"/arrive", `{"colour":1}`).want(422, `"name":"colour"`)
}

// photo sends a form with a picture.
func (h *house) photo(key, path, input string) reply {
	h.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if input != "" {
		if err := form.WriteField("json", input); err != nil {
			h.t.Fatal(err)
		}
	}
	file, err := form.CreateFormFile("photos", "门口.png")
	if err != nil {
		h.t.Fatal(err)
	}
	if err := png.Encode(file, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		h.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		h.t.Fatal(err)
	}
	return h.send(http.MethodPost, path, &body, "Content-Type", form.FormDataContentType(), "Authorization", "Bearer "+key)
}

func TestRulesAndPlaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.leaderKey()
	h.post(key, v1+"/deadline", `{"limit":{"amount":3,"unit":"working_day","roll":true},"from":"2026-02-13T16:30:00+08:00"}`).want(200, `"due":"2026-02-26T00:00:00+08:00"`, `"zh":`)
	h.post(key, v1+"/deadline", `{"city":990100,"limit":{"amount":3,"unit":"fortnight"},"from":"2026-02-13T16:30:00+08:00"}`).want(422, `"name":"limit.unit"`)
	h.post(key, v1+"/deadline", `{"city":140100,"rule":"sign","from":"2026-02-13T16:30:00+08:00"}`).want(422, `"name":"city"`)
	h.post(key, v1+"/attribute", `{"text":"向阳花园3号楼不热"}`).want(200, `"decision":"assigned"`, `"company":"C1"`)
	h.post(key, v1+"/attribute", `{"lng":118.15,"lat":40.05,"at":"2026-01-15"}`).want(200, `"company":"C2"`)
	h.post(key, v1+"/attribute", `{"lng":200,"lat":40.05}`).want(422)
	h.post(key, v1+"/attribute", `{"at":"2026-02-30"}`).want(422, `"name":"at"`)
	h.read(key, v1+"/suggest?q=xyhy").want(200, "向阳花园")
	h.read(key, v1+"/companies").want(200, "一热供热有限公司")
	list := into[page.Of[struct{ ID string }]](h.read(key, v1+"/communities?q=明月里").want(200))
	h.read(key, v1+"/communities/"+list.Items[0].ID).want(200, "明月里")
	h.read(key, v1+"/communities/none").want(404)
	h.read(key, v1+"/communities/"+list.Items[0].ID+"/buildings").want(200, `"items":[]`)
	h.read(key, v1+"/households").want(422, `"name":"community"`)
	h.read(key, v1+"/households/1").want(404)
	h.read(key, v1+"/categories").want(200, `"code":"cold_home"`, `"required":["text"]`)
	h.read(key, v1+"/categories?door=seat").want(200, `"required":["address","room"`)
	h.read(key, v1+"/categories?door=window").want(422)
	h.read(key, v1+"/limits?category=cold_home&urgency=normal").want(200, `"clock":"sign"`, `"amount":15`)
	h.read(key, v1+"/limits?category=none").want(422)
	h.read(key, v1+"/seasons").want(200, `"label":"2025-2026"`, `"declared":[]`)
	h.read(key, v1+"/values").want(200, `"source":`)
}

func TestAuditOfOneCase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.opened()
	h.read(h.key("supervisor", grant(actor.RoleSupervisor)), v1+"/cases/"+c.No+"/audit").want(200, "case.open", c.ID)
	h.read(h.leaderKey(), v1+"/cases/"+c.No+"/audit").want(403)
}

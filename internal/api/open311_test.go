package api_test

import (
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/config"
)

// standard compiles one of the standard's own schemas.
func standard(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files, err := filepath.Glob("testdata/open311/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(b)
		b.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("https://open311.test/"+filepath.Base(f), doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("https://open311.test/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r reply) meets(s *jsonschema.Schema) reply {
	r.t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(r.body))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		r.t.Errorf("%s: %v\n%s", r.what, err, r.body)
	}
	return r
}

// shape lists the paths of elements of a document in order, each once.
func shape(t testing.TB, doc string) []string {
	t.Helper()
	var out, at []string
	d := xml.NewDecoder(strings.NewReader(doc))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		switch x := tok.(type) {
		case xml.StartElement:
			at = append(at, x.Name.Local)
			if p := strings.Join(at, "/"); !slices.Contains(out, p) {
				out = append(out, p)
			}
		case xml.EndElement:
			at = at[:len(at)-1]
		}
	}
}

const o311 = "/open311/v2"

func report(key string, edits map[string]string) url.Values {
	v := url.Values{
		"api_key": {key}, "service_code": {"cold_home"}, "address_string": {"向阳花园3号楼2单元601"}, "description": {"家里不热，才15度"},
		"first_name": {"桂兰"}, "last_name": {"王"}, "phone": {"13803510001"}, "email": {"w@example.cn"}, "device_id": {"d1"},
		"media_url": {"https://photos.example.cn/1.jpg"}, "attribute[since]": {"昨晚"}, "attribute[temperature]": {"15.5"},
	}
	for name, s := range edits {
		if v.Set(name, s); s == "-" {
			v.Del(name)
		}
	}
	return v
}

func TestServices(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	list := h.get(o311 + "/services.json").want(200).meets(standard(t, "services.json"))
	if got := list.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	if got := list.header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("Access-Control-Allow-Origin %q", got)
	}
	by := map[string]map[string]any{}
	for _, s := range into[[]map[string]any](list) {
		by[s["service_code"].(string)] = s
	}
	want := map[string]any{
		"service_code": "cold_home", "service_name": "整户不热", "description": "不热 · 整户不热", "metadata": true, "type": "realtime", "group": "不热",
		"keywords": "全屋,整户,家里都,所有房间,家里不热,暖气不热,家里冷",
	}
	if diff := cmp.Diff(want, by["cold_home"]); diff != "" {
		t.Error(diff)
	}
	if _, ok := by["cold"]; ok {
		t.Error("a group is offered as a service")
	}
	h.get(o311+"/services.json?locale=en-GB").want(200, `"service_name":"Whole home cold"`, `"group":"Not warm enough"`)
	h.get(o311+"/services.json", "Accept-Language", "en").want(200, `"Whole home cold"`)
	x := h.get(o311+"/services.xml").want(200, `<?xml version="1.0" encoding="UTF-8"?>`)
	if got := x.header.Get("Content-Type"); got != "text/xml; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	got := shape(t, x.body)
	slices.Sort(got)
	sample := []string{"services", "services/service"}
	for _, f := range []string{"service_code", "metadata", "type", "keywords", "group", "service_name", "description"} {
		sample = append(sample, "services/service/"+f)
	}
	slices.Sort(sample)
	if diff := cmp.Diff(sample, got); diff != "" {
		t.Error(diff)
	}
}

func TestServiceDefinition(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := standard(t, "service-definition.json")
	d := into[struct {
		Attributes []map[string]any `json:"attributes"`
	}](h.get(o311+"/services/cold_home.json").want(200, `"service_code":"cold_home"`).meets(s))
	want := []map[string]any{
		{"code": "since", "datatype": "string", "description": "从何时起", "datatype_description": "一行文字", "order": 1.0, "required": false, "variable": true},
		{"code": "temperature", "datatype": "number", "description": "自述室温", "datatype_description": "数字，最多一位小数", "order": 2.0, "required": false, "variable": true},
	}
	if diff := cmp.Diff(want, d.Attributes); diff != "" {
		t.Error(diff)
	}
	got := shape(t, h.get(o311+"/services/cold_home.xml").want(200).body)
	sample := []string{"service_definition", "service_definition/service_code", "service_definition/attributes", "service_definition/attributes/attribute"}
	for _, f := range []string{"variable", "code", "datatype", "required", "datatype_description", "order", "description"} {
		sample = append(sample, "service_definition/attributes/attribute/"+f)
	}
	if diff := cmp.Diff(sample, got); diff != "" {
		t.Error(diff)
	}
	h.get(o311+"/services/leak_burst.json").want(200, `"attributes":[]`).meets(s)
	h.get(o311+"/services/leak_burst.xml").want(200, "<attributes></attributes>")
	h.get(o311+"/services/nothing.json").want(404, `[{"code":404,"description":"没有找到 service_code：nothing。"}]`)
	h.get(o311 + "/services/cold.json").want(404)
	h.get(o311+"/services/nothing.xml?locale=en").want(404, "<errors><error><code>404</code><description>service_code not found: nothing.</description></error></errors>")
}

func TestReportAndFollow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.partner()
	posted := into[[]map[string]any](h.form(o311+"/requests.json", report(key, nil)).want(200))
	no, _ := posted[0]["service_request_id"].(string)
	if len(posted) != 1 || !regexp.MustCompile(`^RX\d{8}-00001$`).MatchString(no) || posted[0]["account_id"] != nil {
		t.Fatalf("receipt %v", posted)
	}
	if !strings.Contains(posted[0]["service_notice"].(string), no) {
		t.Errorf("notice %v", posted[0]["service_notice"])
	}
	c, err := h.app.Cases.ByNo(ctx, h.root, city, no)
	if err != nil {
		t.Fatal(err)
	}
	if c.Company != "C1" || c.Channel != cases.OpenAPI || c.Details.Since != "昨晚" || c.Details.Temperature == nil || *c.Details.Temperature != 155 || c.Details.Media == "" {
		t.Errorf("case %+v", c)
	}
	if who, err := h.app.Cases.Reveal(ctx, h.leader(), cases.Act{City: city, ID: c.ID}); err != nil || who.Caller.Name != "王桂兰" || who.Caller.Phone != "13803510001" {
		t.Errorf("caller %+v, %v", who, err)
	}

	list := standard(t, "requests.json")
	for _, path := range []string{"/requests/" + no + ".json", "/requests.json", "/requests.json?service_request_id=" + no, "/requests/" + no, "/requests/" + c.ID + ".json"} {
		open := into[[]map[string]any](h.get(o311 + path).want(200).meets(list))[0]
		full := into[[]map[string]any](h.get(o311+path, "Authorization", "Bearer "+key).want(200).meets(list))[0]
		for k, want := range map[string]any{
			"service_request_id": no, "status": "open", "service_code": "cold_home", "service_name": "整户不热", "description": nil,
			"agency_responsible": "一热供热有限公司", "address": "向阳花园", "media_url": nil, "zipcode": nil, "requested_datetime": "2026-01-15T08:00:00+08:00",
		} {
			if diff := cmp.Diff(want, open[k]); diff != "" {
				t.Errorf("%s, open, %s: %s", path, k, diff)
			}
		}
		for k, want := range map[string]any{"description": "家里不热，才15度", "address": "向阳花园3号楼2单元601", "media_url": "https://photos.example.cn/1.jpg"} {
			if diff := cmp.Diff(want, full[k]); diff != "" {
				t.Errorf("%s, with a key, %s: %s", path, k, diff)
			}
		}
		if len(open) != 17 {
			t.Errorf("%s: fields %v", path, slices.Sorted(maps.Keys(open)))
		}
	}
	one := into[[]map[string]any](h.get(o311 + "/requests/" + no + ".json"))[0]
	if s, _ := one["expected_datetime"].(string); !strings.HasSuffix(s, "+08:00") {
		t.Errorf("expected_datetime %v", one["expected_datetime"])
	}
	x := shape(t, h.get(o311+"/requests/"+no+".xml").want(200, "<description></description>").body)
	sample := []string{"service_requests", "service_requests/request"}
	for _, f := range []string{
		"service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible", "service_notice",
		"requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode", "lat", "long", "media_url",
	} {
		sample = append(sample, "service_requests/request/"+f)
	}
	if diff := cmp.Diff(sample, x); diff != "" {
		t.Error(diff)
	}

	h.get(o311+"/tokens/"+c.Token+".json").want(200, `[{"service_request_id":"`+no+`","token":"`+c.Token+`"}]`)
	h.get(o311+"/tokens/"+no+".xml").want(200, "<service_requests><request><service_request_id>"+no+"</service_request_id><token>"+no+"</token></request></service_requests>")
	h.get(o311+"/tokens/"+no+".json").want(200, "!"+c.Token)
	h.get(o311+"/tokens/none.xml?locale=en").want(404, "<errors><error><code>404</code><description>Service request not found with id or token none.</description></error></errors>")
	h.get(o311+"/requests/not-an-id.json").want(404, `"code":404`)
	h.get(o311 + "/requests/" + c.Token + ".json").want(404)
}

func TestReportInXML(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	got := h.form(o311+"/requests.xml", report(h.partner(), nil)).want(200, "<account_id></account_id>")
	want := []string{
		"service_requests", "service_requests/request", "service_requests/request/service_request_id", "service_requests/request/service_notice",
		"service_requests/request/account_id",
	}
	if diff := cmp.Diff(want, shape(t, got.body)); diff != "" {
		t.Error(diff)
	}
	if h.get(o311+"/requests.xml?status=closed").want(200).body != xml.Header+"<service_requests></service_requests>" {
		t.Error("an empty list has another shape")
	}
}

func TestReportIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.partner()
	tests := map[string]struct {
		edits  map[string]string
		status int
		says   string
	}{
		"no key":               {map[string]string{"api_key": "-"}, 403, "api_key"},
		"empty key":            {map[string]string{"api_key": ""}, 403, "api_key"},
		"wrong key":            {map[string]string{"api_key": "rhk_no"}, 403, "api_key"},
		"no service":           {map[string]string{"service_code": "-"}, 400, "service_code: "},
		"unknown service":      {map[string]string{"service_code": "potholes"}, 404, "potholes"},
		"a group":              {map[string]string{"service_code": "cold"}, 404, "cold"},
		"unknown jurisdiction": {map[string]string{"jurisdiction_id": "sfgov.org"}, 404, "sfgov.org"},
		"no place":             {map[string]string{"address_string": "-"}, 400, "lat: "},
		"half a point":         {map[string]string{"lat": "40.05"}, 400, "long: "},
		"latitude 91":          {map[string]string{"lat": "91", "long": "118.05"}, 400, "lat: "},
		"longitude -181":       {map[string]string{"lat": "40.05", "long": "-181"}, 400, "long: "},
		"not a number":         {map[string]string{"lat": "NaN", "long": "Inf"}, 400, "lat: "},
		"other city":           {map[string]string{"lat": "37.76", "long": "112.55"}, 400, "long: "},
		"no description":       {map[string]string{"description": ""}, 400, "description: "},
		"long description":     {map[string]string{"description": strings.Repeat("冷", 4001)}, 400, "description: "},
		"broken text":          {map[string]string{"description": "\xff\xfe"}, 400, "description: "},
		"control character":    {map[string]string{"description": "a\x00b"}, 400, "description: "},
		"bad phone":            {map[string]string{"phone": "call me"}, 400, "phone: "},
		"bad media":            {map[string]string{"media_url": "file:///etc/passwd"}, 400, "media_url: "},
		"unknown attribute":    {map[string]string{"attribute[colour]": "red"}, 400, "attribute[colour]: "},
		"attribute not asked":  {map[string]string{"attribute[suspect]": "x"}, 400, "attribute[suspect]: "},
		"warm words":           {map[string]string{"attribute[temperature]": "warm"}, 400, "attribute[temperature]: "},
		"two decimals":         {map[string]string{"attribute[temperature]": "15.55"}, 400, "attribute[temperature]: "},
		"too hot":              {map[string]string{"attribute[temperature]": "99"}, 400, "attribute[temperature]: "},
		"unknown address id":   {map[string]string{"address_string": "-", "address_id": "nowhere"}, 400, "address_id: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := ask(t, h.doors, http.MethodPost, o311+"/requests.json", strings.NewReader(report(key, tt.edits).Encode()), "Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			r.want(tt.status, tt.says)
			for _, p := range into[[]struct {
				Code        int    `json:"code"`
				Description string `json:"description"`
			}](r) {
				if p.Code != tt.status || p.Description == "" {
					t.Errorf("%+v", p)
				}
			}
			x := ask(t, h.doors, http.MethodPost, o311+"/requests.xml", strings.NewReader(report(key, tt.edits).Encode()), "Content-Type", "application/x-www-form-urlencoded").want(tt.status)
			if diff := cmp.Diff([]string{"errors", "errors/error", "errors/error/code", "errors/error/description"}, shape(t, x.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
	h.send(http.MethodPost, o311+"/requests.json", strings.NewReader(`{"service_code":"cold_home"}`), "Content-Type", "application/json").want(400)
	h.form(o311+"/requests.json", report(key, map[string]string{"description": strings.Repeat("x", 10<<20)})).want(413, `"code":413`)
	h.get(o311 + "/requests.json?api_key=rhk_no").want(403)
	if n, err := h.app.Cases.Count(ctx, h.root, city, cases.Filter{}); err != nil || n.N != 0 {
		t.Errorf("%v cases were made, %v", n, err)
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.form(o311+"/requests.json", report(h.partner(), map[string]string{"lat": "x", "long": "181", "media_url": "ftp://x", "description": ""})).want(400)
	if got := len(into[[]any](r)); got != 4 {
		t.Errorf("%d messages\n%s", got, r.body)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.partner()
	point := map[string]string{"address_string": "-", "lat": "40.0512345", "long": "118.1512345", "attribute[since]": "-", "phone": "13803510002"}
	no := into[[]map[string]string](h.form(o311+"/requests.json", report(key, point)).want(200))[0]["service_request_id"]
	h.get(o311+"/requests/"+no+".json").want(200, `"lat":40.05,"long":118.15,`, "!118.1512", `"agency_responsible":"二热供热有限公司"`)
	h.get(o311+"/requests/"+no+".json?api_key="+key).want(200, `"lat":40.051234`, `"long":118.151235`)
	list, err := h.app.Places.Communities(ctx, h.root, city, placeFilter("明月里"))
	if err != nil || len(list.Items) != 1 {
		t.Fatal(list, err)
	}
	id := list.Items[0].ID
	byID := map[string]string{"address_string": "-", "address_id": id, "phone": "13803510003"}
	no = into[[]map[string]string](h.form(o311+"/requests.json", report(key, byID)).want(200))[0]["service_request_id"]
	h.get(o311+"/requests/"+no+".json").want(200, `"address":"明月里"`, `"address_id":"`+id+`"`)
}

func TestScriptStaysText(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.partner()
	no := into[[]map[string]string](h.form(o311+"/requests.json", report(key, map[string]string{"description": "<script>alert(1)</script> 家里冷"})).want(200))[0]["service_request_id"]
	h.get(o311+"/requests/"+no+".json?api_key="+key).want(200, "!<script>", `\u003cscript\u003e`)
	h.get(o311+"/requests/"+no+".xml?api_key="+key).want(200, "!<script>", "&lt;script&gt;")
}

func TestConfidentialCases(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.opened(func(in *cases.Opening) { in.Secret = true })
	for _, key := range []string{"", h.partner(), h.key("C1", grant(actor.RoleCompany, "C1"))} {
		h.get(o311+"/requests/"+c.No+".json?api_key="+key).want(200, `"description":null`, `"address":null`, `"lat":null`)
	}
	h.get(o311+"/requests/"+c.No+".json?api_key="+h.key("seat", grant(actor.RoleSeat))).want(200, "15度", `"address":"向阳花园3号楼2单元601"`)
}

func TestForeignCompanyReadsLikeAnybody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.opened()
	h.get(o311+"/requests/"+c.No+".json?api_key="+h.key("C1", grant(actor.RoleCompany, "C1"))).want(200, "15度")
	h.get(o311+"/requests/"+c.No+".json?api_key="+h.key("C2", grant(actor.RoleCompany, "C2"))).want(200, `"description":null`, `"address":"向阳花园"`)
	h.form(o311+"/requests.json", report(h.key("C2", grant(actor.RoleCompany, "C2")), nil)).want(403)
}

func TestFilters(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var no []string
	for i, day := range []string{"2025-10-01T10:00", "2025-12-01T10:00", "2026-01-10T10:00", "2026-01-14T10:00"} {
		c := h.opened(func(in *cases.Opening) {
			in.Caller.Phone = "1380351100" + strconv.Itoa(i)
			in.ReceivedAt = mustAt(t, day)
			in.Paper, in.CheckedBy = "停电补录", "孙值班"
			if i == 3 {
				in.Category = "leak_home"
			}
		})
		no = append(no, c.No)
	}
	if _, err := h.app.Cases.Cancel(ctx, h.leader(), cases.Act{City: city, ID: h.byNo(no[1]).ID, Version: h.byNo(no[1]).Version, Reason: "重复登记"}); err != nil {
		t.Fatal(err)
	}
	tests := map[string][]string{
		"":                       {no[3], no[2], no[1]},
		"status=open":            {no[3], no[2]},
		"status=closed":          {no[1]},
		"status=open,closed":     {no[3], no[2], no[1]},
		"service_code=leak_home": {no[3]},
		"service_code=leak_home,cold_home&status=open":                 {no[3], no[2]},
		"service_code=none":                                            {},
		"start_date=2025-09-15T00:00:00Z":                              {no[1], no[0]},
		"end_date=2025-12-01T02:00:00Z":                                {no[1], no[0]},
		"end_date=2025-12-01T01:59:59Z":                                {no[0]},
		"start_date=2026-01-14T10:00:00%2B08:00&end_date=":             {no[3]},
		"start_date=2025-12-01&end_date=2026-01-10":                    {no[2], no[1]},
		"service_request_id=" + no[0] + "," + no[3] + "&status=closed": {no[3], no[0]},
		"service_request_id=" + no[0] + "&service_request_id=none":     {no[0]},
		"page=2&page_size=2":                                           {no[1]},
		"page=1&page_size=2":                                           {no[3], no[2]},
		"page=9":                                                       {},
		"updated_after=2026-01-15T08:00:00%2B08:00":                    {no[3], no[2], no[1], no[0]},
		"updated_after=2026-01-15T08:00:01%2B08:00":                    {},
	}
	for q, want := range tests {
		got := []string{}
		for _, r := range into[[]map[string]any](h.get(o311 + "/requests.json?" + q).want(200)) {
			got = append(got, r["service_request_id"].(string))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", q, diff)
		}
	}
	for _, q := range []string{
		"start_date=yesterday", "start_date=2026-02-30", "end_date=2026-13-01T00:00:00Z", "start_date=2025-01-01&end_date=2025-12-31",
		"start_date=2026-01-02&end_date=2026-01-01", "status=pending", "page=0", "page_size=x", "page=11&page_size=1000",
		"service_request_id=" + manyIDs(201), "%zz",
	} {
		h.get(o311+"/requests.json?"+q).want(400, `"code":400`)
	}
	closed := into[[]map[string]any](h.get(o311 + "/requests.json?status=closed&locale=en"))[0]
	if closed["status"] != "closed" || closed["status_notes"] != "Void" {
		t.Errorf("closed: %v", closed)
	}
}

func TestSeveralCities(t *testing.T) {
	t.Parallel()
	h := newHouse(t, city, 370700)
	h.get(o311+"/services.json").want(400, "jurisdiction_id: ")
	h.get(o311 + "/services.json?jurisdiction_id=").want(400)
	h.get(o311+"/services.json?jurisdiction_id=1").want(404, `"code":404`)
	h.get(o311 + "/services.json?jurisdiction_id=370700").want(200)
	key := h.partner()
	no := into[[]map[string]string](h.form(o311+"/requests.json", report(key, map[string]string{"jurisdiction_id": "990100"})).want(200))[0]["service_request_id"]
	h.get(o311 + "/requests/" + no + ".json?jurisdiction_id=990100").want(200)
	h.get(o311 + "/requests/" + no + ".json?jurisdiction_id=370700").want(404)
	h.form(o311+"/requests.json", report(key, map[string]string{"jurisdiction_id": "370700"})).want(403)
}

func TestFormatsAndMethods(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for accept, xml := range map[string]bool{"": false, "*/*": false, "application/xml": true, "text/xml;q=0.9": true, "application/json, text/xml": false, "text/html,application/xml": true} {
		got := strings.HasPrefix(h.get(o311+"/services", "Accept", accept).want(200).header.Get("Content-Type"), "text/xml")
		if got != xml {
			t.Errorf("Accept %q: XML %v", accept, got)
		}
	}
	if r := h.send(http.MethodHead, o311+"/services.xml", nil).want(200); r.header.Get("Content-Type") != "text/xml; charset=utf-8" {
		t.Errorf("HEAD: %v", r.header)
	}
	if r := h.send(http.MethodOptions, o311+"/requests.json", nil).want(204); r.header.Get("Access-Control-Allow-Methods") != "GET, HEAD" {
		t.Errorf("OPTIONS: %v", r.header)
	}
	h.send(http.MethodDelete, o311+"/requests.json", nil).want(405, `"code":405`)
	h.send(http.MethodPost, o311+"/services.xml", nil).want(405, "<code>405</code>")
	h.get(o311+"/nothing.xml").want(404, "<code>404</code>")
	h.get(o311+"/services.html").want(404, `"code":404`)
}

func TestTheSameReportTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.partner()
	post := func(edits map[string]string, id string) string {
		return into[[]map[string]string](h.form(o311+"/requests.json", report(key, edits), "Idempotency-Key", id).want(200))[0]["service_request_id"]
	}
	first := post(nil, "a")
	if again := post(nil, "a"); again != first {
		t.Errorf("repeated: %s, first %s", again, first)
	}
	h.form(o311+"/requests.json", report(key, map[string]string{"description": "别的内容"}), "Idempotency-Key", "a").want(400)
	if other := post(map[string]string{"description": "还是不热"}, "b"); other == first {
		t.Errorf("another report got the number of the first: %s", other)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	doors := h.open(config.Rate{PublicPerMinute: 2, APIPerSecond: 1})
	for range 2 {
		ask(t, doors, http.MethodGet, o311+"/services.json", nil).want(200)
	}
	r := ask(t, doors, http.MethodGet, o311+"/services.json", nil).want(429, `"code":429`)
	if n, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || n < 1 {
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
	ask(t, doors, http.MethodGet, o311+"/services.json?api_key="+h.partner(), nil).want(200)
	ask(t, doors, http.MethodGet, o311+"/services.json?api_key=rhk_guess", nil).want(429)
}

// TestNothingPersonalWithoutAKey looks for every word that a resident gave in everything that anybody may read.
func TestNothingPersonalWithoutAKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.opened(func(in *cases.Opening) {
		in.Text = "我是王桂兰，电话13803510001，家里冷得像冰窖"
		lng, lat := 118.0512345, 40.0512345
		in.Lng, in.Lat = &lng, &lat
		in.Account = "9001"
	})
	for _, path := range []string{"/requests.json", "/requests.xml", "/requests/" + c.No + ".json", "/requests/" + c.No + ".xml", "/tokens/" + c.No + ".json"} {
		h.get(o311+path).want(200, "!王", "!1380", "!冰窖", "!601室", "!单元", "!3号楼", "!9001", "!.0512", "!"+c.Token, "!李娜")
	}
}

func (h *house) byNo(no string) cases.Case {
	h.t.Helper()
	c, err := h.app.Cases.ByNo(ctx, h.root, city, no)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func manyIDs(n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(i)
	}
	return strings.Join(ids, ",")
}

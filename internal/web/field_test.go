package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/web"
)

// fieldDesk is a house with a worker of C1 whose login is "worker", and another one, "mate".
type fieldDesk struct {
	*desk
	worker staff.Person
	tests  *measure.Service
	tools  *equipment.Service
}

func newFieldDesk(t testing.TB) *fieldDesk {
	t.Helper()
	d := dbtest.SQLite(t)
	f := &fieldDesk{tools: equipment.New(d)}
	f.desk = newDesk(t, d, func(o *web.Options) {
		ring, err := secret.LoadRing(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		clocks, err := clock.New(clock.Options{DB: d, Rules: o.Deps.Rules.RulesIn})
		if err != nil {
			t.Fatal(err)
		}
		if f.tests, err = measure.New(measure.Options{DB: d, Ring: ring, Cases: o.Deps.Cases, Clocks: clocks, Blobs: o.Deps.Blobs, Rules: o.Deps.Rules.RulesIn, Owner: served}); err != nil {
			t.Fatal(err)
		}
		o.Deps.Measure, o.Deps.Equipment = f.tests, f.tools
	})
	f.worker = f.person("worker", actor.RoleWorker)
	return f
}

// served says who serves an estate of the test city.
func served(_ context.Context, _ *db.Tx, _ int, community, _ string) (string, string, error) {
	return map[string]string{"sun": "C1", "moon": "C2"}[community], "", nil
}

// test is a measurement that the worker is to make today, with an instrument to make it with.
func (k *fieldDesk) test() measure.Measurement {
	k.t.Helper()
	if _, err := k.tools.Save(bg, companyOf, equipment.Entry{City: city, Number: "T-1", Model: "DT-1", VerifiedOn: civil.NewDate(2024, 10, 1), ValidUntil: civil.NewDate(2025, 9, 30)}); err != nil {
		k.t.Fatal(err)
	}
	m, err := k.tests.Request(bg, seatOf, measure.Requesting{City: city, Case: k.order().ID})
	if err != nil {
		k.t.Fatal(err)
	}
	m, err = k.tests.Assign(bg, companyOf, measure.Assigning{Act: measure.Act{City: city, ID: m.ID, Version: m.Version}, Worker: k.worker.ID, Testers: []string{k.person("helper", actor.RoleWorker).ID}})
	if err != nil {
		k.t.Fatal(err)
	}
	return m
}

// order is a case in the worker's hands.
func (k *fieldDesk) order() cases.Case {
	k.t.Helper()
	c := k.must(k.sends.Sign(bg, companyOf, dispatch.Signing{Act: actOn(k.open("向阳花园"), "")}))
	return k.must(k.sends.Assign(bg, companyOf, dispatch.Assigning{Act: actOn(c, ""), Worker: k.worker.ID}))
}

func fieldPath(c cases.Case, more string) string {
	return fmt.Sprintf("/f/%d/cases/%s%s", city, c.ID, more)
}

// feedback is a filled-in form of the telephone.
func (k *fieldDesk) feedback(key string, pairs ...string) url.Values {
	v := url.Values{
		"_key": {key}, "form.arrived_at": {k.clock.Now().String()}, "form.contact": {"用户在家"}, "form.temp_before": {"15.2"}, "form.temp_after": {"19.1"},
		"form.rooms": {"客厅"}, "form.truth": {"true"}, "form.cause": {"air"}, "form.segment": {"company"}, "form.measures": {"立管排气"},
		"form.solved": {"yes"}, "form.answer": {"已排气。"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// files posts a form with photographs, as a browser without scripts does.
func (k *client) files(path string, v url.Values, name string, photos [][]byte, headers ...string) answer {
	k.h.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for key, all := range v {
		for _, one := range all {
			_ = m.WriteField(key, one) // a buffer takes everything
		}
	}
	for i, p := range photos {
		f, err := m.CreateFormFile(name, fmt.Sprintf("p%d.jpg", i))
		if err != nil {
			k.h.t.Fatal(err)
		}
		_, _ = f.Write(p)
	}
	_ = m.Close()
	return k.body(http.MethodPost, path, m.FormDataContentType(), b.Bytes(), headers...)
}

func (k *client) body(method, path, kind string, b []byte, headers ...string) answer {
	k.h.t.Helper()
	r, err := http.NewRequest(method, k.h.url+path, bytes.NewReader(b))
	if err != nil {
		k.h.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got, err := k.c.Do(r)
	if err != nil {
		k.h.t.Fatal(err)
	}
	defer got.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(got.Body); err != nil {
		k.h.t.Fatal(err)
	}
	return answer{k.h.t, method + " " + path, got.StatusCode, got.Header, out.String()}
}

func jpegOf(t testing.TB, edge int, shade uint8) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, edge, edge))
	for x := range edge {
		for y := range edge {
			m.Set(x, y, color.RGBA{shade, uint8(x * y), uint8(x ^ y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// queuedAnswer is what the queue of a telephone is told.
type queuedAnswer struct {
	State, Receipt, Message string
	Seen                    int64
	Beside                  bool
	Theirs                  []struct {
		Title, Who string
		Facts      []string
	}
}

func (a answer) queued() queuedAnswer {
	a.t.Helper()
	var q queuedAnswer
	if err := json.Unmarshal([]byte(a.body), &q); err != nil {
		a.t.Fatalf("%s: %d %s: %v", a.what, a.status, a.body, err)
	}
	return q
}

var queue = []string{"Rehu-Queue", "1"}

// The whole work of an order without scripts: every form is a page, and each answer is one.
func TestFieldWithoutScripts(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	c := k.order()
	me := k.as("worker")
	me.get("/f/").to("/f/990100")
	me.get("/f/990100").want(200, c.Address, fieldPath(c, ""), "按路线")
	me.get("/f/990100?by=route").want(200, "<h2>向阳花园 3</h2>", fieldPath(c, ""))
	me.get(fieldPath(c, "")).want(200, "接单", "首次联系", "未遇", "退回站里", "!"+c.CallerPhone[:3]+"03500001", "办理过程")
	me.post(fieldPath(c, "/take"), url.Values{"_key": {"t1"}}).to(fieldPath(c, ""))
	me.get(fieldPath(c, "")).want(200, "已收到：接单。回执", "!"+fieldPath(c, "/take"))
	me.post(fieldPath(c, "/contact"), url.Values{"_key": {"c0"}}).want(http.StatusUnprocessableEntity, "data-summary")
	me.post(fieldPath(c, "/contact"), url.Values{"_key": {"c1"}, "result": {"connected"}}).to(fieldPath(c, ""))
	from := k.clock.Now().Add(time.Hour).Time().Format("2006-01-02T15:04")
	to := k.clock.Now().Add(2 * time.Hour).Time().Format("2006-01-02T15:04")
	me.post(fieldPath(c, "/appoint"), url.Values{"_key": {"a1"}, "from": {from}, "to": {to}, "recording": {"R7"}, "night_wish": {"yes"}}).to(fieldPath(c, ""))
	me.get("/f/990100").want(200, "已约的时间", "居民已同意")
	k.clock.Advance(time.Hour)
	me.files(fieldPath(c, "/nobody"), url.Values{"_key": {"n0"}, "slip": {"yes"}, "call_log": {"19:42 无人接听"}}, "photos", nil).want(http.StatusUnprocessableEntity, "未遇需要门前照片")
	me.files(fieldPath(c, "/nobody"), url.Values{"_key": {"n1"}, "slip": {"yes"}, "call_log": {"19:42 无人接听"}}, "photos", [][]byte{jpegOf(t, 20, 1)}).to(fieldPath(c, ""))
	me.files(fieldPath(c, "/arrive"), url.Values{"_key": {"v1"}, "temperature": {"15.2"}, "device.lng": {"112.5"}, "device.lat": {"37.8"}, "device.accuracy": {"12"}}, "photos",
		[][]byte{jpegOf(t, 20, 2), jpegOf(t, 20, 3)}).to(fieldPath(c, ""))
	me.files(fieldPath(c, "/feed_back"), k.feedback("f1"), "form.photos", [][]byte{jpegOf(t, 20, 4)}).to(fieldPath(c, ""))
	v, err := k.cases.View(bg, companyOf, city, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if v.Case.Status != cases.FedBack || len(v.Photos) != 4 || len(v.Deeds) != 5 {
		t.Errorf("in the end: %s, %d photographs, %d deeds", v.Case.Status, len(v.Photos), len(v.Deeds))
	}
	var visit dispatch.Visit
	if err := v.Deeds[3].Into(&visit); err != nil || visit.Device.Accuracy == nil || *visit.Device.Accuracy != 12 {
		t.Errorf("where the telephone was: %+v %v", visit.Device, err)
	}
	other := k.order()
	me.post(fieldPath(other, "/give_back"), url.Values{"_key": {"g1"}, "reason": {"没有工具"}}).to("/f/990100")
	me.get(fieldPath(other, "")).want(200) // of the company's pool now
}

// One tap shows whom to call, and leaves a trace.
func TestFieldCall(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	c := k.order()
	me := k.as("worker")
	a := me.post(fieldPath(c, "/call"), nil).want(200, "tel:13803500001", "王桂兰", "记下联系结果")
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of a telephone number: %q", got)
	}
	if got := me.post(fieldPath(c, "/call"), nil, queue...).body; !strings.Contains(got, `"phone":"13803500001"`) {
		t.Errorf("for a script: %s", got)
	}
	v, err := k.cases.View(bg, companyOf, city, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range v.Timeline {
		if e.Act == "case.reveal" && e.Actor == k.worker.ID {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d looks are in the chain, want 2", n)
	}
}

// A telephone's queue gets a receipt, the same one however often it sends, and is told what to do otherwise.
func TestFieldQueue(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	c := k.order()
	me := k.as("worker")
	first := me.post(fieldPath(c, "/contact"), url.Values{"_key": {"c1"}, "result": {"connected"}}, queue...).want(200).queued()
	again := me.post(fieldPath(c, "/contact"), url.Values{"_key": {"c1"}, "result": {"connected"}}, queue...).want(200).queued()
	if first.State != "received" || first.Receipt == "" || again.Receipt != first.Receipt {
		t.Errorf("receipts: %+v and %+v", first, again)
	}
	if got := me.post(fieldPath(c, "/contact"), url.Values{"_key": {"c1"}, "result": {"no_answer"}}, queue...).queued(); got.State != "conflict" {
		t.Errorf("another form under the same key: %+v", got)
	}
	if got := me.post(fieldPath(c, "/contact"), url.Values{"_key": {"c2"}}, queue...).want(http.StatusUnprocessableEntity).queued(); got.State != "refused" || got.Message == "" {
		t.Errorf("a form that lacks something: %+v", got)
	}
	seen := fmt.Sprint(k.last(c))
	k.must(k.sends.Arrive(bg, companyOf, dispatch.Visit{Act: actOn(k.now(c), ""), Result: "met"}))
	got := me.files(fieldPath(c, "/feed_back"), k.feedback("f1", "_seen", seen), "form.photos", nil, queue...).want(http.StatusConflict).queued()
	if got.State != "conflict" || len(got.Theirs) != 1 || got.Theirs[0].Title != "到场" || got.Beside {
		t.Fatalf("a feedback that does not know of a visit: %+v", got)
	}
	me.files(fieldPath(c, "/feed_back"), k.feedback("f1", "_seen", seen), "form.photos", nil).want(http.StatusConflict, "平台上的记录", "到场", "看过了，仍提交我的", "立管排气")
	k.must(k.sends.FeedBack(bg, companyOf, dispatch.Feedback{Act: actOn(k.now(c), ""), Form: map[string]string{
		"arrived_at": k.clock.Now().String(), "contact": "在家", "temp_before": "14.8", "temp_after": "18.3", "rooms": "客厅", "truth": "true",
		"cause": "air", "segment": "company", "measures": "更换阀门", "solved": "yes", "answer": "已换。",
	}}))
	got = me.files(fieldPath(c, "/feed_back"), k.feedback("f1", "_seen", fmt.Sprint(got.Seen)), "form.photos", nil, queue...).want(http.StatusConflict).queued()
	if got.State != "conflict" || !got.Beside || len(got.Theirs) != 1 || !strings.Contains(strings.Join(got.Theirs[0].Facts, " "), "更换阀门") {
		t.Fatalf("a second feedback: %+v", got)
	}
	me.get(fieldPath(c, "/feed_back?kept")).want(200, "更换阀门", "看过了，把我的也留下")
	if got = me.files(fieldPath(c, "/feed_back"), k.feedback("f1", "_beside", "yes"), "form.photos", nil, queue...).queued(); got.State != "received" {
		t.Errorf("kept beside the first: %+v", got)
	}
	waiting := k.open("向阳花园") // the company has not signed yet
	if got = me.post(fieldPath(waiting, "/contact"), url.Values{"_key": {"w1"}, "result": {"connected"}}, queue...).queued(); got.State != "wait" {
		t.Errorf("before the unit signed: %+v", got)
	}
}

func (k *fieldDesk) now(c cases.Case) cases.Case {
	k.t.Helper()
	return k.must(k.cases.Get(bg, companyOf, city, c.ID))
}

// last is the last entry of a case.
func (k *fieldDesk) last(c cases.Case) int64 {
	k.t.Helper()
	v, err := k.cases.View(bg, companyOf, city, c.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	return v.Timeline[len(v.Timeline)-1].Seq
}

// Workers of another company, of another station, and colleagues see nothing of an order.
func TestFieldScope(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	c := k.order()
	k.person("mate", actor.RoleWorker)
	for login, grant := range map[string]actor.Grant{
		"elsewhere": {Role: actor.RoleWorker, City: city, Companies: []string{"C2"}},
		"station":   {Role: actor.RoleStation, City: city, Companies: []string{"C1"}, Stations: []string{"S9"}},
	} {
		p, err := k.staff.CreatePerson(bg, k.root, staff.NewPerson{City: city, Login: login, Name: login, Org: grant.Companies[0], Password: good + "x", Grants: []actor.Grant{grant}})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.house.staff.SetPassword(bg, actor.Actor{ID: p.ID, Kind: actor.Person}, staff.PasswordChange{Person: p.ID, Current: good + "x", New: good}); err != nil {
			t.Fatal(err)
		}
	}
	for _, login := range []string{"mate", "elsewhere", "station"} {
		other := k.as(login)
		other.get("/f/990100").want(200, "!"+c.Address)
		for _, p := range []string{"", "/take", "/contact", "/appoint", "/arrive", "/nobody", "/feed_back", "/give_back"} {
			other.get(fieldPath(c, p)).want(http.StatusNotFound, "!"+c.Address)
		}
		for _, p := range []string{"/call", "/take", "/contact", "/appoint", "/arrive", "/nobody", "/give_back"} {
			v := url.Values{"_key": {login + p}, "result": {"connected"}, "reason": {"x"}, "slip": {"yes"}, "call_log": {"x"}, "from": {"2026-01-15T10:00"}, "to": {"2026-01-15T11:00"}}
			if p != "/contact" {
				v.Del("result")
			}
			if a := other.post(fieldPath(c, p), v); a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s posts %s: %d", login, p, a.status)
			}
		}
		other.files(fieldPath(c, "/feed_back"), k.feedback(login), "form.photos", nil).want(http.StatusNotFound)
	}
	if n := k.last(c); k.now(c).Status != cases.Signed || n == 0 {
		t.Errorf("the case was changed: %s", k.now(c).Status)
	}
}

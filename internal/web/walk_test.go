package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/web"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// walk is a town in which every page of residents has something to show: a holder with two homes, one of them of a long
// name, a helper and a paper that waits; a matter with a photograph, a visit, a cold measurement, an issued finding and a
// refund; a stop and a bulletin. What must hold for all pages of residents is tested by walking them from the table of
// routes, so that a page which is added tomorrow is walked too.
type walk struct {
	*hallTown
	holder *client
	holes  []string // pairs for an address: the hole, and what stands in it
}

// stop is a page on the walk.
type stop struct {
	pattern, path string
	paper         bool // a file to read, not a page
	inside        bool // for whoever is logged in
}

const copyOfPaper = "/c/{city}/m/copy/{document}/{key}"

const longEstate = "中铁诺德阅泷花园国际社区（二期）北区回迁安置住宅小区"

func newWalk(t testing.TB) *walk {
	t.Helper()
	var kept web.Options
	cfg := config.Config{Credentials: map[string]string{
		"wx": "secret=s3cret&token=t0ken&aes_key=" + strings.Repeat("a", 43) + "&api=http%3A%2F%2F127.0.0.1%3A1", "wb": "access_token=tok&app_secret=s3cret&fake=1&base=http%3A%2F%2F127.0.0.1%3A1",
	}}
	k := &walk{hallTown: newHallTown(t, cfg, func(o *web.Options) { kept = *o })}
	kept.Deps.WeChat = k.app.WeChat
	kept.Cities = func() []web.City {
		return []web.City{{Code: city, NameZH: "暖城市", NameEN: "Nuancheng"}, {Code: 140100, NameZH: "太原市", NameEN: "Taiyuan"}}
	}
	var err error
	if k.pages, err = web.New(kept); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(k.pages)
	t.Cleanup(s.Close)
	k.url = s.URL
	for _, a := range []channel.AccountInput{
		{City: city, Channel: cases.WeChat, Name: "main", Title: "暖城供热", Credential: "wx", Enabled: true, Settings: map[string]string{"app": "official", "app_id": "wx0000000000000001", "original_id": "gh_000000000001"}},
		{City: city, Channel: cases.Weibo, Name: "main", Title: "暖城供热", Credential: "wb", Enabled: true},
	} {
		if _, err := k.app.Channels.SetAccount(bg, k.root, a); err != nil {
			t.Fatal(err)
		}
	}
	k.lists()
	k.holder = k.enter(holder)
	for _, account := range []string{"A1001", "A3003"} {
		k.holder.post(residents+"/bind", url.Values{"_key": {account}, "account": {account}}).to(residents + "/home")
	}
	k.holder.post(residents+"/home/people", fields("_key", "h", "home", "A1001", "phone", child, "scope", "act", "days", "30")).want(http.StatusSeeOther)
	k.holder.files(residents+"/bind/paper", fields("_key", "p", "words", "明月里1号楼1单元101"), "photo", [][]byte{jpegOf(t, 40, 30)}).to(residents + "/home")
	k.told()
	k.matter()
	return k
}

// lists are the homes with their areas and bills.
func (k *walk) lists() {
	k.t.Helper()
	for _, l := range []struct {
		kind place.Kind
		csv  string
	}{
		{place.Communities, "name,district,company,connected\n向阳花园,东城区,C1,是\n明月里,西城区,C2,是\n" + longEstate + ",东城区,C1,是\n"},
		{place.Buildings, "community,district,building\n向阳花园,东城区,3\n明月里,西城区,1\n" + longEstate + ",东城区,12\n"},
		{place.Households, "account,community,district,building,unit,room,holder,phone,heat_status,area_m2,price_class\n" +
			"A1001,向阳花园,东城区,3,2,601,王桂兰,13803510001,用热,100,居民\nA1002,向阳花园,东城区,3,2,602,赵大有,13803510002,待开栓,80,居民\n" +
			"A3003," + longEstate + ",东城区,12,3,1801,王桂兰,13803510001,用热,88.5,居民\n"},
		{place.Fees, "户号,采暖期,应收,实收\nA1001,2025-2026,2420.00,2000.00\nA3003,2025-2026,2141.70,2141.70\n"},
	} {
		in := register.Request{City: city, Kind: l.kind, From: civil.NewDate(2025, 10, 1), Source: "文", Name: "list.csv"}
		if r, err := k.app.Register.Import(bg, k.root, in, strings.NewReader(l.csv)); err != nil {
			k.t.Fatalf("%s: %v: %+v", l.kind, err, r.Faults)
		}
	}
}

// told is what everybody is told: a sudden stop, and a bulletin for the building.
func (k *walk) told() {
	k.t.Helper()
	k.reported()
	b, err := k.app.Bulletins.Write(bg, posted(actor.RoleLeader, "w", "centre"), bulletin.Input{
		City: city, Kind: bulletin.Fault, TextZH: "站内换泵，20时前恢复供热。", Reach: bulletin.Building, Community: k.estate("向阳花园"), Building: "3",
		Until: k.clock.Now().Add(72 * time.Hour),
	})
	if err == nil {
		_, err = k.app.Bulletins.Decide(bg, posted(actor.RoleSectionHead, "h", "centre"), bulletin.Decision{City: city, ID: b.ID, Version: b.Version, Event: bulletin.Approve})
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// matter is a cold home from the report to the finding and the refund, with the question whether somebody came.
func (k *walk) matter() {
	k.t.Helper()
	sent := k.holder.files(residents+"/report", reported("home", "A1001", "phone", holder), "photo", [][]byte{jpegOf(k.t, 60, 40)}).want(http.StatusSeeOther).location()
	token := strings.TrimSuffix(sent[strings.LastIndex(sent, "/")+1:], "?new=1")
	one, err := k.app.Cases.ByToken(bg, city, token)
	if err != nil {
		k.t.Fatal(err)
	}
	k.missed(one)
	q := &court{town: k.town, c: one, m: k.cold(one)}
	k.holder.post(residents+"/r/"+token+"/objections", q.filing()).want(http.StatusSeeOther)
	list, err := k.app.Findings.List(bg, k.root, city, finding.Filter{})
	if err != nil || len(list.Items) != 1 {
		k.t.Fatalf("%d findings, %v", len(list.Items), err)
	}
	objection := list.Items[0].ID
	q.decided(findings + "/" + objection)
	if err := k.app.Runner.RunDue(bg); err != nil {
		k.t.Fatal(err)
	}
	own, err := k.app.Measure.OfOwn(bg, city, cases.Proof{Token: token})
	if err != nil || len(own.Measurements) == 0 {
		k.t.Fatalf("%d measurements, %v", len(own.Measurements), err)
	}
	document := ""
	for _, m := range own.Measurements {
		for _, d := range m.Documents {
			document = d.ID
		}
	}
	k.holes = []string{
		"/c/{city}/answer/{token}", k.asked(), "{document}/{key}", document + "/" + k.app.Measure.CopyKey(city, document),
		"{finding}/{key}", objection + "/" + k.app.Findings.CheckKey(city, objection),
		"{city}", "990100", "{token}", token, "{document}", document, "{finding}", objection, "{case}", one.ID, "{ticket}", strings.Repeat("a", 43),
	}
}

// missed gives the matter to a worker with a picture on the badge, who says that they came and met nobody, so that the resident is asked.
func (k *walk) missed(c cases.Case) {
	k.t.Helper()
	k.comes(c)
	one, err := k.app.Cases.Get(bg, k.root, city, c.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	door, err := k.app.Blobs.Keep(bg, blob.Upload{City: city, Purpose: blob.Photo, Name: "door.jpg", Reader: strings.NewReader(string(jpegOf(k.t, 50, 20)))})
	if err != nil {
		k.t.Fatal(err)
	}
	if _, err = k.app.Dispatch.Arrive(bg, companyOf, dispatch.Visit{Act: actOn(one, ""), Result: "nobody", Photos: []blob.Stored{door}, CallLog: "拨打两次未接", Slip: true}); err != nil {
		k.t.Fatal(err)
	}
}

// cold lets the company measure the home of a matter, too cold, with both signatures.
func (k *walk) cold(c cases.Case) measure.Measurement {
	k.t.Helper()
	list, err := k.app.Measure.List(bg, k.root, city, measure.Filter{Case: c.ID})
	if err != nil || len(list.Items) != 1 {
		k.t.Fatalf("%d measurements, %v", len(list.Items), err)
	}
	if _, err := k.app.Equipment.Save(bg, companyOf, equipment.Entry{City: city, Number: "T-1", Owner: "C1", VerifiedOn: civil.NewDate(2025, 10, 1), ValidUntil: civil.NewDate(2026, 9, 30)}); err != nil {
		k.t.Fatal(err)
	}
	k.clock.Advance(2 * time.Hour)
	at := k.clock.Now()
	if _, err := k.app.Measure.Submit(bg, companyOf, measure.Submission{
		City: city, Visit: "device-0001", Measurement: list.Items[0].ID, Arrival: &measure.Arrival{Outcome: measure.Met, At: at, Testers: []string{"甲", "乙"}},
		Readings: &measure.Readings{Instrument: "T-1", Owner: "C1", WindowsSince: at.Add(-2 * time.Hour), HeightCM: 120, Rooms: []measure.RoomReading{
			{Room: "客厅", Type: "living_room", TempC: celsius.Tenths(157), At: at}, {Room: "南卧室", Type: "bedroom", TempC: celsius.Tenths(161), At: at},
		}},
		Signatures: []measure.Signature{
			{Side: measure.UserSide, Name: "王桂兰", Relation: "self", Strokes: "1,1 2,2", At: at}, {Side: measure.CompanySide, Name: "赵师傅", Strokes: "1,1", At: at},
		},
	}); err != nil {
		k.t.Fatal(err)
	}
	k.clock.Advance(time.Hour)
	return list.Items[0]
}

// asked is the page of a question that was put to the resident.
func (k *walk) asked() string {
	k.t.Helper()
	list, err := k.app.Notices.List(bg, k.root, city, notice.Filter{})
	if err != nil {
		k.t.Fatal(err)
	}
	for _, n := range list.Items {
		if u, err := url.Parse(n.Params["link"]); err == nil && strings.Contains(u.Path, "/answer/") {
			return u.Path
		}
	}
	k.t.Fatal("no question was asked")
	return ""
}

// stops are all addresses of residents that can be opened, as the table of routes has them. One that nothing here leads to
// is an error: whoever adds a page with a new hole in its address says in newWalk what stands in it.
func (k *walk) stops() []stop {
	k.t.Helper()
	var all []stop
	into := strings.NewReplacer(k.holes...)
	residentsPage := regexp.MustCompile(`^(/m|/c/\{city\}/(m|answer)(/.*)?)$`)
	for _, r := range k.pages.Routes() {
		if r.Method != http.MethodGet || !residentsPage.MatchString(r.Pattern) {
			continue
		}
		one := stop{pattern: r.Pattern, path: into.Replace(r.Pattern), inside: true}
		if strings.HasPrefix(one.path, residents+"/home/") || strings.HasSuffix(one.path, "/report") {
			one.path += "?home=A1001"
		}
		if strings.Contains(one.path, "{") {
			k.t.Errorf("nothing in newWalk leads to %s", r.Pattern)
			continue
		}
		a := k.holder.get(one.path)
		if a.status == http.StatusSeeOther {
			a, one.inside = k.anyone().get(one.path), false
		}
		if a.status != http.StatusOK {
			k.t.Errorf("%s (%s): %d\n%.600s", r.Pattern, one.path, a.status, a.body)
			continue
		}
		one.paper = !strings.HasPrefix(a.header.Get("Content-Type"), "text/html")
		all = append(all, one)
	}
	if len(all) < 20 {
		k.t.Errorf("only %d pages on the walk", len(all))
	}
	return all
}

// screens are the stops that are pages.
func (k *walk) screens() []stop {
	k.t.Helper()
	var all []stop
	for _, s := range k.stops() {
		if !s.paper {
			all = append(all, s)
		}
	}
	return all
}

// window is a browser in which the holder is logged in, without the form of the login.
func (k *walk) window(inside bool) *webtest.Browser {
	k.t.Helper()
	b := webtest.New(k.t, k.url)
	if b == nil {
		return nil
	}
	b.Size(390, 844)
	b.Open(residents)
	if inside {
		u, err := url.Parse(k.url)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, c := range k.holder.c.Jar.Cookies(u) {
			b.Cookie(c.Name, c.Value)
		}
	}
	return b
}

// windows are a browser of the holder and one of a stranger, with the one that a stop is for.
func (k *walk) windows() func(stop) *webtest.Browser {
	k.t.Helper()
	in := k.window(true)
	if in == nil {
		return nil
	}
	out := k.window(false)
	return func(s stop) *webtest.Browser {
		if s.inside {
			return in
		}
		return out
	}
}

// Every page of residents answers.
func TestEveryResidentsPageIsOnTheWalk(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	for _, s := range k.stops() {
		if s.pattern == copyOfPaper { // the finding and the refund hang in the same chain as what was measured
			k.holder.get(s.path).want(http.StatusOK, "!处不符")
		}
	}
	if s := k.log.String(); strings.Contains(s, "panic") || strings.Contains(s, "level=ERROR") {
		t.Error(s)
	}
}

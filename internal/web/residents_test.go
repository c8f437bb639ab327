package web_test

import (
	"bytes"
	"compress/gzip"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/web"
)

const residents = "/c/990100/m"

// reported is the form of a resident whose home is cold, with other answers in the pairs.
func reported(pairs ...string) url.Values {
	v := url.Values{
		"_key": {"0123456789abcdef"}, "what": {"cold"}, "address": {"向阳花园3号楼2单元601"}, "phone": {"13903510009"}, "since": {"昨天"},
		"test_request": {"yes"}, "text": {"暖气片是凉的"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// location is where an answer leads.
func (a answer) location() string { return a.header.Get("Location") }

func TestResidentsLandOnTheirPages(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	c := k.anyone()
	c.get("/").to("/m")
	c.get("/m").to(residents)
	c.get(residents).want(http.StatusOK, "家里不热，请告诉我们", `href="tel:12345"`, "我要报修", "供热知识", "English")
	c.get(residents+"/help").want(http.StatusOK, "<details", "!内部提示")
	c.get("/c/110000/m").want(http.StatusNotFound)
	several := newTown(t, func(o *web.Options) {
		o.Cities = func() []web.City {
			return []web.City{{Code: city, NameZH: "暖城市"}, {Code: 140100, NameZH: "太原市"}}
		}
	}).anyone()
	several.get("/m").want(http.StatusOK, "/c/990100/m", "/c/140100/m", "太原市")
}

func TestAResidentReportsWithoutScripts(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		c := k.anyone()
		c.get(residents+"/report").want(http.StatusOK, "1. 什么问题", "5. 说说情况", `enctype="multipart/form-data"`)
		c.post(residents+"/report", url.Values{"_key": {"a"}, "what": {"cold"}, "text": {"很冷"}}).
			want(http.StatusUnprocessableEntity, "还有 4 处没有填好", "2. 家在哪里", "3. 您的电话", "很冷")
		c.post(residents+"/report", reported("phone", "12")).want(http.StatusUnprocessableEntity, "请写能接通的电话号码")
		sent := c.post(residents+"/report", reported()).want(http.StatusSeeOther).location()
		if again := c.post(residents+"/report", reported()).location(); again != sent {
			t.Errorf("the same form twice leads to %q and %q", sent, again)
		}
		page := c.get(sent).want(http.StatusOK, "已收到", "一热供热有限公司", "向阳花园", `class="qr"`, "测温申请", "已经收到您的诉求", "!2单元", "!13903510009", "!139****")
		no := found(t, page, `class="no">([^<]+)<`)
		c.post(residents+"/follow", url.Values{"_key": {"f"}, "no": {no}, "phone": {"13903510009"}}).to(strings.TrimSuffix(sent, "?new=1"))
		wrong := c.post(residents+"/follow", url.Values{"_key": {"f"}, "no": {no}, "phone": {"13903510008"}}).want(http.StatusUnprocessableEntity)
		none := c.post(residents+"/follow", url.Values{"_key": {"f"}, "no": {"X1"}, "phone": {"13903510008"}}).want(http.StatusUnprocessableEntity)
		if key := regexp.MustCompile(`value="[^"]*"|[0-9a-f]{32}`); key.ReplaceAllString(wrong.body, "") != key.ReplaceAllString(none.body, "") {
			t.Error("a wrong telephone and a wrong number are told apart")
		}
		c.post(residents+"/report", reported("_key", "other")).to(residents + "/follow")
		c.get(residents+"/follow").want(http.StatusOK, "这件事已经在办", "!"+no)
		c.get(residents + "/r/nosuchtoken").want(http.StatusNotFound)
	})
}

// An address that fits two estates comes back once with the question; what was answered is kept.
func TestTheSecondStepAsksWhichEstate(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	c := k.anyone()
	asked := c.post(residents+"/report", reported("address", "幸福里5号楼301")).want(http.StatusOK, "您家在", "东城区", "西城区", "都不是，就按我写的", "暖气片是凉的")
	west := found(t, asked, `value="([^"]+)"[^>]*>\s*<span>幸福里 · 西城区`)
	sent := c.post(residents+"/report", reported("address", "幸福里5号楼301", "community", west)).want(http.StatusSeeOther).location()
	one, err := k.app.Cases.ByToken(bg, city, strings.TrimSuffix(sent[strings.LastIndex(sent, "/")+1:], "?new=1"))
	if err != nil || one.Proposed != "C2" || one.Community != west {
		t.Errorf("%s of %s, %v; want the one in the west", one.Community, one.Proposed, err)
	}
	c.post(residents+"/report", reported("_key", "n", "phone", "13903510077", "address", "幸福里5号楼301", "community", "-")).want(http.StatusSeeOther)
}

// shot is a photograph.
func shot(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPhotographsOfResidents(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	send := func(path string, v url.Values, file []byte) answer {
		t.Helper()
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for name := range v {
			if err := m.WriteField(name, v.Get(name)); err != nil {
				t.Fatal(err)
			}
		}
		f, err := m.CreateFormFile("photo", "a.png")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(file); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, k.url+path, &b)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", m.FormDataContentType())
		r.Header.Set("Accept", "text/html")
		got, err := k.anyone().c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer{t, path, got.StatusCode, got.Header, string(body)}
	}
	send(residents+"/report", reported(), []byte("no picture")).want(http.StatusUnprocessableEntity, "这张照片打不开")
	path := strings.TrimSuffix(send(residents+"/report", reported(), shot(t)).want(http.StatusSeeOther).location(), "?new=1")
	send(path+"/word", url.Values{"_key": {"w"}, "text": {"还是凉的"}}, shot(t)).to(path)
	one, err := k.app.Cases.ByToken(bg, city, path[strings.LastIndex(path, "/")+1:])
	if err != nil {
		t.Fatal(err)
	}
	view, err := k.app.Cases.View(bg, posted(actor.RoleDispatcher, "d1", "centre"), city, one.ID)
	if err != nil || len(view.Photos) != 2 || one.Urges != 1 {
		t.Errorf("%d photographs, %d reminders, %v; want two and one", len(view.Photos), one.Urges, err)
	}
}

func TestStillColdOnceForEachClosing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		c := k.anyone()
		d := posted(actor.RoleDispatcher, "d1", "centre")
		path := strings.TrimSuffix(c.post(residents+"/report", reported("what", "other", "text", "请问几号供暖")).want(http.StatusSeeOther).location(), "?new=1")
		one, err := k.app.Cases.ByToken(bg, city, path[strings.LastIndex(path, "/")+1:])
		if err != nil {
			t.Fatal(err)
		}
		c.get(path).want(http.StatusOK, "发送并催办", "!还不热，请重办")
		c.post(path+"/word", url.Values{"_key": {"w"}, "text": {"请快点"}}).to(path)
		c.get(path).want(http.StatusOK, "收到您的催办", "收到，已转告处置单位")
		if _, err := k.app.Cases.AnswerDirect(bg, d, cases.Answering{Act: cases.Act{City: city, ID: one.ID, Version: one.Version + 1}, Answer: "11月15日零时开始供暖。"}); err != nil {
			t.Fatal(err)
		}
		c.get(path).want(http.StatusOK, "11月15日零时开始供暖", "还不热，请重办", "!发送并催办", "!"+names[actor.RoleDispatcher])
		c.post(path+"/word", url.Values{"_key": {"x"}, "text": {"喂"}}).want(http.StatusConflict)
		c.post(path+"/cold", url.Values{"_key": {"c"}, "text": {"还冷"}}).to(path)
		c.post(path+"/cold", url.Values{"_key": {"c2"}, "text": {"还冷"}}).want(http.StatusConflict)
	})
}

func TestReportsAreLimited(t *testing.T) {
	t.Parallel()
	k := newTown(t, func(o *web.Options) {
		o.Rate = config.Rate{LoginPerMinute: 2, ReportsPerHour: 1, PublicPerMinute: 1000}
	})
	c := k.anyone()
	c.post(residents+"/report", reported("phone", "")).want(http.StatusUnprocessableEntity) // a mistake costs no turn
	c.post(residents+"/report", reported()).want(http.StatusSeeOther)
	c.post(residents+"/report", reported("_key", "b", "phone", "13903510010")).want(http.StatusTooManyRequests, "暖气片是凉的")
	for range 2 {
		c.post(residents+"/follow", url.Values{"no": {"X"}, "phone": {"13903510009"}}).want(http.StatusUnprocessableEntity)
	}
	c.post(residents+"/follow", url.Values{"no": {"X"}, "phone": {"13903510009"}}).want(http.StatusTooManyRequests)
}

// A stop that a company reports is announced to everybody, without a name of staff.
func TestStopsForEverybody(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		sun, err := k.app.Territory.Suggest(bg, seatOf, city, "向阳", 1)
		if err != nil || len(sun) != 1 {
			t.Fatal(sun, err)
		}
		_, err = k.app.Outages.Report(bg, companyOf, outage.Report{
			City: city, Company: "C1", Kind: outage.Sudden, Reason: "一次网爆管", Until: k.clock.Now().Add(6 * 3600e9), Scope: []outage.Scope{{Community: sun[0].CommunityID}},
		})
		if err != nil {
			t.Fatal(err)
		}
		c := k.anyone()
		c.get(residents).want(http.StatusOK, "现有 1 起")
		c.get(residents+"/stops").want(http.StatusOK, "向阳花园", "一次网爆管", "一热供热有限公司", "!"+names[actor.RoleCompany])
		c.get(residents+"/stops?q="+url.QueryEscape("明月里")).want(http.StatusOK, "明月里现在没有停热公告", "!一次网爆管")
	})
}

// "He says he came at 19:42": one tap, once.
func TestTheResidentSaysWhetherSomebodyCame(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		o, err := k.app.Cases.Open(bg, seatOf, cases.Opening{
			City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Text: "家里暖气不热", Category: "cold_home", Nature: citypack.Repair,
			Caller: cases.Party{Phone: "13903510020"}, Address: "向阳花园3号楼2单元601", Room: "601", Scope: cases.Home, TestRequest: "no",
			Details: cases.Details{Since: "今早", Neighbours: "yes", Leak: "no"},
		})
		if err != nil || o.Case.Company != "C1" {
			t.Fatal(o.Case.Company, err)
		}
		one, err := k.app.Dispatch.Sign(bg, companyOf, dispatch.Signing{Act: actOn(o.Case, "")})
		if err != nil {
			t.Fatal(err)
		}
		door, err := k.app.Blobs.Keep(bg, blob.Upload{City: city, Purpose: blob.Photo, Name: "door.png", Reader: bytes.NewReader(shot(t))})
		if err != nil {
			t.Fatal(err)
		}
		visit := dispatch.Visit{Act: actOn(one, ""), Result: "nobody", Photos: []blob.Stored{door}, CallLog: "拨打两次未接", Slip: true}
		if _, err = k.app.Dispatch.Arrive(bg, companyOf, visit); err != nil {
			t.Fatal(err)
		}
		list, err := k.app.Notices.List(bg, k.root, city, notice.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		var link string
		for _, n := range list.Items {
			if n.Template == "message.ask.visit" {
				link = n.Params["link"]
			}
		}
		u, err := url.Parse(link)
		if err != nil || link == "" {
			t.Fatalf("no question was asked: %+v", list.Items)
		}
		c := k.anyone()
		c.get(u.Path).want(http.StatusOK, "到过您家、家中无人", "不属实，没有来过", "!"+names[actor.RoleCompany])
		c.post(u.Path, url.Values{"_key": {"q"}, "answer": {"no"}}).to(u.Path)
		c.get(u.Path).want(http.StatusOK, "您的回答：不属实，没有来过", "谢谢，已记下")
		c.post(u.Path, url.Values{"_key": {"r"}, "answer": {"yes"}}).to(u.Path)
		c.get(u.Path).want(http.StatusOK, "您的回答：不属实，没有来过")
		c.get("/c/990100/answer/" + strings.Repeat("x", 60)).want(http.StatusNotFound)
	})
}

// What the SMS gateway reports is taken when it is signed, and refused when it is not.
func TestTheGatewayReports(t *testing.T) {
	t.Parallel()
	k := newTownWith(t, config.Config{SMS: config.SMS{URL: "http://127.0.0.1:1/send", Account: "gw", Secret: "s3cret-s3cret-s3cret"}})
	signer := notice.Signer{Account: "gw", Secret: "s3cret-s3cret-s3cret", Machine: time.Now}
	const path = "/c/990100/hooks/sms"
	send := func(signedFor string) int {
		t.Helper()
		body := []byte(`{"kind":"reply","from":"13903510020","text":"1"}`)
		r, err := http.NewRequest(http.MethodPost, k.url+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if signedFor != "" {
			notice.SetHeaders(r.Header, signer.Sign(signedFor, body))
		}
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		return got.StatusCode
	}
	for signedFor, want := range map[string]int{path: http.StatusNoContent, "/c/140100/hooks/sms": http.StatusForbidden, "": http.StatusForbidden} {
		if got := send(signedFor); got != want {
			t.Errorf("signed for %q: got %d, want %d", signedFor, got, want)
		}
	}
}

// A first visit over a slow line: the page, its style sheet, its icons and scripts weigh at most 15 KB.
func TestResidentsPagesAreLight(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	c := k.anyone()
	sent := c.post(residents+"/report", reported()).want(http.StatusSeeOther).location()
	file := regexp.MustCompile(`(?:href|src)="(/static/[^"#]+)`)
	for _, path := range []string{residents, residents + "/report", residents + "/follow", residents + "/stops", sent} {
		page := c.get(path).want(http.StatusOK).body
		total := zipped(t, page)
		seen := map[string]bool{}
		for _, m := range file.FindAllStringSubmatch(page, -1) {
			if !seen[m[1]] {
				seen[m[1]] = true
				total += zipped(t, c.get(m[1]).want(http.StatusOK).body)
			}
		}
		if total > 15<<10 {
			t.Errorf("%s weighs %d bytes with %d files", path, total, len(seen))
		}
	}
}

func zipped(t *testing.T, s string) int {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// A resident reports on a telephone, sees the receipt, follows it and reminds us; nothing of it needs a script.
func TestAResidentOnATelephone(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	b := k.browser("")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	b.Size(390, 844)
	look := func(name string) {
		t.Helper()
		b.NoSideways(name)
		b.Axe(name)
		b.Shot(name)
	}
	b.Open("/")
	look("m-home")
	b.Press("我要报修")
	b.WaitText("1. 什么问题")
	look("m-report")
	b.Press("提交")
	b.WaitText("没有填好")
	look("m-report-wrong")
	b.Choose("what", "cold")
	b.Fill("address", "幸福里5号楼301")
	b.Fill("phone", "13903510009")
	b.Choose("since", "昨天")
	b.Choose("test_request", "yes")
	b.Press("提交")
	b.WaitText("不止一个")
	look("m-report-which")
	b.Click("[name=community]")
	b.Press("提交")
	b.WaitText("已收到")
	look("m-receipt")
	b.Press("只看进度")
	b.WaitText("办理经过")
	look("m-progress")
	b.Fill("text", "老人受不了了")
	b.Press("发送并催办")
	b.WaitText("收到您的催办")
	b.Press("大字版")
	b.WaitJS(`document.readyState === 'complete' && document.documentElement.className === 't24'`)
	look("m-progress-24")
	b.Open(residents + "/report?text=30")
	look("m-report-30")
	for _, p := range []string{"stops", "help", "follow"} {
		b.Open(residents + "/" + p)
		look("m-" + p + "-30")
	}
	b.Size(1440, 900)
	b.Open(residents + "?text=18")
	look("m-home-1440")
	b.Open(residents + "/report?lang=en")
	b.WaitText("What is wrong")
	b.Size(320, 568)
	look("m-report-en")
}

package wechat_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/wechat"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
)

// The example that WeChat publishes with its own programs for encrypted messages.
const (
	sampleToken  = "spamtest"
	sampleApp    = "wx2c2769f8efd9abc2"
	sampleKey    = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	sampleSealed = "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
)

func TestPublishedExample(t *testing.T) {
	t.Parallel()
	if got := wechat.Sign(sampleToken, "1409735669", "1320562132", sampleSealed); got != "5d197aaffba7e9b25a30732f161a50dee96bd5fa" {
		t.Errorf("signature %s", got)
	}
	c, err := wechat.NewCipher(sampleApp, sampleKey)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := c.Decrypt(sampleSealed)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]>", "<Content><![CDATA[abcdteT]]>", "6054768590064713728"} {
		if !strings.Contains(string(plain), part) {
			t.Errorf("%s is missing in %s", part, plain)
		}
	}
}

func TestCipher(t *testing.T) {
	t.Parallel()
	mine := cipherOf(t, sampleApp, sampleKey)
	for _, n := range []int{0, 1, 11, 12, 13, 31, 32, 33, 4096} {
		want := strings.Repeat("热", n)
		sealed := mine.Encrypt([]byte(want))
		if got, err := mine.Decrypt(sealed); err != nil || string(got) != want {
			t.Errorf("%d characters: %v", n, err)
		}
		if again := mine.Encrypt([]byte(want)); again == sealed {
			t.Errorf("%d characters are sealed the same twice", n)
		}
	}
	sealed := mine.Encrypt([]byte("<xml/>"))
	for name, bad := range map[string]func() error{
		"another key":     func() error { _, err := cipherOf(t, sampleApp, wechatfake.AESKey()).Decrypt(sealed); return err },
		"another account": func() error { _, err := cipherOf(t, "wx0000000000000000", sampleKey).Decrypt(sealed); return err },
		"cut":             func() error { _, err := mine.Decrypt(sealed[:24]); return err },
		"empty":           func() error { _, err := mine.Decrypt(""); return err },
		"no base64":       func() error { _, err := mine.Decrypt("热乎"); return err },
		"no whole blocks": func() error { _, err := mine.Decrypt("AAAA"); return err },
	} {
		if bad() == nil {
			t.Errorf("%s: opened", name)
		}
	}
	for _, key := range []string{"", "short", sampleKey + "A", strings.Repeat("热", 43)} {
		if _, err := wechat.NewCipher(sampleApp, key); err == nil {
			t.Errorf("the key %q was taken", key)
		}
	}
}

func cipherOf(t *testing.T, app, key string) *wechat.Cipher {
	t.Helper()
	c, err := wechat.NewCipher(app, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var machine = time.Date(2026, 1, 15, 8, 0, 0, 0, time.UTC)

const (
	officialID = "wx1111111111111111"
	miniID     = "wx2222222222222222"
)

// settings are those of the two accounts, as the register of channels holds them.
func settings(app wechat.App) map[string]string {
	if app == wechat.Mini {
		return map[string]string{
			wechat.SettingApp: "mini", wechat.SettingAppID: miniID, wechat.SettingOriginal: "gh_mini",
			wechat.SettingTemplates: `notice.expired: {id: sub-heard, kind: subscribe, page: "pages/case/case?token={token}", values: {character_string1: "{no}", thing2: "{text}"}}`,
		}
	}
	return map[string]string{
		wechat.SettingApp: "official", wechat.SettingAppID: officialID, wechat.SettingOriginal: "gh_official",
		wechat.SettingTemplates: `notice.expired: {id: tpl-heard, kind: template, values: {character_string1: "{no}", thing2: "{text}"}}`,
		wechat.SettingMenu: `
- {name: 报修, key: report}
- {name: 更多, below: [{name: 进度, key: progress}, {name: 服务大厅, url: "https://heat.example.cn/"}]}`,
	}
}

// newFake is a WeChat with the accounts of the file.
func newFake(t *testing.T, now func() time.Time) *wechatfake.Server {
	t.Helper()
	keywords := []string{"character_string1", "thing2"}
	f, err := wechatfake.New(now,
		wechatfake.Account{App: wechat.Official, ID: officialID, Original: "gh_official", Secret: "s1", Token: "t1", AESKey: wechatfake.AESKey(), Templates: map[string][]string{"tpl-heard": keywords}},
		wechatfake.Account{App: wechat.Mini, ID: miniID, Original: "gh_mini", Secret: "s2", Token: "t2", AESKey: wechatfake.AESKey(), Templates: map[string][]string{"sub-heard": keywords}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func account(t *testing.T, f *wechatfake.Server, app wechat.App) *wechat.Account {
	t.Helper()
	set := settings(app)
	a, err := wechat.ReadAccount(990100, string(app), set, f.Credential(set[wechat.SettingAppID]))
	if err != nil {
		t.Fatalf("%+v", fault.Of(err).Fields)
	}
	return a
}

func query(v url.Values) wechat.Query {
	return wechat.Query{
		Signature: v.Get("signature"), Timestamp: v.Get("timestamp"), Nonce: v.Get("nonce"), Echo: v.Get("echostr"),
		EncryptType: v.Get("encrypt_type"), MsgSig: v.Get("msg_signature"),
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	f := newFake(t, func() time.Time { return machine })
	a := account(t, f, wechat.Official)
	place := geo.FromGCJ02(geo.Point{Lng: 112.55, Lat: 37.87})
	for name, one := range map[string]struct {
		inside string
		want   wechat.Inbound
	}{
		"text":        {"<MsgType>text</MsgType><Content><![CDATA[ 家里不热 <b>&amp; ]]></Content><MsgId>77</MsgId>", wechat.Inbound{Kind: wechat.Text, Text: "家里不热 <b>&amp;", Key: officialID + ":m:77"}},
		"image":       {"<MsgType>image</MsgType><MediaId>m1</MediaId><MsgId>78</MsgId>", wechat.Inbound{Kind: wechat.Image, Media: "m1", Key: officialID + ":m:78"}},
		"no media":    {"<MsgType>image</MsgType><MsgId>79</MsgId>", wechat.Inbound{Kind: wechat.Other, Key: officialID + ":m:79"}},
		"voice":       {"<MsgType>voice</MsgType><MediaId>m2</MediaId><Format>amr</Format><Recognition>暖气不热</Recognition><MsgId>80</MsgId>", wechat.Inbound{Kind: wechat.Voice, Media: "m2", Format: "amr", Text: "暖气不热", Key: officialID + ":m:80"}},
		"location":    {"<MsgType>location</MsgType><Location_X>37.87</Location_X><Location_Y>112.55</Location_Y><Label>迎泽大街1号</Label><MsgId>81</MsgId>", wechat.Inbound{Kind: wechat.Location, Point: &place, Label: "迎泽大街1号", Key: officialID + ":m:81"}},
		"nowhere":     {"<MsgType>location</MsgType><Location_X>137.87</Location_X><Location_Y>x</Location_Y><MsgId>82</MsgId>", wechat.Inbound{Kind: wechat.Other, Key: officialID + ":m:82"}},
		"shortcut":    {"<MsgType>shortvideo</MsgType><MsgId>83</MsgId>", wechat.Inbound{Kind: wechat.Other, Key: officialID + ":m:83"}},
		"menu":        {"<MsgType>event</MsgType><Event>CLICK</Event><EventKey>report</EventKey>", wechat.Inbound{Kind: wechat.Menu, Text: "report"}},
		"follow":      {"<MsgType>event</MsgType><Event>subscribe</Event><EventKey>qrscene_b3</EventKey>", wechat.Inbound{Kind: wechat.Subscribe, Scene: "b3"}},
		"leave":       {"<MsgType>event</MsgType><Event>unsubscribe</Event>", wechat.Inbound{Kind: wechat.Unsubscribe}},
		"whereabouts": {"<MsgType>event</MsgType><Event>LOCATION</Event><Latitude>37</Latitude><Longitude>112</Longitude>", wechat.Inbound{Kind: wechat.Other}},
		"delivered":   {"<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>9</MsgID><Status>success</Status>", wechat.Inbound{Kind: wechat.Sent, Outcome: &wechat.Outcome{Message: "9", Delivered: true, Why: "success"}}},
		"blocked":     {"<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>9</MsgID><Status>failed:user block</Status>", wechat.Inbound{Kind: wechat.Sent, Outcome: &wechat.Outcome{Message: "9", Why: "failed:user block"}}},
		"allowed": {
			"<MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List><TemplateId>a</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List><List><TemplateId>b</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgPopupEvent>",
			wechat.Inbound{Kind: wechat.Consents, Allowances: []wechat.Allowance{{Template: "a", Accepted: true, Popup: true}, {Template: "b", Popup: true}}},
		},
	} {
		p := f.Compose(officialID, "oResident001", one.inside)
		got, err := a.Open(query(p.Query), p.Body, machine)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if one.want.Key == "" {
			one.want.Key = got.Key
			if !strings.HasPrefix(got.Key, officialID+":e:") {
				t.Errorf("%s: key %s", name, got.Key)
			}
		}
		one.want.App, one.want.To, one.want.OpenID, one.want.At = officialID, "gh_official", "oResident001", time.Unix(machine.Unix(), 0)
		if d := cmp.Diff(one.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

// TestOpenRefuses: whatever is not signed, not fresh, not for this account or not plain XML is Denied, and always the same.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	f := newFake(t, func() time.Time { return machine })
	a, other := account(t, f, wechat.Official), account(t, f, wechat.Mini)
	good := f.Compose(officialID, "oResident001", f.Text("你好"))
	with := func(key, value string) url.Values {
		v := url.Values{}
		for k := range good.Query {
			v.Set(k, good.Query.Get(k))
		}
		v.Set(key, value)
		return v
	}
	bomb := `<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	insides := map[string]string{
		"deep":        strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40),
		"wide":        strings.Repeat("<a>1</a>", 400),
		"entity":      "<MsgType>text</MsgType><Content>&b;</Content>",
		"external":    "<MsgType>text</MsgType><Content>&xxe;</Content>",
		"attribute":   `<MsgType kind="x">text</MsgType>`,
		"instruction": `<?php echo 1 ?><MsgType>text</MsgType>`,
		"comment":     "<!-- x --><MsgType>text</MsgType>",
		"second root": "<MsgType>text</MsgType></xml><xml>",
		"no type":     "<Content>x</Content>",
		"not closed":  "<MsgType>text",
		"no utf-8":    "<MsgType>text</MsgType><Content>\xff\xfe</Content>",
		"namespace":   "<x:MsgType>text</x:MsgType>",
	}
	type push struct {
		q    url.Values
		body []byte
		at   time.Time
		to   *wechat.Account
	}
	bad := map[string]push{
		"forged address":   {with("signature", strings.Repeat("0", 40)), good.Body, machine, a},
		"forged message":   {with("msg_signature", strings.Repeat("0", 40)), good.Body, machine, a},
		"no signature":     {url.Values{}, good.Body, machine, a},
		"another nonce":    {with("nonce", "n"), good.Body, machine, a},
		"another time":     {with("timestamp", "1"), good.Body, machine, a},
		"too old":          {good.Query, good.Body, machine.Add(wechat.Window), a},
		"from the future":  {good.Query, good.Body, machine.Add(-wechat.Window), a},
		"another account":  {good.Query, good.Body, machine, other},
		"plain mode":       {with("encrypt_type", ""), good.Body, machine, a},
		"unknown mode":     {with("encrypt_type", "rsa"), good.Body, machine, a},
		"changed body":     {good.Query, []byte(strings.Replace(string(good.Body), "<Encrypt><![CDATA[", "<Encrypt><![CDATA[A", 1)), machine, a},
		"bomb outside":     {good.Query, append([]byte(bomb), good.Body...), machine, a},
		"larger than ever": {good.Query, append(good.Body[:len(good.Body)-6:len(good.Body)-6], []byte("<a>"+strings.Repeat("x", wechat.MaxBody)+"</a></xml>")...), machine, a},
		"not XML":          {good.Query, []byte("hello"), machine, a},
		"nothing":          {good.Query, nil, machine, a},
	}
	odd := f.Compose(officialID, "a b<c>", f.Text("x"))
	bad["no openid"] = push{odd.Query, odd.Body, machine, a}
	for name, inside := range insides {
		p := f.Compose(officialID, "oResident001", inside)
		bad["inside: "+name] = push{p.Query, p.Body, machine, a}
	}
	for name, p := range bad {
		if in, err := p.to.Open(query(p.q), p.body, p.at); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v, %+v", name, err, in)
		} else if e, ok := errors.AsType[*fault.Error](err); !ok || e.Key != "wechat.not_wechat" {
			t.Errorf("%s: says %v", name, err)
		}
	}
	if _, err := a.Open(query(good.Query), good.Body, machine.Add(wechat.Window-time.Second)); err != nil {
		t.Errorf("a message that is only late: %v", err)
	}
}

func TestReadAccountRefuses(t *testing.T) {
	t.Parallel()
	f := newFake(t, time.Now)
	for name, change := range map[string]func(set, credential map[string]string){
		"unknown setting": func(set, _ map[string]string) { set["colour"] = "red" },
		"no app id":       func(set, _ map[string]string) { set[wechat.SettingAppID] = "hello" },
		"no kind":         func(set, _ map[string]string) { set[wechat.SettingApp] = "work" },
		"wrong kind": func(set, _ map[string]string) {
			replaceIn(set, wechat.SettingTemplates, "kind: template", "kind: subscribe")
		},
		"odd keyword": func(set, _ map[string]string) { replaceIn(set, wechat.SettingTemplates, "thing2", "colour2") },
		"unknown key": func(set, _ map[string]string) { replaceIn(set, wechat.SettingTemplates, "{id:", "{colour: red, id:") },
		"menu too long": func(set, _ map[string]string) {
			replaceIn(set, wechat.SettingMenu, "name: 报修", "name: 我要报修我要报修")
		},
		"button does two": func(set, _ map[string]string) {
			replaceIn(set, wechat.SettingMenu, "key: report", "key: report, page: p")
		},
		"not YAML":          func(set, _ map[string]string) { set[wechat.SettingMenu] = "[" },
		"no secret":         func(_, credential map[string]string) { credential[wechat.CredentialSecret] = "" },
		"short AES key":     func(_, credential map[string]string) { credential[wechat.CredentialAESKey] = "short" },
		"no AES key at all": func(_, credential map[string]string) { credential[wechat.CredentialAESKey] = "" },
	} {
		set, credential := settings(wechat.Official), f.Credential(officialID)
		change(set, credential)
		if _, err := wechat.ReadAccount(990100, "official", set, credential); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func replaceIn(set map[string]string, key, old, next string) {
	set[key] = strings.Replace(set[key], old, next, 1)
}

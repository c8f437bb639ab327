package notice_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/notice/aliyunfake"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/text"
)

var (
	head   = actor.Actor{ID: "h", Kind: actor.Person, Org: "bureau", Grants: []actor.Grant{{Role: actor.RoleSectionHead, City: city}}}
	second = actor.Actor{ID: "h2", Kind: actor.Person, Org: "bureau", Grants: []actor.Grant{{Role: actor.RoleRegulator, City: city}}}
)

// picky takes a message only while it has consents left, as WeChat does.
type picky struct {
	consents int
	took     []notice.Outgoing
}

func (p *picky) Send(_ context.Context, out notice.Outgoing) (string, error) {
	if p.consents == 0 {
		return "", fault.New(fault.Invalid, "notice.gateway_refused")
	}
	p.consents--
	p.took = append(p.took, out)
	return "wx-1", nil
}

func TestAnotherWayWhenTheFirstRefuses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		wx := &picky{consents: 1}
		w := newWorldWith(t, d, true, func(o *notice.Options) {
			o.Gateways[notice.WeChat] = wx
			o.Reach = func(_ context.Context, _ *db.Tx, _ int, _, _ string) ([]notice.Address, error) {
				return []notice.Address{{Channel: notice.WeChat, To: "openid-1"}}, nil
			}
		})
		first := w.enqueue(message("a"))
		w.work() // one after the other: no order is promised between two that wait
		other := w.enqueue(message("b"))
		w.work()
		w.work()
		if len(wx.took) != 1 || len(w.fake.Sent()) != 1 {
			t.Fatalf("%d by WeChat, %d by text message; want one each: one consent is one message", len(wx.took), len(w.fake.Sent()))
		}
		if wx.took[0].To != "openid-1" || w.fake.Sent()[0].To != phone {
			t.Errorf("sent to %s and %s", wx.took[0].To, w.fake.Sent()[0].To)
		}
		got := w.all()
		if a, b := got[first.ID], got[other.ID]; a.Channel != notice.WeChat || b.Channel != notice.SMS || b.Tried != notice.WeChat || b.State != notice.Sent {
			t.Errorf("kept as %+v and %+v", a.Notice, b.Notice)
		}
		if again := w.enqueue(message("b")); again.ID != other.ID {
			t.Error("one matter went twice, by two channels")
		}
		// A receipt that the first way did not arrive sends it the other way.
		if err := w.service.Receive(ctx, city, notice.Receipt{Key: wx.took[0].Key}); err != nil {
			t.Fatal(err)
		}
		w.work()
		if n := len(w.fake.Sent()); n != 2 {
			t.Errorf("%d text messages after WeChat bounced; want 2", n)
		}
	})
}

// What a gateway took and did not deliver is sent anew when staff ask for it: neither a gateway that knows its keys nor a
// provider's list of the sent takes it for the old one.
func TestSentAgainAfterItDidNotArrive(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		wx := &picky{consents: 1}
		w := newWorldWith(t, d, true, func(o *notice.Options) {
			o.Gateways[notice.WeChat] = wx
			o.Price = map[notice.Channel]string{notice.SMS: "0.05"}
		})
		m := message("a")
		m.Channel, m.To, m.Other = notice.WeChat, "openid-1", &notice.Address{Channel: notice.SMS, To: phone}
		n := w.enqueue(m)
		w.work()
		if err := w.service.Receive(ctx, city, notice.Receipt{Key: wx.took[0].Key}); err != nil {
			t.Fatal(err)
		}
		for round := range 3 {
			w.work()
			sent := w.fake.Sent()
			if len(sent) != round+1 {
				t.Fatalf("%d text messages after %d sendings", len(sent), round+1)
			}
			if err := w.service.Receive(ctx, city, notice.Receipt{Key: sent[round].Key}); err != nil {
				t.Fatal(err)
			}
			v := w.all()[n.ID]
			if v.State != notice.Failed || v.Parts != round+1 {
				t.Fatalf("%s with %d parts; want failed with %d", v.State, v.Parts, round+1)
			}
			if _, err := w.service.Resend(ctx, leader, notice.ByHand{City: city, ID: n.ID, Version: v.Version, Reason: "again"}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A receipt that comes late, once more, about an earlier sending says nothing about the present one: neither while it waits,
// nor once the gateway took it, nor once staff told it.
func TestLateReceiptOfAnEarlierSending(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		n := w.enqueue(message("a"))
		w.work()
		key := w.fake.Sent()[0].Key
		bounce := func(step string, want notice.State) {
			t.Helper()
			if err := w.service.Receive(ctx, city, notice.Receipt{Key: key}); err != nil {
				t.Errorf("%s: %v", step, err)
			}
			if got := w.only(); got.State != want {
				t.Errorf("%s: %s (%s), want %s", step, got.State, got.Reason, want)
			}
		}
		bounce("the first sending", notice.Failed)
		if _, err := w.service.Resend(ctx, leader, notice.ByHand{City: city, ID: n.ID, Version: w.only().Version, Reason: "again"}); err != nil {
			t.Fatal(err)
		}
		bounce("while it waits", notice.Queued)
		w.work()
		bounce("after the second sending", notice.Sent)
		if len(w.fake.Sent()) != 2 {
			t.Fatalf("sent %d times, want 2", len(w.fake.Sent()))
		}
		key = w.fake.Sent()[1].Key
		bounce("about the second sending", notice.Failed)
		if _, err := w.service.Tell(ctx, leader, notice.ByHand{City: city, ID: n.ID, Version: w.only().Version, Reason: "已电话告知"}); err != nil {
			t.Fatal(err)
		}
		bounce("after staff told it", notice.Sent)
	})
}

// A first way that refuses and a second that leads to a landline leave the message with staff, who read it out.
func TestOtherWayIsALandline(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		wx := &picky{consents: 1}
		w := newWorldWith(t, d, true, func(o *notice.Options) { o.Gateways[notice.WeChat] = wx })
		tell := func(matter string) notice.Notice {
			m := message(matter)
			m.Channel, m.To, m.Other = notice.WeChat, "openid-"+matter, &notice.Address{Channel: notice.SMS, To: "0351-4123456"}
			return w.enqueue(m)
		}
		b := tell("b")
		w.work()
		if err := w.service.Receive(ctx, city, notice.Receipt{Key: wx.took[0].Key}); err != nil {
			t.Fatal(err)
		}
		w.work()
		if v := w.all()[b.ID]; v.State != notice.Held || v.Reason != "notice.reason.not_mobile" {
			t.Errorf("after WeChat bounced: %s, %s; want held", v.State, v.Reason)
		}
		c := tell("c")
		w.work()
		w.work()
		if v := w.all()[c.ID]; v.State != notice.Held || v.Reason != "notice.reason.not_mobile" {
			t.Errorf("after WeChat refused: %s, %s; want held", v.State, v.Reason)
		}
		if n := len(w.fake.Sent()); n != 0 {
			t.Errorf("%d text messages went to a landline", n)
		}
	})
}

func TestPrivateParametersGoTheOtherWay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorldWith(t, d, true, func(o *notice.Options) { o.Gateways[notice.WeChat] = &picky{} })
		m := codeMessage("code/1")
		m.Channel, m.To, m.Other = notice.WeChat, "openid-1", &notice.Address{Channel: notice.SMS, To: phone}
		w.enqueue(m)
		w.work()
		sent := w.fake.Sent()
		if len(sent) != 1 || !strings.Contains(sent[0].Text, "314159") {
			t.Errorf("sent %+v; want the code", sent)
		}
		if left := column(t, d, `SELECT private FROM notice WHERE city_id = $1`); left[0] != "" {
			t.Error("the sealed code stays after the gateway took it")
		}
		say := func() {
			if ok, err := w.service.Reply(ctx, notice.Incoming{City: city, From: phone, Text: "TDALL"}); err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
		say()
		unwanted := codeMessage("code/2")
		unwanted.QuietExempt = false
		if n := w.enqueue(unwanted); n.State != notice.Dropped || n.Private != "" {
			t.Errorf("%s, sealed %q; want dropped and nothing kept", n.State, n.Private)
		}
	})
}

// A gateway whose address has no path checks the signature over the path that it is asked for.
func TestGatewayAddressWithoutAPath(t *testing.T) {
	t.Parallel()
	fake := smsfake.New(signer)
	srv := httptest.NewServer(fake)
	t.Cleanup(srv.Close)
	g, err := notice.NewSMSGateway(notice.SMSConfig{URL: srv.URL, Signer: signer})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Send(ctx, notice.Outgoing{Key: "990100.1", To: phone, Text: "x"}); err != nil || len(fake.Sent()) != 1 {
		t.Errorf("%v, %d sent", err, len(fake.Sent()))
	}
}

func TestWhatPeopleDoNotWant(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		say := func(words string) {
			t.Helper()
			if ok, err := w.service.Reply(ctx, notice.Incoming{City: city, From: phone, Text: words}); err != nil || !ok {
				t.Fatalf("%q: %v, %v", words, ok, err)
			}
		}
		bulletin := func(matter string) notice.Message {
			m := message(matter)
			m.Class = notice.Bulletin
			return m
		}
		waiting := w.enqueue(bulletin("before")) // written down before the wish, not yet sent
		say(" 退订。")
		w.work()
		if got := w.all()[waiting.ID]; got.State != notice.Dropped {
			t.Errorf("a bulletin that waited is %s; want dropped", got.State)
		}
		urgent := bulletin("leak")
		urgent.QuietExempt = true
		for _, c := range []struct {
			name string
			m    notice.Message
			want notice.State
		}{
			{"a bulletin", bulletin("b"), notice.Dropped},
			{"one's own matter", message("own"), notice.Queued},
			{"a leak", urgent, notice.Queued},
		} {
			if got := w.enqueue(c.m); got.State != c.want {
				t.Errorf("%s is %s; want %s", c.name, got.State, c.want)
			}
		}
		w.work()
		say("tdall")
		if got := w.enqueue(message("own2")); got.State != notice.Dropped {
			t.Errorf("one's own matter is %s after everything was refused; want dropped", got.State)
		}
		w.ask("case:1/visit:1")
		w.work()
		if n := len(w.fake.Sent()); n != 3 { // own, leak, and the question that is proof of a visit
			t.Errorf("%d messages sent; want 3", n)
		}
		say("恢复")
		if got := w.enqueue(bulletin("back")); got.State != notice.Queued {
			t.Errorf("a bulletin is %s after all were wanted again; want queued", got.State)
		}
		if err := w.service.Refuse(ctx, leader, notice.RefuseInput{City: city, Phone: phone, Scope: "some"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("an unknown scope: %v; want Invalid", err)
		}
		if err := w.service.Refuse(ctx, actor.Anonymous(actor.Page), notice.RefuseInput{City: city, Phone: phone}); !fault.Is(err, fault.Denied) {
			t.Errorf("a stranger: %v; want Denied", err)
		}
	})
}

func TestOwnWords(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, true)
		key := ""
		for _, k := range notice.Templates() {
			if v := text.Variables(text.Say(text.ZH, k, nil)); len(v) > 0 && v[0] == "no" && !slices.Contains(v, "d1") {
				key = k
				break
			}
		}
		in := notice.WordingInput{City: city, Template: key, Lang: text.ZH, Text: "暖城供热：件号 {no}，我们来了。", Code: "SMS_1"}
		draft, err := w.service.Word(ctx, head, in)
		if err != nil {
			t.Fatal(err)
		}
		m := message("m1")
		m.Template, m.Params = key, map[string]any{"no": "A1"}
		if got := w.enqueue(m); strings.Contains(got.Text, "我们来了") {
			t.Error("a draft was sent")
		}
		ok := notice.WordingDecision{City: city, ID: draft.ID, Version: draft.Version, Approve: true}
		if _, err := w.service.DecideWording(ctx, head, ok); !fault.Is(err, fault.Denied) {
			t.Errorf("the writer approves: %v; want Denied", err)
		}
		if _, err := w.service.DecideWording(ctx, leader, ok); !fault.Is(err, fault.Denied) {
			t.Errorf("a shift leader approves: %v; want Denied", err)
		}
		if _, err := w.service.DecideWording(ctx, second, ok); err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.DecideWording(ctx, second, ok); !fault.Is(err, fault.Conflict) {
			t.Errorf("approved twice: %v; want Conflict", err)
		}
		m.Matter = "m2"
		if got := w.enqueue(m); got.Text != "暖城供热：件号 A1，我们来了。" {
			t.Errorf("sent %q", got.Text)
		}
		m.Matter, m.Lang = "m3", text.EN
		if got := w.enqueue(m); strings.Contains(got.Text, "我们来了") {
			t.Error("the words of one language were sent in the other")
		}
		all, err := w.service.Wordings(ctx, second, city)
		if err != nil {
			t.Fatal(err)
		}
		own := 0
		for _, x := range all {
			if x.Current != nil {
				own++
			}
		}
		if own != 1 || len(all) != 2*len(notice.Templates()) {
			t.Errorf("%d own words of %d", own, len(all))
		}
	})
}

func TestWordsThatCannotBeSent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, false)
		question := ""
		for _, k := range notice.Templates() {
			if strings.Contains(text.Say(text.ZH, k, nil), "{d1}") {
				question = k
			}
		}
		for _, c := range []struct{ name, template, words, key string }{
			{"empty", question, " ", "field.required"},
			{"a variable that is none", question, "{d1}{d2}{link}{phone}", "notice.template.unknown_variable"},
			{"a question without its digits", question, "{link}", "notice.template.missing_variable"},
			{"an open brace", question, "{d1}{d2}{link}{", "notice.template.braces"},
			{"nested braces", question, "{d1}{d2}{{link}}", "notice.template.braces"},
			{"too long", question, "{d1}{d2}{link}" + strings.Repeat("暖", 470), "field.too_long"},
			{"no message", "ui.all", "x", "notice.template.unknown"},
		} {
			_, err := w.service.Word(ctx, head, notice.WordingInput{City: city, Template: c.template, Lang: text.ZH, Text: c.words})
			var keys []string
			for _, f := range fault.Of(err).Fields {
				keys = append(keys, f.Key)
			}
			if !fault.Is(err, fault.Invalid) || !strings.Contains(strings.Join(keys, " "), c.key) {
				t.Errorf("%s: %v with %v; want %s", c.name, err, keys, c.key)
			}
		}
	})
}

func TestParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sign string
		n    int
		want int
	}{{"", 0, 1}, {"", 70, 1}, {"", 71, 2}, {"", 134, 2}, {"", 135, 3}, {"暖城供热", 64, 1}, {"暖城供热", 65, 2}} {
		if got := notice.Parts(c.sign, strings.Repeat("暖", c.n)); got != c.want {
			t.Errorf("%d characters with %q are %d parts; want %d", c.n, c.sign, got, c.want)
		}
	}
}

func TestCosts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorldWith(t, d, true, func(o *notice.Options) {
			o.Sign, o.Price = "暖城供热", map[notice.Channel]string{notice.SMS: "0.045"}
		})
		for _, m := range []string{"a", "b", "c"} {
			w.enqueue(message(m))
		}
		w.work()
		today := w.now.Now().Date()
		got, err := w.service.Costs(ctx, leader, city, today, today)
		want := []notice.Cost{{Channel: notice.SMS, Class: notice.Own, Price: "0.045", Messages: 3, Parts: 3, Sum: "0.135"}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if _, err := w.service.Costs(ctx, leader, city, today, today.AddDays(-1)); !fault.Is(err, fault.Invalid) {
			t.Errorf("to before from: %v; want Invalid", err)
		}
		if _, err := w.service.Costs(ctx, leader, city, civil.Date{}, today); !fault.Is(err, fault.Invalid) {
			t.Errorf("no first day: %v; want Invalid", err)
		}
	})
}

// provider is the fake provider with a client of ours.
func provider(t *testing.T, secretKey string) (*aliyunfake.Provider, *notice.AliyunGateway) {
	t.Helper()
	p := &aliyunfake.Provider{KeyID: "LTAI", Secret: "s3cret", Sign: "暖城供热", Templates: map[string][]string{"SMS_1": {"no"}}, Machine: time.Now}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	g, err := notice.NewAliyunGateway(notice.AliyunConfig{URL: srv.URL, KeyID: "LTAI", Secret: secretKey, Sign: "暖城供热", Machine: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return p, g
}

func TestProvider(t *testing.T) {
	t.Parallel()
	p, g := provider(t, "s3cret")
	out := notice.Outgoing{Key: "990100.1", To: phone, Code: "SMS_1", Params: map[string]string{"no": "A 1*~+"}}
	if id, err := g.Send(ctx, out); err != nil || id == "" {
		t.Fatalf("%q, %v", id, err)
	}
	params, _ := json.Marshal(out.Params)
	if diff := cmp.Diff([]aliyunfake.Sent{{Key: out.Key, To: phone, Code: "SMS_1", Params: string(params)}}, p.Sent()); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		name string
		out  notice.Outgoing
	}{
		{"no number of a template", notice.Outgoing{Key: "k", To: phone}},
		{"an unknown template", notice.Outgoing{Key: "k", To: phone, Code: "SMS_2"}},
		{"no telephone", notice.Outgoing{Key: "k", To: "1", Code: "SMS_1", Params: out.Params}},
		{"a variable is missing", notice.Outgoing{Key: "k", To: phone, Code: "SMS_1"}},
	} {
		if _, err := g.Send(ctx, c.out); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v; want Invalid, since no later try helps", c.name, err)
		}
	}
	_, forger := provider(t, "guess")
	if _, err := forger.Send(ctx, out); !fault.Is(err, fault.Down) {
		t.Errorf("a wrong secret: %v; want Down: messages wait until the key is put right", err)
	}
}

func TestProviderLosesItsAnswer(t *testing.T) {
	t.Parallel()
	p, g := provider(t, "s3cret")
	out := notice.Outgoing{Key: "990100.1", To: phone, Code: "SMS_1", Params: map[string]string{"no": "A1"}}
	p.Lose(true)
	if _, err := g.Send(ctx, out); !fault.Is(err, fault.Down) {
		t.Fatalf("%v; want Down", err)
	}
	p.Lose(false)
	out.Again = true
	if id, err := g.Send(ctx, out); err != nil || id == "" {
		t.Errorf("%q, %v", id, err)
	}
	if n := len(p.Sent()); n != 1 {
		t.Errorf("sent %d times; want once", n)
	}
}

func (w *world) all() map[string]notice.View {
	w.t.Helper()
	got, err := w.service.List(ctx, leader, city, notice.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]notice.View{}
	for _, v := range got.Items {
		out[v.ID] = v
	}
	return out
}

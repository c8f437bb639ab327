package wechat_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/wechat"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
)

const other = "13903510002"

// enter binds the mini program of somebody and gives their person.
func (w *world) enter(openid, number string) string {
	w.t.Helper()
	l := must(w.service.Enter(ctx, wechat.Code{City: city, Code: w.Code(miniID, openid)}, "test"))
	if l.Bound || l.Ticket == "" {
		w.t.Fatalf("an unknown mini program is let in: %+v", l)
	}
	must(w.residents.RequestCode(ctx, leader, resident.Ask{City: city, Phone: number, Address: "a"}))
	w.work()
	l = must(w.service.Bind(ctx, wechat.Binding{City: city, Ticket: l.Ticket, Phone: number, Code: w.code(number)}, "test"))
	if !l.Bound || l.Token == "" || l.Asked["notice.expired"] != "sub-heard" {
		w.t.Fatalf("bound: %+v", l)
	}
	return w.person(number)
}

// allow is a tap in the mini program: WeChat notes the leave, and so does the installation.
func (w *world) allow(openid, person, tap string) int {
	w.t.Helper()
	w.Allow(miniID, openid, "sub-heard")
	got := must(w.service.Consent(ctx, resident.As(city, person, "public"), wechat.ConsentInput{City: city, Tap: tap, Templates: []string{"sub-heard", "unknown"}}))
	if len(got) != 1 {
		w.t.Fatalf("counted %+v", got)
	}
	return got[0].Open
}

func out(n int, person string) notice.Outgoing {
	return notice.Outgoing{
		Key: fmt.Sprintf("%d.n%d", city, n), To: person, Text: "您的诉求已派给城北热力，请等候联系，谢谢您的耐心", Template: "notice.expired",
		Params: map[string]string{"no": "20260115-00001", "link": "https://heat.example.cn/r/tok123"},
	}
}

// TestOneConsentOneMessage: consents are counted by tap and spent once each, whoever comes at the same time.
func TestOneConsentOneMessage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		person, g := w.enter(wang, phone), w.service.Gateway()
		if _, err := g.Send(ctx, out(0, person)); !fault.Is(err, fault.Invalid) {
			t.Errorf("without a consent: %v", err)
		}
		for _, tap := range []string{"tap1", "tap2", "tap2", "tap3"} { // a tap that is sent twice counts once
			w.allow(wang, person, tap)
		}
		if n := w.allow(wang, person, "tap3"); n != 3 {
			t.Errorf("%d consents are open, want 3", n)
		}
		var all sync.WaitGroup
		var errs [8]error
		for i := range errs {
			all.Go(func() { _, errs[i] = g.Send(ctx, out(i+1, person)) })
		}
		all.Wait()
		sent := 0
		for _, err := range errs {
			switch {
			case err == nil:
				sent++
			case !fault.Is(err, fault.Invalid):
				t.Errorf("without a consent left: %v", err)
			}
		}
		if sent != 3 || w.sent(miniID, wang) != 3 {
			t.Errorf("%d messages were taken, %d arrived; three consents were given", sent, w.sent(miniID, wang))
		}
		card := w.last(miniID, wang, wechatfake.Subscribe)
		if card.Page != "pages/case/case?token=tok123" || card.Data["character_string1"] != "20260115-00001" || len([]rune(card.Data["thing2"])) != 20 {
			t.Errorf("card %+v", card)
		}
	})
}

// sent counts the template and subscription messages on a screen.
func (w *world) sent(app, openid string) int {
	n := 0
	for _, c := range w.Cards(app, openid) {
		if c.From == wechatfake.Subscribe || c.From == wechatfake.Template {
			n++
		}
	}
	return n
}

// TestNeverTwice: a message whose answer is lost is not sent again blindly; WeChat's report tells, or its memory of keys.
func TestNeverTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		person, g := w.enter(wang, phone), w.service.Gateway()
		w.allow(wang, person, "tap1")
		w.LoseAnswers(1)
		if _, err := g.Send(ctx, out(1, person)); !fault.Is(err, fault.Down) {
			t.Fatalf("the answer was lost: %v", err)
		}
		if _, err := g.Send(ctx, out(1, person)); !fault.Is(err, fault.Down) {
			t.Errorf("before the report: %v", err)
		}
		if err := w.Report(ctx, 2); err != nil { // pushed twice
			t.Fatal(err)
		}
		id, err := g.Send(ctx, out(1, person))
		again, err2 := g.Send(ctx, out(1, person))
		if err != nil || err2 != nil || id == "" || id != again {
			t.Errorf("after the report: %q %v, %q %v", id, err, again, err2)
		}
		if n := w.sent(miniID, wang); n != 1 {
			t.Errorf("%d messages arrived", n)
		}
		w.allow(wang, person, "tap2")
		w.LoseAnswers(1)
		_, _ = g.Send(ctx, out(2, person))
		w.advance(10 * time.Minute) // WeChat says nothing
		if _, err := g.Send(ctx, out(2, person)); !fault.Is(err, fault.Conflict) {
			t.Errorf("without a report: %v, want one for a person", err)
		}
		if n := w.sent(miniID, wang); n != 2 {
			t.Errorf("%d messages arrived", n)
		}
	})
}

// TestTemplateMessages: followers of the official account get template messages; a lost answer is asked for under the same
// key, and whoever left or took the binding apart gets none.
func TestTemplateMessages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		must(w.Follow(ctx, officialID, wang))
		w.bind(wang, phone)
		person, g := w.person(phone), w.service.Gateway()
		w.LoseAnswers(1)
		if _, err := g.Send(ctx, out(1, person)); !fault.Is(err, fault.Down) {
			t.Fatalf("the answer was lost: %v", err)
		}
		id, err := g.Send(ctx, out(1, person))
		if err != nil || id == "" || w.sent(officialID, wang) != 1 {
			t.Errorf("again under the same key: %q %v, %d arrived", id, err, w.sent(officialID, wang))
		}
		if card := w.last(officialID, wang, wechatfake.Template); card.Link != "https://heat.example.cn/r/tok123" {
			t.Errorf("card %+v", card)
		}
		w.Busy(1)
		if _, err := g.Send(ctx, out(2, person)); !fault.Is(err, fault.Down) {
			t.Errorf("WeChat is busy: %v", err)
		}
		if _, err := g.Send(ctx, out(2, person)); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		if err := w.Leave(ctx, officialID, wang); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Send(ctx, out(3, person)); !fault.Is(err, fault.Invalid) {
			t.Errorf("who left: %v", err)
		}
		must(w.Follow(ctx, officialID, wang))
		as := resident.As(city, person, "public")
		for _, i := range must(w.residents.Identities(ctx, as, city)) {
			if err := w.residents.Unlink(ctx, as, city, i.ID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := g.Send(ctx, out(4, person)); !fault.Is(err, fault.Invalid) || w.sent(officialID, wang) != 2 {
			t.Errorf("who took it apart: %v", err)
		}
	})
}

// TestRefusedConsent: what WeChat says counts; consents that it does not know are forgotten and the message goes another way.
func TestRefusedConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	person, g := w.enter(wang, phone), w.service.Gateway()
	for i := range 3 {
		must(w.service.Consent(ctx, resident.As(city, person, "public"), wechat.ConsentInput{City: city, Tap: fmt.Sprint(i), Templates: []string{"sub-heard"}}))
	}
	if _, err := g.Send(ctx, out(1, person)); !fault.Is(err, fault.Invalid) {
		t.Errorf("WeChat knows no consent: %v", err)
	}
	if n := w.count("SELECT count(*) FROM wechat_consent WHERE city_id = $1 AND spent_by = ''"); n != 0 {
		t.Errorf("%d consents are still believed in", n)
	}
	if _, err := w.service.Consent(ctx, leader, wechat.ConsentInput{City: city, Tap: "x", Templates: []string{"sub-heard"}}); !fault.Is(err, fault.Denied) {
		t.Errorf("staff cannot consent for a resident: %v", err)
	}
	must(w.Deliver(ctx, w.Compose(miniID, wang, "<MsgType>event</MsgType><Event>subscribe_msg_change_event</Event><SubscribeMsgChangeEvent><List><TemplateId>sub-heard</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgChangeEvent>")))
}

// TestReceipts: WeChat's report becomes the receipt of the message, also when it overtakes WeChat's own answer.
func TestReceipts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	must(w.Follow(ctx, officialID, wang))
	w.bind(wang, phone)
	n := w.tell(phone, "m1")
	w.work()
	if v := w.notice(n.ID); v.State != notice.Sent || v.GatewayID == "" {
		t.Fatalf("message %+v", v)
	}
	for range 2 {
		if err := w.Report(ctx, 2); err != nil {
			t.Fatal(err)
		}
		w.work()
	}
	if v := w.notice(n.ID); v.State != notice.Delivered {
		t.Errorf("after the report: %s", v.State)
	}
	must(w.Deliver(ctx, w.Compose(officialID, wang, "<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>99999</MsgID><Status>success</Status>")))
	w.work() // a report on a message that nobody knows changes nothing
}

// TestToken: one process renews the token and all use it; a token that WeChat refuses is replaced once; it is sealed.
func TestToken(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		must(w.Follow(ctx, officialID, wang))
		w.bind(wang, phone)
		person, g := w.person(phone), w.service.Gateway()
		before, _ := w.Granted()
		w.EndTokens()
		var all sync.WaitGroup
		var errs [6]error
		for i := range errs {
			all.Go(func() { _, errs[i] = g.Send(ctx, out(i, person)) })
		}
		all.Wait()
		if e := slices.IndexFunc(errs[:], func(err error) bool { return err != nil }); e >= 0 {
			t.Errorf("a token that ended: %v", errs[e])
		}
		if after, forced := w.Granted(); after != before+1 || forced != 0 {
			t.Errorf("%d tokens were fetched, %d by force; want one", after-before, forced)
		}
		w.advance(3 * time.Hour)
		if _, err := g.Send(ctx, out(10, person)); err != nil {
			t.Errorf("after the token's life: %v", err)
		}
		rows, err := db.Read(ctx, d, func(tx *db.Tx) ([]string, error) {
			return db.List[string](ctx, tx, "SELECT token FROM wechat_token WHERE city_id = $1", city)
		})
		if err != nil || len(rows) == 0 || !strings.HasPrefix(rows[0], "v1.") {
			t.Errorf("tokens are kept as %v %v", rows, err)
		}
	})
}

// TestMiniProgramLogin: a code is good once, a wrong one for nobody, a ticket for one binding; who is bound is let in.
func TestMiniProgramLogin(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enter(wang, phone)
		code := w.Code(miniID, wang)
		if l := must(w.service.Enter(ctx, wechat.Code{City: city, Code: code}, "test")); !l.Bound || l.Token == "" {
			t.Errorf("who is bound: %+v", l)
		}
		for _, bad := range []string{code, "guess", strings.Repeat("x", 100)} {
			if _, err := w.service.Enter(ctx, wechat.Code{City: city, Code: bad}, "test"); !fault.Is(err, fault.Denied) {
				t.Errorf("the code %.10s: %v", bad, err)
			}
		}
		if _, err := w.service.Enter(ctx, wechat.Code{City: city}, "test"); !fault.Is(err, fault.Invalid) {
			t.Errorf("no code: %v", err)
		}
		l := must(w.service.Enter(ctx, wechat.Code{City: city, Code: w.Code(miniID, li)}, "test"))
		must(w.residents.RequestCode(ctx, leader, resident.Ask{City: city, Phone: other, Address: "a"}))
		w.work()
		right := w.code(other)
		if _, err := w.service.Bind(ctx, wechat.Binding{City: city, Ticket: "stolen", Phone: other, Code: right}, "t"); !fault.Is(err, fault.NotFound) {
			t.Errorf("without a ticket: %v", err)
		}
		if _, err := w.service.Bind(ctx, wechat.Binding{City: city, Ticket: l.Ticket, Phone: other, Code: "000000"}, "t"); err == nil {
			t.Error("a wrong code bound a telephone")
		}
		if _, err := w.service.EnterByTicket(ctx, city, l.Ticket, "t"); err == nil {
			t.Error("the ticket of a binding logged in to the hall")
		}
		must(w.service.Bind(ctx, wechat.Binding{City: city, Ticket: l.Ticket, Phone: other, Code: right}, "t"))
		if _, err := w.service.Bind(ctx, wechat.Binding{City: city, Ticket: l.Ticket, Phone: other, Code: right}, "t"); err == nil {
			t.Error("a ticket was used twice")
		}
	})
}

// home keeps a household whose holder has a telephone.
func (w *world) home(account, holder string) {
	w.t.Helper()
	must(0, db.Do(ctx, w.d, func(tx *db.Tx) error {
		for _, kind := range place.Kinds() {
			if _, err := place.HoldIn(ctx, tx, city, kind); err != nil {
				return err
			}
		}
		p, err := secret.Subject(ctx, tx, w.ring, city, secret.Phone, holder)
		if err != nil {
			return err
		}
		edition := func(key string) place.Edition { return place.Edition{City: city, Key: key, Until: place.Forever} }
		row := place.HouseholdRow{Edition: edition(account), Account: account, Community: "sun", Building: "3", Unit: "2", Room: "601", HeatStatus: "on"}
		row.Seal(p, "王桂兰", holder)
		err = db.InsertAll(ctx, tx, "community", []place.Community{{Edition: edition("990101|向阳花园"), ID: "sun", Name: "向阳花园", District: "990101", Connected: true}})
		if err != nil {
			return err
		}
		return db.InsertAll(ctx, tx, "household", []place.HouseholdRow{row})
	}))
}

// TestHelpersGetNoReceipts: whoever may only look at a home sees how its cases stand and gets no receipt of them, with which
// they could act; who may act gets it, and everybody gets those of their own reports.
func TestHelpersGetNoReceipts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const account = "1000001"
		w.home(account, phone)
		mother, son := resident.As(city, w.enter(wang, phone), "public"), resident.As(city, w.enter(li, other), "public")
		must(w.residents.Bind(ctx, mother, resident.BindInput{City: city, Account: account, Proof: resident.OwnPhone, Address: "a"}))
		report := func(by actor.Actor, key string) string {
			in := wechat.Reporting{City: city, Text: "家里暖气不热", Address: "向阳花园3号楼2单元601", Since: "昨晚", Test: "no", Key: key, Lang: text.ZH}
			if by.ID == mother.ID {
				in.Account = account
			}
			return must(w.service.Report(ctx, by, in)).No
		}
		of := func(by actor.Actor) map[string]bool {
			got := map[string]bool{}
			for _, c := range must(w.service.Mine(ctx, by, city, text.ZH)) {
				got[c.No] = c.Token != ""
			}
			return got
		}
		hers := report(mother, "k1")
		for _, step := range []struct {
			scope resident.Scope
			want  map[string]bool
		}{{resident.MayRead, map[string]bool{hers: false}}, {resident.MayAct, map[string]bool{hers: true}}} {
			must(w.residents.AddHelper(ctx, mother, resident.HelperInput{City: city, Account: account, Phone: other, Scope: step.scope, Until: w.clock.Now().Date().AddDays(30)}))
			if diff := cmp.Diff(step.want, of(son)); diff != "" {
				t.Errorf("a helper with %s (-want +got):\n%s", step.scope, diff)
			}
		}
		if got := of(mother); !got[hers] {
			t.Errorf("the mother has no receipt of her own report: %v", got)
		}
	})
}

// TestMenu: the menu goes to WeChat as the settings have it, by whoever manages channels.
func TestMenu(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	seat := leader
	seat.Grants = seat.Grants[:0:0]
	if err := w.service.SetMenu(ctx, seat, city); !fault.Is(err, fault.Denied) {
		t.Errorf("without the right: %v", err)
	}
	if err := w.service.SetMenu(ctx, admin, city); err != nil {
		t.Fatal(err)
	}
	got := w.MenuOf(officialID)
	if len(got) != 2 || got[0].Key != "report" || len(got[1].Sub) != 2 || got[1].Sub[1].Type != "view" {
		t.Errorf("menu %+v", got)
	}
	w.Busy(1)
	if err := w.service.SetMenu(ctx, admin, city); !fault.Is(err, fault.Invalid) {
		t.Errorf("WeChat refuses: %v", err)
	}
}

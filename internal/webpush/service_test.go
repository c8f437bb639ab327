package webpush_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/webpush"
	"github.com/rehu-heat/rehu/internal/webpush/pushfake"
)

const (
	city   = 990100
	mother = "13803510001"
	son    = "13803510002"
)

var (
	ctx     = context.Background()
	visitor = actor.Anonymous(actor.Public)
	root    = actor.SystemFor("test", actor.Command)
	leader  = actor.Actor{ID: "leader", Kind: actor.Person, Org: "centre", Door: actor.Page, Grants: []actor.Grant{{Role: actor.RoleLeader, City: city}}}
)

// world is a city with a push service and an SMS gateway, both played.
type world struct {
	t     *testing.T
	app   *app.App
	now   *dbtest.Clock
	fake  *pushfake.Service
	sms   *smsfake.Gateway
	count int
	eager atomic.Bool // browsers say that they showed a message before the push service has answered
}

func each(t *testing.T, fn func(w *world)) {
	t.Helper()
	run := func(t *testing.T, url string) {
		t.Helper()
		w := &world{t: t, now: dbtest.NewClock()}
		w.fake = pushfake.New(w.machine)
		push := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.fake.ServeHTTP(rw, r)
			if shown := w.fake.Shown(); w.eager.Load() && len(shown) > 0 {
				w.arrives(shown[len(shown)-1])
			}
		}))
		t.Cleanup(push.Close)
		w.fake.Stands(push.URL)
		signer := notice.Signer{Account: "rehu", Secret: "s3cret", Machine: w.machine}
		w.sms = smsfake.New(signer)
		sms := httptest.NewServer(w.sms)
		t.Cleanup(sms.Close)
		key, err := webpush.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		cfg := config.Config{Data: t.TempDir(), Database: url, Cities: []int{city}, PublicURL: "https://heat.example.cn"}.WithDefaults()
		cfg.SMS = config.SMS{Kind: config.SMSOwn, URL: sms.URL + "/send", Account: "rehu", Secret: "s3cret"}
		cfg.Push = config.Push{Key: key.Secret(), Contact: "mailto:heat@example.cn", Allow: []string{"127.0.0.1"}}
		if w.app, err = app.New(ctx, cfg, app.Options{Clock: w.now.Now, Machine: w.machine, Fast: true}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.app.Close() })
		fn(w)
		for _, why := range w.fake.Wrong() {
			t.Errorf("the push service refused: %s", why)
		}
	}
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); run(t, "") })
	if !dbtest.Quick() {
		t.Run("postgres", func(t *testing.T) { t.Parallel(); run(t, dbtest.PostgresURL(t)) })
	}
}

func (w *world) machine() time.Time { return time.UnixMilli(int64(w.now.Now())) }

func (w *world) work(minutes int) {
	w.t.Helper()
	for range minutes {
		w.now.Advance(time.Minute)
		if err := w.app.Runner.RunDue(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}

// enter logs a resident in by the code that the gateway was given.
func (w *world) enter(phone string) resident.Who {
	w.t.Helper()
	w.work(2)
	if _, err := w.app.Residents.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: phone, Address: phone}); err != nil {
		w.t.Fatal(err)
	}
	w.work(2)
	sent := w.sms.Sent()
	in := resident.Entry{City: city, Phone: phone, Code: sent[len(sent)-1].Params["code"], Address: phone}
	ticket, err := w.app.Residents.Enter(ctx, visitor, in)
	if err != nil {
		w.t.Fatal(err)
	}
	who, ok, err := w.app.Residents.Authenticate(ctx, city, ticket.Token)
	if err != nil || !ok {
		w.t.Fatalf("logged in: %v, %v", ok, err)
	}
	return who
}

func (w *world) browser() pushfake.Browser {
	w.t.Helper()
	b, err := w.fake.Subscribe(w.app.Push.PublicKey())
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) allow(who resident.Who, b pushfake.Browser) error {
	return w.app.Push.Subscribe(ctx, who.Actor, webpush.Subscription{City: city, Session: who.Session, Agent: "Firefox", Endpoint: b.Endpoint, Keys: b.Keys})
}

func (w *world) allowed(who resident.Who) pushfake.Browser {
	w.t.Helper()
	b := w.browser()
	if err := w.allow(who, b); err != nil {
		w.t.Fatal(err)
	}
	return b
}

// tell tells somebody something once.
func (w *world) tell(who resident.Who, phone string, change ...func(*notice.Message)) string {
	w.t.Helper()
	w.count++
	m := notice.Message{
		City: city, Channel: notice.SMS, Person: who.Person, To: phone, Template: "message.case.close", Matter: fmt.Sprintf("m%d", w.count),
		Params: map[string]any{"no": "1", "link": "https://heat.example.cn/x"}, QuietExempt: true,
	}
	for _, f := range change {
		f(&m)
	}
	n, err := db.Write(ctx, w.app.DB, func(tx *db.Tx) (notice.Notice, error) { return w.app.Notices.EnqueueIn(ctx, tx, root, m) })
	if err != nil {
		w.t.Fatal(err)
	}
	return n.ID
}

func (w *world) notice(id string) notice.Notice {
	w.t.Helper()
	v, err := w.app.Notices.Get(ctx, leader, city, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Notice
}

func (w *world) wants(id string, c notice.Channel, s notice.State) {
	w.t.Helper()
	if n := w.notice(id); n.Channel != c || n.State != s {
		w.t.Errorf("the message is %s by %s (%s), want %s by %s", n.State, n.Channel, n.Reason, s, c)
	}
}

// arrives says of a message that it was shown.
func (w *world) arrives(m pushfake.Shown) {
	w.t.Helper()
	if err := w.app.Push.Arrived(ctx, webpush.Arrival{City: city, Key: m.Key, Proof: m.Proof}); err != nil {
		w.t.Errorf("the word that a message was shown: %v", err)
	}
}

func (w *world) texts() int { return len(w.sms.Sent()) }

// A message goes to the browser, encrypted and proved; the browser says that it showed it, and no text message goes out.
func TestAMessageIsShown(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		who := w.enter(mother)
		b := w.allowed(who)
		before := w.texts()
		id := w.tell(who, mother)
		w.work(1)
		shown := w.fake.Shown()
		if len(shown) != 1 || shown[0].Browser != b.ID || shown[0].Text != w.notice(id).Text || shown[0].Open != "/c/990100/m/home" || shown[0].TTL != 600 || shown[0].Urgency != "high" {
			w.t.Fatalf("shown %+v", shown)
		}
		if strings.Contains(fmt.Sprintf("%+v", shown[0]), mother) {
			w.t.Errorf("the telephone stands in %+v", shown[0])
		}
		w.wants(id, notice.WebPush, notice.Sent)
		word := webpush.Arrival{City: city, Key: shown[0].Key, Proof: shown[0].Proof}
		for what, bad := range map[string]webpush.Arrival{
			"another proof": {City: city, Key: word.Key, Proof: strings.Repeat("0", len(word.Proof))}, "another message": {City: city, Key: word.Key + "0", Proof: word.Proof},
			"another city": {City: 990200, Key: word.Key, Proof: word.Proof}, "nothing": {City: city},
		} {
			if err := w.app.Push.Arrived(ctx, bad); !fault.Is(err, fault.NotFound) {
				w.t.Errorf("%s: %v", what, err)
			}
		}
		for range 2 {
			if err := w.app.Push.Arrived(ctx, word); err != nil {
				w.t.Fatal(err)
			}
		}
		w.work(20)
		w.wants(id, notice.WebPush, notice.Delivered)
		if n := w.texts(); n != before {
			w.t.Errorf("%d text messages went out as well", n-before)
		}
	})
}

// A browser may show a message before it is noted that it went out: its word, which it says once, is not lost.
func TestAWordThatComesEarly(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		who := w.enter(mother)
		w.allowed(who)
		w.allowed(who)
		before := w.texts()
		w.eager.Store(true)
		id := w.tell(who, mother)
		w.work(3)
		w.wants(id, notice.WebPush, notice.Delivered)
		w.work(20)
		if n := w.texts(); n != before {
			w.t.Errorf("%d text messages went out as well", n-before)
		}
	})
}

// At night nobody is woken by a notification either, whichever way it goes in the end; a leak comes at once.
func TestTheNightHoldsForNotifications(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		who := w.enter(mother)
		w.allowed(who)
		quiet := func(m *notice.Message) { m.QuietExempt = false }
		w.now.Set(civil.On(w.now.Now().Date(), 23, 30))
		waits, leak := w.tell(who, mother, quiet), w.tell(who, mother)
		w.work(2)
		w.wants(waits, notice.WebPush, notice.Queued)
		w.wants(leak, notice.WebPush, notice.Sent)
		if n := len(w.fake.Shown()); n != 1 {
			w.t.Errorf("%d notifications at night, want the leak", n)
		}
		w.arrives(w.fake.Shown()[0])
		w.now.Set(civil.On(w.now.Now().Date().AddDays(1), 8, 0))
		w.work(1)
		w.wants(waits, notice.WebPush, notice.Sent)
		w.arrives(w.fake.Shown()[1])
		w.now.Set(civil.On(w.now.Now().Date(), 21, 30))
		silent, before := w.tell(who, mother, quiet), w.texts()
		w.work(1)
		w.now.Set(civil.On(w.now.Now().Date(), 23, 0))
		w.work(2)
		if n := w.texts(); n != before {
			w.t.Errorf("%d text messages at night for what no browser showed", n-before)
		}
		w.now.Set(civil.On(w.now.Now().Date().AddDays(1), 8, 0))
		w.work(2)
		w.wants(silent, notice.SMS, notice.Sent)
	})
}

// What no browser shows in time goes by text message, once; a late word changes nothing.
func TestSilenceGoesByTextMessage(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		who := w.enter(mother)
		w.allowed(who)
		before := w.texts()
		id := w.tell(who, mother)
		w.work(8)
		w.wants(id, notice.WebPush, notice.Sent)
		w.work(8)
		w.wants(id, notice.SMS, notice.Sent)
		m := w.fake.Shown()[0]
		if err := w.app.Push.Arrived(ctx, webpush.Arrival{City: city, Key: m.Key, Proof: m.Proof}); err != nil {
			w.t.Errorf("a late word: %v", err)
		}
		w.work(5)
		w.wants(id, notice.SMS, notice.Sent)
		if n := w.texts(); n != before+1 {
			w.t.Errorf("%d text messages", n-before)
		}
	})
}

// A push service that is away is asked once more; then, and where the subscription is gone, a text message goes out.
func TestAPushServiceThatFails(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		who := w.enter(mother)
		b := w.allowed(who)
		w.fake.Down(1)
		id := w.tell(who, mother)
		w.work(4)
		w.wants(id, notice.WebPush, notice.Sent)
		w.fake.Down(2)
		id = w.tell(who, mother)
		w.work(4)
		w.wants(id, notice.SMS, notice.Sent)
		w.fake.Expire(b.ID)
		id = w.tell(who, mother)
		w.work(4)
		w.wants(id, notice.SMS, notice.Sent)
		if all, err := w.app.Push.Mine(ctx, who.Actor, city, who.Session); err != nil || len(all) != 0 {
			w.t.Errorf("the device whose subscription is gone is kept: %+v, %v", all, err)
		}
		id = w.tell(who, mother)
		if n := w.notice(id); n.Channel != notice.SMS {
			w.t.Errorf("the next message goes by %s", n.Channel)
		}
	})
}

// The wish not to be told and one message per matter hold for notifications as for text messages; a question
// that one digit answers stays a text message.
func TestTheRulesOfMessagesHold(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		who := w.enter(mother)
		w.allowed(who)
		same := func(m *notice.Message) { m.Matter = "same" }
		w.tell(who, mother, same)
		w.tell(who, mother, same)
		w.work(2)
		if n := len(w.fake.Shown()); n != 1 {
			w.t.Errorf("one matter was shown %d times", n)
		}
		question := w.tell(who, mother, func(m *notice.Message) { m.Template = "message.ask.visit" })
		if n := w.notice(question); n.Channel != notice.SMS {
			w.t.Errorf("a question goes by %s", n.Channel)
		}
		if err := w.app.Notices.Refuse(ctx, leader, notice.RefuseInput{City: city, Phone: mother, Scope: notice.Everything}); err != nil {
			w.t.Fatal(err)
		}
		unwanted := w.tell(who, mother, func(m *notice.Message) { m.QuietExempt = false })
		if n := w.notice(unwanted); n.State != notice.Dropped {
			w.t.Errorf("an unwanted message is %s", n.State)
		}
	})
}

// Whoever logs out is written to there no more, on that device only; a browser belongs to whoever allowed it last.
func TestLoggingOutEndsIt(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		first, second := w.enter(mother), w.enter(mother)
		w.allowed(first)
		kept := w.allowed(second)
		mine, err := w.app.Push.Mine(ctx, first.Actor, city, first.Session)
		if err != nil || len(mine) != 2 || mine[0].This || !mine[1].This {
			w.t.Fatalf("devices %+v, %v", mine, err)
		}
		if err := w.app.Residents.Leave(ctx, first.Actor, city, first.Session); err != nil {
			w.t.Fatal(err)
		}
		w.tell(second, mother)
		w.work(1)
		if shown := w.fake.Shown(); len(shown) != 1 || shown[0].Browser != kept.ID {
			w.t.Errorf("shown %+v", shown)
		}
		other := w.enter(son)
		if err := w.allow(other, kept); err != nil {
			w.t.Fatal(err)
		}
		w.tell(second, mother)
		w.work(1)
		if n := len(w.fake.Shown()); n != 1 {
			w.t.Errorf("the mother's message was shown in the son's browser: %d", n)
		}
		mine, err = w.app.Push.Mine(ctx, other.Actor, city, other.Session)
		if err != nil || len(mine) != 1 {
			w.t.Fatalf("devices %+v, %v", mine, err)
		}
		if err := w.app.Push.End(ctx, first.Actor, webpush.Ending{City: city, ID: mine[0].ID}); !fault.Is(err, fault.NotFound) {
			w.t.Errorf("somebody else's device: %v", err)
		}
		if err := w.app.Push.End(ctx, other.Actor, webpush.Ending{City: city, ID: mine[0].ID}); err != nil {
			w.t.Fatal(err)
		}
	})
}

func TestWhatIsNoSubscription(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		who := w.enter(mother)
		b := w.browser()
		for what, change := range map[string]func(*pushfake.Browser){
			"inside":    func(b *pushfake.Browser) { b.Endpoint = "https://10.0.0.1/push" },
			"plain":     func(b *pushfake.Browser) { b.Endpoint = "http://push.example.com/" },
			"metadata":  func(b *pushfake.Browser) { b.Endpoint = "http://169.254.169.254/latest" },
			"long":      func(b *pushfake.Browser) { b.Endpoint = "https://push.example.com/" + strings.Repeat("x", 900) },
			"no key":    func(b *pushfake.Browser) { b.Keys.P256DH = "BB" },
			"no secret": func(b *pushfake.Browser) { b.Keys.Auth = "" },
		} {
			bad := b
			change(&bad)
			if err := w.allow(who, bad); !fault.Is(err, fault.Invalid) {
				w.t.Errorf("%s: %v", what, err)
			}
		}
		stranger := who
		stranger.Session = "no such login"
		if err := w.allow(stranger, b); !fault.Is(err, fault.Denied) {
			w.t.Errorf("another login: %v", err)
		}
		stranger.Actor = leader
		if err := w.allow(stranger, b); !fault.Is(err, fault.Denied) {
			w.t.Errorf("staff: %v", err)
		}
		for range 7 {
			w.allowed(who)
		}
		if mine, err := w.app.Push.Mine(ctx, who.Actor, city, who.Session); err != nil || len(mine) != 5 {
			w.t.Errorf("%d devices, %v", len(mine), err)
		}
	})
}

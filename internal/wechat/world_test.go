package wechat_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/wechat"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
	"github.com/rehu-heat/rehu/packs"
)

const (
	city  = 990100
	phone = "13803510001"
	wang  = "oWangGuilan01"
	li    = "oLiMing000002"
)

var (
	ctx    = context.Background()
	signer = notice.Signer{Account: "rehu", Secret: "s3cret", Machine: time.Now}
	admin  = actor.Actor{ID: "admin", Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: actor.RoleAdmin, City: city}}}
	leader = actor.Actor{ID: "leader", Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: actor.RoleLeader, City: city}}}
)

// world is a city that residents reach by WeChat, with the fake at the other end of the line.
type world struct {
	*wechatfake.Server
	t         *testing.T
	d         *db.DB
	now       atomic.Int64 // machine time
	clock     *dbtest.Clock
	runner    *jobs.Runner
	service   *wechat.Service
	channels  *channel.Service
	residents *resident.Service
	cases     *cases.Service
	notices   *notice.Service
	blobs     *blob.Service
	sms       *smsfake.Gateway
	gateways  map[notice.Channel]notice.Gateway
	ring      *secret.Ring
	server    *httptest.Server // WeChat
	door      *httptest.Server // the installation
	log       bytes.Buffer
}

func (w *world) machine() time.Time { return time.UnixMilli(w.now.Load()) }

func (w *world) advance(by time.Duration) {
	w.now.Add(by.Milliseconds())
	w.clock.Advance(by)
}

// must gives the value; what must not fail in a test ends it.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("%v %+v", err, fault.Of(err).Fields))
	}
	return v
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, clock: dbtest.NewClock(), sms: smsfake.New(signer)}
	d.SetClock(w.clock.Now)
	w.now.Store(machine.UnixMilli())
	w.Server = newFake(t, w.machine)
	w.server = httptest.NewUnstartedServer(w.Server)
	w.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	w.server.Start()
	t.Cleanup(w.server.Close)
	w.ring = must(secret.LoadRing(t.TempDir(), ""))
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: log, Machine: time.Now, Cities: func() []int { return []int{city} }})
	w.casework(log)
	w.people(log)
	w.wechat(log)
	return w
}

func (w *world) casework(log *slog.Logger) {
	rules := theRules()
	w.blobs = blob.New(w.d, blob.Disk(w.t.TempDir()))
	clocks := must(clock.New(clock.Options{DB: w.d, Rules: rulesOf(rules), Jobs: w.runner}))
	w.cases = cases.New(cases.Options{DB: w.d, Ring: w.ring, Blobs: w.blobs, Clocks: clocks, Log: log, Rules: rulesOf(rules), Attribute: attribute()})
	w.cases.Register(w.runner)
}

// theRules are read once: a pack is never changed.
var theRules = sync.OnceValue(func() *citypack.Rules {
	return &citypack.Rules{Pack: must(must(citypack.Load(packs.FS)).City(city)), Calendar: calendar.Embedded()}
})

func rulesOf(r *citypack.Rules) func(context.Context, *db.Tx, int) (*citypack.Rules, error) {
	return func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return r, nil }
}

func attribute() func(context.Context, *db.Tx, int, territory.Query) (territory.Answer, error) {
	x := territory.Build(territory.Snapshot{
		City: city, CityName: "暖城", Districts: []territory.District{{Code: "990101", Name: "东城区"}},
		Companies:   []territory.Company{{Code: "C1", Name: "城北热力"}},
		Communities: []territory.Community{{ID: "sun", Name: "向阳花园", District: "990101", Company: "C1", Connected: true}},
		Buildings:   []territory.Building{{Community: "sun", No: "3"}},
	})
	return func(_ context.Context, _ *db.Tx, _ int, q territory.Query) (territory.Answer, error) {
		return x.Attribute(q), nil
	}
}

func (w *world) people(log *slog.Logger) {
	sms := httptest.NewServer(w.sms)
	w.t.Cleanup(sms.Close)
	gateway := must(notice.NewSMSGateway(notice.SMSConfig{URL: sms.URL + "/send", Signer: signer}))
	w.gateways = map[notice.Channel]notice.Gateway{notice.SMS: gateway}
	w.notices = must(notice.New(notice.Options{
		DB: w.d, Ring: w.ring, Jobs: w.runner, Gateways: w.gateways,
		Link: func(_ int, token string) string { return "https://heat.example.cn/a/" + token },
	}))
	w.residents = must(resident.New(resident.Options{
		DB: w.d, Ring: w.ring, Jobs: w.runner, Notices: w.notices, Places: place.New(w.d, w.ring), Blobs: w.blobs, Machine: w.machine, Log: log,
	}))
}

func (w *world) wechat(log *slog.Logger) {
	credentials := map[string]string{}
	for _, app := range []wechat.App{wechat.Official, wechat.Mini} {
		v := url.Values{wechat.CredentialAPI: {w.server.URL}}
		for k, s := range w.Credential(settings(app)[wechat.SettingAppID]) {
			v.Set(k, s)
		}
		credentials["wx_"+string(app)] = v.Encode()
	}
	w.channels = must(channel.New(channel.Options{DB: w.d, Ring: w.ring, Jobs: w.runner, Credentials: credentials, Machine: w.machine, Log: log}))
	client := wechat.NewClient(&http.Client{Timeout: 2 * time.Second})
	w.service = must(wechat.New(wechat.Options{
		DB: w.d, Ring: w.ring, Jobs: w.runner, Client: client, Channels: w.channels, Residents: w.residents, Cases: w.cases, Notices: w.notices,
		Blobs: w.blobs, Machine: w.machine, Log: log, Rules: rulesOf(theRules()),
		Attribute: attribute(), Company: func(context.Context, *db.Tx, int, string, text.Lang) string { return "城北热力" },
		Receipt:  func(_ int, token string) string { return "https://heat.example.cn/r/" + token },
		Entrance: func(_ int, ticket string) string { return "https://heat.example.cn/w/" + ticket },
	}))
	w.gateways[notice.WeChat] = w.service.Gateway()
	for _, app := range []wechat.App{wechat.Official, wechat.Mini} {
		must(w.channels.SetAccount(ctx, admin, channel.AccountInput{
			City: city, Channel: cases.WeChat, Name: string(app), Title: string(app), Credential: "wx_" + string(app), Settings: settings(app), Enabled: true,
		}))
	}
	w.door = httptest.NewServer(http.HandlerFunc(w.serve))
	w.t.Cleanup(w.door.Close)
	w.PointTo(officialID, w.door.URL+"/official")
	w.PointTo(miniID, w.door.URL+"/mini")
}

// serve is the installation's address, without the rest of the pages.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		body, err = w.service.Receive(r.Context(), city, strings.Trim(r.URL.Path, "/"), query(r.URL.Query()), body)
	}
	if err != nil {
		rw.WriteHeader(http.StatusForbidden)
		return
	}
	_, _ = rw.Write(body)
}

// work does what is due and what that leads to.
func (w *world) work() {
	w.t.Helper()
	if err := w.runner.RunDue(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// says writes as a resident and looks for words in the answer.
func (w *world) says(who, what string, want ...string) string {
	w.t.Helper()
	got, err := w.Write(ctx, officialID, who, what)
	if err != nil {
		w.t.Fatalf("%q: %v", what, err)
	}
	for _, part := range want {
		if !strings.Contains(got, part) {
			w.t.Fatalf("%q is answered with %q, want %q in it", what, got, part)
		}
	}
	return got
}

// last is the newest card of a sender on a resident's screen.
func (w *world) last(app, who, from string) wechatfake.Card {
	w.t.Helper()
	cards := w.Cards(app, who)
	for _, card := range slices.Backward(cards) {
		if card.From == from {
			return card
		}
	}
	w.t.Fatalf("%s got nothing from %s: %+v", who, from, cards)
	return wechatfake.Card{}
}

// report leads a resident through the whole dialogue and gives the number of the case.
func (w *world) report(who string) string {
	w.t.Helper()
	w.says(who, "家里不热", "住址")
	w.says(who, "向阳花园3号楼2单元601", "城北热力", "手机号")
	w.says(who, phone, "从什么时候")
	w.says(who, "2", "测室温")
	w.says(who, "1", "正在登记")
	w.work()
	m := regexp.MustCompile(`编号 (\S+?)[，。]`).FindStringSubmatch(w.last(officialID, who, wechatfake.Service).Text)
	if m == nil {
		w.t.Fatalf("no number in %q", w.last(officialID, who, wechatfake.Service).Text)
	}
	return m[1]
}

func (w *world) caseOf(no string) cases.Case {
	w.t.Helper()
	c, err := w.cases.ByNo(ctx, leader, city, no)
	return must(c, err)
}

// bind proves a telephone in the conversation.
func (w *world) bind(who, number string) {
	w.t.Helper()
	w.says(who, "绑定", "手机号")
	w.says(who, number, "6位")
	w.work()
	w.says(who, w.code(number), "绑定好了")
}

// code is the newest code that a telephone was sent.
func (w *world) code(number string) string {
	w.t.Helper()
	sent := w.sms.Sent()
	for _, s := range slices.Backward(sent) {
		if c := s.Params["code"]; s.To == number && c != "" {
			return c
		}
	}
	w.t.Fatalf("%s got no code", number)
	return ""
}

func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	n, err := db.Read(ctx, w.d, func(tx *db.Tx) (int, error) { return db.One[int](ctx, tx, query, append([]any{city}, args...)...) })
	return must(n, err)
}

// person is whose telephone it is.
func (w *world) person(number string) string {
	w.t.Helper()
	id, err := db.Read(ctx, w.d, func(tx *db.Tx) (string, error) {
		id, _, err := secret.FindSubject(ctx, tx, w.ring, city, secret.Phone, number)
		return id, err
	})
	return must(id, err)
}

// tell writes a message down for a telephone, as a step of a case does.
func (w *world) tell(number, matter string) notice.Notice {
	w.t.Helper()
	person := w.person(number)
	n, err := db.Write(ctx, w.d, func(tx *db.Tx) (notice.Notice, error) {
		return w.notices.EnqueueIn(ctx, tx, leader, notice.Message{
			City: city, Channel: notice.WeChat, Person: person, To: person, Template: "notice.expired", Matter: matter, Subject: "case:1",
			Params: map[string]any{"no": "20260115-00001", "link": "https://heat.example.cn/r/tok123"}, QuietExempt: true,
		})
	})
	return must(n, err)
}

func (w *world) notice(id string) notice.View {
	w.t.Helper()
	v, err := w.notices.Get(ctx, leader, city, id)
	return must(v, err)
}

func jpegOf(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encodePicture(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// question asks somebody at a telephone whether a worker really came.
func (w *world) question(number string) {
	w.t.Helper()
	_, err := db.Write(ctx, w.d, func(tx *db.Tx) (notice.Question, error) {
		return w.notices.AskIn(ctx, tx, leader, notice.Asking{
			Message: notice.Message{
				City: city, Channel: notice.SMS, To: number, Template: "message.ask.visit", Subject: "case:1", Matter: "q", QuietExempt: true,
				Params: map[string]any{"no": "1", "at": "19:42", "link": "x"},
			},
			Ref: "case:1/visit:1", Answers: []string{"yes", "no"}, Until: tx.Now.Add(time.Hour),
		})
	})
	must(0, err)
}

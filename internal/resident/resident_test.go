package resident_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/notice/smsfake"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
)

const (
	city     = 990100
	mother   = "13803510001" // the holder of H1
	son      = "13903510002" // nobody knows him
	stranger = "13703510003"
)

var (
	ctx     = context.Background()
	visitor = actor.Anonymous(actor.Public)
	signer  = notice.Signer{Account: "rehu", Secret: "s3cret", Machine: time.Now}
	seat    = actor.Actor{ID: "seat", Kind: actor.Person, Org: "centre", Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}
)

func ofCompany(code string) actor.Actor {
	return actor.Actor{ID: "c-" + code, Kind: actor.Person, Org: code, Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{code}}}}
}

// hall is a service on a database with two homes, whose machine clock tests move.
type hall struct {
	*resident.Service
	t      *testing.T
	d      *db.DB
	now    atomic.Int64
	runner *jobs.Runner
	fake   *smsfake.Gateway
	blobs  *blob.Service
	log    bytes.Buffer
}

func (k *hall) machine() time.Time       { return time.UnixMilli(k.now.Load()) }
func (k *hall) advance(by time.Duration) { k.now.Add(by.Milliseconds()) }

type options struct {
	limits    resident.Limits
	noGateway bool
}

func newHall(t *testing.T, d *db.DB, o options) *hall {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	k := &hall{t: t, d: d, fake: smsfake.New(signer)}
	k.now.Store(time.Date(2026, 1, 15, 8, 0, 0, 0, time.UTC).UnixMilli())
	log := slog.New(slog.NewTextHandler(&k.log, nil))
	k.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: log, Machine: time.Now, Cities: func() []int { return []int{city} }})
	no := notice.Options{DB: d, Ring: ring, Jobs: k.runner}
	if !o.noGateway {
		srv := httptest.NewServer(k.fake)
		t.Cleanup(srv.Close)
		g, err := notice.NewSMSGateway(notice.SMSConfig{URL: srv.URL + "/send", Signer: signer, Sign: "暖城供热"})
		if err != nil {
			t.Fatal(err)
		}
		no.Gateways = map[notice.Channel]notice.Gateway{notice.SMS: g}
	}
	notices, err := notice.New(no)
	if err != nil {
		t.Fatal(err)
	}
	places := place.New(d, ring)
	places.Owner = func(_ context.Context, _ *db.Tx, _ int, community, _ string) (string, string, error) {
		return map[string]string{"sun": "C1", "jade": "C2"}[community], "", nil
	}
	k.blobs = blob.New(d, blob.Disk(t.TempDir()))
	k.Service, err = resident.New(resident.Options{
		DB: d, Ring: ring, Jobs: k.runner, Notices: notices, Places: places, Blobs: k.blobs, Machine: k.machine, Log: log, Limits: o.limits,
		Bills: func(_ context.Context, _ *db.Tx, _ int, account string) ([]money.Fen, error) {
			return map[string][]money.Fen{"1000001": {196_420}}[account], nil
		},
		Locate: func(_ context.Context, _ *db.Tx, _ int, words string) (resident.Spot, error) {
			if strings.Contains(words, "阳光花园") {
				return resident.Spot{District: "D1", Company: "C1"}, nil
			}
			return resident.Spot{}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	k.furnish(ring)
	return k
}

func edition(key string) place.Edition {
	return place.Edition{City: city, Key: key, Until: place.Forever}
}

// furnish keeps two homes: H1 of the mother, and one of which nobody gave a telephone.
func (k *hall) furnish(ring *secret.Ring) {
	k.t.Helper()
	err := db.Do(ctx, k.d, func(tx *db.Tx) error {
		for _, kind := range place.Kinds() {
			if _, err := place.HoldIn(ctx, tx, city, kind); err != nil {
				return err
			}
		}
		p, err := secret.Subject(ctx, tx, ring, city, secret.Phone, mother)
		if err != nil {
			return err
		}
		own := place.HouseholdRow{Edition: edition("1000001"), Account: "1000001", Community: "sun", Building: "3", Unit: "1", Room: "601", HeatStatus: "on"}
		own.Seal(p, "欧阳锋", "138-0351-0001")
		bare := place.HouseholdRow{Edition: edition("1000002"), Account: "1000002", Community: "jade", Building: "1", Unit: "1", Room: "101"}
		if err := db.InsertAll(ctx, tx, "community", []place.Community{
			{Edition: edition("D1|阳光花园"), ID: "sun", Name: "阳光花园", District: "D1", Connected: true},
			{Edition: edition("D2|翡翠名邸"), ID: "jade", Name: "翡翠名邸", District: "D2", Connected: true},
		}); err != nil {
			return err
		}
		return db.InsertAll(ctx, tx, "household", []place.HouseholdRow{own, bare})
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *hall) work() {
	k.t.Helper()
	if err := k.runner.RunDue(ctx); err != nil {
		k.t.Fatal(err)
	}
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code is the code that a telephone was sent last.
func (k *hall) code(phone string) string {
	k.t.Helper()
	k.work()
	sent := k.fake.Sent()
	for _, m := range slices.Backward(sent) {
		if m.To == phone && m.Params["code"] != "" {
			return sixDigits.FindString(m.Text)
		}
	}
	k.t.Fatalf("no code was sent to %s; sent %+v; log %s", secret.MaskPhone(phone), sent, k.log.String())
	return ""
}

// enter logs somebody in.
func (k *hall) enter(phone string) actor.Actor {
	k.t.Helper()
	t := k.ticket(phone)
	return resident.As(city, t.Person, actor.Public)
}

func (k *hall) ticket(phone string) resident.Ticket {
	k.t.Helper()
	if _, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: phone, Address: phone}); err != nil {
		k.t.Fatal(err)
	}
	t, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: phone, Code: k.code(phone), Address: phone})
	if err != nil {
		k.t.Fatal(err)
	}
	return t
}

func key(err error) string {
	if err == nil {
		return ""
	}
	f := fault.Of(err)
	if len(f.Fields) > 0 {
		return f.Fields[0].Key
	}
	return f.Key
}

func each(t *testing.T, o options, fn func(k *hall)) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(newHall(t, d, o)) })
}

// generous lets a test ask often.
var generous = resident.Limits{
	Phone: resident.Limit{Free: 100, Most: 100}, Bind: resident.Limit{Free: 100, Most: 100}, Account: resident.Limit{Free: 100, Most: 100},
}

func TestACodeLogsIn(t *testing.T) {
	each(t, options{}, func(k *hall) {
		asked, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: "138 0351 0001", Address: "a"})
		if want := (resident.Asked{Minutes: 5, Again: 60}); err != nil || asked != want {
			k.t.Fatalf("%+v %v; want %+v", asked, err, want)
		}
		code := k.code(mother)
		for _, phone := range []string{son, mother} {
			wrong := "000000"
			if code == wrong {
				wrong = "000001"
			}
			if _, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: phone, Code: wrong, Address: "a"}); key(err) != "resident.bad_code" {
				k.t.Errorf("wrong code of %s: %v", phone, err)
			}
		}
		spaced := strings.ReplaceAll(code[:3]+" "+code[3:], "1", "１")
		first, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: "+86 138-0351-0001", Code: spaced, Address: "a", Agent: "MicroMessenger"})
		if err != nil || !first.First || first.Token == "" {
			k.t.Fatalf("%+v %v", first, err)
		}
		if _, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: mother, Code: code, Address: "a"}); key(err) != "resident.bad_code" {
			k.t.Errorf("the same code twice: %v", err)
		}
		who, ok, err := k.Authenticate(ctx, city, first.Token)
		if err != nil || !ok || who.Phone != "138****0001" || who.Person != first.Person || who.Actor.Kind != actor.Resident {
			k.t.Errorf("%+v %v %v", who, ok, err)
		}
		if _, ok, _ := k.Authenticate(ctx, city+1, first.Token); ok {
			k.t.Error("the session holds in another city")
		}
		if phone, err := k.Phone(ctx, who.Actor, city); phone != mother || err != nil {
			k.t.Errorf("own telephone %q %v", phone, err)
		}
		if got := k.Counts()[resident.EventEnter]; got != 1 {
			k.t.Errorf("%d logins counted", got)
		}
		k.recorded("resident:"+first.Person, "resident.enter")
	})
}

// recorded looks for acts in a chain.
func (k *hall) recorded(subject string, acts ...string) {
	k.t.Helper()
	all, err := db.Read(ctx, k.d, func(tx *db.Tx) ([]audit.Entry, error) { return audit.History(ctx, tx, city, subject, 0) })
	if err != nil {
		k.t.Fatal(err)
	}
	var got []string
	for _, e := range all {
		got = append(got, e.Act)
	}
	if diff := cmp.Diff(acts, got); diff != "" {
		k.t.Errorf("chain of %s (-want +got)\n%s", subject, diff)
	}
}

// TestNobodyLearnsWhoIsKnown asks for codes for a telephone of the register, of a resident and of nobody.
func TestNobodyLearnsWhoIsKnown(t *testing.T) {
	each(t, options{}, func(k *hall) {
		k.enter(son)
		k.advance(25 * time.Hour)
		subjects := func() int {
			n, err := db.Read(ctx, k.d, func(tx *db.Tx) (int, error) {
				return db.One[int](ctx, tx, `SELECT count(*) FROM data_subject WHERE city_id = $1`, city)
			})
			if err != nil {
				k.t.Fatal(err)
			}
			return n
		}
		before := subjects()
		var answers []resident.Asked
		for _, phone := range []string{mother, son, stranger} {
			a, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: phone, Address: phone})
			if err != nil {
				k.t.Fatal(err)
			}
			answers = append(answers, a)
		}
		if answers[0] != answers[1] || answers[1] != answers[2] {
			k.t.Errorf("answers differ: %+v", answers)
		}
		if after := subjects(); after != before {
			k.t.Error("asking looked somebody up: a person more is kept")
		}
	})
}

func TestCodesStandNowhereInTheClear(t *testing.T) {
	each(t, options{}, func(k *hall) {
		if _, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: mother, Address: "a"}); err != nil {
			k.t.Fatal(err)
		}
		code := k.code(mother)
		for _, query := range []string{
			`SELECT code_hash || ' ' || sealed || ' ' || phone FROM resident_code WHERE city_id = $1`, `SELECT args FROM job WHERE city_id = $1`,
			`SELECT text || ' ' || coalesce(params, '') || ' ' || private || ' ' || recipient FROM notice WHERE city_id = $1`,
			`SELECT name FROM resident_count WHERE city_id = $1`, `SELECT body FROM entry WHERE city_id = $1`,
		} {
			all, err := db.Read(ctx, k.d, func(tx *db.Tx) ([]string, error) { return db.List[string](ctx, tx, query, city) })
			if err != nil {
				k.t.Fatalf("%s: %v", query, err)
			}
			for _, s := range all {
				if strings.Contains(s, code) || strings.Contains(s, mother) {
					k.t.Errorf("%s shows it: %s", query, s)
				}
			}
		}
		if strings.Contains(k.log.String(), code) || strings.Contains(k.log.String(), mother) {
			k.t.Error("the log shows it")
		}
	})
}

func TestACodeIsSpentByWrongTries(t *testing.T) {
	each(t, options{}, func(k *hall) {
		if _, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: mother, Address: "a"}); err != nil {
			k.t.Fatal(err)
		}
		code := k.code(mother)
		wrong := "123456"
		if code == wrong {
			wrong = "654321"
		}
		for range 5 {
			if _, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: mother, Code: wrong, Address: "b"}); key(err) != "resident.bad_code" {
				k.t.Fatal(err)
			}
		}
		if _, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: mother, Code: code, Address: "b"}); key(err) != "resident.bad_code" {
			k.t.Errorf("the right code after five wrong ones: %v", err)
		}
	})
}

func TestACodeEnds(t *testing.T) {
	each(t, options{}, func(k *hall) {
		if _, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: mother, Address: "a"}); err != nil {
			k.t.Fatal(err)
		}
		code := k.code(mother)
		k.advance(resident.CodeLife)
		if _, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: mother, Code: code, Address: "a"}); key(err) != "resident.bad_code" {
			k.t.Errorf("an old code: %v", err)
		}
	})
}

// TestOneCodeOneLogin types the right code twenty times at once.
func TestOneCodeOneLogin(t *testing.T) {
	each(t, options{}, func(k *hall) {
		if _, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: mother, Address: "a"}); err != nil {
			k.t.Fatal(err)
		}
		code := k.code(mother)
		var in atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: mother, Code: code, Address: "a"}); err == nil {
					in.Add(1)
				}
			})
		}
		wg.Wait()
		if in.Load() != 1 {
			k.t.Errorf("%d logins with one code", in.Load())
		}
	})
}

func TestAskingCostsGrowingWaits(t *testing.T) {
	each(t, options{}, func(k *hall) {
		ask := func() error {
			_, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: mother, Address: "a"})
			return err
		}
		var waits []int
		for range 8 {
			minutes := 0
			for fault.Is(ask(), fault.Exhausted) && minutes < 100 {
				k.advance(time.Minute)
				minutes++
			}
			waits = append(waits, minutes)
		}
		if diff := cmp.Diff([]int{0, 1, 2, 5, 15, 60, 60, 60}, waits); diff != "" {
			k.t.Errorf("minutes before each code (-want +got)\n%s", diff)
		}
		k.advance(2 * time.Hour)
		if err := ask(); !fault.Is(err, fault.Exhausted) {
			k.t.Errorf("a ninth code in a day: %v", err)
		}
		k.advance(24 * time.Hour)
		if err := ask(); err != nil {
			k.t.Errorf("the next day: %v", err)
		}
	})
}

func TestAddressAndCityAreBounded(t *testing.T) {
	limits := resident.Limits{Address: resident.Limit{Free: 3, Waits: []time.Duration{time.Minute}, Most: 5}, City: resident.Limit{Free: 7, Most: 7}}
	each(t, options{limits: limits}, func(k *hall) {
		ask := func(n int, address string) string {
			_, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: "1380000" + strings.Repeat("0", 3) + string(rune('0'+n)), Address: address})
			return key(err)
		}
		for n := range 4 {
			if got := ask(n, "a"); got != "" {
				k.t.Fatalf("code %d of an address: %s", n+1, got)
			}
		}
		if got := ask(4, "a"); got != "resident.code_wait.seconds" {
			k.t.Errorf("a fifth at once: %q", got)
		}
		for n := 4; n < 7; n++ {
			if got := ask(n, "b"); got != "" {
				k.t.Fatalf("code %d of the city: %s", n+1, got)
			}
		}
		if got := ask(8, "c"); got != "resident.code_wait.minutes" {
			k.t.Errorf("beyond the city's day: %q", got)
		}
		if got := k.Counts()[resident.EventCodeLimit]; got != 2 {
			k.t.Errorf("%d refusals counted", got)
		}
	})
}

// TestGuessingFromAnAddressIsBounded tries codes for many telephones from one address.
func TestGuessingFromAnAddressIsBounded(t *testing.T) {
	each(t, options{}, func(k *hall) {
		refused := 0
		for n := range 30 {
			_, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: "138000000" + string(rune('0'+n/10)) + string(rune('0'+n%10)), Code: "000000", Address: "a"})
			if fault.Is(err, fault.Exhausted) {
				refused++
			}
		}
		if refused != 19 {
			k.t.Errorf("%d of 30 guesses were refused unheard; want 19", refused)
		}
	})
}

func TestWithoutAGatewayEverybodyGetsTheSameAnswer(t *testing.T) {
	each(t, options{noGateway: true}, func(k *hall) {
		for _, phone := range []string{mother, stranger} {
			if _, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: phone, Address: "a"}); key(err) != "resident.no_gateway" || !fault.Is(err, fault.Down) {
				k.t.Errorf("%v", err)
			}
		}
	})
}

func TestOnlyMobilesGetCodes(t *testing.T) {
	each(t, options{}, func(k *hall) {
		for _, phone := range []string{"", "0351-4000000", "12345", "1380351000x", "' OR 1=1 --"} {
			if _, err := k.RequestCode(ctx, visitor, resident.Ask{City: city, Phone: phone, Address: "a"}); key(err) != "resident.not_mobile" {
				k.t.Errorf("%q: %v", phone, err)
			}
			if _, err := k.Enter(ctx, visitor, resident.Entry{City: city, Phone: phone, Code: "1", Address: "a"}); key(err) != "resident.not_mobile" {
				k.t.Errorf("%q: %v", phone, err)
			}
		}
	})
}

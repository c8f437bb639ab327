package settle_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

const (
	city   = 990100
	season = "2025-2026"
)

var ctx = context.Background()

// desk is a city with two companies, six households and the season's bills, on one database.
type desk struct {
	*settle.Service
	t     *testing.T
	d     *db.DB
	clock *dbtest.Clock
	rules *citypack.Rules
	fees  *fee.Service
	lists *register.Service

	mu     sync.Mutex
	events map[string][]refund.Event

	clerk, chief, company actor.Actor

	runner *jobs.Runner
	ledger *clock.Ledger
}

const (
	companies   = "企业代码,企业名称\nC1,暖城热力\nC2,南湖热电\n"
	communities = "小区,区县,企业,热力站\n阳光花园,南湖区,C1,S1\n翡翠名邸,北山区,C2,S2\n"
	households  = "户号,小区,楼号,单元,房号,户主,电话,面积,价格类别\n" +
		"H1,阳光花园,1,1,101,王小明,13812345678,100,居民\nH2,阳光花园,1,1,102,李四,13812345679,100,居民\nH3,阳光花园,2,1,101,,,100,居民\n" +
		"H4,翡翠名邸,1,1,101,赵五,13812345670,100,居民\nH5,翡翠名邸,1,1,102,,,100,居民\nH6,翡翠名邸,1,1,103,,,,居民\n"
	bills = "户号,采暖期,应收,实收\nH1,2025-2026,2420.00,2420.00\nH2,2025-2026,2420.00,2000.00\nH4,2025-2026,2420.00,2420.00\n"
)

func newDesk(t *testing.T, d *db.DB, now *dbtest.Clock) *desk {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := set.City(city)
	if err != nil {
		t.Fatal(err)
	}
	k := &desk{t: t, d: d, clock: now, rules: &citypack.Rules{Pack: pack}, events: map[string][]refund.Event{}}
	rules := func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return k.rules, nil }
	places := place.New(d, ring)
	territories := territory.NewService(d, places, time.Now)
	lists := register.New(register.Options{DB: d, Ring: ring, Places: places, Territories: territories})
	root := actor.SystemFor("import", actor.Command)
	for _, l := range []struct {
		kind    place.Kind
		content string
	}{{place.Companies, companies}, {place.Communities, communities}, {place.Households, households}, {place.Fees, bills}} {
		r, err := lists.Import(ctx, root, register.Request{City: city, Kind: l.kind, Version: versionOf(l.kind), From: civil.NewDate(2025, 9, 1), Source: "test"}, strings.NewReader(l.content))
		if err != nil {
			t.Fatalf("import %s: %v %v", l.kind, err, r.Faults)
		}
	}
	k.lists, k.fees = lists, fee.New(fee.Options{DB: d, Places: places, Rules: rules, Credits: settle.CreditsIn, SetOffs: settle.SetOffsIn})
	k.runner = jobs.NewRunner(d, jobs.RunnerOptions{Name: "t", Log: slog.New(slog.DiscardHandler), Machine: time.Now, Cities: func() []int { return []int{city} }})
	if k.ledger, err = clock.New(clock.Options{DB: d, Rules: rules, Jobs: k.runner}); err != nil {
		t.Fatal(err)
	}
	k.ledger.OnStep = func(ctx context.Context, tx *db.Tx, by actor.Actor, c clock.Clock, step citypack.Step) error {
		_, err := k.Step(ctx, tx, by, c, step)
		return err
	}
	notices, err := notice.New(notice.Options{DB: d, Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	k.Service, err = settle.New(settle.Options{
		DB: d, Ring: ring, Places: places, Rules: rules, Fees: k.fees, Batch: 2, Patience: 60 * time.Millisecond, Jobs: k.runner, Clocks: k.ledger, Notices: notices,
		Events: func(_ context.Context, _ *db.Tx, _ int, account string) ([]refund.Event, error) {
			k.mu.Lock()
			defer k.mu.Unlock()
			return slices.Clone(k.events[account]), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	k.clerk = staffOf("clerk", actor.RoleSectionHead, "")
	k.chief = staffOf("chief", actor.RoleRegulator, "")
	k.company = staffOf("c1", actor.RoleCompany, "C1")
	return k
}

func versionOf(k place.Kind) string {
	if k == place.Communities {
		return "2025"
	}
	return ""
}

func staffOf(id string, role actor.Role, company string) actor.Actor {
	g := actor.Grant{Role: role, City: city}
	if company != "" {
		g.Companies = []string{company}
	}
	return actor.Actor{ID: id, Name: id, Kind: actor.Person, Grants: []actor.Grant{g}}
}

// each runs a test on both databases, in the middle of a season.
func each(t *testing.T, fn func(t *testing.T, k *desk)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := dbtest.NewClock()
		clock.Set(civil.On(civil.NewDate(2026, 4, 1), 9, 0))
		d.SetClock(clock.Now)
		fn(t, newDesk(t, d, clock))
	})
}

// cold is what a home at a temperature looks like: asked for on a day, measured the next, warm again after some days.
func cold(from civil.Date, days int, temp int) []refund.Event {
	yes := true
	reading := func(c int) []refund.Reading { return []refund.Reading{{Room: "客厅", TempC: tenths(c)}} }
	return []refund.Event{
		{Type: refund.Requested, At: civil.On(from, 9, 0)},
		{Type: refund.Tested, At: civil.On(from, 15, 0), Readings: reading(temp), By: refund.ByCompany, SignedUser: &yes, SignedCompany: &yes, Record: "r1"},
		{Type: refund.Retested, At: civil.On(from.AddDays(days), 15, 0), Readings: reading(205), By: refund.ByCompany, SignedUser: &yes, SignedCompany: &yes, Record: "r2"},
	}
}

// happens lets something be measured at a home.
func (k *desk) happens(account string, events ...refund.Event) {
	k.t.Helper()
	k.mu.Lock()
	k.events[account] = append(k.events[account], events...)
	k.mu.Unlock()
	err := db.Do(ctx, k.d, func(tx *db.Tx) error {
		return k.RefreshIn(ctx, tx, actor.SystemFor("measure", actor.Job), city, account)
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *desk) claim(account string) settle.View {
	k.t.Helper()
	v, err := k.Claim(ctx, k.clerk, city, season, account)
	if err != nil {
		k.t.Fatal(err)
	}
	return v
}

func (k *desk) confirm(account string) settle.View {
	k.t.Helper()
	c := k.claim(account)
	v, err := k.ConfirmClaim(ctx, k.clerk, settle.MoveInput{City: city, Season: season, Account: account, Version: c.Version})
	if err != nil {
		k.t.Fatal(err)
	}
	return v
}

func (k *desk) settle(period string) settle.Settlement {
	k.t.Helper()
	x, err := k.Settle(ctx, k.clerk, settle.RunInput{City: city, Season: season, Period: period})
	if err != nil {
		k.t.Fatal(err)
	}
	return x
}

func (k *desk) approve(x settle.Settlement) settle.Settlement {
	k.t.Helper()
	x, err := k.ApproveSettlement(ctx, k.chief, settle.ApproveInput{City: city, ID: x.ID, Version: x.Version})
	if err != nil {
		k.t.Fatal(err)
	}
	if err := k.OrderPayouts(ctx, city, x.ID); err != nil {
		k.t.Fatal(err)
	}
	return x
}

func (k *desk) payee(account string, in settle.PayeeInput) settle.Payee {
	k.t.Helper()
	in.City, in.Account = city, account
	p, err := k.SetPayee(ctx, actor.SystemFor("counter", actor.Command), in)
	if err != nil {
		k.t.Fatal(err)
	}
	return p
}

func (k *desk) orders() map[string]settle.Payout {
	k.t.Helper()
	l, err := k.Payouts(ctx, k.clerk, city, settle.PayFilter{Season: season})
	if err != nil {
		k.t.Fatal(err)
	}
	out := map[string]settle.Payout{}
	for _, p := range l.Items {
		out[p.Account] = p
	}
	return out
}

// balanced fails unless both equations of the books hold.
func (k *desk) balanced() settle.Books {
	k.t.Helper()
	b, err := k.Books(ctx, k.clerk, city, season)
	if err != nil {
		k.t.Fatal(err)
	}
	if !b.Balanced() {
		k.t.Errorf("the books do not balance: %+v", b)
	}
	return b
}

func yuan(s string) money.Fen {
	f, err := money.Parse(s)
	if err != nil {
		panic(fmt.Sprint(s, err))
	}
	return f
}

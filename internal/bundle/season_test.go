package bundle_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

const winter = "2025-2026"

// purse is a city with cold homes, their claims and the service that gives them away.
type purse struct {
	*bundle.Service
	t      testing.TB
	d      *db.DB
	clock  *dbtest.Clock
	settle *settle.Service
	events map[string][]refund.Event
}

func newPurse(t testing.TB, d *db.DB) *purse {
	t.Helper()
	clock := dbtest.NewClock()
	clock.Set(civil.On(civil.NewDate(2026, 4, 1), 9, 0))
	d.SetClock(clock.Now)
	ring, err := secret.ParseRing("k1:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
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
	rules := func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return &citypack.Rules{Pack: pack}, nil }
	places := place.New(d, ring)
	lists := register.New(register.Options{DB: d, Ring: ring, Places: places, Territories: territory.NewService(d, places, time.Now)})
	for _, l := range []struct {
		kind          place.Kind
		version, text string
	}{
		{place.Companies, "", "企业代码,企业名称\nC1,暖城热力\n"},
		{place.Communities, "2025", "小区,区县,企业,热力站\n阳光花园,南湖区,C1,S1\n"},
		{place.Households, "", "户号,小区,楼号,单元,房号,户主,电话,面积,价格类别\nH1,阳光花园,1,1,101,王小明,13812345678,100,居民\nH2,阳光花园,1,1,102,,,90,居民\nH3,阳光花园,1,1,103,,,80,居民\n"},
	} {
		in := register.Request{City: city, Kind: l.kind, Version: l.version, From: civil.NewDate(2025, 9, 1), Source: "test"}
		if r, err := lists.Import(context.Background(), actor.SystemFor("import", actor.Command), in, strings.NewReader(l.text)); err != nil {
			t.Fatalf("import %s: %v %v", l.kind, err, r.Faults)
		}
	}
	k := &purse{t: t, d: d, clock: clock, events: map[string][]refund.Event{}}
	fees := fee.New(fee.Options{DB: d, Places: places, Rules: rules})
	k.settle, err = settle.New(settle.Options{
		DB: d, Ring: ring, Places: places, Rules: rules, Fees: fees, Batch: 2,
		Events: func(_ context.Context, _ *db.Tx, _ int, account string) ([]refund.Event, error) {
			return slices.Clone(k.events[account]), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	k.Service = bundle.New(bundle.Options{DB: d, Ring: ring, Program: "rehu test", Settle: k.settle, Places: places, Fees: fees})
	return k
}

// cold makes a home cold from a day in January on, and reckons its claim.
func (k *purse) cold(account string, day, days int, temp celsius.Tenths, confirm bool) {
	k.t.Helper()
	k.clock.Advance(time.Hour)
	from := civil.NewDate(2026, 1, day)
	at := func(d, hour int) civil.Instant { return civil.On(from.AddDays(d), hour, 0) }
	k.events[account] = append(k.events[account],
		refund.Event{Type: refund.Requested, At: at(0, 8)},
		refund.Event{Type: refund.Tested, At: at(0, 10), By: refund.ByCompany, Readings: []refund.Reading{{Room: "客厅", TempC: temp}}},
		refund.Event{Type: refund.Retested, At: at(days, 10), By: refund.ByCompany, Readings: []refund.Reading{{Room: "客厅", TempC: 190}}})
	err := db.Do(context.Background(), k.d, func(tx *db.Tx) error { return k.settle.RefreshIn(context.Background(), tx, system, city, account) })
	if err != nil || !confirm {
		k.fatal(err)
		return
	}
	clerk := actor.Actor{ID: "clerk", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSectionHead, City: city}}}
	v, err := k.settle.Claim(context.Background(), clerk, city, winter, account)
	k.fatal(err)
	_, err = k.settle.ConfirmClaim(context.Background(), clerk, settle.MoveInput{City: city, Season: winter, Account: account, Version: v.Version})
	k.fatal(err)
}

func (k *purse) fatal(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// settled settles the season and has it approved by a second person.
func (k *purse) settled(period string) {
	k.t.Helper()
	k.clock.Advance(time.Hour)
	x, err := k.settle.Settle(context.Background(), system, settle.RunInput{City: city, Season: winter, Period: period})
	k.fatal(err)
	chief := actor.Actor{ID: "chief", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleRegulator, City: city}}}
	_, err = k.settle.ApproveSettlement(context.Background(), chief, settle.ApproveInput{City: city, ID: x.ID, Version: x.Version})
	k.fatal(err)
}

func (k *purse) file() string {
	k.t.Helper()
	var b bytes.Buffer
	k.fatal(k.ExportSeason(context.Background(), system, bundle.SeasonRequest{City: city, Season: winter}, &b))
	return b.String()
}

// TestASeasonsFileVerifies through two settlements, new facts between them, and refuses books that do not follow.
func TestASeasonsFileVerifies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newPurse(t, d)
		k.cold("H1", 10, 10, 170, true)
		k.cold("H2", 12, 5, 150, true)
		k.cold("H3", 12, 5, 150, false)
		k.settled("2026-01")
		k.cold("H1", 28, 10, 170, true)
		k.settled("")
		file := k.file()
		r, err := verify(file, bundle.Verification{})
		if err != nil || r.Claims != 3 || r.Unproved != 1 {
			t.Fatalf("%v: %d claims, %d unproved, problems %+v\n%s", err, r.Claims, r.Unproved, r.Problems, file)
		}
		for _, personal := range []string{"王小明", "13812345678", `"H1"`, "阳光花园"} {
			if strings.Contains(file, personal) {
				t.Errorf("%s is in the file", personal)
			}
		}
		for _, in := range []string{"books", "total", "claim", "settlement", "terms"} {
			lines := linesOf(file)
			i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, `{"`+in+`":`) })
			lines = slices.Delete(lines, i, i+1)
			if _, err := verify(resign(t, lines), bundle.Verification{}); !fault.Is(err, fault.Invalid) {
				t.Errorf("without a line of %s: %v", in, err)
			}
		}
	})
}

// TestWhoMayTakeMoneyAway: a company takes its own homes' files and no season's.
func TestWhoMayTakeMoneyAway(t *testing.T) {
	t.Parallel()
	k := newPurse(t, dbtest.SQLite(t))
	k.cold("H1", 10, 10, 170, false)
	company := func(code string) actor.Actor {
		return actor.Actor{ID: code, Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{code}}}}
	}
	one := bundle.HouseholdRequest{City: city, Season: winter, Account: "H1"}
	if err := k.ExportHousehold(context.Background(), company("C1"), one, &bytes.Buffer{}); err != nil {
		t.Errorf("its own home: %v", err)
	}
	if err := k.ExportHousehold(context.Background(), company("C2"), one, &bytes.Buffer{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("another company's home: %v; want NotFound", err)
	}
	if err := k.ExportSeason(context.Background(), company("C1"), bundle.SeasonRequest{City: city, Season: winter}, &bytes.Buffer{}); !fault.Is(err, fault.Denied) {
		t.Errorf("a company's season: %v; want Denied", err)
	}
}

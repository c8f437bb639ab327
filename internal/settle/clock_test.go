package settle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/text"
)

// on lets the city's clock reach a moment, with every job that is due on the way.
func (k *desk) on(month time.Month, day int) {
	k.t.Helper()
	k.until(civil.On(civil.NewDate(2026, month, day), 9, 0))
}

func (k *desk) until(at civil.Instant) {
	k.t.Helper()
	for k.d.Now().Before(at) {
		k.clock.Set(min(at, k.d.Now().Add(24*time.Hour)))
		if err := k.runner.RunDue(ctx); err != nil {
			k.t.Fatal(err)
		}
	}
}

// clockOf is the one clock that a claim stands under.
func (k *desk) clockOf(account string) (clock.Clock, settle.View) {
	k.t.Helper()
	v := k.claim(account)
	if len(v.Clocks) != 1 {
		k.t.Fatalf("%s stands under the clocks %+v", account, v.Clocks)
	}
	return v.Clocks[0], v
}

// told are the words that were put into inboxes about legal days, with whose they are.
func (k *desk) told() []string {
	k.t.Helper()
	type row struct {
		Org  string `db:"org"`
		Role string `db:"role"`
		Text string `db:"text"`
	}
	rows, err := db.Read(ctx, k.d, func(tx *db.Tx) ([]row, error) {
		return db.List[row](ctx, tx, `SELECT org, role, text FROM notice WHERE city_id = $1 AND template LIKE 'settle.clock.%' ORDER BY id`, city)
	})
	if err != nil {
		k.t.Fatal(err)
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = strings.TrimSpace(r.Org+" "+r.Role) + ": " + r.Text
	}
	return out
}

// TestTheLegalDayHasAClock: it runs from the season's end, warns the company by the pack's shares, then the authority, and says
// so to the household, on the overdue list and to the public; a proof of payment stops it.
func TestTheLegalDayHasAClock(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H1", cold(january, 10, 170)...)
		k.happens("H2", cold(january, 5, 150)...)
		k.confirm("H1")
		k.on(time.April, 2)
		c, v := k.clockOf("H1")
		if c.Due != civil.NewDate(2026, 5, 16).Start() || c.Org != "C1" || c.State != clock.Running || c.Code != citypack.ClockRefund {
			t.Fatalf("the clock is %+v", c)
		}
		if got := v.ClockWords(k.rules)[0].In(text.ZH); got != "退费到账：2025-2026采暖期退费应在2026-05-15（含当日）前退到账，时限从采暖期结束（2026-03-15）起算。" {
			t.Error(got)
		}
		k.on(time.May, 15)
		want := []string{
			"C1 company: 2025-2026采暖期退费应在2026-05-15（含当日）前退到账：还有2户、120.00元未退。",
			"C1 company: 催办：2025-2026采暖期退费应在2026-05-15（含当日）前退到账，还有2户、120.00元未退，请抓紧付款。",
		}
		if diff := cmp.Diff(want, k.told()); diff != "" {
			t.Errorf("before the day: %s", diff)
		}
		k.on(time.May, 24)
		want = append(want,
			"C1 company: 暖城热力的2025-2026采暖期退费应在2026-05-15前退到账，已超过1天：还有2户、120.00元未退。",
			"section_head: 暖城热力的2025-2026采暖期退费应在2026-05-15前退到账，已超过1天：还有2户、120.00元未退。",
			"section_head: 暖城热力的2025-2026采暖期退费应在2026-05-15前退到账，已超过8天：还有2户、120.00元未退。请制发《督办单》。")
		if diff := cmp.Diff(want, k.told()); diff != "" {
			t.Errorf("past the day: %s", diff)
		}
		late, err := k.Overdue(ctx, k.clerk, city, season)
		if err != nil || len(late) != 1 || late[0].Stage != citypack.StageSupervise || late[0].Unsettled != 2 {
			t.Errorf("overdue list %+v (%v)", late, err)
		}
		p, err := k.PublicList(ctx, city, season)
		if err != nil || len(p) != 1 || p[0].Unsettled != 2 || p[0].Late != yuan("120.00") || p[0].Overdue != 0 {
			t.Errorf("the public sees %+v (%v), though nothing was settled", p, err)
		}
		c, v = k.clockOf("H1")
		if !c.Late(k.d.Now()) || c.Breached != c.Due || len(v.Escalated()) != 5 {
			t.Errorf("the household's clock %+v, told %d", c, len(v.Escalated()))
		}

		k.confirm("H2")
		k.payee("H1", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true})
		k.payee("H2", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true})
		k.approve(k.settle(""))
		paid := k.d.Now()
		k.on(time.July, 1)
		if c, _ = k.clockOf("H1"); c.State != clock.Stopped || c.Stopped != paid || !c.Late(k.d.Now()) {
			t.Errorf("after the proof of payment of %s the clock is %+v", paid, c)
		}
		if got := k.told(); len(got) != len(want) {
			t.Errorf("told after it was paid: %q", got[len(want):])
		}
	})
}

// TestAClockIsHeldWhileAnObjectionWaits and goes on with the same day after the decision; who is paid in time is never told.
func TestAClockIsHeldWhileAnObjectionWaits(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H1", cold(january, 10, 170)...)
		k.on(time.April, 2)
		o, err := k.ObjectTo(ctx, k.company, settle.ObjectInput{
			City: city, Season: season, Account: "H1", Reason: "altered", From: january, To: january.AddDays(1), Proof: "photo 1", Version: k.claim("H1").Version,
		})
		if err != nil {
			t.Fatal(err)
		}
		k.on(time.May, 20)
		if c, _ := k.clockOf("H1"); c.State != clock.Paused || c.Late(k.d.Now()) || len(k.told()) != 0 {
			t.Fatalf("while the objection waits the clock is %+v, told %q", c, k.told())
		}
		if _, err := k.DecideObjection(ctx, k.clerk, settle.DecideInput{City: city, ID: o.ID, Decision: "no proof", Version: o.Version}); err != nil {
			t.Fatal(err)
		}
		k.on(time.May, 24)
		c, v := k.clockOf("H1")
		if c.State != clock.Running || c.Breached != civil.NewDate(2026, 5, 16).Start() {
			t.Errorf("after the decision the clock is %+v", c)
		}
		var words []string
		for _, s := range v.ClockWords(k.rules) {
			words = append(words, s.In(text.EN))
		}
		if !slices.ContainsFunc(words, func(s string) bool { return strings.Contains(s, "nobody is urged") }) || len(k.told()) != 1 {
			t.Errorf("words %q, told %q; want the hold, and one step after the decision", words, k.told())
		}
	})
}

// TestAClockThatStoodForNothing: a claim that comes to nothing shows no clock, and one clock when it is owed again.
func TestAClockThatStoodForNothing(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H1", cold(january, 10, 170)...)
		k.on(time.April, 2)
		k.clockOf("H1")
		o, err := k.ObjectTo(ctx, k.company, settle.ObjectInput{
			City: city, Season: season, Account: "H1", Reason: "altered", From: january, To: january.AddDays(20), Proof: "photo 1", Version: k.claim("H1").Version,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.DecideObjection(ctx, k.clerk, settle.DecideInput{City: city, ID: o.ID, Accept: true, Decision: "proved", Version: o.Version}); err != nil {
			t.Fatal(err)
		}
		k.on(time.April, 4)
		if v := k.claim("H1"); v.Amount != 0 || len(v.Clocks) != 0 {
			t.Errorf("nothing is owed, and the claim of %s shows %+v", v.Amount, v.Clocks)
		}
		k.happens("H1", cold(january.AddDays(40), 10, 170)...)
		k.on(time.April, 6)
		if c, v := k.clockOf("H1"); c.State != clock.Running || v.Amount == 0 {
			t.Errorf("owed again, %s, and the clock is %+v", v.Amount, c)
		}
	})
}

// TestWhatWasPaidInTimeIsNeverLate, and what comes to be owed after the day is late at once, with a clock of its own.
func TestWhatWasPaidInTimeIsNeverLate(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H1", cold(january, 10, 170)...)
		k.confirm("H1")
		k.payee("H1", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true})
		k.approve(k.settle(""))
		k.on(time.April, 2)
		if v := k.claim("H1"); len(v.Clocks) != 0 {
			t.Errorf("paid before anybody looked, yet a clock: %+v", v.Clocks)
		}
		k.happens("H2", cold(january, 5, 150)...)
		k.on(time.April, 3)
		k.confirm("H2")
		k.payee("H2", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true})
		k.approve(k.settle(""))
		k.on(time.June, 1)
		if c, _ := k.clockOf("H2"); c.State != clock.Stopped || c.Late(k.d.Now()) || len(k.told()) != 0 {
			t.Errorf("paid in time: %+v, told %q", c, k.told())
		}
		k.happens("H1", cold(january.AddDays(20), 5, 150)...)
		k.on(time.June, 2)
		v := k.claim("H1")
		if len(v.Clocks) != 2 || v.Clocks[1].State != clock.Running || v.Clocks[1].Breached != v.Clocks[1].Due {
			t.Errorf("what came to be owed after the day: %+v", v.Clocks)
		}
	})
}

// withDeadline gives the city's rule another deadline.
func (k *desk) withDeadline(d citypack.PayDeadline) {
	pack := *k.rules.Pack
	rules := slices.Clone(pack.Doc.RefundRules)
	for i := range rules {
		rules[i].Deadline = &d
	}
	pack.Doc.RefundRules = rules
	k.rules = &citypack.Rules{Pack: &pack}
}

// TestEveryFormOfDeadlineHasItsDay: the law's form says from when the time runs and by when it is over.
func TestEveryFormOfDeadlineHasItsDay(t *testing.T) {
	for name, x := range map[string]struct {
		deadline                    citypack.PayDeadline
		claimed, confirmed, ordered string // the day to pay after each act, on 1, 5 and 9 April; empty: none yet
		why                         string
	}{
		"after the season":  {citypack.PayDeadline{Kind: "after_season_end", Days: 30}, "2026-04-14", "2026-04-14", "2026-04-14", "时限从采暖期结束（2026-03-15）起算"},
		"a day of the year": {citypack.PayDeadline{Kind: "calendar", MonthDay: "06-30"}, "2026-06-30", "2026-06-30", "2026-06-30", "日期由规则写明"},
		"from the claim":    {citypack.PayDeadline{Kind: "within", Months: 1}, "2026-05-01", "2026-05-01", "2026-05-01", "时限从认定（2026-04-01）起算"},
		"from the paper":    {citypack.PayDeadline{Kind: "within", Days: 20, From: "confirmation"}, "", "2026-04-25", "2026-04-25", "时限从出具退费确认单（2026-04-05）起算"},
		"from publication":  {citypack.PayDeadline{Kind: "within", Days: 20, From: "publication"}, "", "", "2026-04-29", "时限从结算公示（2026-04-09）起算"},
		"on application":    {citypack.PayDeadline{Kind: "on_application", Months: 1}, "", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, k *desk) {
				k.withDeadline(x.deadline)
				day := func(d civil.Date) string {
					if d.IsZero() {
						return ""
					}
					return d.String()
				}
				k.happens("H1", cold(january, 10, 170)...)
				got := []string{day(k.claim("H1").PayBy)}
				k.on(time.April, 5)
				k.confirm("H1")
				got = append(got, day(k.claim("H1").PayBy))
				k.on(time.April, 9)
				k.approve(k.settle(""))
				got = append(got, day(k.orders()["H1"].PayBy))
				if diff := cmp.Diff([]string{x.claimed, x.confirmed, x.ordered}, got); diff != "" {
					t.Error(diff)
				}
				k.on(time.April, 10)
				v := k.claim("H1")
				if day(v.PayBy) != x.ordered {
					t.Errorf("the claim's day is %s", v.PayBy)
				}
				if x.why == "" {
					if len(v.Clocks) != 0 {
						t.Errorf("a clock without a day: %+v", v.Clocks)
					}
					return
				}
				c := v.Clocks[len(v.Clocks)-1]
				if got := v.ClockWords(k.rules)[0].In(text.ZH); c.Due.Add(-time.Second).Date().String() != x.ordered || !strings.Contains(got, x.why) {
					t.Errorf("due %s: %s", c.Due, got)
				}
			})
		})
	}
}

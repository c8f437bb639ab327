package refund_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
)

// events reads "01-05 09:00 test 17.9; …": month, day, hour, type, then a temperature, room=temperature, or a flag.
func events(t testing.TB, s string) []refund.Event {
	t.Helper()
	out := []refund.Event{}
	no, yes := false, true
	for one := range strings.SplitSeq(s, ";") {
		f := strings.Fields(one)
		if len(f) == 0 {
			continue
		}
		year := "2026-"
		if f[0] > "07" {
			year = "2025-"
		}
		e := refund.Event{At: at(t, year+f[0]+"T"+f[1]), Type: refund.EventType(f[2])}
		for _, a := range f[3:] {
			switch a {
			case "user_unsigned":
				e.SignedUser = &no
			case "company_unsigned":
				e.SignedCompany = &no
			case "no_copy":
				e.CopyLeft = &no
			case "area", "season_start":
				e.Level = refund.Level(a)
			case "by_company":
				e.By = refund.ByCompany
			case "refused":
				e.Accepted = &no
			case "accepted":
				e.Accepted = &yes
			case "authorised":
				e.Unauthorised = &no
			case "unauthorised":
				e.Unauthorised = &yes
			default:
				if code, ok := strings.CutPrefix(a, "code="); ok {
					e.Code = code
					continue
				}
				room, c, ok := strings.Cut(a, "=")
				if !ok {
					room, c = "", a
				}
				e.Readings = append(e.Readings, refund.Reading{Room: room, TempC: temp(t, c)})
			}
		}
		out = append(out, e)
	}
	return out
}

// summary is the days that an assessment pays for: "01-01..01-04 20".
func summary(a refund.Assessment) string {
	var out []string
	for i := 0; i < len(a.Days); {
		d := a.Days[i]
		n := i
		for n+1 < len(a.Days) && a.Days[n+1].Percent == d.Percent && a.Days[n+1].Cause == d.Cause && a.Days[n+1].Date == a.Days[n].Date.AddDays(1) && *a.Days[n+1].Base == *d.Base {
			n++
		}
		if d.Percent != "0" {
			out = append(out, fmt.Sprintf("%s..%s %s", d.Date.String()[5:], a.Days[n].Date.String()[5:], d.Percent))
		}
		i = n + 1
	}
	return strings.Join(out, ";")
}

func TestCounting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, events, want, warns string }{
		{"request to conforming", "weifang-2021", "01-05 09:00 request; 01-06 10:00 test 17.9; 01-09 10:00 retest 18.0", "01-05..01-08 50", "first_last_day"},
		{"the lower reading from its day on", "weifang-2021", "01-05 09:00 request; 01-06 10:00 test 17.9; 01-08 10:00 retest 15.9; 01-10 08:00 retest 18.0", "01-05..01-07 50;01-08..01-09 100", "between_readings"},
		{"before the request is kept, not counted", "weifang-2021", "01-03 09:00 test 15.0; 01-05 09:00 request; 01-06 10:00 test 17.9; 01-07 10:00 retest 18.5", "01-05..01-06 50", "before_request"},
		{"a report alone starts nothing", "weifang-2021", "01-03 09:00 report; 01-06 10:00 test 17.9; 01-07 10:00 retest 18.5", "", "no_request"},
		{"conforms at once", "weifang-2021", "01-05 09:00 request; 01-06 10:00 test 18.0", "", ""},
		{"a second spell needs its own request", "weifang-2021", "01-05 09:00 request; 01-06 10:00 test 17; 01-08 10:00 retest 18; 01-12 10:00 test 17; 01-20 10:00 retest 18.5", "01-05..01-07 50", "no_request"},
		{"two spells", "weifang-2021", "01-05 09:00 request; 01-06 10:00 test 17; 01-08 10:00 retest 18; 01-11 09:00 request; 01-12 10:00 test 15; 01-13 10:00 retest 18.5", "01-05..01-07 50;01-11..01-12 100", ""},
		{"nothing ends it", "weifang-2021", "03-10 09:00 request; 03-11 10:00 test 17", "03-10..03-15 50", "open_spell"},
		{"a cure that is only claimed ends nothing", "weifang-2021", "03-10 09:00 request; 03-11 10:00 test 17; 03-12 10:00 cure_claimed", "03-10..03-15 50", "open_spell"},
		{"a cure that is verified", "weifang-2021", "01-05 09:00 request; 01-06 10:00 test 17; 01-07 10:00 cure_verified", "01-05..01-06 50", ""},
		{"a re-test must pass where the rule wants one", "taian-2021", "03-10 09:00 request; 03-11 10:00 test 17; 03-12 10:00 cure_verified", "03-10..03-15 30", "open_spell"},
		{"withdrawn", "weifang-2021", "01-05 09:00 request; 01-06 10:00 test 17; 01-07 10:00 withdrawn", "01-05..01-06 50", ""},
		{"nobody home is no refusal", "linyi-2017", "01-05 09:00 request; 01-06 10:00 visit_user_absent; 01-07 10:00 test 17; 01-08 10:00 retest 18", "01-05..01-07 20", ""},
		{"a kitchen is not in the duty", "weifang-2021", "01-05 09:00 request; 01-06 10:00 test 客厅=18.5 厨房=14", "", "room_not_covered"},
		{"the lowest room where the rule is silent", "weifang-2021", "01-05 09:00 request; 01-06 10:00 test 客厅=18.5 卧室=15.9; 01-07 10:00 retest 18", "01-05..01-06 100", "rooms_differ"},

		{"cured in 24 h of the test", "jining", "01-05 09:00 request; 01-06 10:00 test 17.9; 01-07 10:00 retest 18.0", "", ""},
		{"a minute too late", "jining", "01-05 09:00 request; 01-06 10:00 test 17.9; 01-07 10:01 retest 18.0", "01-05..01-06 20", ""},
		{"cured in 24 h of the report", "beijing-contract", "01-05 09:00 report; 01-05 12:00 test 17.9; 01-06 09:00 retest 18.0", "", ""},
		{"not cured in 24 h of the report", "beijing-contract", "01-05 09:00 report; 01-05 12:00 test 17.9; 01-06 09:01 retest 18.0", "01-05..01-05 40", ""},
		{"cured in 48 h of the report", "ningxia-2025", "01-05 09:00 report; 01-05 12:00 test 17.9; 01-07 09:00 retest 20.0", "", ""},
		{"not cured in 48 h", "ningxia-2025", "01-05 09:00 report; 01-05 12:00 test 19.9; 01-07 09:01 retest 20.0", "01-05..01-06 50", ""},

		{"full blocks of 24 h", "tianjin-2010", "01-05 09:00 request; 01-05 12:00 test 17; 01-07 08:59 retest 18", "01-05..01-05 10", ""},
		{"one block more", "tianjin-2010", "01-05 09:00 request; 01-05 12:00 test 17; 01-07 12:01 retest 18", "01-05..01-06 10", ""},
		{"again within the cure time is one span", "tianjin-2010", "01-05 09:00 request; 01-05 12:00 test 17; 01-05 20:00 retest 18; 01-06 10:00 test 17; 01-08 09:00 retest 18", "01-05..01-07 10", ""},
		{"each 24 h is a day", "yantai", "01-05 09:00 request; 01-05 12:00 test 17; 01-08 08:00 retest 18", "01-05..01-06 20", ""},

		{"two days a failed test", "jinan-2010", "01-05 09:00 test 17; 01-20 09:00 test 13.9", "01-05..01-06 50;01-20..01-21 100", ""},
		{"overlapping test days count once", "jinan-2010", "01-05 09:00 test 17; 01-06 09:00 test 13.9", "01-05..01-05 50;01-06..01-07 100", ""},
		{"one failed test", "liaoning-2016", "01-05 09:00 test 17", "01-05..01-06 40", "precondition"},
		{"two failed tests", "liaoning-2016", "01-05 09:00 test 17; 01-10 09:00 test 17", "01-05..01-14 40", ""},
		{"too close counts once", "liaoning-2016", "01-05 09:00 test 17; 01-09 09:00 test 17", "01-05..01-06 40", ""},
		{"three in a month", "liaoning-2016", "01-05 09:00 test 17; 01-12 09:00 test 17; 01-20 09:00 test 17", "01-05..02-03 40", ""},
		{"three, not in a month", "liaoning-2016", "01-05 09:00 test 17; 01-22 09:00 test 17; 02-20 09:00 test 17", "01-05..01-14 40", ""},
		{"over three months", "liaoning-2016", "11-20 09:00 test 17; 12-20 09:00 test 17; 01-20 09:00 test 17; 02-21 09:00 test 17", "11-15..03-15 100", ""},
		{"both sides sign", "xian-2018", "01-05 09:00 test 17; 01-06 09:00 test 17 user_unsigned; 01-08 09:00 test 15", "01-05..01-05 20;01-08..01-08 50", "not_confirmed"},
		{"not stated: from the request", "qingdao-2015", "01-03 09:00 report; 01-05 09:00 request; 01-06 09:00 test 17; 01-08 09:00 retest 18", "01-05..01-07 20", "count_from"},
		{"silent: report", "heilongjiang-2021", "01-05 09:00 report; 01-06 09:00 test 17; 01-08 09:00 retest 20", "01-05..01-07 50", "count_from"},
		{"silent altogether", "shenyang-2009", "01-05 09:00 report; 01-06 09:00 test 17; 01-08 09:00 retest 20", "01-05..01-07 50", "counting_silent"},

		{"48 h at least", "luoyang-2018", "01-05 09:00 request; 01-05 12:00 test 17; 01-07 08:59 retest 18", "", ""},
		{"48 h exactly", "luoyang-2018", "01-05 09:00 request; 01-05 12:00 test 17; 01-07 09:00 retest 18", "01-05..01-06 50", ""},
		{"not in the first five days", "pingdingshan-henan", "11-17 09:00 request; 11-17 12:00 test 17; 11-22 09:00 retest 18", "11-20..11-21 50", "window"},
		{"not in the last five days", "pingdingshan-henan", "03-08 09:00 request; 03-08 12:00 test 13", "03-08..03-10 100", "window"},

		{"lowest of test and re-test", "linyi-2017", "01-05 09:00 request; 01-06 10:00 test 17.9; 01-08 10:00 retest 15.9; 01-10 10:00 retest 18", "01-05..01-09 50", ""},
		{"mean of three days", "binzhou-2016", "01-05 09:00 request; 01-06 10:00 test 15.9 16.2; 01-07 10:00 test 16.0 16.0; 01-08 10:00 test 16.0 16.0; 01-10 10:00 retest 18", "01-05..01-09 30", ""},
		{"per room without areas", "heze-2017", "01-05 09:00 request; 01-06 10:00 test 卧室=17 客厅=17.5; 01-08 10:00 retest 卧室=18 客厅=18", "01-05..01-07 30", "rooms_not_given"},

		{"company does not test: below 14", "linyi-2017", "01-05 09:00 request; 01-06 10:00 missed_by_company", "01-06..01-06 100", ""},
		{"company refuses", "linyi-2017", "01-05 09:00 request; 01-06 10:00 refused_by_company", "01-06..01-06 100", ""},
		{"company could not measure: nothing by itself", "linyi-2017", "01-05 09:00 request; 01-06 10:00 unable_by_company", "", "no_presumption"},
		{"company could not measure and was late", "linyi-2017", "01-05 09:00 request; 01-06 10:00 unable_by_company; 01-06 14:00 missed_by_company", "01-06..01-06 100", ""},
		{"company keeps no record", "linyi-2017", "01-05 09:00 request; 01-06 10:00 no_record", "01-06..01-06 100", ""},
		{"company does not sign", "linyi-2017", "01-05 09:00 request; 01-06 10:00 test 17 company_unsigned; 01-08 10:00 retest 18", "01-05..01-05 20;01-06..01-06 100;01-07..01-07 20", ""},
		{"a later time was agreed", "linyi-2017", "01-05 09:00 request; 01-06 10:00 missed_by_company; 01-07 09:00 appointment", "", "agreed_later"},
		{"the agreed time was missed", "linyi-2017", "01-05 09:00 request; 01-06 09:00 appointment; 01-06 10:00 missed_by_company", "01-06..01-06 100", ""},
		{"the user refuses: that day conforms", "linyi-2017", "01-05 09:00 request; 01-06 10:00 test 17; 01-07 10:00 refused_by_user; 01-09 10:00 retest 18", "01-05..01-06 20;01-08..01-08 20", ""},
		{"the user does not sign", "jinan-2010", "01-05 09:00 test 17 user_unsigned", "01-06..01-06 50", ""},
		{"not conforming without a temperature", "heze-2017", "01-05 09:00 request; 01-06 10:00 missed_by_company", "01-06..01-06 30", "presumed_mildest"},
		{"a reading says more than a presumption", "heze-2017", "01-05 09:00 request; 01-06 10:00 missed_by_company; 01-07 10:00 test 15; 01-08 10:00 retest 18", "01-05..01-07 50", ""},
		{"no copy left: everything", "tianjin-2010", "01-05 09:00 request; 01-05 10:00 test 17 no_copy; 01-08 09:00 retest 18", "01-05..01-05 100;01-06..01-07 10", ""},
		{"no presumption in this rule", "weifang-2021", "01-05 09:00 request; 01-06 10:00 missed_by_company", "", "no_presumption"},

		{"excluded", "beijing-contract", "01-05 09:00 report; 01-06 10:00 test 17; 01-07 09:00 exclusion; 01-09 10:00 retest 18", "01-05..01-06 40;01-08..01-08 40", ""},
		{"excluded, not accepted", "beijing-contract", "01-05 09:00 report; 01-06 10:00 test 17; 01-07 09:00 exclusion refused; 01-09 10:00 retest 18", "01-05..01-08 40", "exclusion_refused"},
		{"excluded by the company's word", "beijing-contract", "01-05 09:00 report; 01-06 10:00 test 17; 01-07 09:00 exclusion by_company; 01-09 10:00 retest 18", "01-05..01-08 40", "exclusion_unproved"},
		{"a reason that the rule lacks", "taian-2021", "01-05 09:00 request; 01-06 10:00 test 17; 01-07 09:00 exclusion; 01-09 10:00 retest 18", "01-05..01-08 30", "exclusion_unknown"},
		{"too cold outdoors", "beijing-contract", "01-05 09:00 report; 01-06 10:00 test 17; 01-07 00:00 outdoor -9.1; 01-08 00:00 outdoor -9.0; 01-09 10:00 retest 18", "01-05..01-06 40;01-08..01-08 40", ""},

		{"stop by the time", "weifang-2021", "01-05 12:00 stop; 01-06 12:00 resume", "01-05..01-06 100", ""},
		{"stop too short", "weifang-2021", "01-05 12:00 stop; 01-06 11:59 resume", "", "stop_unpaid"},
		{"more than 24 h", "heze-2017", "01-05 12:00 stop; 01-06 12:00 resume", "", "stop_unpaid"},
		{"more than 24 h, by days", "heze-2017", "01-05 12:00 stop; 01-07 12:00 resume", "01-05..01-06 100", ""},
		{"double, over 72 h", "ningxia-2025", "01-05 00:00 stop; 01-08 00:01 resume", "01-05..01-07 200", "unauthorised_unknown"},
		{"not over 72 h", "ningxia-2025", "01-05 00:00 stop unauthorised; 01-08 00:00 resume", "", "stop_unpaid"},
		{"over 72 h, but authorised", "ningxia-2025", "01-05 00:00 stop authorised; 01-10 00:00 resume", "", "stop_unpaid"},
		{"over 7 days in all", "ningxia-2025", "01-05 00:00 stop unauthorised; 01-08 00:00 resume; 01-10 00:00 stop unauthorised; 01-13 00:00 resume; 01-15 00:00 stop unauthorised; 01-16 00:01 resume", "01-05..01-07 200;01-10..01-12 200;01-15..01-15 200", ""},
		{"a late start", "qingdao-2015", "11-18 00:00 late_start", "11-15..11-17 100", ""},
		{"an early end", "binzhou-2016", "03-14 00:00 early_end", "03-14..03-15 100", ""},
		{"a season's start that fails pays triple", "shijiazhuang", "11-23 00:00 late_start", "11-15..11-22 300", ""},
		{"the higher of home and stop", "qingdao-2015", "01-05 09:00 request; 01-05 10:00 test 17; 01-06 00:00 stop; 01-07 00:00 resume; 01-09 10:00 retest 18", "01-05..01-05 20;01-06..01-06 100;01-07..01-08 20", ""},
		{"the higher of home and area", "taian-2021", "01-05 09:00 request; 01-05 10:00 test 17; 01-08 09:00 retest 18; 01-06 09:00 request area; 01-06 10:00 test 13 area; 01-07 10:00 retest 18 area", "01-05..01-05 30;01-06..01-06 100;01-07..01-07 30", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := claim(t)
			if c.rule == "xian-2018" {
				basic := money.Fen(0)
				in.Fee.Basic = &basic
			}
			in.Events = events(t, c.events)
			a := explain(t, plan(t, c.rule), in)
			if a.Refund == nil {
				t.Fatalf("not computable: %v", a.Missing)
			}
			if got := summary(a); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.warns != "" && !warned(a, c.warns) {
				t.Errorf("no warning %s in %v", c.warns, a.Warnings)
			}
			slices.Reverse(in.Events)
			if b := explain(t, plan(t, c.rule), in); summary(b) != c.want || *b.Refund != *a.Refund {
				t.Errorf("in another order: %q", summary(b))
			}
		})
	}
}

// TestStopMoney: a stop is paid by its hours, of the basic part for metered users.
func TestStopMoney(t *testing.T) {
	t.Parallel()
	in := claim(t)
	in.Events = events(t, "01-05 12:00 stop; 01-07 06:00 resume")
	if a := explain(t, plan(t, "weifang-2021"), in); a.Exact != "17500" {
		t.Errorf("42 hours of 100 yuan a day: %s fen", a.Exact)
	}
	basic := money.Fen(363000)
	in.Fee.Basic, in.Fee.Metered = &basic, true
	if a := explain(t, plan(t, "weifang-2021"), in); a.Exact != "5250" {
		t.Errorf("42 hours of 30 yuan a day: %s fen", a.Exact)
	}
}

// TestRoomShares: rooms in different tiers are weighed by their areas.
func TestRoomShares(t *testing.T) {
	t.Parallel()
	in := claim(t)
	in.Events = events(t, "01-05 09:00 request; 01-05 10:00 test 卧室=17 客厅=15 书房=18; 01-06 10:00 retest 卧室=18 客厅=18")
	a, err := plan(t, "heze-2017").Explain(&in)
	if err != nil || a.Status != refund.NotComputable || !slices.Contains(a.Missing, "fee.rooms") {
		t.Errorf("without areas: %s, %v, %v", a.Status, a.Missing, err)
	}
	in.Fee.Rooms = []refund.Room{{Room: "卧室", AreaM2: refund.Hundredths(1210)}, {Room: "客厅", AreaM2: refund.Hundredths(2420)}, {Room: "书房", AreaM2: refund.Hundredths(1210)}}
	if a := explain(t, plan(t, "heze-2017"), in); a.Exact != "1300" { // 10 % at 30 and 20 % at 50 of 100 yuan
		t.Errorf("got %s fen", a.Exact)
	}
}

// TestFamiliesWithoutTiers compiles the families whose published rules lack percentages with percentages of a city's own.
func TestFamiliesWithoutTiers(t *testing.T) {
	t.Parallel()
	below := func(r citypack.RefundRule) citypack.RefundRule {
		limit := citypack.Degree(180)
		if r.Standard.C == nil {
			r.Standard.C = &limit
		}
		r.Tiers = []citypack.Tier{{To: &limit, Percent: "50"}}
		return r
	}
	for _, c := range []struct{ rule, events, want string }{
		{"jilin", "01-05 09:00 test 17; 01-12 09:00 test 18; 01-20 09:00 test 18.9", "01-01..01-31 50"},
		{"jilin", "01-05 09:00 test 17; 01-12 09:00 test 18; 01-20 09:00 test 19", ""},
		{"jilin", "01-05 09:00 test 17; 01-12 09:00 test 17", ""},
		{"shijiazhuang", "01-05 09:00 test 17; 01-08 09:00 test 17", "01-05..01-09 50"},
		{"shijiazhuang", "01-05 09:00 test 17; 01-07 09:00 test 17", ""},
		{"shijiazhuang", "01-05 09:00 test 17; 01-10 09:00 test 17", ""},
		{"heilongjiang-old-city", "01-05 09:00 request; 01-05 10:00 test 17; 01-09 10:00 retest 18", "01-08..01-08 50"},
		{"heilongjiang-old-city", "01-05 09:00 request; 01-05 10:00 test 17; 01-08 10:00 retest 18", ""},
		{"heilongjiang-old-city", "01-05 09:00 request; 01-05 10:00 test 17; 01-08 10:00 retest 18; 01-11 09:00 request; 01-11 10:00 test 17; 01-14 10:00 retest 18;" +
			"01-15 09:00 request; 01-15 10:00 test 17; 01-18 10:00 retest 18; 01-21 09:00 request; 01-21 10:00 test 17; 01-24 10:00 retest 18", "01-22..01-23 50"},
		{"urumqi", "01-05 09:00 request; 01-05 10:00 test 17; 01-06 08:59 retest 20", ""},
		{"urumqi", "01-05 09:00 request; 01-05 10:00 test 17; 01-06 09:00 retest 20", "01-05..01-05 50"},
	} {
		in := claim(t)
		in.Events = events(t, c.events)
		a := explain(t, refund.Compile(below(rule(t, c.rule)), refund.Options{}), in)
		if got := summary(a); got != c.want {
			t.Errorf("%s, %s: got %q, want %q", c.rule, c.events, got, c.want)
		}
	}
}

// TestSwitches turns what a city may choose: whether the ends count, and which temperature holds between readings.
func TestSwitches(t *testing.T) {
	t.Parallel()
	story := "01-05 09:00 request; 01-06 10:00 test 17; 01-08 10:00 retest 15; 01-10 10:00 retest 18"
	yes, no := true, false
	for _, c := range []struct {
		from, to *bool
		between  string
		want     string
	}{
		{nil, nil, "", "01-05..01-07 30;01-08..01-09 50"},
		{&yes, &no, "last", "01-05..01-07 30;01-08..01-09 50"},
		{&no, &no, "last", "01-06..01-07 30;01-08..01-09 50"},
		{&yes, &yes, "last", "01-05..01-07 30;01-08..01-10 50"},
		{&yes, &no, "first", "01-05..01-09 30"},
		{&yes, &no, "lowest", "01-05..01-09 50"},
		{&yes, &no, "mean", "01-05..01-09 30"},
	} {
		r := rule(t, "taian-2021")
		counting := *r.Counting
		counting.FromCounts, counting.ToCounts, counting.Between = c.from, c.to, c.between
		r.Counting = &counting
		in := claim(t)
		in.Events = events(t, story)
		a := explain(t, refund.Compile(r, refund.Options{}), in)
		if got := summary(a); got != c.want || warned(a, "first_last_day") != (c.from == nil) || warned(a, "between_readings") != (c.between == "") {
			t.Errorf("%+v: got %q, warnings %v", c, got, a.Warnings)
		}
	}
}

// TestOnly assesses a part of the season: the months add up to the whole.
func TestOnly(t *testing.T) {
	t.Parallel()
	in := claim(t)
	in.Events = events(t, "12-20 09:00 request; 12-20 10:00 test 17; 02-10 09:00 retest 18")
	p := plan(t, "weifang-2021")
	all := explain(t, p, in)
	sum := rat("0")
	for _, m := range []refund.Span{
		{To: civil.NewDate(2025, 12, 31)}, {From: civil.NewDate(2026, 1, 1), To: civil.NewDate(2026, 1, 31)}, {From: civil.NewDate(2026, 2, 1)},
	} {
		part := in
		part.Only = m
		sum.Add(sum, rat(explain(t, p, part).Exact))
	}
	if sum.Cmp(rat(all.Exact)) != 0 || all.Counted != 52 {
		t.Errorf("months %s, whole %s, %d days", sum, all.Exact, all.Counted)
	}
	in.Events = events(t, "12-20 09:00 request; 12-20 10:00 test 17")
	in.Only.To = civil.NewDate(2025, 12, 30)
	if a := explain(t, p, in); a.Counted != 11 {
		t.Errorf("up to today: %d days", a.Counted)
	}
}

// TestPrices reads prices per day and per month.
func TestPrices(t *testing.T) {
	t.Parallel()
	in := claim(t)
	in.Season.Days = 0
	in.Fee = refund.Fee{AreaM2: refund.Hundredths(10000), Price: refund.Hundredths(19), Per: refund.PerDay}
	in.Daily = []refund.DayFact{{TempC: 170, Days: 2}}
	if a := explain(t, plan(t, "weifang-2021"), in); a.Exact != "1900" {
		t.Errorf("per day: %s, %v", a.Exact, a.Missing)
	}
	in.Fee.Per, in.Fee.Price = refund.PerMonth, refund.Hundredths(310)
	in.Daily[0].Date = civil.NewDate(2026, 1, 31)
	want := rat("31000/31") // half of 310 yuan a month for a day of January and one of February
	want.Add(want, rat("31000/28")).Mul(want, rat("1/2"))
	if a := explain(t, plan(t, "weifang-2021"), in); rat(a.Exact).Cmp(want) != 0 {
		t.Errorf("per month: %s, want %s", a.Exact, want)
	}
	in.Daily[0].Date = civil.Date{}
	if a := explain(t, plan(t, "weifang-2021"), in); !slices.Contains(a.Missing, "daily.date") {
		t.Errorf("per month without a date: %v", a.Missing)
	}
}

func TestLateCharge(t *testing.T) {
	t.Parallel()
	p := plan(t, "heze-2017")
	due, rate := civil.NewDate(2026, 5, 31), refund.Quantity(30) // 3 per mille a day
	for _, c := range []struct {
		paid  civil.Date
		cause bool
		want  money.Fen
	}{
		{due, false, 0}, {due.AddDays(1), false, 300}, {due.AddDays(10), false, 3000}, {due.AddDays(10), true, 0},
	} {
		if got := p.LateCharge(100_000, due, c.paid, rate, c.cause); got != c.want {
			t.Errorf("paid %s: %d, want %d", c.paid, got, c.want)
		}
	}
	if got := plan(t, "weifang-2021").LateCharge(100_000, due, due.AddDays(10), rate, false); got != 0 {
		t.Errorf("a rule without a late charge: %d", got)
	}
}

func TestWrongInput(t *testing.T) {
	t.Parallel()
	fen := func(n money.Fen) *money.Fen { return &n }
	for field, change := range map[string]func(*refund.Input){
		"daily.0.temp_c": func(in *refund.Input) { in.Daily = []refund.DayFact{{TempC: 1800, Days: 1}} },
		"daily.1.temp_c": func(in *refund.Input) { in.Daily = []refund.DayFact{{Days: 1}, {TempC: -400, Days: 1}} },
		"daily.0.days":   func(in *refund.Input) { in.Daily = []refund.DayFact{{TempC: 170}} },
		"daily.0.date": func(in *refund.Input) {
			in.Daily = []refund.DayFact{{TempC: 170, Days: 2, Date: civil.NewDate(2026, 3, 15)}}
		},
		"daily": func(in *refund.Input) { in.Daily = []refund.DayFact{{TempC: 170, Days: 122}} },
		"daily.1.date": func(in *refund.Input) {
			in.Daily = []refund.DayFact{{TempC: 170, Days: 2, Date: civil.NewDate(2026, 1, 1)}, {TempC: 160, Days: 1, Date: civil.NewDate(2026, 1, 2)}}
		},
		"events": func(in *refund.Input) {
			in.Daily, in.Events = []refund.DayFact{{TempC: 170, Days: 1}}, events(t, "01-01 00:00 report")
		},
		"events.0.at":                func(in *refund.Input) { in.Events = events(t, "03-16 00:00 request") },
		"events.0.readings":          func(in *refund.Input) { in.Events = events(t, "01-01 00:00 test") },
		"events.0.readings.0.temp_c": func(in *refund.Input) { in.Events = events(t, "01-01 00:00 test 61") },
		"events.1.readings":          func(in *refund.Input) { in.Events = events(t, "01-01 00:00 test 17; 01-01 00:00 test 16") },
		"events.0.type":              func(in *refund.Input) { in.Events = events(t, "01-01 00:00 party") },
		"season.to":                  func(in *refund.Input) { in.Season.To, in.Events = in.Season.From, events(t, "01-01 00:00 report")[:0] },
		"season.days":                func(in *refund.Input) { in.Season.Days, in.Events = -1, []refund.Event{} },
		"fee.total_yuan":             func(in *refund.Input) { in.Fee.Total, in.Events = fen(-1), []refund.Event{} },
		"fee.basic_yuan":             func(in *refund.Input) { in.Fee.Basic, in.Events = fen(1210001), []refund.Event{} },
		"fee.area_m2":                func(in *refund.Input) { in.Fee.AreaM2, in.Events = -1, []refund.Event{} },
		"fee.rooms": func(in *refund.Input) {
			in.Fee.Rooms, in.Events = []refund.Room{{Room: "a", AreaM2: 1210001}}, []refund.Event{}
		},
		"agreed_c": func(in *refund.Input) { agreed("180")(in); in.Events = []refund.Event{} },
	} {
		in := claim(t)
		change(&in)
		err := in.Check()
		if diff := cmp.Diff([]string{field}, fieldsOf(err)); diff != "" {
			t.Errorf("%s: %s", field, diff)
		}
	}
}

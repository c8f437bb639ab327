package calendar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

var office = calendar.Shifts{{"08:30", "12:00"}, {"14:00", "17:30"}}

func at(t testing.TB, s string) civil.Instant {
	t.Helper()
	i, err := civil.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// pauses reads "from/to" pairs; an empty end is open.
func pauses(t testing.TB, list ...string) []calendar.Pause {
	t.Helper()
	var out []calendar.Pause
	for _, s := range list {
		from, to, _ := strings.Cut(s, "/")
		p := calendar.Pause{From: at(t, from)}
		if to != "" {
			p.To = at(t, to)
		}
		out = append(out, p)
	}
	return out
}

func limit(t testing.TB, amount string, unit calendar.Unit) calendar.Limit {
	t.Helper()
	a, err := calendar.ParseAmount(amount)
	if err != nil {
		t.Fatal(err)
	}
	return calendar.Limit{Amount: a, Unit: unit}
}

func TestDue(t *testing.T) {
	t.Parallel()
	plain := false
	for _, c := range []struct {
		name, amount string
		unit         calendar.Unit
		from         string
		roll         *bool
		pauses       []string
		shifts       calendar.Shifts
		want         string // empty: no due time
		missing      string
	}{
		{
			name: "contract: make-up Saturday counts, Spring Festival does not", amount: "3", unit: "working_day", from: "2026-02-13T16:30:00+08:00",
			pauses: []string{"2026-02-14T00:00/2026-02-25T00:00"}, want: "2026-02-26T00:00:00+08:00",
		},
		{name: "act on the make-up day itself", amount: "1", unit: "working_day", from: "2026-02-14T09:00", want: "2026-02-25T00:00:00+08:00"},
		{name: "act at midnight belongs to the day that begins", amount: "1", unit: "working_day", from: "2026-02-25T00:00", want: "2026-02-27T00:00:00+08:00"},
		{name: "act a moment before midnight", amount: "1", unit: "working_day", from: "2026-02-24T23:59:59", want: "2026-02-26T00:00:00+08:00"},
		{name: "days of a year announced in the next year's file", amount: "1", unit: "working_day", from: "2018-12-28T10:00", want: "2018-12-30T00:00:00+08:00"},
		{name: "and its holiday", amount: "2", unit: "working_day", from: "2018-12-28T10:00", want: "2019-01-03T00:00:00+08:00"},
		{name: "other offset is read in the city's day", amount: "1", unit: "working_day", from: "2026-03-02T17:00:00Z", want: "2026-03-05T00:00:00+08:00"},

		{name: "natural days", amount: "3", unit: "day", from: "2026-03-09T16:30", want: "2026-03-13T00:00:00+08:00"},
		{name: "rolls off a Sunday", amount: "2", unit: "day", from: "2026-03-06T16:30", want: "2026-03-10T00:00:00+08:00"},
		{name: "rolls off the Spring Festival", amount: "3", unit: "day", from: "2026-02-13T16:30", want: "2026-02-25T00:00:00+08:00"},
		{name: "does not roll off a make-up Saturday", amount: "1", unit: "day", from: "2026-02-13T16:30", want: "2026-02-15T00:00:00+08:00"},
		{name: "counts plainly without roll", amount: "2", unit: "day", from: "2026-03-06T16:30", roll: &plain, want: "2026-03-09T00:00:00+08:00"},
		{name: "a pause does not move days", amount: "3", unit: "day", from: "2026-03-09T16:30", pauses: []string{"2026-03-09T17:00/"}, want: "2026-03-13T00:00:00+08:00"},

		{name: "hours run through the night", amount: "5", unit: "hour", from: "2025-11-15T23:40", want: "2025-11-16T04:40:00+08:00"},
		{name: "half an hour", amount: "0.5", unit: "hour", from: "2025-11-15T23:40", want: "2025-11-16T00:10:00+08:00"},
		{name: "exact to the millisecond", amount: "0.00001", unit: "hour", from: "2025-11-15T12:00", want: "2025-11-15T12:00:00.036+08:00"},
		{name: "ten minutes", amount: "10", unit: "minute", from: "2025-11-15T23:55", want: "2025-11-16T00:05:00+08:00"},
		{name: "a pause stops hours", amount: "5", unit: "hour", from: "2025-11-15T08:00", pauses: []string{"2025-11-15T09:00/2025-11-15T10:30"}, want: "2025-11-15T14:30:00+08:00"},
		{
			name: "overlapping pauses count once", amount: "5", unit: "hour", from: "2025-11-15T08:00",
			pauses: []string{"2025-11-15T09:30/2025-11-15T11:00", "2025-11-15T09:00/2025-11-15T10:00", "2025-11-15T09:15/2025-11-15T09:20"}, want: "2025-11-15T15:00:00+08:00",
		},
		{name: "a pause before the start", amount: "5", unit: "hour", from: "2025-11-15T08:00", pauses: []string{"2025-11-15T07:00/2025-11-15T08:30"}, want: "2025-11-15T13:30:00+08:00"},
		{name: "a pause that begins when the limit ends", amount: "1", unit: "hour", from: "2025-11-15T08:00", pauses: []string{"2025-11-15T09:00/2025-11-15T10:00"}, want: "2025-11-15T09:00:00+08:00"},
		{name: "an open pause", amount: "5", unit: "hour", from: "2025-11-15T08:00", pauses: []string{"2025-11-15T09:00/"}},
		{name: "an open pause in another", amount: "5", unit: "hour", from: "2025-11-15T08:00", pauses: []string{"2025-11-15T09:00/", "2025-11-15T09:30/2025-11-15T10:00"}},
		{name: "an open pause in working hours", amount: "5", unit: "working_hour", shifts: office, from: "2025-11-17T08:30", pauses: []string{"2025-11-17T09:00/"}},

		{name: "through lunch", amount: "4", unit: "working_hour", shifts: office, from: "2026-03-09T08:30", want: "2026-03-09T14:30:00+08:00"},
		{name: "ends when the sum is reached, not after lunch", amount: "3.5", unit: "working_hour", shifts: office, from: "2026-03-09T08:30", want: "2026-03-09T12:00:00+08:00"},
		{name: "starts in lunch", amount: "1", unit: "working_hour", shifts: office, from: "2026-03-09T12:30", want: "2026-03-09T15:00:00+08:00"},
		{name: "starts after closing on Friday", amount: "1", unit: "working_hour", shifts: office, from: "2026-03-06T18:00", want: "2026-03-09T09:30:00+08:00"},
		{
			name: "make-up Saturday has full shifts", amount: "8", unit: "working_hour", shifts: office, from: "2026-02-13T16:30",
			pauses: []string{"2026-02-14T16:30/2026-02-14T17:30", "2026-02-13T16:30/2026-02-13T16:30"}, want: "2026-02-24T09:30:00+08:00",
		},
		{name: "shifts to midnight", amount: "3", unit: "working_hour", shifts: calendar.Shifts{{"22:00", "24:00"}, {"00:00", "02:00"}}, from: "2026-03-09T22:00", want: "2026-03-10T01:00:00+08:00"},
		{name: "a pause over lunch", amount: "4", unit: "working_hour", shifts: office, from: "2026-03-09T08:30", pauses: []string{"2026-03-09T11:00/2026-03-09T15:00"}, want: "2026-03-09T16:30:00+08:00"},

		{name: "an unknown year", amount: "3", unit: "working_day", from: "2026-12-30T16:30", missing: "holidays 2027"},
		{name: "an unknown year, rolling", amount: "3", unit: "day", from: "2026-12-30T16:30", missing: "holidays 2027"},
		{name: "an unknown year, working hours", amount: "8", unit: "working_hour", shifts: office, from: "2026-12-31T16:30", missing: "holidays 2027"},
		{name: "an unknown year does not matter for hours", amount: "72", unit: "hour", from: "2026-12-30T16:30", want: "2027-01-02T16:30:00+08:00"},
		{name: "nor for plain days", amount: "3", unit: "day", roll: &plain, from: "2026-12-30T16:30", want: "2027-01-03T00:00:00+08:00"},
		{name: "nor when the last day is known", amount: "1", unit: "day", from: "2026-12-30T16:30", want: "2027-01-01T00:00:00+08:00"},
		{name: "before the first year", amount: "1", unit: "working_day", from: "2017-12-28T10:00", missing: "holidays 2017"},
		{name: "the day of the act need not be known", amount: "1", unit: "working_day", from: "2017-12-31T10:00", want: "2018-01-03T00:00:00+08:00"},
		{
			name: "a paused day need not be known", amount: "1", unit: "working_hour", shifts: office, from: "2017-12-29T08:30",
			pauses: []string{"2017-12-29T08:00/2018-01-02T08:30"}, want: "2018-01-02T09:30:00+08:00",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := limit(t, c.amount, c.unit)
			l.Roll = c.roll
			got, err := calendar.Embedded().Due(calendar.Input{Limit: l, From: at(t, c.from), Pauses: pauses(t, c.pauses...), Shifts: c.shifts})
			if err != nil {
				t.Fatal(err)
			}
			if got.Due.String() != c.want || strings.Join(got.Missing, ",") != c.missing {
				t.Errorf("got %q, missing %q; want %q, missing %q", got.Due, got.Missing, c.want, c.missing)
			}
			if wantPaused := c.want == "" && c.missing == ""; got.Paused != wantPaused {
				t.Errorf("paused: got %v, want %v", got.Paused, wantPaused)
			}
			for _, s := range got.Explain {
				if !text.Has(s.Key) {
					t.Errorf("no message %q", s.Key)
				}
				if both := s.In(text.ZH) + s.In(text.EN); strings.ContainsAny(both, "{}") {
					t.Errorf("unfilled: %s", both)
				}
			}
		})
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	roll, err := calendar.Embedded().Due(calendar.Input{Limit: calendar.Of(3, calendar.Days), From: at(t, "2026-02-13T16:30")})
	if err != nil {
		t.Fatal(err)
	}
	work, err := calendar.Embedded().Due(calendar.Input{Limit: calendar.Of(6, calendar.WorkingDays), From: at(t, "2026-02-13T16:30")})
	if err != nil {
		t.Fatal(err)
	}
	hours, err := calendar.Embedded().Due(calendar.Input{
		Limit: calendar.Of(2, calendar.WorkingHours), From: at(t, "2026-03-09T11:30"),
		Shifts: office, Pauses: pauses(t, "2026-03-09T14:00/2026-03-09T14:37", "2026-03-09T16:07/"),
	})
	if err != nil {
		t.Fatal(err)
	}
	overlap, err := calendar.Embedded().Due(calendar.Input{
		Limit: calendar.Of(2, calendar.Hours), From: at(t, "2026-03-09T08:00"),
		Pauses: pauses(t, "2026-03-09T07:00/2026-03-09T08:30", "2026-03-09T08:10/2026-03-09T08:40", "2026-03-09T09:00/2026-03-09T09:20"),
	})
	if err != nil {
		t.Fatal(err)
	}
	days, err := calendar.Embedded().Due(calendar.Input{Limit: calendar.Of(1, calendar.Days), From: at(t, "2026-03-09T08:00"), Pauses: pauses(t, "2026-03-09T09:00/")})
	if err != nil {
		t.Fatal(err)
	}
	say := func(l text.Lang, r calendar.Result) (out []string) {
		for _, s := range r.Explain {
			out = append(out, s.In(l))
		}
		return out
	}
	if diff := cmp.Diff([]string{
		"2026年2月13日当日不计入，从次日起算3日。", "最后一日2026年2月16日是休息日，顺延到下一个工作日2026年2月24日。",
		"到2026年2月24日24:00止，此后为超时。",
	}, say(text.ZH, roll)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"2026年2月13日当日不计入，从次日起算6个工作日。", "2026年2月14日为春节调休上班日，计入。",
		"2026年2月15日至2026年2月23日春节放假，不计入。", "2026年2月28日为春节调休上班日，计入。", "到2026年2月28日24:00止，此后为超时。",
	}, say(text.ZH, work)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"The day of the act, 13 Feb 2026, is not counted; the limit of 6 working days runs from the next day.",
		"14 Feb 2026 is a make-up working day (春节) and counted.", "15 Feb 2026 to 23 Feb 2026 is a public holiday (春节) and not counted.",
		"28 Feb 2026 is a make-up working day (春节) and counted.", "Ends on 28 Feb 2026 24:00; anything later is late.",
	}, say(text.EN, work)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"从2026年3月9日11:30起，只计工作日的班次时间（08:30-12:00, 14:00-17:30），时限2个工作小时。",
		"其间暂停37分，不计入。", "到2026年3月9日16:07止，此后为超时。",
	}, say(text.ZH, hours)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"从2026年3月9日08:00起连续计算，时限2小时。", "其间暂停1时，不计入。", "到2026年3月9日11:00止，此后为超时。"},
		say(text.ZH, overlap)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"2026年3月9日当日不计入，从次日起算1日。", "按日计算的期限不因暂停而顺延。", "到2026年3月10日24:00止，此后为超时。"},
		say(text.ZH, days)); diff != "" {
		t.Error(diff)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	from := at(t, "2026-03-09T08:30")
	ok := calendar.Input{Limit: calendar.Of(1, calendar.WorkingHours), From: from, Shifts: office}
	if err := ok.Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		spoil func(*calendar.Input)
		want  []string
	}{
		{"unit", func(i *calendar.Input) { i.Limit.Unit = "week" }, []string{"limit.unit"}},
		{"zero", func(i *calendar.Input) { i.Limit.Amount = 0 }, []string{"limit.amount"}},
		{"negative", func(i *calendar.Input) { i.Limit.Amount = calendar.Whole(-3) }, []string{"limit.amount"}},
		{"more than ten years", func(i *calendar.Input) { i.Limit = calendar.Of(3661, calendar.Days) }, []string{"limit.amount"}},
		{"half a day", func(i *calendar.Input) { i.Limit = limit(t, "0.5", calendar.Days) }, []string{"limit.amount"}},
		{"finer than milliseconds", func(i *calendar.Input) { i.Limit = limit(t, "0.00001", calendar.Minutes) }, []string{"limit.amount"}},
		{"no start", func(i *calendar.Input) { i.From = 0 }, []string{"from"}},
		{"year 9999", func(i *calendar.Input) { i.From = at(t, "9999-01-01T00:00") }, []string{"from"}},
		{"no shifts", func(i *calendar.Input) { i.Shifts = nil }, []string{"shifts"}},
		{"backwards", func(i *calendar.Input) { i.Shifts = calendar.Shifts{{"14:00", "14:00"}} }, []string{"shifts.0"}},
		{"overlap", func(i *calendar.Input) { i.Shifts = calendar.Shifts{{"12:00", "14:00"}, {"08:00", "12:01"}} }, []string{"shifts.0"}},
		{"no such times", func(i *calendar.Input) {
			i.Shifts = calendar.Shifts{{"8:30", "12:00"}, {"08:30", "24:01"}, {"24:00", "24:00"}, {"0x:10", "12:60"}}
		}, []string{"shifts.0", "shifts.1", "shifts.2", "shifts.3"}},
		{"pause backwards", func(i *calendar.Input) { i.Pauses = []calendar.Pause{{From: from}, {From: from, To: from - 1}} }, []string{"pauses.1.to"}},
		{"pause without a start", func(i *calendar.Input) { i.Pauses = []calendar.Pause{{To: from}} }, []string{"pauses.0.from"}},
	} {
		in := ok
		c.spoil(&in)
		_, err := calendar.Embedded().Due(in)
		if diff := cmp.Diff(c.want, fieldsOf(t, err)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	touching := ok
	touching.Shifts = calendar.Shifts{{"12:00", "24:00"}, {"00:00", "12:00"}}
	if err := touching.Check(); err != nil {
		t.Error(err)
	}
}

func fieldsOf(t testing.TB, err error) (names []string) {
	t.Helper()
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v, want an invalid input", err)
	}
	for _, f := range fault.Of(err).Fields {
		names = append(names, f.Name)
		if s := text.Field(text.EN, f); s == f.Key || strings.Contains(s, "{") {
			t.Errorf("message of %s: %q", f.Name, s)
		}
	}
	return names
}

func TestAmount(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"3": "3", "0.5": "0.5", "0.50000": "0.5", "1e1": "10", "12.00001": "12.00001", "-2.5": "-2.5", " 7 ": "7", "+1": "1",
		"": "!", "1/3": "!", "0.000001": "!", "1e999999999": "!", "99999999999999999999": "!", "0x10": "!", "NaN": "!", "1.2.3": "!", "1_0": "!",
	} {
		got, err := calendar.ParseAmount(s)
		if err != nil {
			if want != "!" {
				t.Errorf("%q: %v", s, err)
			}
			continue
		}
		if got.String() != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}

func TestFirstDays(t *testing.T) {
	t.Parallel()
	// "The first 10 days" of a season that starts on 15 November end at 24:00 of 25 November, whatever the hour of the start.
	for _, start := range []string{"2025-11-15T00:00", "2025-11-15T12:00", "2025-11-15T23:59"} {
		if got := calendar.FirstDays(at(t, start), 10).String(); got != "2025-11-26T00:00:00+08:00" {
			t.Errorf("%s: got %s", start, got)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-02-25T19:38")
	for _, c := range []struct{ due, zh, en string }{
		{"2026-02-25T20:15", "还剩37分(20:15前)", "37 min left (by 20:15)"},
		{"2026-02-25T19:38:59", "还剩不到1分(19:38前)", "less than 1 min left (by 19:38)"},
		{"2026-02-26T00:00", "还剩4时22分(24:00前)", "4 h 22 min left (by 24:00)"},
		{"2026-02-26T03:38", "还剩8时(2月26日03:38前)", "8 h left (by 26 Feb 03:38)"},
		{"2026-03-03T00:00", "还剩5天4时(3月2日24:00前)", "5 d 4 h left (by 2 Mar 24:00)"},
		{"2027-01-01T00:00", "还剩309天4时(12月31日24:00前)", "309 d 4 h left (by 31 Dec 24:00)"},
		{"2027-01-02T00:00", "还剩310天4时(2027年1月1日24:00前)", "310 d 4 h left (by 1 Jan 2027 24:00)"},
		{"2026-02-25T15:57", "超时 3时41分", "late by 3 h 41 min"},
		{"2026-02-25T19:38", "刚刚超时", "late by less than 1 min"},
	} {
		if got := calendar.Left(text.ZH, at(t, c.due), now); got != c.zh {
			t.Errorf("%s: got %s, want %s", c.due, got, c.zh)
		}
		if got := calendar.Left(text.EN, at(t, c.due), now); got != c.en {
			t.Errorf("%s: got %s, want %s", c.due, got, c.en)
		}
	}
	midnight := at(t, "2026-02-26T00:00")
	for _, c := range []struct{ got, want string }{
		{calendar.DueWords(text.ZH, midnight), "2月25日24:00"},
		{calendar.DueWords(text.EN, midnight), "25 Feb 24:00"},
		{calendar.DueWords(text.ZH, midnight.Add(time.Minute)), "2月26日00:01"},
		{calendar.WhenFull(midnight).In(text.ZH), "2026年2月25日24:00"},
		{calendar.Since(midnight).In(text.ZH), "2026年2月26日00:00"},
		{calendar.DueWords(text.ZH, 0), "到期时间待定"},
		{calendar.Left(text.ZH, 0, now), "到期时间待定"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

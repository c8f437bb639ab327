package calendar_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
)

// worker is an independent reading of the announcements, with time.Time and its own precedence.
type worker map[string]bool

func newWorker(t testing.TB) worker {
	t.Helper()
	w := worker{}
	for year := 2018; year <= 2026; year++ { // later files overwrite what earlier ones say
		b, err := os.ReadFile(fmt.Sprintf("holidays/%d.json", year))
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Days []struct {
				Date     string
				IsOffDay bool
			}
		}
		if err := json.Unmarshal(b, &file); err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Days {
			w[d.Date] = !d.IsOffDay
		}
	}
	return w
}

func (w worker) works(day time.Time) bool {
	if work, ok := w[day.Format("2006-01-02")]; ok {
		return work
	}
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

type stretch struct{ from, to int } // minutes after midnight

// simulate lives through the limit minute by minute; false when it does not end within the minutes.
func (w worker) simulate(in calendar.Input, amount int, spans []stretch, minutes int) (time.Time, bool) {
	zone := time.FixedZone("UTC+8", 8*3600)
	t := time.UnixMilli(int64(in.From)).In(zone)
	ended, left := 0, amount // ended days after the act; minutes to go
	workToday := w.works(t)
	for range minutes {
		paused := false
		for _, p := range in.Pauses {
			ms := civil.Instant(t.UnixMilli())
			paused = paused || ms >= p.From && (p.To == 0 || ms < p.To)
		}
		minute := t.Hour()*60 + t.Minute()
		inShift := false
		for _, s := range spans {
			inShift = inShift || minute >= s.from && minute < s.to
		}
		today := t
		t = t.Add(time.Minute)
		midnight := t.Hour() == 0 && t.Minute() == 0
		isAct := today.Format("2006-01-02") == time.UnixMilli(int64(in.From)).In(zone).Format("2006-01-02")
		switch in.Limit.Unit {
		case calendar.Hours:
			if !paused {
				left--
			}
			if left == 0 {
				return t, true
			}
		case calendar.WorkingHours:
			if !paused && inShift && workToday {
				left--
			}
			if left == 0 {
				return t, true
			}
		case calendar.Days:
			if midnight && !isAct {
				ended++
				if ended >= amount && (workToday || !in.Limit.Rolls()) {
					return t, true
				}
			}
		case calendar.WorkingDays:
			if midnight && !isAct && workToday {
				ended++
				if ended == amount {
					return t, true
				}
			}
		case calendar.Minutes:
		}
		if midnight {
			workToday = w.works(t)
		}
	}
	return time.Time{}, false
}

func clockWords(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

// draw makes an input whose times are whole minutes. The starts lie close to holidays more often than not.
func draw(t *rapid.T, unit calendar.Unit) (in calendar.Input, amount int, spans []stretch) {
	year := rapid.IntRange(2018, 2026).Draw(t, "year")
	anchor := rapid.SampledFrom([]civil.Date{
		{Year: year, Month: 1, Day: 20},
		{Year: year, Month: 2, Day: 10},
		{Year: year, Month: 4, Day: 28},
		{Year: year, Month: 9, Day: 25},
		{Year: year, Month: 12, Day: 20},
		{Year: year, Month: 7, Day: 1},
	}).Draw(t, "anchor")
	if year == 2026 && anchor.Month == 12 {
		anchor.Month = 6
	}
	start := anchor.AddDays(rapid.IntRange(0, 14).Draw(t, "days")).Start()
	from := start.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 510, 720, 840, 1049, 1050, 1439}).Draw(t, "minute")) * time.Minute)
	from = from.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "more")) * time.Minute)
	in = calendar.Input{From: from, Limit: calendar.Limit{Unit: unit}}
	switch unit {
	case calendar.Hours, calendar.WorkingHours:
		tenths := rapid.IntRange(1, 500).Draw(t, "tenths of an hour")
		in.Limit.Amount, amount = calendar.Whole(tenths)/10, tenths*6
	case calendar.Days, calendar.WorkingDays, calendar.Minutes:
		amount = rapid.IntRange(1, 20).Draw(t, "amount")
		in.Limit.Amount = calendar.Whole(amount)
		roll := rapid.Bool().Draw(t, "roll")
		in.Limit.Roll = &roll
	}
	spans = rapid.SampledFrom([][]stretch{{{510, 720}, {840, 1050}}, {{0, 1440}}, {{1320, 1440}, {0, 120}}, {{480, 1080}}, {{540, 600}, {600, 660}, {1400, 1439}}}).Draw(t, "shifts")
	for _, s := range spans {
		in.Shifts = append(in.Shifts, calendar.Shift{clockWords(s.from), clockWords(s.to)})
	}
	for range rapid.IntRange(0, 4).Draw(t, "pauses") {
		p := calendar.Pause{From: from.Add(time.Duration(rapid.IntRange(-300, 6000).Draw(t, "pause")) * time.Minute)}
		if rapid.IntRange(0, 9).Draw(t, "open") > 0 {
			p.To = p.From.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "length")) * time.Minute)
		}
		in.Pauses = append(in.Pauses, p)
	}
	return in, amount, spans
}

func TestDueEqualsMinuteByMinute(t *testing.T) {
	t.Parallel()
	w := newWorker(t)
	for _, unit := range calendar.Units() {
		t.Run(string(unit), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				in, amount, spans := draw(t, unit)
				got, err := calendar.Embedded().Due(in)
				if err != nil {
					t.Fatal(err)
				}
				if len(got.Missing) > 0 {
					t.Skip("runs into a year that is not announced")
				}
				minutes := 120 * 1440
				if got.Due == 0 {
					minutes = 20 * 1440 // longer than any pause of draw ends
				}
				want, ends := w.simulate(in, amount, spans, minutes)
				if ends != (got.Due != 0) || ends && civil.At(want) != got.Due {
					t.Fatalf("%+v: got %s, want %v %v", in, got.Due, want, ends)
				}
			})
		})
	}
}

// What is left when a pause begins is what is left when it ends, and counting it on from there gives the same due time.
func TestPausingKeepsWhatIsLeft(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in, _, _ := draw(t, rapid.SampledFrom([]calendar.Unit{calendar.Hours, calendar.WorkingHours}).Draw(t, "unit"))
		in.Pauses = nil
		begin := in.From.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "begin")) * time.Minute)
		end := begin.Add(time.Duration(rapid.IntRange(1, 9000).Draw(t, "length")) * time.Minute)
		paused, ongoing := in, in
		paused.Pauses = []calendar.Pause{{From: begin, To: end}}
		ongoing.Pauses = []calendar.Pause{{From: begin}}
		before, ok1, err1 := calendar.Embedded().Remaining(in, begin)
		during, ok2, err2 := calendar.Embedded().Remaining(ongoing, end)
		after, ok3, err3 := calendar.Embedded().Remaining(paused, end)
		if err1 != nil || err2 != nil || err3 != nil || !ok1 || !ok2 || !ok3 {
			t.Skip("runs into a year that is not announced")
		}
		if before != during || before != after {
			t.Fatalf("left: before %v, during %v, after %v", before, during, after)
		}
		if before == 0 {
			return
		}
		want, err := calendar.Embedded().Due(paused)
		if err != nil || len(want.Missing) > 0 {
			t.Skip("runs into a year that is not announced")
		}
		on := in
		on.From = end
		got, err := calendar.Embedded().DueLeft(on, before)
		if err != nil || got.Due != want.Due {
			t.Fatalf("resumed: got %s (%v), want %s", got.Due, err, want.Due)
		}
		if left, _, _ := calendar.Embedded().Remaining(paused, want.Due); left != 0 {
			t.Fatalf("left when due: %v", left)
		}
		if left, _, _ := calendar.Embedded().Remaining(paused, want.Due-1); left != time.Millisecond {
			t.Fatalf("left a millisecond before: %v", left)
		}
	})
}

// A pause, another policy, and on: what is left counts under the new shifts, and the old amount is forgotten.
func TestResumeUnderAnotherPolicy(t *testing.T) {
	t.Parallel()
	in := calendar.Input{Limit: calendar.Of(8, calendar.WorkingHours), From: at(t, "2026-03-09T08:30"), Shifts: office}
	left, ok, err := calendar.Embedded().Remaining(in, at(t, "2026-03-09T15:00"))
	if err != nil || !ok || left != 3*time.Hour+30*time.Minute {
		t.Fatalf("got %v %v %v, want 3h30m", left, ok, err)
	}
	got, err := calendar.Embedded().DueLeft(calendar.Input{
		Limit: calendar.Of(2, calendar.WorkingHours), From: at(t, "2026-03-10T15:00"),
		Shifts: calendar.Shifts{{"09:00", "18:00"}},
	}, left)
	if err != nil || got.Due.String() != "2026-03-11T09:30:00+08:00" {
		t.Errorf("got %s, %v", got.Due, err)
	}
	for _, l := range []calendar.Limit{calendar.Of(3, calendar.Days), calendar.Of(3, calendar.WorkingDays)} {
		if _, ok, err := calendar.Embedded().Remaining(calendar.Input{Limit: l, From: in.From}, in.From); ok || err != nil {
			t.Errorf("%s: a limit in days has nothing that a pause could keep: %v %v", l.Unit, ok, err)
		}
		if _, err := calendar.Embedded().DueLeft(calendar.Input{Limit: l, From: in.From}, left); err == nil {
			t.Errorf("%s: no error", l.Unit)
		}
	}
	if _, ok, err := calendar.Embedded().Remaining(calendar.Input{Limit: calendar.Of(900, calendar.WorkingHours), From: at(t, "2026-12-01T08:30"), Shifts: office},
		at(t, "2027-02-01T00:00")); ok || err != nil {
		t.Errorf("what is left cannot be known without the year: %v %v", ok, err)
	}
}

func BenchmarkDue(b *testing.B) {
	from := at(b, "2026-02-13T16:30")
	long := at(b, "2018-01-02T09:00")
	for _, c := range []struct {
		name string
		in   calendar.Input
	}{
		{"hour", calendar.Input{Limit: calendar.Of(5, calendar.Hours), From: from}},
		{"working_day", calendar.Input{Limit: calendar.Of(3, calendar.WorkingDays), From: from}},
		{"working_hour", calendar.Input{Limit: calendar.Of(8, calendar.WorkingHours), From: from, Shifts: office}},
		{"working_hour_8_years", calendar.Input{Limit: calendar.Of(14000, calendar.WorkingHours), From: long, Shifts: office}},
		{"working_day_8_years", calendar.Input{Limit: calendar.Of(2000, calendar.WorkingDays), From: long}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := calendar.Embedded().Due(c.in)
				if err != nil || r.Due.IsZero() {
					b.Fatal(r, err)
				}
			}
		})
	}
}

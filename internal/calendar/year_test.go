package calendar_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

func day(t testing.TB, s string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	c := calendar.Embedded()
	if diff := cmp.Diff([]int{2018, 2019, 2020, 2021, 2022, 2023, 2024, 2025, 2026}, c.Years()); diff != "" {
		t.Error(diff)
	}
	for _, w := range []struct {
		date, name          string
		known, work, makeUp bool
	}{
		{"2026-02-14", "春节", true, true, true},
		{"2026-02-17", "春节", true, false, false},
		{"2026-03-07", "", true, false, false},
		{"2026-03-09", "", true, true, false},
		{"2018-12-29", "元旦", true, true, true},
		{"2018-12-31", "元旦", true, false, false},
		{"2022-12-31", "元旦", true, false, false},
		{"2017-12-31", "", false, false, false},
		{"2027-01-01", "", false, false, false},
	} {
		want := calendar.DayInfo{Date: day(t, w.date), Known: w.known, Work: w.work, Name: w.name, MakeUp: w.makeUp}
		if diff := cmp.Diff(want, c.DayInfo(day(t, w.date))); diff != "" {
			t.Errorf("%s: %s", w.date, diff)
		}
	}
}

func TestWith(t *testing.T) {
	t.Parallel()
	c := calendar.Embedded().With(calendar.Year{Year: 2027, Days: []calendar.Day{
		{Name: "元旦", Date: day(t, "2026-12-31"), IsOffDay: true},
		{Name: "元旦", Date: day(t, "2027-01-01"), IsOffDay: true},
		{Name: "元旦", Date: day(t, "2028-01-01"), IsOffDay: false},
	}})
	for date, want := range map[string][2]bool{"2026-12-31": {false, true}, "2027-01-01": {false, true}, "2027-01-04": {true, true}, "2028-01-01": {false, false}} {
		work, known := c.IsWorkday(day(t, date))
		if got := [2]bool{work, known}; got != want {
			t.Errorf("%s: got %v, want %v", date, got, want)
		}
	}
	c = c.With(calendar.Year{Year: 2028})
	if work, known := c.IsWorkday(day(t, "2028-01-01")); !work || !known {
		t.Errorf("what the year before says about a day holds when its own year is silent: got %v %v", work, known)
	}
	if work, known := calendar.Embedded().IsWorkday(day(t, "2026-12-31")); !work || !known {
		t.Error("With changed the calendar it was called on")
	}
}

// A wrong entry that was switched off stays off after the next import, also when the file in between lacks it; a corrected
// entry is heard.
func TestSwitchedOffStaysOff(t *testing.T) {
	t.Parallel()
	wrong := calendar.Day{Name: "元旦", Date: day(t, "2027-03-08"), IsOffDay: true}
	feed := calendar.Year{Year: 2027, Days: []calendar.Day{{Name: "元旦", Date: day(t, "2027-01-01"), IsOffDay: true}, wrong}}
	c := calendar.Embedded().With(feed)
	if work, _ := c.IsWorkday(wrong.Date); work {
		t.Fatal("the wrong entry must count before it is switched off")
	}
	stored, err := feed.Switch(wrong.Date, true, true)
	if err != nil {
		t.Fatal(err)
	}
	if feed.Days[1].Off {
		t.Error("Switch changed the year it was called on")
	}
	renamed := feed
	renamed.Days = []calendar.Day{{Name: "New Year", Date: wrong.Date, IsOffDay: true}}
	for _, step := range []struct {
		name string
		feed calendar.Year
	}{{"switched off", stored}, {"again", feed}, {"without the entry", calendar.Year{Year: 2027}}, {"back again", feed}, {"under another name", renamed}} {
		c = c.With(step.feed)
		if work, known := c.IsWorkday(wrong.Date); !work || !known {
			t.Errorf("%s: the entry is back", step.name)
		}
		y, _ := c.Year(2027)
		if err := y.Check(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
	}
	saturday := day(t, "2027-03-06")
	c = calendar.Embedded().With(calendar.Year{Year: 2027, Days: []calendar.Day{{Name: "元旦", Date: saturday, IsOffDay: true, Off: true}}})
	c = c.With(calendar.Year{Year: 2027, Days: []calendar.Day{{Name: "元旦", Date: saturday, IsOffDay: false}}})
	if info := c.DayInfo(saturday); !info.MakeUp {
		t.Errorf("a corrected entry must be heard: %+v", info)
	}
	on, err := stored.Switch(wrong.Date, true, false)
	if err != nil {
		t.Fatal(err)
	}
	if work, _ := calendar.Embedded().With(on).IsWorkday(wrong.Date); work {
		t.Error("an entry that is switched on again must count")
	}
	if _, err := feed.Switch(wrong.Date, false, true); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v, want not found", err)
	}
}

func TestParseYear(t *testing.T) {
	t.Parallel()
	y, err := calendar.ParseYear([]byte("\xef\xbb\xbf" + `{"$schema":"s","$id":"i","year":2027,"papers":["p"],"days":[
		{"name":"元旦","date":"2026-12-31","isOffDay":true},{"name":"元旦","date":"2027-01-02","isOffDay":false}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := calendar.Year{Year: 2027, Papers: []string{"p"}, Days: []calendar.Day{
		{Name: "元旦", Date: day(t, "2026-12-31"), IsOffDay: true},
		{Name: "元旦", Date: day(t, "2027-01-02")},
	}}
	if diff := cmp.Diff(want, y); diff != "" {
		t.Error(diff)
	}
	ok := `{"name":"元旦","date":"2027-01-01","isOffDay":true}`
	for _, c := range []struct {
		json string
		want []string
	}{
		{`{"year":2027,"days":[` + ok + `,{"name":"元旦","date":"2027-02-30","isOffDay":true}]}`, []string{"days.1.date"}},
		{`{"year":2027,"days":[` + ok + `,` + ok + `]}`, []string{"days.1.date"}},
		{`{"year":2027,"days":[` + ok + `,{"name":"x","date":"2027-01-01","isOffDay":false}]}`, []string{"days.1.date"}},
		{`{"year":2027,"days":[{"name":"元旦","date":"2025-12-31","isOffDay":true}]}`, []string{"days.0.date"}},
		{`{"year":2027,"days":[{"name":"元旦","date":"2029-01-01","isOffDay":true}]}`, []string{"days.0.date"}},
		{`{"year":2027,"days":[{"name":" ","date":"2027-01-01","isOffDay":true}]}`, []string{"days.0.name"}},
		{`{"year":2027,"days":[{}]}`, []string{"days.0.name", "days.0.isOffDay", "days.0.date"}},
		{`{"year":2027,"days":[{"name":"元旦","date":20270101,"isOffDay":true}]}`, []string{"days.0.date"}},
		{`{"year":2027,"days":[{"name":"元旦","date":"2027-01-01","isOffDay":"yes"}]}`, []string{"days.0.isOffDay"}},
		{`{"year":2027,"days":[{"name":"元旦","date":"2027-01-01","isOffDay":true,"note":1}]}`, []string{"days.0.note"}},
		{`{"year":"2027","days":[` + ok + `]}`, []string{"year"}},
		{`{"year":1927,"days":[` + ok + `]}`, []string{"year", "days.0.date"}},
		{`{"year":2027,"days":[]}`, []string{"days"}},
		{`{"days":[` + ok + `]}`, []string{"year"}},
		{`{"year":2027,"days":[` + ok + `]} x`, []string{""}},
		{`{"year":2027`, []string{""}},
	} {
		_, err := calendar.ParseYear([]byte(c.json))
		if err == nil {
			t.Errorf("%s: no error", c.json)
			continue
		}
		if diff := cmp.Diff(c.want, fieldsOf(t, err)); diff != "" {
			t.Errorf("%s: %s", c.json, diff)
		}
	}
	if _, err := calendar.ParseYear([]byte("{\"year\":2027,\"days\":[{\"name\":\"\xff\"}]}")); !fault.Is(err, fault.Invalid) {
		t.Errorf("broken UTF-8: %v", err)
	}
	many := `{"year":2027,"days":[`
	for range 1099 {
		many += ok + ","
	}
	if _, err := calendar.ParseYear(fmt.Append(nil, many, ok, "]}")); err == nil || fieldsOf(t, err)[0] != "days" {
		t.Errorf("too many entries: %v", err)
	}
}

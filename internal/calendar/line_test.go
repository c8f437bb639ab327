package calendar_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	three := calendar.Of(3, calendar.WorkingDays)
	a, err := calendar.Embedded().Answer(calendar.Line{City: 140100, Limit: &three, From: "2026-02-13T16:30:00+08:00", Shifts: office}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"due":"2026-02-26T00:00:00+08:00","provisional":false,"explain":[` +
		`{"zh":"2026年2月13日当日不计入，从次日起算3个工作日。","en":"The day of the act, 13 Feb 2026, is not counted; the limit of 3 working days runs from the next day."},` +
		`{"zh":"2026年2月14日为春节调休上班日，计入。","en":"14 Feb 2026 is a make-up working day (春节) and counted."},` +
		`{"zh":"2026年2月15日至2026年2月23日春节放假，不计入。","en":"15 Feb 2026 to 23 Feb 2026 is a public holiday (春节) and not counted."},` +
		`{"zh":"到2026年2月25日24:00止，此后为超时。","en":"Ends on 25 Feb 2026 24:00; anything later is late."}]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	a, err = calendar.Embedded().Answer(calendar.Line{Limit: &three, From: "2026-12-30T09:00"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err = json.Marshal(a); err != nil {
		t.Fatal(err)
	}
	if want := `{"due":null,"provisional":false,"missing":["holidays 2027"],"explain":[`; string(got[:len(want)]) != want {
		t.Errorf("got %s, want %s…", got, want)
	}
}

func TestAnswerByRule(t *testing.T) {
	t.Parallel()
	source := calendar.Step{Message: text.Msg("calendar.amount.hour", "n", 2), Article: "第三十四条"}
	rules := func(city int, rule string, from civil.Instant) (calendar.Limit, calendar.Shifts, bool, []calendar.Step, error) {
		if city != 140100 || rule != "answer" || from != at(t, "2026-03-09T17:00") {
			return calendar.Limit{}, nil, false, nil, fault.New(fault.NotFound, "not_found")
		}
		return calendar.Of(2, calendar.WorkingHours), office, true, []calendar.Step{source}, nil
	}
	line := calendar.Line{City: 140100, Rule: "answer", From: "2026-03-09T17:00"}
	a, err := calendar.Embedded().Answer(line, rules)
	if err != nil {
		t.Fatal(err)
	}
	if a.Due.String() != "2026-03-10T10:00:00+08:00" || !a.Provisional || a.Explain[0].Article != source.Article || len(a.Explain) < 3 {
		t.Errorf("got %+v", a)
	}
	line.Shifts = calendar.Shifts{{"09:00", "18:00"}}
	if a, err = calendar.Embedded().Answer(line, rules); err != nil || a.Due.String() != "2026-03-10T10:00:00+08:00" {
		t.Errorf("the line's own shifts come first: %s, %v", a.Due, err)
	}
	line.City = 990100
	if _, err = calendar.Embedded().Answer(line, rules); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v, want the fault of the lookup", err)
	}
	if _, err = calendar.Embedded().Answer(line, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want invalid without packs", err)
	}
}

func TestBadLines(t *testing.T) {
	t.Parallel()
	three, minutes, week := calendar.Of(3, calendar.WorkingDays), calendar.Of(3, calendar.Minutes), calendar.Of(3, "week")
	end := "2026-02-30T00:00"
	for _, c := range []struct {
		line calendar.Line
		want []string
	}{
		{calendar.Line{From: "2026-03-09T17:00"}, []string{"limit"}},
		{calendar.Line{From: "2026-03-09T17:00", Limit: &three, Rule: "answer"}, []string{"rule"}},
		{calendar.Line{From: "2026-03-09T17:00", Limit: &minutes}, []string{"limit.unit"}},
		{calendar.Line{From: "2026-03-09T17:00", Limit: &week}, []string{"limit.unit"}},
		{calendar.Line{From: "2026-03-09T17:00", Rule: "answer"}, []string{"city"}},
		{calendar.Line{Limit: &three}, []string{"from"}},
		{calendar.Line{From: "2026-02-30T10:00", Limit: &three}, []string{"from"}},
		{calendar.Line{From: "1970-01-01T08:00", Limit: &three}, []string{"from"}},
		{
			calendar.Line{From: "2026-03-09T17:00", Limit: &three, Pauses: []calendar.PauseLine{{From: "2026-03-09T17:00"}, {From: "soon", To: &end}}},
			[]string{"pauses.1.from", "pauses.1.to"},
		},
	} {
		_, err := calendar.Embedded().Answer(c.line, nil)
		if diff := cmp.Diff(c.want, fieldsOf(t, err)); diff != "" {
			t.Errorf("%+v: %s", c.line, diff)
		}
	}
}

func TestCityCode(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]calendar.CityCode{`140100`: 140100, `"990100"`: 990100, `null`: 0} {
		var got calendar.CityCode
		if err := json.Unmarshal([]byte(s), &got); err != nil || got != want {
			t.Errorf("%s: got %d, %v", s, got, err)
		}
	}
	for _, s := range []string{`1401`, `"太原"`, `140100.5`, `true`, `[]`} {
		var got calendar.CityCode
		if err := json.Unmarshal([]byte(s), &got); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", s, errors.Unwrap(err))
		}
	}
}

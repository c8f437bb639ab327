package refund

import (
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
)

const (
	dayMillis  = int64(24 * time.Hour / time.Millisecond)
	zoneMillis = int64(8 * time.Hour / time.Millisecond) // the city's zone, without summer time since 1992
)

var (
	firstInstant = civil.NewDate(firstYear, time.January, 1).Start()
	lastInstant  = civil.NewDate(lastYear, time.December, 31).End()
)

// dayOf is the number of the city's day that an instant falls on. Checked inputs lie after 1991, so a day has 24 hours.
func dayOf(i civil.Instant) int32 {
	ms := int64(i) + zoneMillis
	d := ms / dayMillis
	if ms%dayMillis < 0 {
		d--
	}
	return int32(d)
}

func dayNumber(d civil.Date) int32 { return dayOf(d.Start()) }

func dateOf(day int32) civil.Date { return startOf(day).Date() }

// startOf is 0:00 of a day.
func startOf(day int32) civil.Instant { return civil.Instant(int64(day)*dayMillis - zoneMillis) }

// seasonDays are the first and the last day of the season, when both ends are known.
func (in *Input) seasonDays() (first, last int32, ok bool) {
	if in.Season.From.IsZero() || in.Season.To.IsZero() {
		return 0, 0, false
	}
	return dayOf(in.Season.From), dayOf(in.Season.To - 1), true
}

// lastSeasonDay is the last day of the season, absent when its end is unknown.
func (in *Input) lastSeasonDay() civil.Date {
	if in.Season.To.IsZero() {
		return civil.Date{}
	}
	return dateOf(dayOf(in.Season.To - 1))
}

func hours(n int) time.Duration { return time.Duration(n) * time.Hour }

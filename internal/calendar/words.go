package calendar

import (
	"fmt"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// When names a due time as people read it, without the year: midnight is 24:00 of the day before (2月25日24:00).
func When(due civil.Instant) text.Message { return when("calendar.when", due) }

// WhenFull is When with the year, for documents and explanations.
func WhenFull(due civil.Instant) text.Message { return when("calendar.when_full", due) }

// Since names the instant at which something starts, with the year: midnight is 00:00 of the day that begins.
func Since(at civil.Instant) text.Message {
	day := at.Date()
	return text.Msg("calendar.when_full", "day", dayWords(day), "short", shortDay(day), "clock", at.Clock())
}

// DueWords is When in a language; an absent due time reads as not yet known.
func DueWords(l text.Lang, due civil.Instant) string { return When(due).In(l) }

func when(key string, due civil.Instant) text.Message {
	if due.IsZero() {
		return text.Msg("calendar.no_due")
	}
	day, clock := dayAndClock(due)
	return text.Msg(key, "day", dayWords(day), "short", shortDay(day), "clock", clock)
}

// dayAndClock gives 24:00 of the day before for midnight.
func dayAndClock(due civil.Instant) (civil.Date, string) {
	day := due.Date()
	if due == day.Start() {
		return day.AddDays(-1), "24:00"
	}
	return day, due.Clock()
}

func shortDay(d civil.Date) text.Message {
	return text.Msg("calendar.day_short", "month", monthWords(d.Month), "day", d.Day)
}

// dayWords names a day with its year: 2026年2月25日.
func dayWords(d civil.Date) text.Message {
	return text.Msg("calendar.day", "year", d.Year, "month", monthWords(d.Month), "day", d.Day)
}

func monthWords(m time.Month) text.Message {
	return text.Msg("calendar.month." + strconv.Itoa(int(m)))
}

// Left says how much time is left, in words and by the clock: 还剩37分(20:15前), or by how much it is late: 超时 3时41分.
// The minutes begun are not counted as left.
func Left(l text.Lang, due, now civil.Instant) string {
	if due.IsZero() {
		return text.T(l, "calendar.no_due")
	}
	late := !now.Before(due)
	minutes := int64(due-now) / 60_000
	if late {
		minutes = int64(now-due) / 60_000
	}
	switch {
	case late && minutes == 0:
		return text.T(l, "calendar.just_late")
	case late:
		return text.T(l, "calendar.late", "length", lengthWords(minutes*60_000))
	case minutes == 0:
		return text.T(l, "calendar.left_moment", "by", clockFor(due, now))
	}
	return text.T(l, "calendar.left", "length", lengthWords(minutes*60_000), "by", clockFor(due, now))
}

// clockFor is the clock alone for today, with the day for any other, and with the year for another year.
func clockFor(due, now civil.Instant) text.Message {
	day, clock := dayAndClock(due)
	switch today := now.Date(); {
	case day == today:
		return text.Msg("calendar.clock", "clock", clock)
	case day.Year == today.Year:
		return When(due)
	}
	return WhenFull(due)
}

// lengthWords names a length of time in its two largest units that people say: 2天3时, 3时41分, 37分; below a minute in
// seconds.
func lengthWords(millis int64) text.Message {
	minutes := millis / 60_000
	d, h, m := minutes/(24*60), minutes/60%24, minutes%60
	switch {
	case minutes == 0:
		return text.Msg("calendar.length.s", "s", seconds(millis))
	case d > 0 && h > 0:
		return text.Msg("calendar.length.dh", "d", d, "h", h)
	case d > 0:
		return text.Msg("calendar.length.d", "d", d)
	case h > 0 && m > 0:
		return text.Msg("calendar.length.hm", "h", h, "m", m)
	case h > 0:
		return text.Msg("calendar.length.h", "h", h)
	}
	return text.Msg("calendar.length.m", "m", m)
}

func seconds(millis int64) string {
	if millis%1000 == 0 {
		return strconv.FormatInt(millis/1000, 10)
	}
	return fmt.Sprintf("%d.%03d", millis/1000, millis%1000)
}

package sim

import (
	"iter"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
)

// busiest is how many calls a minute come in the busiest hour while people look at the city, in thousandths: enough that a
// visitor sees something happen, which a winter of twenty calls a day does not show.
const busiest = 4_000

// Visit is an endless stream of calls for a city that is looked at, beside those of Calls: a few a minute by the hour's curve,
// times speed, the first within seconds. The calls of a minute depend on the seed and the minute alone; a higher speed only
// adds to them.
func (w *Winter) Visit(from civil.Instant, speed float64) iter.Seq[Call] {
	return func(yield func(Call) bool) {
		if speed <= 0 {
			return
		}
		heard := false
		for at := minuteOf(from); ; at = at.Add(time.Minute) {
			mean := float64(busiest) * speed * float64(hours[at.Time().Hour()]) / float64(hours[busiestHour])
			for _, c := range w.minute(at, int(mean)) {
				if c.At.Before(from) {
					continue
				}
				if !heard && c.At.After(from.Add(visitSoon)) && !yield(w.Caller(from, FirstVisit, from.Add(visitSoon/2))) {
					return
				}
				heard = true
				if !yield(c) {
					return
				}
			}
		}
	}
}

// visitSoon is how long a visitor waits at most for the first call.
const visitSoon = 15 * time.Second

const busiestHour = 19

// FirstVisit is the number, in its minute, of the call that comes where no other would soon.
const FirstVisit = 9_999

func minuteOf(at civil.Instant) civil.Instant { return at - at%60_000 }

// minute makes the calls of one minute, a thousandth of mean in number.
func (w *Winter) minute(at civil.Instant, mean int) []Call {
	var out []Call
	n := count(roll(w.Seed, "visit", int(at/60_000)), mean)
	for k := range n {
		c := w.Caller(at, k, at.Add(time.Duration(60_000*(2*k+1)/(2*n))*time.Millisecond))
		out = append(out, c)
	}
	return out
}

// VisitKey is the key of one call of a minute.
func VisitKey(minute civil.Instant, n int) string {
	return "visit/" + minute.Minute() + "/" + pad(n, 4)
}

// Caller is one call of a minute; all of it but its moment follows from the seed, the minute and its number.
func (w *Winter) Caller(minute civil.Instant, n int, at civil.Instant) Call {
	y := &callYear{Winter: w}
	minute = minuteOf(minute)
	r := roll(w.Seed, "visitor", int(minute/60_000), n)
	c := y.visitor(r, minute.Date())
	c.Key, c.At = VisitKey(minute, n), at
	return c
}

// visitor is a question as often as in life, or a complaint.
func (y *callYear) visitor(r dice, d civil.Date) Call {
	if r.chance(450) || d.Before(seasonStart) {
		return y.question(r, d)
	}
	return y.complaint(r, d)
}

package sim

import (
	"time"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
)

const hour = time.Hour

// Weather is the outdoor temperature, hour by hour.
type Weather struct {
	seed     uint64
	from, to civil.Date
	days     map[civil.Date]day
	hourly   []int // from the first hour of from, for felt
}

// day is what the weather of one day is made of, in tenths.
type day struct{ mean, swing int }

// normals are the usual daily means at the first of each month from July, in tenths: a city between Beijing and Tangshan.
var normals = [13]int{260, 265, 220, 155, 75, -10, -48, -34, 30, 115, 185, 235, 260}

// NewWeather is the weather of the days from and to, both included. A day's weather does not depend on the range asked for.
func NewWeather(seed uint64, from, to civil.Date) *Weather {
	w := &Weather{seed: seed, from: from, to: to, days: map[civil.Date]day{}}
	for d := from.AddDays(-3); !d.After(to.AddDays(1)); d = d.AddDays(1) {
		w.days[d] = w.make(d)
	}
	for at := from.Start(); at.Before(to.End()); at = at.Add(hour) {
		w.hourly = append(w.hourly, int(w.At(at)))
	}
	return w
}

func dayNumber(d civil.Date) int { return civil.NewDate(2000, 1, 1).DaysUntil(d) }

func (w *Weather) make(d civil.Date) day {
	month := (int(d.Month) + 5) % 12
	length := civil.NewDate(d.Year, d.Month, 1).DaysUntil(civil.NewDate(d.Year, d.Month+1, 1))
	mean := normals[month] + (normals[month+1]-normals[month])*(d.Day-1)/length
	n := dayNumber(d)
	for back := range 6 { // yesterday's weather is half of today's
		mean += roll(w.seed, "air", n-back).bell(34) / (1 << (back / 2))
	}
	mean -= coldSpell(w.seed, d)
	r := roll(w.seed, "sky", n)
	return day{mean: mean, swing: 38 + r.bell(18)}
}

// coldSpell is how many tenths a cold spell (寒潮) takes off a day: a hard fall within two days, five days of recovery. One
// comes each ten to sixteen days between November and March; one in mid-January always does.
func coldSpell(seed uint64, d civil.Date) int {
	year := d.Year
	if d.Month < 7 {
		year--
	}
	start := civil.NewDate(year, 11, 1)
	r := roll(seed, "spells", year)
	off := 0
	for at := r.between(6, 14); at < 135; at += r.between(10, 16) {
		off = max(off, spell(start.AddDays(at).DaysUntil(d), r.between(45, 95)))
	}
	january := civil.NewDate(year+1, 1, 12)
	return max(off, spell(january.DaysUntil(d), 105))
}

func spell(since, depth int) int {
	falling := [...]int{45, 90, 100, 92, 75, 52, 28, 10}
	if since < 0 || since >= len(falling) {
		return 0
	}
	return depth * falling[since] / 100
}

// swings is the course of a clear day, in hundredths of its swing: coldest before sunrise, warmest at two.
var swings = [24]int{
	-62, -70, -77, -84, -91, -97, -100, -92, -60, -18, 26, 62, 86, 98, 100, 92, 70, 42, 18, -2, -18, -32, -43, -53,
}

// At is the outdoor temperature of the hour that an instant lies in.
func (w *Weather) At(at civil.Instant) celsius.Tenths {
	d := w.day(at.Date())
	h := at.Time().Hour()
	next := w.day(at.Date().AddDays(1))
	mean := d.mean + (next.mean-d.mean)*(h-12)/24 // the change of weather does not wait for midnight
	if h < 12 {
		before := w.day(at.Date().AddDays(-1))
		mean = d.mean + (d.mean-before.mean)*(h-12)/24
	}
	return celsius.Tenths(mean + d.swing*swings[h]/100)
}

func (w *Weather) day(d civil.Date) day {
	if of, ok := w.days[d]; ok {
		return of
	}
	return w.make(d)
}

// Mean is the mean of a day.
func (w *Weather) Mean(d civil.Date) celsius.Tenths {
	sum := 0
	for h := range 24 {
		sum += int(w.At(civil.On(d, h, 0)))
	}
	return celsius.Tenths(sum / 24)
}

// felt is what the walls remember: the mean of the last day and a half.
func (w *Weather) felt(at civil.Instant) int {
	sum, n := 0, int(at.Sub(w.from.Start())/hour)
	for back := range 12 {
		if k := n - 3*back; k >= 0 && k < len(w.hourly) {
			sum += w.hourly[k]
		} else {
			sum += int(w.At(at.Add(-time.Duration(back) * 3 * hour)))
		}
	}
	return sum / 12
}

// Reading is one hour's temperature.
type Reading struct {
	At civil.Instant
	C  celsius.Tenths
}

// Hours lists every hour of the range.
func (w *Weather) Hours() []Reading {
	var out []Reading
	for at := w.from.Start(); at.Before(w.to.End()); at = at.Add(hour) {
		out = append(out, Reading{at, w.At(at)})
	}
	return out
}

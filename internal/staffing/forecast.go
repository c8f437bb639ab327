package staffing

import (
	"math"
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Slots is how many half-hours a day has.
const Slots = 48

// Day is what is known of a day: its calls by half-hour, and what drives them.
type Day struct {
	Date   civil.Date
	Calls  [Slots]float64
	TempC  float64 // mean outside
	Drop   float64 // degrees colder than the day before; 0 when it is not
	Off    bool    // weekend or holiday
	Since  int     // days since the season began; negative before
	Bursts int     // sudden stops that began
}

// Total is the day's calls.
func (d Day) Total() float64 {
	sum := 0.0
	for _, c := range d.Calls {
		sum += c
	}
	return sum
}

// The terms of the model, in the order of its coefficients: the logarithm of a day's calls is their sum.
const (
	termBase  = iota
	termCold  // per ten degrees below zero
	termDrop  // per ten degrees within a day
	termOff   // day off
	termStart // first days of a season: 1 is ten times normal
	termPre   // before the season
	termBurst // per main burst
	terms
)

// startDays is how long the rush at the start of a season lasts, until it is as on any day.
const startDays = 15

// prior is what practice expects before a centre's own history says otherwise; strength is after how many days it is half
// believed. Ten times normal on the first day is the field's rule of thumb; the others are judgement.
var (
	prior    = [terms]float64{termCold: 0.2, termDrop: 0.3, termOff: -0.1, termStart: 1, termPre: -1.2, termBurst: 0.15}
	strength = [terms]float64{termCold: 1, termDrop: 1, termOff: 3, termStart: 2, termPre: 2, termBurst: 3}
)

// halfLife is after how many days an observation counts half.
const halfLife = 35.0

func (d Day) row() [terms]float64 {
	x := [terms]float64{termBase: 1, termCold: -d.TempC / 10, termDrop: d.Drop / 10, termBurst: float64(d.Bursts)}
	if d.Off {
		x[termOff] = 1
	}
	switch {
	case d.Since < 0:
		x[termPre] = 1
	case d.Since < startDays:
		x[termStart] = math.Ln10 * (1 - float64(d.Since)/startDays)
	}
	return x
}

// LeastDays is how much history a forecast needs.
const LeastDays = 14

// Model forecasts a day: how many calls, and when.
type Model struct {
	Coef    [terms]float64
	Sigma   float64 // of the logarithm of a day's calls
	Days    int     // it was fitted to
	profile [2][Slots]float64
}

// Fit fits the model to history, older days counting less; false when there is too little.
func Fit(history []Day) (Model, bool) {
	var m Model
	days := slices.DeleteFunc(slices.Clone(history), func(d Day) bool { return d.Total() == 0 })
	if m.Days = len(days); m.Days < LeastDays {
		return m, false
	}
	slices.SortFunc(days, func(a, b Day) int { return b.Date.DaysUntil(a.Date) })
	last := days[len(days)-1].Date
	var a [terms][terms]float64
	var b [terms]float64
	for t := range terms {
		a[t][t], b[t] = strength[t], strength[t]*prior[t]
	}
	weight := make([]float64, len(days))
	for n, d := range days {
		x, y := d.row(), math.Log(d.Total())
		w := math.Exp2(-float64(d.Date.DaysUntil(last)) / halfLife)
		weight[n] = w
		for i := range terms {
			b[i] += w * x[i] * y
			for j := range terms {
				a[i][j] += w * x[i] * x[j]
			}
		}
	}
	m.Coef = solve(a, b)
	m.Sigma = m.spread(days, weight)
	m.shape(days, weight)
	return m, true
}

// spread is how far days lie from the model, with the freedom that fitting took.
func (m Model) spread(days []Day, weight []float64) float64 {
	sum, total := 0.0, 0.0
	for n, d := range days {
		r := math.Log(d.Total()) - m.mean(d)
		sum, total = sum+weight[n]*r*r, total+weight[n]
	}
	const taken = 4.0 // the terms that a usual span of days tells something about
	return math.Sqrt(sum / max(total-taken, total/2))
}

// shape is how a day's calls spread over its half-hours, on working days and days off. A few calls of an even day are mixed
// in, so that a half-hour in which nobody rang yet is not impossible.
func (m *Model) shape(days []Day, weight []float64) {
	const even = 2.0
	for kind := range m.profile {
		var sum float64
		for s := range Slots {
			m.profile[kind][s] = even / Slots
		}
		sum = even
		for n, d := range days {
			w := weight[n]
			if d.Off != (kind == 1) {
				w /= 4 // days of the other kind say something too
			}
			for s, c := range d.Calls {
				m.profile[kind][s] += w * c
				sum += w * c
			}
		}
		for s := range Slots {
			m.profile[kind][s] /= sum
		}
	}
}

func (m Model) mean(d Day) float64 {
	sum := 0.0
	for t, x := range d.row() {
		sum += m.Coef[t] * x
	}
	return sum
}

// Factor is what one thing does to a day's calls: how many times as many as without it.
type Factor struct {
	Name  string  `json:"name"` // its name on the screen is "staffing.factor.<name>"
	Times float64 `json:"times"`
}

// Explain takes a day's forecast apart: the calls of an ordinary day at zero degrees, and what each thing that drives the day
// multiplies them by. The product of all is the forecast.
func (m Model) Explain(d Day) (ordinary float64, factors []Factor) {
	names := [terms]string{termCold: "cold", termDrop: "drop", termOff: "off", termStart: "start", termPre: "before", termBurst: "burst"}
	for t, x := range d.row() {
		if t == termBase || x == 0 {
			continue
		}
		factors = append(factors, Factor{names[t], math.Exp(m.Coef[t] * x)})
	}
	return math.Exp(m.Coef[termBase]), factors
}

// Range is a forecast with the range in which four of five days should lie.
type Range struct{ Low, Mid, High float64 }

// z is the half-width of a range that holds four of five.
const z = 1.2816

func (m Model) around(mid float64) Range {
	half := z * math.Sqrt(m.Sigma*m.Sigma+1/max(mid, 0.5))
	return Range{mid * math.Exp(-half), mid, mid * math.Exp(half)}
}

// Forecast is a day's calls, all together and by half-hour. Only what drives the day is read of d.
func (m Model) Forecast(d Day) (Range, [Slots]Range) {
	total := math.Exp(min(m.mean(d), 20)) // half a milliard calls: a broken thermometer, not a day
	kind := 0
	if d.Off {
		kind = 1
	}
	var out [Slots]Range
	for s := range Slots {
		out[s] = m.around(total * m.profile[kind][s])
	}
	return m.around(total), out
}

// Test is how well the model would have forecast days that it had not seen.
type Test struct {
	Days     int     `json:"days"`
	DayError float64 `json:"day_error"` // sum of absolute errors of days out of all calls
	Slot     float64 `json:"slot_error"`
	Covered  float64 `json:"covered"` // part of days within their range; four of five are meant to be
}

// BackTest forecasts each of the last days from the days before it alone, with the weather that came. False when there is
// too little history.
func BackTest(history []Day, last int) (Test, bool) {
	var t Test
	days := slices.Clone(history)
	slices.SortFunc(days, func(a, b Day) int { return b.Date.DaysUntil(a.Date) })
	var calls, day, slot float64
	covered := 0
	for n := max(LeastDays, len(days)-last); n < len(days); n++ {
		m, ok := Fit(days[:n])
		if !ok || days[n].Total() == 0 {
			continue
		}
		d := days[n]
		all, slots := m.Forecast(d)
		t.Days++
		calls += d.Total()
		day += math.Abs(all.Mid - d.Total())
		for s := range Slots {
			slot += math.Abs(slots[s].Mid - d.Calls[s])
		}
		if d.Total() >= all.Low && d.Total() <= all.High {
			covered++
		}
	}
	if t.Days == 0 {
		return t, false
	}
	t.DayError, t.Slot, t.Covered = day/calls, slot/calls, float64(covered)/float64(t.Days)
	return t, true
}

// solve solves a symmetric positive system by elimination with the largest pivot.
func solve(a [terms][terms]float64, b [terms]float64) [terms]float64 {
	for col := range terms {
		at := col
		for r := col + 1; r < terms; r++ {
			if math.Abs(a[r][col]) > math.Abs(a[at][col]) {
				at = r
			}
		}
		a[col], a[at] = a[at], a[col]
		b[col], b[at] = b[at], b[col]
		if a[col][col] == 0 {
			continue // nothing is known of the term
		}
		for r := col + 1; r < terms; r++ {
			f := a[r][col] / a[col][col]
			for c := col; c < terms; c++ {
				a[r][c] -= f * a[col][c]
			}
			b[r] -= f * b[col]
		}
	}
	var x [terms]float64
	for r := terms - 1; r >= 0; r-- {
		sum := b[r]
		for c := r + 1; c < terms; c++ {
			sum -= a[r][c] * x[c]
		}
		if a[r][r] != 0 {
			x[r] = sum / a[r][r]
		}
	}
	return x
}

package ui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Series is a row of values of a chart, in the order of the chart's labels. NaN leaves a gap.
type Series struct {
	Name   string
	Values []float64
}

// Chart is a chart drawn by the server, with a table of the same figures below it:
//
//	@ui.Bars(ui.Chart{Title: ui.T(ctx, "stats.by_day"), Labels: days, Series: []ui.Series{{Name: …, Values: …}}})
//	@ui.Lines(ui.Chart{…, Limit: 18, LimitName: …})
type Chart struct {
	ID        string // unique in the page; empty when there is only one chart
	Title     string
	Labels    []string
	Series    []Series
	Decimals  int
	Limit     float64 // a line across, such as the standard temperature; 0 = none
	LimitName string
	LabelKey  string // catalogue key of what the labels are (day, company)
	Height    int    // in units of a width of 640; 0 = 240
	NoTable   bool   // the same figures stand in the page already
	Quiet     bool   // the panel around it bears the same title
}

// Size of the drawing; the browser scales it to its box.
const (
	chartWidth  = 640.0
	chartLeft   = 46.0
	chartRight  = 12.0
	chartTop    = 14.0
	chartBottom = 28.0
)

type plot struct {
	c        Chart
	low, top float64
	ticks    []float64
}

func newPlot(c Chart, fromZero bool) plot {
	p := plot{c: c}
	low, high := math.Inf(1), math.Inf(-1)
	see := func(v float64) {
		if !math.IsNaN(v) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	for _, s := range c.Series {
		for _, v := range s.Values {
			see(v)
		}
	}
	if c.Limit != 0 {
		see(c.Limit)
	}
	if math.IsInf(low, 1) {
		low, high = 0, 1
	}
	if fromZero {
		low, high = math.Min(low, 0), math.Max(high, 0)
	}
	step := niceStep(high - low)
	p.low, p.top = math.Floor(low/step)*step, math.Ceil(high/step)*step
	if p.top <= p.low {
		p.top = p.low + step
	}
	for i := 0; ; i++ { // counted, not summed: sums of 0.1 drift
		v := p.low + float64(i)*step
		if v > p.top+step/2 {
			return p
		}
		p.ticks = append(p.ticks, v)
	}
}

// niceStep is a step of 1, 2 or 5 times a power of ten that cuts a span into about four.
func niceStep(span float64) float64 {
	if span <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, k := range []float64{1, 2, 5, 10} {
		if span/(unit*k) <= 5 {
			return unit * k
		}
	}
	return unit * 10
}

func (p plot) height() float64 {
	if p.c.Height > 0 {
		return float64(p.c.Height)
	}
	return 240
}

func (p plot) box() string { return fmt.Sprintf("0 0 %g %g", chartWidth, p.height()) }

func (p plot) y(v float64) float64 {
	span := p.height() - chartTop - chartBottom
	return chartTop + span*(1-(v-p.low)/(p.top-p.low))
}

func (p plot) slot() float64 {
	return (chartWidth - chartLeft - chartRight) / float64(max(1, len(p.c.Labels)))
}

func (p plot) mid(i int) float64 { return chartLeft + p.slot()*(float64(i)+0.5) }

// every is how many labels stand between two that are shown, so that they do not run into each other.
func (p plot) every() int {
	widest := 1
	for _, l := range p.c.Labels {
		w := 0
		for _, r := range l {
			if w++; r > 0x2E80 {
				w++
			}
		}
		widest = max(widest, w)
	}
	return max(1, int(math.Ceil((float64(widest)*6.6+10)/p.slot())))
}

// say writes a value for the chart's axis and its table.
func (c Chart) say(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', c.Decimals, 64)
}

func (p plot) tick(v float64) string {
	d := p.c.Decimals
	if len(p.ticks) > 1 && p.ticks[1]-p.ticks[0] < 1 {
		d = max(d, 1)
	}
	return strconv.FormatFloat(v, 'f', d, 64)
}

type column struct{ X, Y, W, H float64 }

func (p plot) column(series, i int) (column, bool) {
	v := p.at(series, i)
	if math.IsNaN(v) {
		return column{}, false
	}
	n := float64(len(p.c.Series))
	w := math.Min(p.slot()*0.72/n, 44)
	zero, top := p.y(math.Max(p.low, 0)), p.y(v)
	return column{X: p.mid(i) - w*n/2 + w*float64(series), Y: math.Min(zero, top), W: math.Max(w-1, 0.5), H: math.Abs(zero - top)}, true
}

func (p plot) at(series, i int) float64 {
	if v := p.c.Series[series].Values; i < len(v) {
		return v[i]
	}
	return math.NaN()
}

// runs are the points of a line, cut where values are missing.
func (p plot) runs(series int) []string {
	var out []string
	var b strings.Builder
	for i := range p.c.Labels {
		v := p.at(series, i)
		if math.IsNaN(v) {
			if b.Len() > 0 {
				out = append(out, b.String())
				b.Reset()
			}
			continue
		}
		fmt.Fprintf(&b, "%.1f,%.1f ", p.mid(i), p.y(v))
	}
	if b.Len() > 0 {
		out = append(out, b.String())
	}
	return out
}

// lone reports whether a run is one point, which a line would not show.
func lone(run string) bool { return strings.Count(run, ",") == 1 }

func num(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func (c Chart) key() string {
	if c.ID == "" {
		return "chart"
	}
	return c.ID
}

// Box is a map whose shapes come from an address as GeoJSON (properties: name, fill 1-8, href, note, kind "line", chosen,
// radius). The children of the part are the table of the same facts, which stands below.
type Box struct {
	ID    string
	Title string // finished text: what the map shows
	URL   string // of the GeoJSON
	Tall  bool
}

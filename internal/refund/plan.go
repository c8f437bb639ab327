package refund

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
)

// Options are what the city knows beside the rule.
type Options struct {
	Provisional bool // the rule waits for the city's approval
	SeasonDays  int  // the statutory days of the season, where the city's pack has them
}

// Plan is a rule made ready to be applied very often. It is never changed and may be shared.
type Plan struct {
	rule citypack.RefundRule
	opts Options

	bands     []band
	shortfall bool
	standard  ratio
	conforms  ratio // at and above it the home conforms
	kitchen   ratio
	known     bool // whether the rule says what conforms
	blank     bool // no percentage is known, so nothing can be computed from temperatures
	hasOwn    bool // whether kitchens have a standard of their own
	linear    *linear
	byRoom    bool
	reduce    citypack.Reduction
	counting  citypack.Counting
	between   string
	presumed  []presumption
	stops     []stopRule
	late      *stopRule
	early     *stopRule
	first     *stopRule
	start     *startRule
	ceiling   ratio
}

// band is one tier. Its ends are in tenths of a degree, of the room or of what it lacks.
type band struct {
	low, high             ratio
	hasLow, hasHigh       bool
	lowClosed, highClosed bool
	percent               ratio
	known                 bool // whether the law says the percentage
	label                 string
}

type linear struct {
	below, full ratio
	hasFull     bool
	each        ratio
	label       string
}

type presumption struct {
	of      citypack.Presumed
	percent ratio
	known   bool
}

type stopRule struct {
	of      citypack.StopRule
	percent ratio
	known   bool
	cause   Cause
}

// startRule is what a season's start that fails as a whole pays.
type startRule struct {
	of      citypack.Trigger
	percent ratio
	known   bool
}

// Compile makes a rule ready.
func Compile(rule citypack.RefundRule, opts Options) *Plan {
	p := &Plan{rule: rule, opts: opts, ceiling: whole(100)}
	p.compileStandard()
	p.compileTiers()
	p.compileLinear()
	p.blank = p.linear == nil && !slices.ContainsFunc(p.bands, func(b band) bool { return b.known })
	p.compileBase()
	if rule.Counting != nil {
		p.counting = *rule.Counting
	}
	p.between = p.counting.Between
	if p.reduce == citypack.ReduceLowest {
		p.between = "lowest"
	}
	for _, one := range rule.Presumed {
		pct, ok := parseRatio(string(one.Percent))
		p.presumed = append(p.presumed, presumption{of: one, percent: pct, known: ok})
		p.raise(pct)
	}
	p.compileStops()
	return p
}

// Rule is the rule that the plan was made of.
func (p *Plan) Rule() citypack.RefundRule { return p.rule }

// Provisional reports whether the plan's figures wait for the city's approval.
func (p *Plan) Provisional() bool { return p.opts.Provisional }

func (p *Plan) raise(percent ratio) {
	if percent.cmp(p.ceiling) > 0 {
		p.ceiling = percent
	}
}

func (p *Plan) compileStandard() {
	s := p.rule.Standard
	if s.C != nil {
		p.standard, p.known = whole(int64(*s.C)), true
		p.conforms = p.standard
		if s.Tolerance != nil {
			p.conforms = p.standard.sub(whole(int64(*s.Tolerance)))
		}
	}
	if s.LowestC != nil {
		p.conforms, p.known = whole(int64(*s.LowestC)), true
	}
	if s.KitchenC != nil {
		p.kitchen, p.hasOwn = whole(int64(*s.KitchenC)), true
	}
}

func (p *Plan) compileTiers() {
	r := p.rule
	if r.TierBasis == citypack.ByShortfall || r.TierBasis == citypack.ByAgreedShortfall {
		p.shortfall = true
		for _, t := range r.ShortfallTiers {
			p.addBand(t.Over, t.To, t.OverClosed, t.ToClosed, t.Percent)
		}
		return
	}
	for _, t := range r.Tiers {
		p.addBand(t.From, t.To, t.FromClosed, t.ToClosed, t.Percent)
	}
}

func (p *Plan) addBand(low, high *citypack.Degree, lowClosed, highClosed bool, percent citypack.Decimal) {
	b := band{lowClosed: lowClosed, highClosed: highClosed}
	if low != nil {
		b.low, b.hasLow = whole(int64(*low)), true
	}
	if high != nil {
		b.high, b.hasHigh = whole(int64(*high)), true
	}
	b.percent, b.known = parseRatio(string(percent))
	b.label = bandLabel(low, high, lowClosed, highClosed)
	p.bands = append(p.bands, b)
	p.raise(b.percent)
}

// bandLabel writes a tier as people of the field do: [16,18), <14, >=4.
func bandLabel(low, high *celsius.Tenths, lowClosed, highClosed bool) string {
	sign := func(open, closed string, is bool) string {
		if is {
			return closed
		}
		return open
	}
	switch {
	case low == nil && high == nil:
		return ""
	case low == nil:
		return sign("<", "<=", highClosed) + degrees(*high)
	case high == nil:
		return sign(">", ">=", lowClosed) + degrees(*low)
	}
	return sign("(", "[", lowClosed) + degrees(*low) + "," + degrees(*high) + sign(")", "]", highClosed)
}

// degrees writes tenths without a needless decimal.
func degrees(t celsius.Tenths) string { return over(int64(t), 10).String() }

func (p *Plan) compileLinear() {
	l := p.rule.Linear
	if l == nil {
		return
	}
	each, _ := parseRatio(string(l.PercentPerDegree))
	p.linear = &linear{below: whole(int64(l.BelowC)), each: each, label: "<" + degrees(l.BelowC)}
	if l.FullBelowC != nil {
		p.linear.full, p.linear.hasFull = whole(int64(*l.FullBelowC)), true
	}
}

func (p *Plan) compileBase() {
	b := p.rule.Base
	switch b.Scope {
	case "measured_room", "failing_rooms", "failing_part", "failing_area":
		p.byRoom = true
	}
	if b.Kind == citypack.BaseRoomsArea {
		p.byRoom = true
	}
	if p.rule.Reduction != nil {
		p.reduce = p.rule.Reduction.Kind
	}
}

func (p *Plan) compileStops() {
	for _, s := range p.rule.Stops {
		p.addStop(s, CauseStop)
	}
	for _, t := range p.rule.Triggers {
		pct, ok := parseRatio(string(t.Percent))
		switch {
		case t.Level == "season_start":
			p.start = &startRule{of: t, percent: pct, known: ok}
			p.raise(pct)
		case t.Level == "area" && len(p.rule.Stops) == 0 && (t.OverHours > 0 || t.TotalDays > 0):
			p.addStop(citypack.StopRule{
				MinHours: t.OverHours, MinExclusive: true, TotalDays: t.TotalDays, Percent: t.Percent, If: t.If, Text: t.Then,
			}, CauseStop)
		}
	}
	p.late = p.startEnd(p.rule.LateStart, CauseLate)
	p.early = p.startEnd(p.rule.EarlyEnd, CauseEarly)
	p.first = p.startEnd(p.rule.FirstSupply, CauseLate)
}

func (p *Plan) addStop(s citypack.StopRule, cause Cause) {
	pct, ok := parseRatio(string(s.Percent))
	p.stops = append(p.stops, stopRule{of: s, percent: pct, known: ok, cause: cause})
	p.raise(pct)
}

func (p *Plan) startEnd(s *citypack.StartEnd, cause Cause) *stopRule {
	if s == nil {
		return nil
	}
	pct, ok := parseRatio(string(s.Percent))
	p.raise(pct)
	return &stopRule{of: citypack.StopRule{Percent: s.Percent, By: s.By, Text: s.Text}, percent: pct, known: ok, cause: cause}
}

// verdict is what the rule says about one temperature.
type verdict struct {
	percent  ratio
	known    bool // false: the law's percentage is not known
	conforms bool
	overlap  bool // the law writes two tiers for this temperature
	band     int16
}

const (
	noBand     = -1
	linearBand = -2
)

// judge gives the percentage of a temperature in tenths. Tiers by shortfall follow the agreed temperature, tiers by
// temperature do not.
func (p *Plan) judge(t ratio, agreed *celsius.Tenths, kitchen bool) verdict {
	v := verdict{known: true, band: noBand}
	limit := p.conforms
	if kitchen && p.hasOwn {
		limit = p.kitchen
	}
	value := t
	if p.shortfall {
		from := p.standard
		if agreed != nil {
			from = whole(int64(*agreed))
		}
		if !kitchen || !p.hasOwn {
			limit = from
		} else {
			from = p.kitchen
		}
		value = from.sub(t)
	}
	if p.known && t.cmp(limit) >= 0 {
		v.conforms = true
		return v
	}
	if p.linear != nil {
		return p.judgeLinear(t)
	}
	if len(p.bands) == 0 {
		v.known = false
		return v
	}
	for i := range p.bands {
		if b := &p.bands[i]; b.contains(value) {
			switch {
			case v.band == noBand:
				v.band, v.percent, v.known = int16(i), b.percent, b.known
			case p.prefers(b.percent, v.percent):
				v.band, v.percent, v.overlap = int16(i), b.percent, true
			default:
				v.overlap = true
			}
		}
	}
	v.conforms = v.band == noBand
	return v
}

// prefers says which of two tiers that overlap is taken: the published choice, else what pays more.
func (p *Plan) prefers(a, b ratio) bool {
	if o := p.rule.Overlap; o != nil && o.Take == "lower" {
		return a.cmp(b) < 0
	}
	return a.cmp(b) > 0
}

func (p *Plan) judgeLinear(t ratio) verdict {
	l := p.linear
	switch {
	case t.cmp(l.below) >= 0:
		return verdict{known: true, conforms: true, band: noBand}
	case l.hasFull && t.cmp(l.full) < 0:
		return verdict{known: true, percent: whole(100), band: linearBand}
	}
	pct := l.below.sub(t).mul(l.each).mul(ratio{num: 1, den: 10})
	if pct.cmp(whole(100)) > 0 {
		pct = whole(100)
	}
	return verdict{known: true, percent: pct, band: linearBand}
}

func (b *band) contains(v ratio) bool {
	if b.hasLow {
		if c := v.cmp(b.low); c < 0 || c == 0 && !b.lowClosed {
			return false
		}
	}
	if b.hasHigh {
		if c := v.cmp(b.high); c > 0 || c == 0 && !b.highClosed {
			return false
		}
	}
	return true
}

// mildest is the least that any temperature below the standard pays: what the law says of a day that is presumed not to
// conform without a temperature.
func (p *Plan) mildest() (verdict, bool) {
	best := verdict{band: noBand}
	for i := range p.bands {
		if b := &p.bands[i]; b.known && (best.band == noBand || b.percent.cmp(best.percent) < 0) {
			best = verdict{known: true, percent: b.percent, band: int16(i)}
		}
	}
	return best, best.band != noBand
}

func (p *Plan) label(band int16) string {
	switch {
	case band == linearBand:
		return p.linear.label
	case band < 0 || int(band) >= len(p.bands):
		return ""
	}
	return p.bands[band].label
}

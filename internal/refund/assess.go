package refund

import (
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/text"
)

// Assess computes a claim without words. The scratch is used again for the next claim and must not be shared.
func (p *Plan) Assess(in *Input, s *Scratch) (Result, error) {
	if err := in.Check(); err != nil {
		return Result{}, err
	}
	s.reset(false)
	p.run(in, s)
	sum, counted, _ := p.total(in, s, nil)
	r := Result{Status: p.status(s), Counted: counted}
	r.PayBy, _ = p.payBy(in)
	if r.Status != NotComputable {
		r.Refund = money.Fen(sum.round(p.rule.Rounding))
	}
	return r, nil
}

func (p *Plan) status(s *Scratch) Status {
	switch {
	case len(s.missing) > 0:
		return NotComputable
	case p.opts.Provisional:
		return NeedsApproval
	}
	return Computed
}

// run finds what is known of each day and leaves it in the scratch's rows.
func (p *Plan) run(in *Input, s *Scratch) {
	s.agreed = in.AgreedC
	if in.Events == nil {
		p.established(in, s)
		return
	}
	s.sort(in.Events)
	first, last, ok := in.bounds()
	if !ok {
		return
	}
	s.open(first, last)
	for _, level := range []Level{LevelHome, LevelArea, LevelSeasonStart} {
		if level == LevelHome || in.has(level) {
			p.cold(in, s, level)
		}
	}
	p.stopped(in, s)
	p.only(in, s)
	s.gather()
}

func (in *Input) has(level Level) bool {
	for i := range in.Events {
		if in.Events[i].Level == level {
			return true
		}
	}
	return false
}

// bounds are the days that the table must hold: the season, or what the events span where its ends are not known.
func (in *Input) bounds() (first, last int32, ok bool) {
	if first, last, ok = in.seasonDays(); ok {
		return first, last, true
	}
	for i := range in.Events {
		d := dayOf(in.Events[i].At)
		if !ok {
			first, last, ok = d, d, true
		}
		first, last = min(first, d), max(last, d)
	}
	if !in.Season.From.IsZero() {
		first = min(first, dayOf(in.Season.From))
	}
	if end := in.until(); end != 0 {
		last = max(last, dayOf(end-1))
	} else {
		last += 31 // a fixed number of days may run on after the last event
	}
	return first, min(last, first+2*mostDays), ok
}

// sort puts the events in the order of time; events of one moment in the order of their kinds, so that the order in which
// they are given never matters.
func (s *Scratch) sort(events []Event) {
	for i := range events {
		s.order = append(s.order, int32(i))
		for k := i; k > 0 && before(&events[s.order[k]], &events[s.order[k-1]]); k-- {
			s.order[k], s.order[k-1] = s.order[k-1], s.order[k]
		}
	}
}

func before(a, b *Event) bool {
	switch {
	case a.At != b.At:
		return a.At < b.At
	case a.Type != b.Type:
		return rank(a.Type) < rank(b.Type)
	case a.By != b.By:
		return a.By < b.By
	case a.Level != b.Level:
		return a.Level < b.Level
	case len(a.Readings) > 0 && len(b.Readings) > 0:
		return a.Readings[0].TempC > b.Readings[0].TempC
	}
	return false
}

func rank(t EventType) int {
	for i, e := range order {
		if e == t {
			return i
		}
	}
	return len(order)
}

var order = EventTypes()

// only takes out the days that are not asked about.
func (p *Plan) only(in *Input, s *Scratch) {
	if in.Only == (Span{}) {
		return
	}
	for i := range s.cells {
		if s.cells[i] != 0 && !in.asked(s.first+int32(i)) {
			s.cells[i] = 0
		}
	}
}

func (in *Input) asked(day int32) bool {
	return (in.Only.From.IsZero() || day >= dayNumber(in.Only.From)) && (in.Only.To.IsZero() || day <= dayNumber(in.Only.To))
}

// established takes the days as they are given. Windows of the season are taken out where the days have dates.
func (p *Plan) established(in *Input, s *Scratch) {
	first, last, bounded := in.seasonDays()
	for i := range in.Daily {
		d := &in.Daily[i]
		f := p.coldFact(in)
		f.temp = whole(int64(d.TempC))
		kitchen, _ := p.covers(d.Room)
		f.verdict = p.judge(f.temp, in.AgreedC, kitchen)
		if f.conforms {
			f.cause = CauseConforms
		}
		if p.blank {
			f.known = f.conforms && p.known && f.temp.cmp(p.standard) >= 0
			s.lack(p.unknown())
		}
		p.shareOf(in, s, d.Room, &f)
		if s.talk && f.overlap {
			p.warnOverlap(s, f.temp)
		}
		id := s.add(f)
		if d.Date.IsZero() {
			s.rows = append(s.rows, row{days: int32(d.Days), fact: id})
			continue
		}
		start := dayNumber(d.Date)
		for k := range int32(d.Days) {
			day, of := start+k, id
			if !in.asked(day) {
				continue
			}
			if bounded && p.inWindow(day, first, last) {
				of = s.cleared(id, CauseWindow)
				if s.talk {
					s.warn("window", text.Msg("refund.warn.window", "day", dateOf(day)))
				}
			}
			s.push(day, of)
		}
	}
}

// push appends a day to the rows, to the last one where it goes on.
func (s *Scratch) push(day int32, f int16) {
	if n := len(s.rows) - 1; n >= 0 {
		if l := &s.rows[n]; l.fact == f && l.day != 0 && l.day+l.days == day {
			l.days++
			return
		}
	}
	s.rows = append(s.rows, row{day: day, days: 1, fact: f})
}

// shareOf is the share of the billed area that established days are about: the room that is named, the failing rooms that
// the fee lists, or all of it.
func (p *Plan) shareOf(in *Input, s *Scratch, room string, f *fact) {
	if !p.byRoom || f.conforms {
		return
	}
	if len(in.Fee.Rooms) == 0 {
		f.noRooms = room != ""
		if s.talk && room == "" {
			s.warn("rooms_not_given", text.Msg("refund.warn.rooms_not_given"))
		}
		return
	}
	if in.Fee.AreaM2 == 0 {
		s.lack("fee.area_m2")
		return
	}
	var area ratio
	for i := range in.Fee.Rooms {
		if r := &in.Fee.Rooms[i]; room == "" || r.Room == room {
			area = area.add(whole(int64(r.AreaM2)))
		}
	}
	f.noRooms = area.sign() == 0
	f.share = area.div(whole(int64(in.Fee.AreaM2)))
}

// priced is what one row gives.
type priced struct {
	base, refund ratio
	ok           bool
}

// total sums the rows up and names what would be needed. It may keep each row's part.
func (p *Plan) total(in *Input, s *Scratch, keep *[]priced) (sum ratio, counted int, v price) {
	v = p.price(in)
	for _, r := range s.rows {
		f := &s.facts[r.fact]
		if !f.known {
			s.lack(p.unknown())
		}
		if f.noRooms {
			s.lack("fee.rooms")
		}
		if f.percent.sign() > 0 {
			counted += int(r.days)
		}
		base, ok := p.base(in, s, &v, r, f)
		part := priced{ok: ok, base: base, refund: base.mul(f.percent).mul(ratio{num: 1, den: 100})}
		if ok {
			sum = sum.add(part.refund)
		}
		if keep != nil {
			*keep = append(*keep, part)
		}
	}
	if len(s.rows) == 0 && len(in.Daily) == 0 {
		return sum, counted, v
	}
	if most := v.season.mul(p.ceiling).mul(ratio{num: 1, den: 100}); v.hasSeason && sum.cmp(most) > 0 {
		if s.talk {
			s.warn("capped", text.Msg("refund.warn.capped", "percent", p.ceiling.String()))
		}
		sum = most
	}
	return sum, counted, v
}

// base is the money of a row before its percentage.
func (p *Plan) base(in *Input, s *Scratch, v *price, r row, f *fact) (ratio, bool) {
	date := r.date()
	if v.per == PerMonth && r.day != 0 && r.days > 1 { // months have days of their own
		var sum ratio
		for k := range r.days {
			one, ok := v.day(f.kind, dateOf(r.day+k))
			if !ok {
				v.lacks(s, &in.Fee, f.kind, date)
				return ratio{}, false
			}
			sum = sum.add(one)
		}
		return sum.mul(f.share).mul(f.weight), true
	}
	one, ok := v.day(f.kind, date)
	if !ok {
		v.lacks(s, &in.Fee, f.kind, date)
		return ratio{}, false
	}
	return one.mul(f.share).mul(f.weight).mul(whole(int64(r.days))), true
}

// unknown names what keeps a percentage from being known.
func (p *Plan) unknown() string {
	switch {
	case p.rule.ContractOnly:
		return "contract"
	case !p.known:
		return "standard"
	}
	return "tiers"
}

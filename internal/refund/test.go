package refund

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// test is one measurement and what the rule says about it.
type test struct {
	fact
	at     civil.Instant // of its first reading
	last   civil.Instant // of its last reading: a measurement may take several days
	event  int32
	group  int32
	signed bool // by both sides, as far as anybody says
	early  bool // before the request: kept, not counted
	mixed  bool // its rooms lie in different tiers and the rule does not say which counts
}

// roomTemp is what is known last about one room.
type roomTemp struct {
	name    string
	kitchen bool
	sum, n  int64
	low     int64
	group   int32
}

func (r *roomTemp) temp(mean bool) ratio {
	if mean {
		return over(r.sum, r.n)
	}
	return whole(r.low)
}

func (p *Plan) mean() bool {
	return p.reduce == citypack.ReduceMean || p.reduce == citypack.ReduceMonthMean
}

// days is how many days one measurement takes.
func (p *Plan) measureDays() int32 {
	if m := p.rule.Measure; p.mean() && m != nil && m.Reading != nil && m.Reading.Days > 1 {
		return int32(m.Reading.Days)
	}
	return 1
}

// collect reads the measurements of a level in the order of time.
func (p *Plan) collect(in *Input, s *Scratch, level Level) {
	s.tests, s.rooms = s.tests[:0], s.rooms[:0]
	anchor := p.firstAnchor(in, s, level)
	span := p.measureDays()
	for _, i := range s.order {
		e := &in.Events[i]
		if levelOf(e) != level || len(e.Readings) == 0 || e.Type == OutdoorRead {
			continue
		}
		group := i
		joined := false
		if n := len(s.tests); n > 0 && span > 1 {
			t := &s.tests[n-1]
			joined = in.Events[t.group].Type == e.Type && dayOf(e.At) < dayOf(t.at)+span
			if joined {
				group = t.group
			}
		}
		if !p.read(s, e, group) {
			continue
		}
		f, mixed := p.verdictOf(in, s, group)
		f.level = level
		t := test{
			fact: f, at: e.At, last: e.At, event: i, group: group, mixed: mixed,
			signed: yes(e.SignedUser) && yes(e.SignedCompany), early: anchor != 0 && e.At < anchor,
		}
		if joined {
			old := &s.tests[len(s.tests)-1]
			t.at, t.early, t.signed = old.at, old.early, t.signed && old.signed
			*old = t
			continue
		}
		s.tests = append(s.tests, t)
	}
	if s.talk {
		p.tellTests(in, s)
	}
}

func yes(b *bool) bool { return b == nil || *b }

func levelOf(e *Event) Level {
	if e.Level == "" {
		return LevelHome
	}
	return e.Level
}

// firstAnchor is the first report or request, whichever the rule counts from; readings before it are not counted.
func (p *Plan) firstAnchor(in *Input, s *Scratch, level Level) civil.Instant {
	for _, i := range s.order {
		if e := &in.Events[i]; levelOf(e) == level && (e.Type == Requested || e.Type == Reported && p.counting.From != "test_request") {
			return e.At
		}
	}
	return 0
}

// read notes an event's readings of the rooms that the duty covers.
func (p *Plan) read(s *Scratch, e *Event, group int32) bool {
	some := false
	for j := range e.Readings {
		r := &e.Readings[j]
		kitchen, covered := p.covers(r.Room)
		if !covered {
			if s.talk {
				s.warn("room_not_covered", text.Msg("refund.warn.room_not_covered", "room", r.Room))
			}
			continue
		}
		some = true
		k := slices.IndexFunc(s.rooms, func(t roomTemp) bool { return t.name == r.Room })
		if k < 0 {
			k = len(s.rooms)
			s.rooms = append(s.rooms, roomTemp{name: r.Room, kitchen: kitchen, group: -1})
		}
		t, v := &s.rooms[k], int64(r.TempC)
		if t.group != group {
			t.sum, t.n, t.low, t.group = 0, 0, v, group
		}
		t.sum, t.n, t.low = t.sum+v, t.n+1, min(t.low, v)
	}
	return some
}

// covers tells a kitchen, and whether the duty to heat covers the room: bedrooms and living rooms always, others where
// the rule names them.
func (p *Plan) covers(room string) (kitchen, covered bool) {
	switch {
	case room == "":
		return false, true
	case strings.Contains(room, "厨") || strings.EqualFold(room, "kitchen"):
		return p.hasOwn, p.hasOwn || slices.Contains(p.rule.Standard.Rooms, "kitchen")
	case strings.Contains(room, "卫生间") || strings.Contains(room, "浴") || strings.Contains(room, "厕") || strings.EqualFold(room, "bathroom"):
		return false, slices.Contains(p.rule.Standard.Rooms, "bathroom")
	}
	return false, true
}

// verdictOf reduces the readings to one fact: per room where the rule looks at rooms, else for the dwelling.
func (p *Plan) verdictOf(in *Input, s *Scratch, group int32) (fact, bool) {
	if p.byRoom {
		return p.byRooms(in, s), false
	}
	out := p.coldFact(in)
	if p.mean() {
		var sum, n int64
		for i := range s.rooms {
			if r := &s.rooms[i]; r.group == group {
				sum, n = sum+r.sum, n+r.n
			}
		}
		out.temp = over(sum, n)
		out.verdict = p.judge(out.temp, in.AgreedC, false)
		return out, false
	}
	first, mixed := true, false
	for i := range s.rooms {
		r := &s.rooms[i]
		if r.group != group {
			continue
		}
		t := whole(r.low)
		v := p.judge(t, in.AgreedC, r.kitchen)
		mixed = mixed || !first && (v.band != out.band || v.conforms != out.conforms)
		if first || worse(v, t, out) {
			out.verdict, out.temp, first = v, t, false
		}
	}
	return out, mixed && p.reduce == ""
}

// coldFact is the fact of a cold day before anything is known of its temperature.
func (p *Plan) coldFact(in *Input) fact {
	kind := p.kind(&in.Fee, nil)
	return fact{share: whole(1), weight: whole(1), kind: kind, scale: in.Fee.scale(kind), cause: CauseCold, hasTemp: true}
}

// worse reports whether a verdict weighs more than what is held so far.
func worse(v verdict, t ratio, than fact) bool {
	switch {
	case v.conforms != than.conforms:
		return than.conforms
	case v.percent.cmp(than.percent) != 0:
		return v.percent.cmp(than.percent) > 0
	}
	return t.cmp(than.temp) < 0
}

// byRooms weighs each room's percentage by its share of the billed area.
func (p *Plan) byRooms(in *Input, s *Scratch) fact {
	out := p.coldFact(in)
	out.verdict = verdict{known: true, conforms: true, band: noBand}
	var area, money ratio
	some, alike, allFail, areas := false, true, true, true
	for i := range s.rooms {
		r := &s.rooms[i]
		t := r.temp(p.mean())
		v := p.judge(t, in.AgreedC, r.kitchen)
		if v.conforms {
			allFail = false
			if !some {
				out.temp = t
			}
			continue
		}
		out.known = out.known && v.known
		out.overlap = out.overlap || v.overlap
		if some {
			alike = alike && v.percent.same(out.percent)
		}
		if !some || t.cmp(out.temp) < 0 {
			out.temp, out.percent, out.band = t, v.percent, v.band
		}
		some, out.conforms = true, false
		m2, ok := in.Fee.room(r.name)
		areas = areas && ok
		area, money = area.add(m2), money.add(m2.mul(v.percent))
	}
	switch {
	case !some:
	case areas:
		out.share = area.div(whole(int64(in.Fee.AreaM2)))
		if !alike {
			out.percent, out.band = money.div(area), noBand
		}
	default:
		out.noRooms = !alike || !allFail || len(in.Fee.Rooms) > 0
	}
	return out
}

// room is a room's billed area.
func (f *Fee) room(name string) (ratio, bool) {
	if f.AreaM2 == 0 {
		return ratio{}, false
	}
	for i := range f.Rooms {
		if f.Rooms[i].Room == name {
			return whole(int64(f.Rooms[i].AreaM2)), true
		}
	}
	return ratio{}, false
}

// tellTests warns about measurements that are not counted or leave a choice.
func (p *Plan) tellTests(in *Input, s *Scratch) {
	for i := range s.tests {
		t := &s.tests[i]
		if t.early {
			s.warn("before_request", text.Msg("refund.warn.before_request", "day", dateOf(dayOf(t.at)), "temp", celsiusOf(t.temp)))
		}
		if t.mixed {
			s.warn("rooms_differ", text.Msg("refund.warn.rooms_differ", "day", dateOf(dayOf(t.at))))
		}
		if t.overlap {
			p.warnOverlap(s, t.temp)
		}
		if p.byRoom && !t.conforms && len(in.Fee.Rooms) == 0 {
			s.warn("rooms_not_given", text.Msg("refund.warn.rooms_not_given"))
		}
		if t.early || t.conforms {
			continue
		}
		s.step("", text.Msg("refund.step.test", "day", dateOf(dayOf(t.at)), "temp", celsiusOf(t.temp), "percent", t.percent.String()))
	}
}

func (p *Plan) warnOverlap(s *Scratch, t ratio) {
	key := "refund.warn.overlap_higher"
	if o := p.rule.Overlap; o != nil && o.Take == "lower" {
		key = "refund.warn.overlap_lower"
	}
	s.warn("overlap", text.Msg(key, "temp", celsiusOf(t)))
}

// celsiusOf writes tenths of a degree exactly.
func celsiusOf(t ratio) string {
	c := t.mul(ratio{num: 1, den: 10})
	if c.big == nil && 10%c.d() == 0 {
		n, rest := c.floor()
		f, _ := rest.mul(whole(10)).floor()
		if n >= 0 {
			return whole(n).String() + "." + whole(f).String()
		}
	}
	return c.String()
}

package refund

import (
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// gap is a stretch without heat.
type gap struct {
	from, to     civil.Instant
	cause        Cause
	unauthorised *bool
	level        Level
}

// gaps finds the stretches without heat, those that touch made one.
func (p *Plan) gaps(in *Input, s *Scratch) []gap {
	var out []gap
	var open *gap
	for _, i := range s.order {
		e := &in.Events[i]
		switch e.Type {
		case Stopped:
			if open == nil {
				open = &gap{from: e.At, cause: CauseStop, unauthorised: e.Unauthorised, level: levelOf(e)}
			}
		case Resumed:
			if open == nil {
				if s.talk {
					s.warn("resume_without_stop", text.Msg("refund.warn.resume_without_stop", "day", dateOf(dayOf(e.At))))
				}
				continue
			}
			open.to = e.At
			out, open = append(out, *open), nil
		case LateStarted:
			if in.Season.From.IsZero() {
				s.lack("season.from")
				continue
			}
			out = append(out, gap{from: in.Season.From, to: e.At, cause: CauseLate, level: levelOf(e)})
		case EarlyEnded:
			if in.until() == 0 {
				s.lack("season.to")
				continue
			}
			out = append(out, gap{from: e.At, to: in.until(), cause: CauseEarly, level: levelOf(e)})
		default:
		}
	}
	if open != nil {
		open.to = in.until()
		if open.to == 0 {
			s.lack("season.to")
		} else {
			out = append(out, *open)
		}
	}
	return out
}

// stopped pays for the time without heat.
func (p *Plan) stopped(in *Input, s *Scratch) {
	list := p.gaps(in, s)
	var total int64
	for i := range list {
		if g := &list[i]; in.Season.To != 0 && g.to > in.Season.To {
			g.to = in.Season.To
		}
		total += max(0, int64(list[i].to-list[i].from))
	}
	for i := range list {
		g := &list[i]
		if g.to <= g.from {
			continue
		}
		if s.talk {
			s.step("", text.Msg("refund.step.gap", "what", text.Msg("refund.cause."+string(g.cause)), "from", g.from.Minute(), "to", g.to.Minute()))
		}
		if !p.gap(in, s, g, total) && s.talk {
			s.warn("stop_unpaid", text.Msg("refund.warn.stop_unpaid", "from", g.from.Minute(), "to", g.to.Minute()))
		}
	}
}

// gap pays for one stretch by the rules that fit it, and reports whether any did.
func (p *Plan) gap(in *Input, s *Scratch, g *gap, total int64) bool {
	paid := false
	if g.cause == CauseLate && p.start != nil && int64(g.to-g.from) > int64(p.start.of.AfterDays)*dayMillis {
		if s.talk {
			s.step(p.article(), text.Msg("refund.step.season_start", "days", p.start.of.AfterDays, "percent", p.start.percent.String()))
		}
		p.pay(in, s, g, &stopRule{of: byDay, percent: p.start.percent, known: p.start.known, cause: CauseTrigger})
		paid = true
	}
	own := p.late
	if g.cause == CauseEarly {
		own = p.early
	}
	if g.cause != CauseStop && own != nil {
		p.pay(in, s, g, own)
		paid = true
	}
	if paid {
		return true
	}
	for i := range p.stops {
		r := &p.stops[i]
		if p.fits(s, g, r, total) {
			p.pay(in, s, g, r)
			paid = true
		}
	}
	if !paid && g.cause == CauseLate && p.first != nil {
		p.pay(in, s, g, p.first)
		paid = true
	}
	return paid
}

// fits reports whether a stop is long enough for a rule, by itself or with the others of the season.
func (p *Plan) fits(s *Scratch, g *gap, r *stopRule, total int64) bool {
	long := int64(g.to - g.from)
	least := hours(r.of.MinHours).Milliseconds()
	enough := long > least || long == least && !r.of.MinExclusive
	if !enough && (r.of.TotalDays == 0 || total <= int64(r.of.TotalDays)*dayMillis) {
		return false
	}
	if !r.of.Unauthorised {
		return true
	}
	if g.unauthorised != nil {
		return *g.unauthorised
	}
	if s.talk {
		s.warn("unauthorised_unknown", text.Msg("refund.warn.unauthorised_unknown", "from", g.from.Minute()))
	}
	return true
}

// pay writes the days of a stretch: by the time that was missing on each, or by full days of 24 hours.
func (p *Plan) pay(in *Input, s *Scratch, g *gap, r *stopRule) {
	if !r.known {
		s.lack("stops.percent")
	}
	f := fact{
		verdict: verdict{known: true, percent: r.percent, band: noBand}, share: whole(1), weight: whole(1),
		kind: p.kind(&in.Fee, r), cause: r.cause, level: g.level,
	}
	f.scale = in.Fee.scale(f.kind)
	if f.cause == CauseStop {
		f.cause = g.cause
	}
	if s.talk {
		by := text.Msg("refund.by.day")
		if r.of.By == "time" {
			by = text.Msg("refund.by.time")
		}
		s.step(p.article(), text.Msg("refund.step.stop", "percent", r.percent.String(), "by", by, "rule", phrase(r.of.Text, "refund.stop_rule")))
	}
	if r.of.By != "time" {
		n := int32(int64(g.to-g.from) / dayMillis)
		if s.talk && int64(g.to-g.from)%dayMillis != 0 {
			s.warn("stop_full_days", text.Msg("refund.warn.stop_full_days", "days", n))
		}
		id := s.add(f)
		for d := dayOf(g.from); n > 0; d, n = d+1, n-1 {
			s.raise(d, id)
		}
		return
	}
	for d := dayOf(g.from); d <= dayOf(g.to-1); d++ {
		part := int64(min(g.to, startOf(d+1)) - max(g.from, startOf(d)))
		f.weight = over(part, dayMillis)
		s.raise(d, s.same(f))
	}
}

// same adds a fact unless the last one is like it.
func (s *Scratch) same(f fact) int16 {
	if n := len(s.facts) - 1; n > 0 {
		if l := &s.facts[n]; l.cause == f.cause && l.kind == f.kind && l.weight.same(f.weight) && l.percent.same(f.percent) {
			return int16(n)
		}
	}
	return s.add(f)
}

// byDay pays full days.
var byDay = citypack.StopRule{By: "day"}

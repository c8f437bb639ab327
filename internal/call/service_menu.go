package call

import (
	"context"
	"encoding/json"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// spot is a building that may be the caller's.
type spot struct{ community, building, station string }

// AskSigned answers the voice menu's signed question.
func (s *Service) AskSigned(ctx context.Context, city int, in notice.Signed) (Reply, error) {
	if err := s.verify(in); err != nil {
		return Reply{}, err
	}
	var q Inquiry
	if err := json.Unmarshal(in.Body, &q); err != nil {
		return Reply{}, fault.Wrap(err, fault.Invalid, "call.bad_report")
	}
	return s.Ask(ctx, city, q)
}

// Ask says what is known for a caller before a seat is needed: a stop at one of their homes, or how their last open case
// stands. It names no place and no person, since a number can be forged. What was answered is kept.
func (s *Service) Ask(ctx context.Context, city int, q Inquiry) (Reply, error) {
	if err := q.Check(); err != nil {
		return Reply{}, err
	}
	by := theSwitch()
	lang := text.ZH
	if q.Lang != "" {
		lang = text.ParseLang(q.Lang)
	}
	now := s.o.DB.Now()
	reply, subject, err := s.known(ctx, by, city, q, lang, now)
	if err != nil {
		return reply, err
	}
	if reply.Say == "" {
		reply, subject = Reply{Kind: SaysSeat, Say: text.T(lang, "call.menu.seat"), Lang: lang, Then: "seat"}, ""
	}
	return reply, db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		return insertAnswer(ctx, tx, Spoken{City: city, ID: tx.NewID(), Ref: q.Call, At: tx.Now, Kind: reply.Kind, Subject: subject, Lang: lang})
	})
}

// known is the best that can be said; an empty reply when there is nothing.
func (s *Service) known(ctx context.Context, by actor.Actor, city int, q Inquiry, l text.Lang, now civil.Instant) (Reply, string, error) {
	spots, err := s.spots(ctx, by, city, q)
	if err != nil {
		return Reply{}, "", err
	}
	if o, found, err := s.stopAt(ctx, by, city, spots); err != nil || found {
		return sayStop(l, o, now), "outage:" + o.ID, err
	}
	if q.Caller == "" {
		return Reply{}, "", nil
	}
	near, err := s.o.Cases.Nearby(ctx, by, city, cases.Near{Phone: secret.NormalPhone(q.Caller)})
	if err != nil {
		return Reply{}, "", err
	}
	for _, c := range near.Caller {
		if c.Open {
			return sayCase(l, c, now), c.Subject(), nil
		}
	}
	return Reply{}, "", nil
}

// spots are the buildings of the caller's households, else the one that was said.
func (s *Service) spots(ctx context.Context, by actor.Actor, city int, q Inquiry) ([]spot, error) {
	var out []spot
	if q.Caller != "" {
		homes, err := s.o.Places.ByPhone(ctx, by, city, q.Caller)
		if err != nil {
			return nil, err
		}
		for _, h := range homes {
			out = append(out, spot{h.Community, h.Building, h.Station})
		}
	}
	if len(out) > 0 || q.Speech == "" || s.o.Territory == nil {
		return out, nil
	}
	ask := territory.Query{Text: q.Speech, Building: q.Digits}
	if ask.Check() != nil {
		return nil, nil //nolint:nilerr // what cannot be asked about finds nothing
	}
	a, err := s.o.Territory.Attribute(ctx, by, city, ask)
	if err != nil || a.Community == nil || a.Decision != territory.Assigned {
		return nil, err
	}
	building := a.Building
	if building == "" {
		building = q.Digits
	}
	return append(out, spot{a.Community.ID, building, a.Station}), nil
}

// stopAt is the stop at one of the buildings.
func (s *Service) stopAt(ctx context.Context, by actor.Actor, city int, spots []spot) (outage.Outage, bool, error) {
	if s.o.Outages == nil {
		return outage.Outage{}, false, nil
	}
	for _, p := range spots {
		live := s.o.Outages.LiveAt(city, p.community, p.building, p.station)
		if live == nil {
			continue
		}
		o, err := s.o.Outages.Get(ctx, by, city, live.ID)
		if err != nil && !fault.Is(err, fault.NotFound) { // lifted a moment ago
			return outage.Outage{}, false, err
		}
		if err == nil {
			return o.Outage, true, nil
		}
	}
	return outage.Outage{}, false, nil
}

// sayCase reads out how an open case stands.
func sayCase(l text.Lang, c cases.Case, now civil.Instant) Reply {
	key := "call.menu.case_open"
	switch c.Status {
	case cases.Dispatched, cases.Signed, cases.Handling, cases.Rework:
		key = "call.menu.case_company"
	case cases.FedBack, cases.Verified:
		key = "call.menu.case_done"
	default:
	}
	if key == "call.menu.case_company" && !c.ArrivedAt.IsZero() {
		key = "call.menu.case_visited"
	}
	say := text.T(l, key, "no", lastDigits(c.No), "at", sayTime(l, c.ReceivedAt, now))
	return Reply{Kind: SaysCase, Say: say + text.T(l, "call.menu.offer"), Lang: l, Then: "offer"}
}

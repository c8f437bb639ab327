package call

import (
	"context"
	"encoding/json"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
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
// stands; whose number is not known is asked for the number of their area while there is a stop anywhere. It names no place
// and no person, since a number can be forged. What was answered is kept.
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
	if err != nil || reply.Kind == SaysAsk { // a question is no answer
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
	spots, from, err := s.spots(ctx, by, city, q)
	if err != nil {
		return Reply{}, "", err
	}
	if o, found, err := s.stopAt(ctx, by, city, spots); err != nil || found {
		return sayStop(l, o, from, now), "outage:" + o.ID, err
	}
	if q.Caller != "" {
		near, err := s.o.Cases.Nearby(ctx, by, city, cases.Near{Phone: secret.NormalPhone(q.Caller)})
		if err != nil {
			return Reply{}, "", err
		}
		for _, c := range near.Caller {
			if c.Open {
				return sayCase(l, c, now), c.Subject(), nil
			}
		}
	}
	if len(spots) > 0 || q.Speech != "" || q.Digits != "" || s.o.Territory == nil {
		return Reply{}, "", nil
	}
	some, err := s.anyStop(ctx, by, city)
	if err != nil || !some {
		return Reply{}, "", err
	}
	return Reply{Kind: SaysAsk, Say: text.T(l, "call.menu.ask_area"), Lang: l, Then: "digits"}, "", nil
}

// anyStop reports whether heat is off, or will be, anywhere.
func (s *Service) anyStop(ctx context.Context, by actor.Actor, city int) (bool, error) {
	if s.o.Outages == nil {
		return false, nil
	}
	list, err := s.o.Outages.List(ctx, by, city, outage.Filter{Open: true, Request: page.Request{Size: 1}})
	return len(list.Items) > 0, err
}

// spots are the buildings of the caller's households, else the one that was said, else the communities of the area whose
// number was keyed in.
func (s *Service) spots(ctx context.Context, by actor.Actor, city int, q Inquiry) ([]spot, whence, error) {
	var out []spot
	if q.Caller != "" {
		homes, err := s.o.Places.ByPhone(ctx, by, city, q.Caller)
		if err != nil {
			return nil, byNumber, err
		}
		for _, h := range homes {
			out = append(out, spot{h.Community, h.Building, h.Station})
		}
	}
	switch {
	case len(out) > 0 || s.o.Territory == nil:
		return out, byNumber, nil
	case q.Speech != "":
		out, err := s.said(ctx, by, city, q)
		return out, byName, err
	case q.Digits != "":
		out, err := s.keyed(ctx, by, city, q.Digits)
		return out, byArea, err
	}
	return nil, byNumber, nil
}

// said is the building that was recognised.
func (s *Service) said(ctx context.Context, by actor.Actor, city int, q Inquiry) ([]spot, error) {
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
	return []spot{{a.Community.ID, building, a.Station}}, nil
}

// keyed are the communities of the area whose code has these digits: on paper an area is "PQ-014", on the keys 14. Where two
// areas have them nobody can tell which is meant, and nothing is said.
func (s *Service) keyed(ctx context.Context, by actor.Actor, city int, digits string) ([]spot, error) {
	want := areaNumber(digits)
	if want == "" {
		return nil, nil
	}
	var out []spot
	area := ""
	f := territory.ServedFilter{Request: page.Request{Size: page.MaxSize}}
	for {
		some, err := s.o.Territory.Served(ctx, by, city, f)
		if err != nil {
			return nil, err
		}
		for _, c := range some.Items {
			if areaNumber(c.Area) != want {
				continue
			}
			if area != "" && area != c.Area {
				return nil, nil
			}
			area, out = c.Area, append(out, spot{c.ID, "", c.Station})
		}
		if f.After = some.Next; f.After == "" {
			return out, nil
		}
	}
}

// told is how long before its beginning a planned stop is read out.
const told = 72 * time.Hour

// stopAt is the stop at one of the buildings: one that is going on, else the next that was announced.
func (s *Service) stopAt(ctx context.Context, by actor.Actor, city int, spots []spot) (outage.Outage, bool, error) {
	if s.o.Outages == nil {
		return outage.Outage{}, false, nil
	}
	for _, find := range []func(p spot) *territory.Outage{
		func(p spot) *territory.Outage { return s.o.Outages.LiveAt(city, p.community, p.building, p.station) },
		func(p spot) *territory.Outage {
			return s.o.Outages.ComingAt(city, p.community, p.building, p.station, told)
		},
	} {
		for _, p := range spots {
			one := find(p)
			if one == nil {
				continue
			}
			o, err := s.o.Outages.Get(ctx, by, city, one.ID)
			if err != nil && !fault.Is(err, fault.NotFound) { // lifted a moment ago
				return outage.Outage{}, false, err
			}
			if err == nil {
				return o.Outage, true, nil
			}
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

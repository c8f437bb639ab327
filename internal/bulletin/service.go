package bulletin

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// Options set up a Service. Jobs, Price and Sign may be left out.
type Options struct {
	DB      *db.DB
	Ring    *secret.Ring
	Places  *place.Service
	Notices *notice.Service
	Rules   func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	// Area lists the communities of a service area and names it; NotFound when there is none.
	Area  func(ctx context.Context, by actor.Actor, city int, code string) (name string, communities []string, err error)
	Jobs  *jobs.Runner
	Price string // yuan for a part of a text message
	Sign  string // signature line of text messages
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service and, where there is a runner, registers its job.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Places == nil || o.Notices == nil || o.Rules == nil || o.Area == nil {
		return nil, errors.New("bulletin: a database, a keyring, places, messages, the rules and the areas are needed")
	}
	s := &Service{o: o}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.tell)
	}
	return s, nil
}

// template is the message that carries a bulletin.
const template = "message.bulletin"

// Preview tells what a bulletin would reach and cost, and keeps nothing.
func (s *Service) Preview(ctx context.Context, by actor.Actor, in Input) (Preview, error) {
	b, err := s.draft(ctx, by, &in)
	if err != nil {
		return Preview{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Preview, error) {
		if err := s.locate(ctx, tx, &b); err != nil {
			return Preview{}, err
		}
		return s.preview(ctx, tx, b)
	})
}

func (s *Service) preview(ctx context.Context, tx *db.Tx, b Bulletin) (Preview, error) {
	p := Preview{Bulletin: b, Text: text.T(text.ZH, template, "text", b.TextZH), Price: s.o.Price, Urgent: b.Kind.urgent()}
	if price, ok := new(big.Rat).SetString(s.o.Price); ok && b.Send {
		p.AtMost = price.Mul(price, big.NewRat(int64(b.Households*b.Parts), 1)).FloatString(2)
	}
	rules, err := s.o.Rules(ctx, tx, b.City)
	if err != nil {
		return p, err
	}
	o := rules.Pack.Options(tx.Now)
	if wake, night := (notice.Night{From: o.NightFrom, To: o.NightTo}).Wake(tx.Now); night && !p.Urgent {
		p.Sends = wake
	}
	if b.Kind == Stop && !b.Starts.IsZero() {
		told := tx.Now
		if b.State != Waiting && !b.DecidedAt.IsZero() {
			told = b.DecidedAt
		}
		o := outage.TellingOf(rules, b.Starts, b.Until, told)
		p.Notice = o.Explain()
		p.Late = o.Late && b.State == Waiting || b.Late // what went out was judged then
	}
	p.Same, err = countSame(ctx, tx, b)
	return p, err
}

// draft checks an input and makes a bulletin of it, its places still to be looked up.
func (s *Service) draft(ctx context.Context, by actor.Actor, in *Input) (Bulletin, error) {
	if err := by.May(actor.NoticeWrite, actor.On{City: in.City}); err != nil {
		return Bulletin{}, err
	}
	now, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Bulletin, error) { return Bulletin{WrittenAt: tx.Now}, nil })
	if err != nil {
		return Bulletin{}, err
	}
	if err := in.check(now.WrittenAt); err != nil {
		return Bulletin{}, err
	}
	b := Bulletin{
		City: in.City, Kind: in.Kind, TextZH: in.TextZH, TextEN: in.TextEN, Reach: in.Reach, Send: in.Send, Until: in.Until,
		Starts: in.startsOfStop(),
		State:  Waiting, WrittenBy: by.ID, Version: 1, Parts: notice.Parts(s.o.Sign, text.T(text.ZH, template, "text", in.TextZH)),
	}
	switch in.Reach {
	case Building:
		b.Scope, b.Stretches = in.Community+"/"+in.Building, []place.Stretch{{Community: in.Community, Building: in.Building}}
	case Community:
		b.Scope, b.Stretches = in.Community, []place.Stretch{{Community: in.Community}}
	case Station:
		b.Scope, b.Stretches = in.Station, []place.Stretch{{Station: in.Station}}
	case Area:
		name, communities, err := s.o.Area(ctx, by, in.City, in.Area)
		if err != nil {
			return b, unknown(err, "area")
		}
		b.Scope, b.Name = in.Area, name
		for _, c := range communities {
			b.Stretches = append(b.Stretches, place.Stretch{Community: c})
		}
	}
	return b, nil
}

// unknown makes a place that there is not a message at its field.
func unknown(err error, field string) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	var c fault.Check
	c.Add(field, "outage.no_such_place")
	return c.Err()
}

// locate names the place of a bulletin and counts its households.
func (s *Service) locate(ctx context.Context, tx *db.Tx, b *Bulletin) error {
	switch b.Reach {
	case Building, Community:
		c, err := place.CommunityIn(ctx, tx, b.City, b.Stretches[0].Community)
		if err != nil {
			return unknown(err, "community")
		}
		b.Name = c.Name
		if b.Reach == Building {
			b.Name += " " + b.Stretches[0].Building
		}
	case Station:
		st, ok, err := place.StationIn(ctx, tx, b.City, b.Scope)
		if err != nil {
			return err
		}
		if !ok {
			return unknown(fault.New(fault.NotFound, "not_found"), "station")
		}
		if b.Name = st.Name; b.Name == "" {
			b.Name = st.Code
		}
	case Area:
	}
	var err error
	b.Households, err = place.CountHouseholdsIn(ctx, tx, b.City, b.Stretches)
	if err != nil || b.Households > 0 || b.Reach != Building {
		return err
	}
	return unknown(fault.New(fault.NotFound, "not_found"), "building")
}

// Write keeps a bulletin for the second person to look at.
func (s *Service) Write(ctx context.Context, by actor.Actor, in Input) (Bulletin, error) {
	b, err := s.draft(ctx, by, &in)
	if err != nil {
		return b, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Bulletin, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Bulletin, error) {
			b := b
			if err := s.locate(ctx, tx, &b); err != nil {
				return b, err
			}
			rules, err := s.o.Rules(ctx, tx, b.City)
			if err != nil {
				return b, err
			}
			day := tx.Now.Date()
			n, err := db.Next(ctx, tx, b.City, "bulletin:"+day.String())
			if err != nil {
				return b, err
			}
			b.ID, b.WrittenAt = tx.NewID(), tx.Now
			b.No = rules.Pack.Number("bulletin", day, n, fmt.Sprintf("%s-%03d", day, n))
			if err := insert(ctx, tx, b); err != nil {
				return b, err
			}
			return b, s.note(ctx, tx, by, b, "bulletin.write")
		})
	})
}

func (s *Service) note(ctx context.Context, tx *db.Tx, by actor.Actor, b Bulletin, act string) error {
	return audit.Record(ctx, tx, by, b.City, audit.Act{Subject: "bulletin:" + b.ID, Act: act, Body: map[string]any{
		"no": b.No, "kind": b.Kind, "text": b.TextZH, "scope": string(b.Reach) + ":" + b.Scope, "households": b.Households, "late": b.Late, "reached": b.Reached, "reason": b.Reason,
	}})
}

// Decide lets a bulletin go out, refuses it or takes it back. Who wrote it does not let it go out.
func (s *Service) Decide(ctx context.Context, by actor.Actor, in Decision) (Bulletin, error) {
	right := actor.NoticeApprove
	if in.Event == Withdraw {
		right = actor.NoticeWrite
	}
	if err := by.May(right, actor.On{City: in.City}); err != nil {
		return Bulletin{}, err
	}
	in.Reason = strings.TrimSpace(in.Reason)
	var c fault.Check
	c.That(in.Event == Approve || in.Event == Refuse || in.Event == Withdraw, "event", "field.not_one_of", "allowed", []Event{Approve, Refuse, Withdraw})
	c.That(in.Event == Approve || in.Reason != "", "reason", "field.required")
	c.That(len([]rune(in.Reason)) <= 300, "reason", "field.too_long", "max", 300)
	if err := c.Err(); err != nil {
		return Bulletin{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Bulletin, error) {
		b, err := find(ctx, tx, in.City, in.ID)
		if err != nil {
			return b, err
		}
		step, err := Lifecycle.Next(b.State, in.Event)
		switch {
		case err != nil:
			return b, err
		case in.Event == Approve && b.WrittenBy == by.ID:
			return b, fault.New(fault.Denied, "notice.template.own")
		}
		b.State, b.Reason, b.DecidedBy, b.DecidedAt = step.To, in.Reason, by.ID, tx.Now
		if in.Event == Approve {
			if err := s.judge(ctx, tx, &b); err != nil {
				return b, err
			}
		}
		if in.Event == Approve && !b.Send { // on the pages only
			b.State, b.ToldAt = Told, tx.Now
		}
		if b, err = save(ctx, tx, b, in.Version); err != nil {
			return b, err
		}
		if b.State == Sending {
			if err := jobs.Add(ctx, tx, b.City, telling{City: b.City, ID: b.ID}, jobs.When{}); err != nil {
				return b, err
			}
		}
		if b.State == Withdrawn { // what waits for the morning or for the gateway is not sent either
			if err := s.o.Notices.RecallIn(ctx, tx, b.City, b.matters()); err != nil {
				return b, err
			}
		}
		return b, s.note(ctx, tx, by, b, "bulletin."+string(in.Event))
	})
}

// judge marks a stop that people are told of too late.
func (s *Service) judge(ctx context.Context, tx *db.Tx, b *Bulletin) error {
	if b.Kind != Stop || b.Starts.IsZero() {
		return nil
	}
	rules, err := s.o.Rules(ctx, tx, b.City)
	if err != nil {
		return err
	}
	b.Late = outage.TellingOf(rules, b.Starts, b.Until, tx.Now).Late
	return nil
}

// Get shows one bulletin to staff with what it does.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (Preview, error) {
	if err := by.May(actor.NoticeWrite, actor.On{City: city}); err != nil {
		return Preview{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Preview, error) {
		b, err := find(ctx, tx, city, id)
		if err != nil {
			return Preview{}, err
		}
		return s.preview(ctx, tx, b)
	})
}

// List shows the bulletins of a city to staff, newest first.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Bulletin], error) {
	if err := by.May(actor.NoticeWrite, actor.On{City: city}); err != nil {
		return page.Of[Bulletin]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Bulletin], error) {
		rows, err := list(ctx, tx, city, f)
		if err != nil {
			return page.Of[Bulletin]{}, err
		}
		return page.Cut(rows, f.Request, func(b Bulletin) []any { return []any{b.ID} }), nil
	})
}

// Live lists the bulletins that everybody may read now, the newest first.
func (s *Service) Live(ctx context.Context, city int) ([]Bulletin, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Bulletin, error) { return live(ctx, tx, city) })
}

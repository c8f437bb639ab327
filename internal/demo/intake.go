package demo

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/sim"
)

// doors say by which door a channel comes in, and what the product calls the channel.
var doors = map[sim.Channel]struct {
	door    citypack.Door
	channel cases.Channel
}{
	sim.Phone:   {citypack.DoorSeat, cases.Phone},
	sim.WeChat:  {citypack.DoorWeb, cases.WeChat},
	sim.Web:     {citypack.DoorWeb, cases.Web},
	sim.Counter: {citypack.DoorCounter, cases.Counter},
	sim.Hotline: {citypack.DoorAPI, cases.Hotline},
	sim.OwnLine: {citypack.DoorAPI, cases.CompanyIn},
}

var relations = map[string]cases.Relation{
	"本人": "self", "子女": "family", "家属": "family", "租户": "tenant", "物业": "property", "社区": "community", "邻居": "neighbour",
}

var scopes = map[sim.Scope]cases.Scope{
	sim.OneHome: cases.Home, sim.OneUnit: cases.Stairs, sim.OneBuilding: cases.Block, sim.OneEstate: cases.Estate, sim.OneDistrict: cases.District,
}

// opening is a call as the door writes it down.
func (s *season) opening(c sim.Call, t sim.Centre) cases.Opening {
	d := doors[c.Channel]
	in := cases.Opening{
		City: sim.Code, Door: d.door, Channel: d.channel, Text: c.Text, Category: c.Category,
		Caller: cases.Party{Name: c.Caller.Name, Phone: c.Caller.Phone}, Relation: relations[c.Caller.Relation],
		Scope: scopes[c.Scope], Address: c.Address, TestRequest: yesNo(c.Test), Key: c.Key + "/open", Token: s.token(c),
		Details: cases.Details{Since: c.Since, Neighbours: c.Neighbours, Leak: yesNo(strings.HasPrefix(c.Category, "leak"))},
	}
	if cat, ok := s.rules.Pack.Category(c.Category); ok {
		in.Nature = cat.Nature
	}
	if c.HasSaid {
		in.Details.Temperature = &c.Said
	}
	if !c.Point.IsZero() {
		in.Lng, in.Lat = &c.Point.Lng, &c.Point.Lat
	}
	switch d.door {
	case citypack.DoorSeat, citypack.DoorCounter:
		s.asked(&in, c, t)
	case citypack.DoorAPI:
		in.TicketNo = s.w.Digits("ticket "+c.Key, 12)
	case citypack.DoorWeb, citypack.DoorImport, citypack.DoorOpen311, citypack.DoorPeak:
	}
	return in
}

// token names a call's case to whoever filed it; the same in every run.
func (s *season) token(c sim.Call) string { return s.w.Digits("token "+c.Key, 20) }

// asked adds what a seat asks for.
func (s *season) asked(in *cases.Opening, c sim.Call, t sim.Centre) {
	h := s.w.Households[c.Household]
	b := s.w.Buildings[h.Building]
	in.Building, in.Unit, in.Room = b.No, strconv.Itoa(h.Unit), h.Room()
	if t.KnowsAccount && !c.Bare {
		in.Account = h.Account
	}
	if in.Details.Neighbours == "" {
		in.Details.Neighbours = "unknown"
	}
	in.Details.Floor = strconv.Itoa(h.Floor) + "/" + strconv.Itoa(b.Floors)
	in.Details.Position = position(h, b)
	in.Details.Paid = yesNo(h.Paid)
	if c.Care {
		in.Details.Care = care[h.Care]
	}
	if strings.HasPrefix(c.Category, "cold") && t.Draw%3 > 0 {
		in.Details.Available = s.w.Say("available", c.Key)
	}
	if c.Caller.Relation != "本人" && t.Draw%2 == 0 { // somebody else opens the door
		in.Contact = cases.Party{Name: h.Holder, Phone: h.Phone}
	}
}

var care = map[string]string{
	"独居老人": "old", "高龄老人": "old", "残疾人": "disabled", "婴幼儿家庭": "infant", "重病患者": "ill", "低保户": "old",
}

func position(h sim.Household, b sim.Building) string {
	switch {
	case h.Floor == b.Floors:
		return "top"
	case h.Floor == 1:
		return "bottom"
	case h.Unit == 1 && h.Flat == 1 || h.Unit == b.Units && h.Flat == b.PerFloor:
		return "edge"
	default:
		return "middle"
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// takeIn lets a call come in by its door.
func (s *season) takeIn(ctx context.Context, c sim.Call) error {
	if first := c.Reminder + c.StillCold; first != "" {
		return s.again(ctx, c, s.files[first])
	}
	t := s.w.Centre(c, 0)
	in := s.opening(c, t)
	by := s.doorkeeper(c, t, in.Door)
	if near := s.shared[c.Shared]; len(near) > 2 && by.Kind == actor.Person {
		in.Link = near[0].c.ID // the seat sees that the neighbours called
	}
	if c.IsQuestion() && by.Kind == actor.Person {
		in.Answer, in.Article = s.w.Answer(c), s.articles[c.Topic]
	}
	o, err := s.openCase(ctx, by, c.Key, in)
	if err != nil {
		return s.refuse(ctx, fmt.Errorf("open %s: %w", c.Key, err))
	}
	f := &file{call: c, c: o.Case}
	s.files[c.Key] = f
	if o.Reminder || !o.Case.Open {
		return nil
	}
	s.open = append(s.open, f)
	s.gather(f)
	s.plan(f)
	return nil
}

// doorkeeper is who writes a call down.
func (s *season) doorkeeper(c sim.Call, t sim.Centre, door citypack.Door) actor.Actor {
	switch door {
	case citypack.DoorWeb, citypack.DoorOpen311:
		return actor.Anonymous(actor.Public)
	case citypack.DoorAPI, citypack.DoorImport:
		return s.crew.partner
	default:
		return s.seat(c, t)
	}
}

// seat is the seat that takes a call: two at night, all by day.
func (s *season) seat(c sim.Call, t sim.Centre) actor.Actor {
	seats := s.crew.by[actor.RoleSeat]
	if h := c.At.Time().Hour(); h >= 22 || h < 7 {
		seats = seats[:2]
	}
	return seats[t.Draw%len(seats)]
}

// again is a second call about the same matter: a reminder while the case is open, "still cold" when it is closed.
func (s *season) again(ctx context.Context, c sim.Call, f *file) error {
	if f == nil {
		return nil // the first call was before this history begins
	}
	if err := s.refresh(ctx, f); err != nil {
		return err
	}
	act := cases.Act{City: sim.Code, ID: f.c.ID, Key: c.Key}
	channel := doors[c.Channel].channel
	seat := s.seat(c, s.w.Centre(c, 0))
	var err error
	switch {
	case f.c.Open:
		f.c, err = s.app.Cases.Remind(ctx, seat, cases.Reminder{Act: act, Channel: channel, Text: c.Text})
	case f.c.MayReopen(s.rules.Pack.Options(s.now), s.now):
		f.c, err = s.app.Cases.Reopen(ctx, seat, cases.Reopening{Act: act, Channel: channel, Text: c.Text})
		if err == nil {
			f.round++
			s.open = append(s.open, f)
			s.plan(f)
		}
	}
	return s.refuse(ctx, err)
}

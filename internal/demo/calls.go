package demo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/call/ctifake"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/staffing"
)

// telephone is the centre's telephone while people look: whoever rings, rings at the switch. It rings at the seat of a
// visitor who is ready, and when they do not pick up, or nobody is there, a colleague answers and writes the call down.
type telephone struct {
	s     *season
	sw    *ctifake.Switch
	seats []*colleague
	taken map[string]answered // by the key of the call
}

// colleague is a seat that the demonstration itself plays.
type colleague struct {
	by        actor.Actor
	extension string
	busy      bool
}

// answered is a call that a colleague has at the telephone.
type answered struct {
	by actor.Actor
	id string
}

// How people at the telephone behave.
const (
	ringsFor   = 25 * time.Second // at a visitor's seat, before a colleague takes it
	patience   = 50 * time.Second // before a caller gives up
	looksAgain = 10 * time.Second // for a free colleague
	writesUp   = 20 * time.Second
)

// connect lets the season ring at the switch. The first seat is left to visitors.
func (s *season) connect(ctx context.Context, sw *ctifake.Switch) error {
	if sw == nil || !s.app.Calls.Connected() {
		return nil
	}
	p := &telephone{s: s, sw: sw, taken: map[string]answered{}}
	crew := s.crew.by[actor.RoleSeat]
	for n, by := range crew[min(1, len(crew)):] {
		c := &colleague{by: by, extension: strconv.Itoa(8002 + n)}
		desk, err := s.app.Calls.Desk(ctx, by, sim.Code)
		if err != nil {
			return err
		}
		if desk.Seat == nil {
			in := call.Sitting{City: sim.Code, Do: call.LogIn, Extension: c.extension}
			if _, err := s.app.Calls.Sit(ctx, by, in); err != nil {
				return fmt.Errorf("log a colleague in: %w", err)
			}
		}
		p.seats = append(p.seats, c)
	}
	s.phone = p
	return nil
}

// rings lets a caller ring; false when the call comes in by another door.
func (p *telephone) rings(ctx context.Context, c sim.Call) (bool, error) {
	if p == nil || c.Channel != sim.Phone || c.Reminder+c.StillCold != "" {
		return false, nil
	}
	if visitor := p.visitor(); visitor != "" {
		ref, err := p.sw.Dial(ctx, c.Caller.Phone, visitor)
		p.s.later(p.s.now.Add(ringsFor), func(ctx context.Context) error { return p.notPickedUp(ctx, c, ref) })
		return true, err
	}
	ref, err := p.sw.Dial(ctx, c.Caller.Phone, "")
	if err != nil {
		return true, err
	}
	return true, p.answer(ctx, c, ref, p.s.now)
}

// visitor is the extension of somebody at a screen who is ready.
func (p *telephone) visitor() string {
	for _, ext := range p.sw.ReadySeats() {
		if !slices.ContainsFunc(p.seats, func(c *colleague) bool { return c.extension == ext }) {
			return ext
		}
	}
	return ""
}

// notPickedUp gives a call that still rings at a visitor's seat to a colleague. What was picked up is the visitor's.
func (p *telephone) notPickedUp(ctx context.Context, c sim.Call, ref string) error {
	l := p.sw.Line(ref)
	if l == nil || l.State != call.Rings {
		return nil
	}
	if err := p.sw.Happen(ctx, ref, call.Queued, ""); err != nil {
		return err
	}
	return p.answer(ctx, c, ref, p.s.now)
}

// answer lets a free colleague take a call that waits; without one the caller waits on, and at last gives up and reports
// by another way.
func (p *telephone) answer(ctx context.Context, c sim.Call, ref string, since civil.Instant) error {
	free := slices.IndexFunc(p.seats, func(c *colleague) bool { return !c.busy })
	switch {
	case free < 0 && p.s.now.Sub(since) >= patience:
		if err := p.sw.Happen(ctx, ref, call.Abandoned, ""); err != nil {
			return err
		}
		p.s.later(p.s.now.Add(5*time.Minute), func(ctx context.Context) error { return p.s.takeIn(ctx, c) })
		return nil
	case free < 0:
		p.s.later(p.s.now.Add(looksAgain), func(ctx context.Context) error { return p.answer(ctx, c, ref, since) })
		return nil
	}
	seat := p.seats[free]
	seat.busy = true
	if err := p.sw.Happen(ctx, ref, call.Ringing, seat.extension); err != nil {
		return err
	}
	draw := p.s.w.Centre(c, 0).Draw
	p.s.later(p.s.now.Add(time.Duration(2+draw%9)*time.Second), func(ctx context.Context) error { return p.talk(ctx, c, ref, seat) })
	return nil
}

// talk picks the call up, and writes it down when everything was said.
func (p *telephone) talk(ctx context.Context, c sim.Call, ref string, seat *colleague) error {
	desk, err := p.s.app.Calls.Desk(ctx, seat.by, sim.Code)
	if err == nil && desk.Call != nil {
		err = p.ask(ctx, seat, desk.Call.ID, call.DoAnswer)
	}
	if err != nil || desk.Call == nil {
		seat.busy = false
		return err
	}
	p.taken[c.Key] = answered{seat.by, desk.Call.ID}
	long := 40 + p.s.w.Centre(c, 0).Draw%110
	if c.IsQuestion() {
		long /= 2
	}
	p.s.later(p.s.now.Add(time.Duration(long)*time.Second), func(ctx context.Context) error {
		err := p.s.takeIn(ctx, c)
		delete(p.taken, c.Key)
		p.s.later(p.s.now.Add(2*time.Second), func(ctx context.Context) error { return p.hangUp(ctx, ref, seat, desk.Call.ID) })
		return err
	})
	return nil
}

func (p *telephone) ask(ctx context.Context, seat *colleague, id string, v call.Verb) error {
	return p.s.app.Calls.Command(ctx, seat.by, call.Order{City: sim.Code, Call: id, Do: v, Key: "demo/" + id + "/" + string(v)})
}

// hangUp ends a call; after writing it up the colleague is ready again.
func (p *telephone) hangUp(ctx context.Context, ref string, seat *colleague, id string) error {
	err := p.ask(ctx, seat, id, call.DoHangUp)
	if err == nil && p.sw.Line(ref) != nil {
		err = p.sw.Happen(ctx, ref, call.Recorded, "https://recordings.example.cn/"+ref)
	}
	p.s.later(p.s.now.Add(writesUp), func(ctx context.Context) error {
		seat.busy = false
		_, err := p.s.app.Calls.Sit(ctx, seat.by, call.Sitting{City: sim.Code, Do: call.GoReady})
		return err
	})
	return err
}

// openCase takes a case in, bound to the call if a colleague has it at the telephone.
func (s *season) openCase(ctx context.Context, by actor.Actor, key string, in cases.Opening) (cases.Opened, error) {
	if s.phone == nil {
		return s.app.Cases.Open(ctx, by, in)
	}
	a, ok := s.phone.taken[key]
	if !ok {
		return s.app.Cases.Open(ctx, by, in)
	}
	return s.app.Calls.Open(ctx, a.by, call.Taking{Opening: in, Call: a.id})
}

// rosterDays is for how many days seats are on the roster.
const rosterDays = 7

// staffUp hands over the season's calls by half-hour, as out of the switch of before, with the weather of their days, and
// puts a roster up: enough for a usual day, too few for the worst one.
func (s *season) staffUp(ctx context.Context) error {
	today := s.now.Date()
	counts := map[civil.Instant]int{}
	for c := range s.w.Calls(sim.Plan{From: seasonEve, To: today.Start()}) {
		if c.Channel == sim.Phone {
			day := c.At.Date().Start()
			counts[day.Add(c.At.Sub(day).Truncate(call.SlotLength))]++
		}
	}
	in := staffing.Handing{City: sim.Code, Source: "demonstration"}
	for at, n := range counts {
		in.Past = append(in.Past, staffing.Past{At: at, Calls: n})
	}
	if len(in.Past) == 0 {
		return nil
	}
	if err := reportWeather(ctx, s.app, s.w.Weather, seasonEve.Date().DaysUntil(today), s.now); err != nil {
		return err
	}
	if _, err := s.app.Staffing.HandOver(ctx, owner, in); err != nil {
		return fmt.Errorf("hand past calls over: %w", err)
	}
	return roster(ctx, s.app, today)
}

// roster puts up the shifts of some days, unless there are some.
func roster(ctx context.Context, a *app.App, today civil.Date) error {
	for d := today; d.Before(today.AddDays(rosterDays)); d = d.AddDays(1) {
		p, err := a.Staffing.Plan(ctx, owner, sim.Code, staffing.Question{Day: d})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(p.Shifts, func(s staffing.Shift) bool { return s.From.Date() == d }) {
			continue
		}
		for _, s := range []staffing.Shift{
			{Team: "白班", From: civil.On(d, 8, 0), To: civil.On(d, 16, 0), Seats: 6},
			{Team: "中班", From: civil.On(d, 14, 0), To: civil.On(d, 22, 0), Seats: 5},
			{Team: "夜班", From: civil.On(d, 22, 0), To: civil.On(d.AddDays(1), 8, 0), Seats: 3},
		} {
			s.City = sim.Code
			if _, err := a.Staffing.Roster(ctx, owner, s); err != nil {
				return fmt.Errorf("roster: %w", err)
			}
		}
	}
	return nil
}

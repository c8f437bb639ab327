package demo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
)

// stop is a stop of heat while the company sees to it.
type stop struct {
	fault sim.Fault
	n     int // of the fault
	v     outage.Outage
	by    actor.Actor
}

// stops plans the reports of everything that goes off from an instant on; a company in a bad way reports late or not at all.
func (s *season) stops(from civil.Instant) {
	for n, f := range s.w.Faults {
		if f.At.Before(from) || f.Kind != sim.StationDown && f.Kind != sim.MainBurst {
			continue
		}
		c := s.w.Centre(sim.Call{Key: "fault/" + strconv.Itoa(n)}, 0)
		if c.Draw < 120 {
			continue
		}
		st := &stop{fault: f, n: n}
		s.later(f.At.Add(time.Duration(12+c.Draw%40)*time.Minute), func(ctx context.Context) error { return s.report(ctx, st) })
	}
	if at := civil.On(midWinter.AddDays(-1), 15, 20); !at.Before(from) {
		s.later(at, s.planned8)
	}
}

var midWinter = civil.NewDate(2026, 1, 15)

// supplier is somebody at the desk of the company that serves an area.
func (s *season) supplier(area int) (code string, by actor.Actor) {
	code = s.w.Companies[s.w.Seasons[1].Areas[area].Company].Code
	return code, s.crew.company[code][actor.RoleCompany][0]
}

func (s *season) report(ctx context.Context, st *stop) error {
	f := st.fault
	in := outage.Report{City: sim.Code, Kind: outage.Sudden, Start: f.At, Until: roundUp(f.Until.Add(-40 * time.Minute)), Key: "demo/stop/" + strconv.Itoa(st.n)}
	in.Company, st.by = s.supplier(f.Area)
	in.Reason = s.w.Say("repair_outage", in.Key)
	for n, station := range s.w.Stations {
		if f.Kind == sim.StationDown && n == f.Station || f.Kind == sim.MainBurst && station.Area == f.Area {
			in.Scope = append(in.Scope, outage.Scope{Station: station.Code})
		}
	}
	if f.Kind == sim.MainBurst {
		in.Reason = s.w.Say("burst_outage", in.Key)
	}
	in.Until = max(in.Until, roundUp(s.now.Add(time.Hour)))
	v, err := s.app.Outages.Report(ctx, st.by, in)
	if err != nil {
		return s.refuse(ctx, fmt.Errorf("report a stop: %w", err))
	}
	st.v = v.Outage
	s.tend(st)
	return nil
}

// roundUp is the next half hour, as people promise.
func roundUp(at civil.Instant) civil.Instant {
	const half = civil.Instant(30 * 60 * 1000)
	return (at + half - 1) / half * half
}

// tend plans what the company does next about a stop.
func (s *season) tend(st *stop) {
	next := func(at civil.Instant, e outage.Event, occasion string) {
		s.later(at, func(ctx context.Context) error { return s.change(ctx, st, e, occasion) })
	}
	over := st.fault.Until
	switch st.v.State {
	case outage.Reported, outage.Announced:
		next(max(st.v.Start, s.now.Add(6*time.Minute)), outage.Begin, "outage_begun")
	case outage.Repairing:
		switch word := s.now.Add(100 * time.Minute); {
		case word.Before(over.Add(-20 * time.Minute)):
			next(word, outage.Say, "outage_word")
		case !over.After(st.v.Until.Add(10 * time.Minute)):
			next(over, outage.Restore, "outage_restored")
		default:
			next(min(st.v.Until, over).Add(-5*time.Minute), outage.Reschedule, "outage_later")
		}
	case outage.Restored:
		next(st.v.Restored.Add(5*hour), outage.Lift, "outage_lifted")
	case outage.Lifted, outage.Cancelled:
	}
}

func (s *season) change(ctx context.Context, st *stop, e outage.Event, occasion string) error {
	in := outage.Change{City: sim.Code, ID: st.v.ID, Event: e, Text: s.w.Say(occasion, st.v.ID), Version: st.v.Version}
	in.Key = fmt.Sprintf("demo/stop/%s/%s/%d", st.v.ID, e, s.now)
	if e == outage.Reschedule {
		in.Until = roundUp(st.fault.Until.Add(10 * time.Minute))
	}
	v, err := s.app.Outages.Change(ctx, st.by, in)
	if err != nil {
		return s.refuse(ctx, fmt.Errorf("%s of stop %s: %w", e, st.v.No, err))
	}
	st.v = v.Outage
	s.tend(st)
	return nil
}

// planned8 is a stop that is told of two days before: a station is rebuilt in the night after midWinter.
func (s *season) planned8(ctx context.Context) error {
	from := civil.On(midWinter.AddDays(2), 22, 0)
	st := &stop{fault: sim.Fault{At: from, Until: from.Add(8 * hour)}, n: len(s.w.Faults)}
	in := outage.Report{City: sim.Code, Kind: outage.Planned, Start: from, Until: st.fault.Until, Key: "demo/stop/planned"}
	in.Reason = s.w.Say("planned_outage", in.Key)
	station := s.w.Stations[len(s.w.Stations)/2]
	in.Scope = []outage.Scope{{Station: station.Code}}
	in.Company, st.by = s.supplier(station.Area)
	v, err := s.app.Outages.Report(ctx, st.by, in)
	if err != nil {
		return s.refuse(ctx, fmt.Errorf("report a planned stop: %w", err))
	}
	st.v = v.Outage
	return s.change(ctx, st, outage.Announce, "outage_announced")
}

// resumeStops takes up the stops that are not over.
func (s *season) resumeStops(ctx context.Context) error {
	list, err := s.app.Outages.List(ctx, owner, sim.Code, outage.Filter{Open: true, Request: page.Request{Size: page.MaxSize}})
	if err != nil {
		return fmt.Errorf("list stops: %w", err)
	}
	for _, v := range list.Items {
		desk := s.crew.company[v.Company][actor.RoleCompany]
		if len(desk) == 0 {
			continue
		}
		st := &stop{fault: sim.Fault{At: v.Start, Until: v.Until}, v: v, by: desk[0]}
		for n, f := range s.w.Faults {
			if f.At == v.Start {
				st.fault, st.n = f, n
			}
		}
		s.tend(st)
	}
	return nil
}

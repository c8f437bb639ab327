package measure

import (
	"context"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/text"
)

// Windows lists the times that may be chosen for a measurement.
func (s *Service) Windows(ctx context.Context, by actor.Actor, city int, id string) (Offer, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Offer, error) {
		m, err := s.of(ctx, tx, by, city, id, actor.MeasureRead)
		if err != nil {
			return Offer{}, err
		}
		r, err := s.o.Rules(ctx, tx, city)
		if err != nil {
			return Offer{}, err
		}
		return s.offer(ctx, tx, r, m)
	})
}

// WindowsOwn lists the times that a resident may choose for a measurement of their own case.
func (s *Service) WindowsOwn(ctx context.Context, city int, in Asking) (Offer, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Offer, error) {
		c, err := s.o.Cases.ProveIn(ctx, tx, city, in.Proof)
		if err != nil {
			return Offer{}, err
		}
		m, err := find(ctx, tx, city, in.Measurement)
		if err != nil {
			return Offer{}, err
		}
		if m.Case != c.ID {
			return Offer{}, fault.New(fault.NotFound, "not_found")
		}
		r, err := s.o.Rules(ctx, tx, city)
		if err != nil {
			return Offer{}, err
		}
		return s.offer(ctx, tx, r, m)
	})
}

// Choose keeps the window that the resident chose in a recorded call.
func (s *Service) Choose(ctx context.Context, by actor.Actor, in Choosing) (Measurement, error) {
	var c fault.Check
	c.That(in.Recording != "", "recording", "field.required")
	if err := c.Err(); err != nil {
		return Measurement{}, err
	}
	return s.act(ctx, by, in.Act, actor.MeasureRequest, in, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error) {
		return "", s.choose(ctx, tx, by, r, m, in.Window, agreed{How: "recording", Recording: in.Recording})
	})
}

// ChooseOwn is a resident's choice of a window: agreed at once, since the company offers it.
func (s *Service) ChooseOwn(ctx context.Context, by actor.Actor, in Asking) (Own, error) {
	return s.say(ctx, by, in, func(ctx context.Context, tx *db.Tx, as actor.Actor, c cases.Case) error {
		r, err := s.o.Rules(ctx, tx, c.City)
		if err != nil {
			return err
		}
		return s.onOwn(in, func(ctx context.Context, tx *db.Tx, as actor.Actor, m *Measurement) (string, error) {
			return "", s.choose(ctx, tx, as, r, m, in.Window, agreed{How: "page"})
		})(ctx, tx, as, c)
	})
}

// CallOffOwn gives back a time that a resident had agreed to, as long as the rules let it be changed. The test is still owed.
func (s *Service) CallOffOwn(ctx context.Context, by actor.Actor, in Asking) (Own, error) {
	return s.say(ctx, by, in, func(ctx context.Context, tx *db.Tx, as actor.Actor, c cases.Case) error {
		r, err := s.o.Rules(ctx, tx, c.City)
		if err != nil {
			return err
		}
		return s.onOwn(in, func(ctx context.Context, tx *db.Tx, as actor.Actor, m *Measurement) (string, error) {
			return "", s.callOff(ctx, tx, as, r, m)
		})(ctx, tx, as, c)
	})
}

func (s *Service) callOff(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, m *Measurement) error {
	a, ok, err := standing(ctx, tx, *m)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Conflict, "flow.no_such_step")
	}
	if err := unlocked(r.Pack, a, tx.Now); err != nil {
		return err
	}
	step, err := Appointments.Next(a.State, Cancel)
	if err != nil {
		return err
	}
	a.State, a.How, a.AnsweredAt = step.To, "page", tx.Now
	if _, err := turned(ctx, tx, a); err != nil {
		return err
	}
	facts := map[string]any{"appointment": a.ID, "how": "page"}
	if _, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindDeclined, Party: Resident, Counted: true}, facts, facts); err != nil {
		return err
	}
	if err := s.release(ctx, tx, m, a); err != nil || s.o.Tell == nil {
		return err
	}
	return s.o.Tell(ctx, tx, *m, "declined", a.ID)
}

// release lets the company's own limit stand again where an agreed time had taken its place. A time beyond the limit that
// the resident gave back stays the time by which somebody must come.
func (s *Service) release(ctx context.Context, tx *db.Tx, m *Measurement, a Appointment) error {
	m.From, m.To = 0, 0
	if p := m.Promise; p != nil && m.DueAt.Before(p.First) {
		m.DueAt = p.First
		if err := s.moveClocks(ctx, tx, *m, a, p.First, text.Msg("measure.why.released", "to", p.First.MonthDayClock())); err != nil {
			return err
		}
	}
	return s.watch(ctx, tx, *m, "")
}

// standing is the appointment of a measurement that both sides have agreed on.
func standing(ctx context.Context, tx *db.Tx, m Measurement) (Appointment, bool, error) {
	list, err := appointmentsOf(ctx, tx, m.City, m.ID)
	if err != nil {
		return Appointment{}, false, err
	}
	i := slices.IndexFunc(list, func(a Appointment) bool { return a.State == Agreed })
	if i < 0 {
		return Appointment{}, false, nil
	}
	return list[i], true, nil
}

// unlocked refuses to change an agreed time shortly before it begins: somebody is on the way.
func unlocked(p *citypack.Pack, a Appointment, now civil.Instant) error {
	lead := p.Options(now).VisitLead
	if now.Before(a.From.Add(-time.Duration(lead) * time.Minute)) {
		return nil
	}
	return fault.New(fault.Conflict, "measure.too_late_to_change", "n", lead)
}

// choose makes an appointment of a window: the last place goes to whoever holds the company's day first.
func (s *Service) choose(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, m *Measurement, id string, word agreed) error {
	if !m.State.choosable() {
		return fault.New(fault.Conflict, "flow.no_such_step")
	}
	day, part, ok := parseWindow(id)
	if !ok {
		var c fault.Check
		c.Add("window", "measure.choose_window")
		return c.Err()
	}
	was, is, err := standing(ctx, tx, *m)
	if err != nil {
		return err
	}
	if is {
		if err := unlocked(r.Pack, was, tx.Now); err != nil {
			return err
		}
	}
	if err := holdDay(ctx, tx, m.City, m.Company, day); err != nil {
		return err
	}
	o, err := s.offer(ctx, tx, r, *m)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(o.Windows, func(w Window) bool { return w.ID == id })
	if i < 0 {
		return gone(o, day, part)
	}
	w := o.Windows[i]
	if is {
		if err := s.release(ctx, tx, m, was); err != nil {
			return err
		}
	}
	if err := s.turnAll(ctx, tx, *m, Replace); err != nil {
		return err
	}
	word.NoneWithin = o.NoneWithin
	if o.NoneWithin {
		word.Limit = o.Limit
	}
	a := Appointment{
		City: m.City, ID: tx.NewID(), Measurement: m.ID, Company: m.Company, State: Appointments.Start, Retest: m.State == Cured,
		From: w.From, To: w.To, ProposedAt: tx.Now, ProposedBy: by.ID, Version: 1,
	}
	if err := insertAppointment(ctx, tx, a); err != nil {
		return err
	}
	facts := map[string]any{"appointment": a.ID, "from": a.From, "to": a.To, "window": w.ID, "within": w.Within, "none_within": o.NoneWithin}
	if _, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindAppointment, Party: Resident, Counted: true}, facts, facts); err != nil {
		return err
	}
	if err := s.agree(ctx, tx, by, m, a, word); err != nil || s.o.Tell == nil || m.Company == "" {
		return err
	}
	return s.o.Tell(ctx, tx, *m, "chosen", a.ID)
}

// gone says that a window cannot be had any more, and which comes next.
func gone(o Offer, day civil.Date, p Part) error {
	if len(o.Windows) == 0 {
		return fault.New(fault.Conflict, "measure.no_window")
	}
	from, _ := p.bounds()
	i := slices.IndexFunc(o.Windows, func(w Window) bool { return w.From.After(day.Start().Add(time.Duration(from) * time.Hour)) })
	w := o.Windows[max(i, 0)] // none after it: the first of all
	return fault.New(fault.Conflict, "measure.window_taken", "next", w.From.MonthDayClock()+"–"+w.To.Clock())
}

// offer computes the free windows of a measurement.
func (s *Service) offer(ctx context.Context, tx *db.Tx, r *citypack.Rules, m Measurement) (Offer, error) {
	lead := r.Pack.Options(tx.Now).VisitLead
	o := Offer{Lead: lead, Limit: m.limit(tx.Now)}
	if !m.State.choosable() {
		return o, nil
	}
	was, is, err := standing(ctx, tx, m)
	if err != nil {
		return o, err
	}
	if is {
		o.Agreed, o.Locked = was.ID, unlocked(r.Pack, was, tx.Now) != nil
		o.Until = was.From.Add(-time.Duration(lead) * time.Minute)
	}
	if m.State == Cured {
		if o.Limit, err = s.retestLimit(ctx, tx, m); err != nil {
			return o, err
		}
	}
	first := tx.Now.Date()
	last := first.AddDays(mostOffered)
	all, err := capacityOf(ctx, tx, m.City, m.Company)
	if err != nil {
		return o, err
	}
	list, err := bookedOn(ctx, tx, m.City, m.Company, m.ID, first.Start(), last.End())
	if err != nil {
		return o, err
	}
	taken, after := all.taken(list), tx.Now.Add(time.Duration(lead)*time.Minute)
	for day, n := first, 0; n < mostOffered && (n < offeredDays || len(o.Windows) == 0 || !day.Start().After(o.Limit)); day, n = day.AddDays(1), n+1 {
		o.Windows = append(o.Windows, all.free(m.Area, windowsOn(r.Pack, day, after, o.Limit), taken)...)
	}
	o.NoneWithin = !o.Limit.IsZero() && !slices.ContainsFunc(o.Windows, func(w Window) bool { return w.Within })
	return o, nil
}

// retestLimit is by when the company must measure again after a cure, as the clock that runs says.
func (s *Service) retestLimit(ctx context.Context, tx *db.Tx, m Measurement) (civil.Instant, error) {
	if s.o.Clocks == nil {
		return 0, nil
	}
	var clocks []clock.Clock
	var err error
	if m.Case != "" {
		clocks, err = s.o.Clocks.Of(ctx, tx, m.City, m.Case)
	} else {
		clocks, _, err = s.o.Clocks.OfMatter(ctx, tx, m.City, m.Subject())
	}
	for _, k := range clocks {
		if k.Code == citypack.ClockRetest && k.Stopped.IsZero() && k.Due.After(tx.Now) {
			return k.Due, err
		}
	}
	return 0, err
}

// SetCapacity sets how many homes a company measures in parts of days, or takes the number away. What is agreed already stays
// agreed, also above a smaller number.
func (s *Service) SetCapacity(ctx context.Context, by actor.Actor, in Setting) (CapacityView, error) {
	if in.Company == "" {
		in.Company = by.Org
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (CapacityView, error) {
		if err := by.May(actor.MeasureAppoint, actor.On{City: in.City, Company: in.Company, Area: in.Area}); err != nil {
			return CapacityView{}, err
		}
		if err := in.check(by, tx.Now); err != nil {
			return CapacityView{}, err
		}
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (CapacityView, error) {
			if err := turnOffer(ctx, tx, in.City, in.Company, in.Version); err != nil {
				return CapacityView{}, err
			}
			for _, c := range in.rows() {
				if err := setNumber(ctx, tx, by, c, in.Places); err != nil {
					return CapacityView{}, err
				}
			}
			return s.capacity(ctx, tx, in.City, in.Company)
		})
	})
}

// Capacity shows what a company has set and how the next days are filled.
func (s *Service) Capacity(ctx context.Context, by actor.Actor, city int, company string) (CapacityView, error) {
	if company == "" {
		company = by.Org
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (CapacityView, error) {
		if err := by.May(actor.MeasureRead, actor.On{City: city, Company: company}); err != nil {
			return CapacityView{}, err
		}
		return s.capacity(ctx, tx, city, company)
	})
}

func (s *Service) capacity(ctx context.Context, tx *db.Tx, city int, company string) (CapacityView, error) {
	v := CapacityView{Company: company}
	var err error
	if v.Version, err = offerVersion(ctx, tx, city, company); err != nil {
		return v, err
	}
	all, err := capacityOf(ctx, tx, city, company)
	if err != nil {
		return v, err
	}
	v.Set = all
	first := tx.Now.Date()
	list, err := bookedOn(ctx, tx, city, company, "", first.Start(), first.AddDays(offeredDays-1).End())
	if err != nil {
		return v, err
	}
	taken, areas := all.taken(list), []string{""}
	for _, c := range all {
		if !slices.Contains(areas, c.Area) {
			areas = append(areas, c.Area)
		}
	}
	for n := range offeredDays {
		day := first.AddDays(n)
		for _, part := range PartsOfDay() {
			for _, area := range areas {
				h := Half{Area: area, Day: day, Part: part}
				c, ok := all.of(area, day, part)
				switch {
				case ok && c.Area == area:
					places := c.Places
					h.Places, h.Taken = &places, taken[pool{area, day.String(), part}]
				case area == "":
					h.Taken = unpooled(all, list, day, part)
				default:
					continue // shares the company's number
				}
				v.Days = append(v.Days, h)
			}
		}
	}
	return v, nil
}

// unpooled counts the visits of a part of a day for which no number holds.
func unpooled(all capacities, list []booked, day civil.Date, part Part) int {
	n := 0
	for _, b := range list {
		if _, ok := all.of(b.Area, day, part); !ok && b.From.Date() == day && partOf(b.From) == part {
			n++
		}
	}
	return n
}

// setNumber writes one number, or takes it away, and keeps who did.
func setNumber(ctx context.Context, tx *db.Tx, by actor.Actor, c Capacity, places *int) error {
	c.By, c.Updated = by.ID, tx.Now
	write := dropCapacity
	if places != nil {
		c.Places, write = *places, putCapacity
	}
	if err := write(ctx, tx, c); err != nil {
		return err
	}
	body := map[string]any{"area": c.Area, "day": c.Day, "weekday": c.Weekday, "part": c.Part, "places": places}
	return audit.Record(ctx, tx, by, c.City, audit.Act{Subject: "company:" + c.Company, Act: "measure.capacity", Body: body})
}

// room refuses a time of the company's own where a number of its own leaves no place: what it offers to residents and what it
// gives away itself share the places.
func (s *Service) room(ctx context.Context, tx *db.Tx, m Measurement, from civil.Instant) error {
	day, part := from.Date(), partOf(from)
	if err := holdDay(ctx, tx, m.City, m.Company, day); err != nil {
		return err
	}
	all, err := capacityOf(ctx, tx, m.City, m.Company)
	if err != nil {
		return err
	}
	c, ok := all.of(m.Area, day, part)
	if !ok {
		return nil
	}
	list, err := bookedOn(ctx, tx, m.City, m.Company, m.ID, day.Start(), day.End())
	if err != nil {
		return err
	}
	var check fault.Check
	check.That(all.taken(list)[pool{c.Area, day.String(), part}] < c.Places, "from", "measure.part_full", "n", c.Places)
	return check.Err()
}

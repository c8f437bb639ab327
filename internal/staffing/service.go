package staffing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/weather"
)

// Options set up a Service. Outages may be left out.
type Options struct {
	DB      *db.DB
	Rules   func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	Calls   *call.Service
	Weather *weather.Service
	Outages *outage.Service
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Rules == nil || o.Calls == nil || o.Weather == nil {
		return nil, errors.New("staffing: a database, rules, calls and weather are needed")
	}
	return &Service{o}, nil
}

const (
	lookBack = 150 // days of history that are read: a season
	testDays = 14  // that the shown error is of
)

func reader() actor.Actor { return actor.SystemFor("staffing", actor.Job) }

// Plan forecasts a day and puts the seats that it needs beside the roster.
func (s *Service) Plan(ctx context.Context, by actor.Actor, city int, q Question) (Plan, error) {
	p := Plan{Question: q}
	if err := by.May(actor.StaffingRead, actor.On{City: city}); err != nil {
		return p, err
	}
	if err := q.Check(); err != nil {
		return p, err
	}
	now := s.o.DB.Now()
	if p.Day.IsZero() {
		p.Day = now.Date().AddDays(1)
	}
	from := min(int64(p.Day.Start()), int64(now.Date().Start()))
	to := civil.Instant(from).Date().AddDays(-1)
	w, err := s.warmth(ctx, city, to.AddDays(-lookBack), p.Day)
	if err != nil {
		return p, err
	}
	bursts, err := s.bursts(ctx, city, to.AddDays(-lookBack))
	if err != nil {
		return p, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Plan, error) { return s.planIn(ctx, tx, city, p, known{to, w, bursts}) })
}

// known is what the days of the history were like.
type known struct {
	to     civil.Date // the last whole day
	temps  map[civil.Date]float64
	bursts map[civil.Date]int
}

func (s *Service) planIn(ctx context.Context, tx *db.Tx, city int, p Plan, k known) (Plan, error) {
	rules, err := s.o.Rules(ctx, tx, city)
	if err != nil {
		return p, err
	}
	if p.Settings, err = settings(ctx, tx, city, rules); err != nil {
		return p, err
	}
	if p.Shifts, err = shiftsOf(ctx, tx, city, p.Day); err != nil {
		return p, err
	}
	history, slots, err := s.history(ctx, tx, city, rules, k)
	if err != nil {
		return p, err
	}
	p.Days = len(history)
	p.Handle, p.Measured = handle(slots, p.Settings)
	day := s.dayOf(rules, p.Day, k)
	p.Since, p.Off = day.Since, day.Off
	p.Warmth = Given
	if _, ok := k.temps[p.Day]; !ok {
		day.TempC, p.Warmth = guess(k.temps, p.Day)
	}
	day.TempC += float64(p.Warmer)
	day.Drop = max(0, day.Drop-float64(p.Warmer))
	day.Bursts = p.Bursts
	p.TempC = day.TempC
	m, ok := Fit(history)
	if p.Enough = ok; !ok {
		return p, nil
	}
	var half [Slots]Range
	p.Total, half = m.Forecast(day)
	p.Ordinary, p.Factors = m.Explain(day)
	p.fill(half)
	p.Test, _ = BackTest(history, testDays)
	return p, s.came(ctx, tx, city, &p)
}

// came adds what did come, for a day that has begun.
func (s *Service) came(ctx context.Context, tx *db.Tx, city int, p *Plan) error {
	if p.Day.Start().After(tx.Now) {
		return nil
	}
	got, err := s.o.Calls.SlotsIn(ctx, tx, city, p.Day, p.Day)
	if err != nil {
		return err
	}
	for i := range p.Slots {
		if !p.Slots[i].At.After(tx.Now) {
			p.Slots[i].Came = new(int)
		}
	}
	for _, g := range got {
		if g.N < len(p.Slots) && p.Slots[g.N].Came != nil {
			*p.Slots[g.N].Came = g.Offered
		}
	}
	return nil
}

// history is the days before, from the calls that were counted here, else from what was handed over of the time before.
func (s *Service) history(ctx context.Context, tx *db.Tx, city int, rules *citypack.Rules, k known) ([]Day, []call.Slot, error) {
	from := k.to.AddDays(-lookBack)
	slots, err := s.o.Calls.SlotsIn(ctx, tx, city, from, k.to)
	if err != nil {
		return nil, nil, err
	}
	before, err := pastOf(ctx, tx, city, from, k.to)
	if err != nil {
		return nil, nil, err
	}
	days := map[civil.Date]*Day{}
	at := func(i civil.Instant) (*Day, int) {
		date := i.Date()
		d := days[date]
		if d == nil {
			one := s.dayOf(rules, date, k)
			d = &one
			days[date] = d
		}
		return d, int(i.Sub(date.Start()) / (24 * time.Hour / Slots))
	}
	for _, b := range before {
		d, n := at(b.At)
		d.Calls[n] = float64(b.Calls)
	}
	counted := map[civil.Date]bool{}
	for _, c := range slots {
		d, n := at(c.At)
		if !counted[d.Date] && d.Total() == 0 {
			counted[d.Date] = true
		}
		if counted[d.Date] {
			d.Calls[n] = float64(c.Offered)
		}
	}
	out := make([]Day, 0, len(days))
	for date, d := range days {
		if _, ok := k.temps[date]; ok || len(k.temps) < LeastDays { // a day of which nobody knows how cold it was teaches nothing
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Day) int { return b.Date.DaysUntil(a.Date) })
	return out, slots, nil
}

// dayOf is what drives the calls of a day.
func (s *Service) dayOf(rules *citypack.Rules, date civil.Date, k known) Day {
	d := Day{Date: date, TempC: k.temps[date], Bursts: k.bursts[date], Since: startDays}
	if was, ok := k.temps[date.AddDays(-1)]; ok {
		d.Drop = max(0, was-d.TempC)
	}
	work, known := rules.Calendar.IsWorkday(date)
	d.Off = !work
	if wd := date.Weekday(); !known {
		d.Off = wd == time.Saturday || wd == time.Sunday
	}
	if season, ok := rules.Season(date.End(), ""); ok {
		d.Since = season.Start.Date().DaysUntil(date)
	}
	return d
}

// handle is how long a call keeps a seat busy: talk as it was measured, once there are enough calls, and writing up.
func handle(slots []call.Slot, set Settings) (seconds float64, measured bool) {
	const enough = 50
	calls, talk := 0, int64(0)
	for _, s := range slots {
		calls, talk = calls+s.Answered, talk+s.TalkMS
	}
	if calls >= enough && talk > 0 {
		return float64(talk)/float64(calls)/1000 + float64(set.Wrap), true
	}
	return float64(set.Talk + set.Wrap), false
}

// guess is the mean temperature of the last days known before one that is not.
func guess(temps map[civil.Date]float64, day civil.Date) (float64, Warmth) {
	sum, n := 0.0, 0
	for back := 1; back <= 10 && n < 3; back++ {
		if t, ok := temps[day.AddDays(-back)]; ok {
			sum, n = sum+t, n+1
		}
	}
	if n == 0 {
		return 0, NotKnown
	}
	return sum / float64(n), Guessed
}

// warmth is the mean temperature outside of each day; days of which less than half is known are left out.
func (s *Service) warmth(ctx context.Context, city int, from, to civil.Date) (map[civil.Date]float64, error) {
	sum, n := map[civil.Date]float64{}, map[civil.Date]int{}
	const step = 28
	for d := from; !d.After(to); d = d.AddDays(step) {
		end := d.AddDays(step)
		if end.After(to.AddDays(1)) {
			end = to.AddDays(1)
		}
		hours, err := s.o.Weather.Hours(ctx, reader(), city, d.Start(), end.Start())
		if err != nil {
			return nil, err
		}
		for _, h := range hours {
			sum[h.At.Date()] += float64(h.C) / 10
			n[h.At.Date()]++
		}
	}
	for d := range sum {
		if n[d] < 12 {
			delete(sum, d)
			continue
		}
		sum[d] /= float64(n[d])
	}
	return sum, nil
}

// bursts counts the sudden stops that began on each day.
func (s *Service) bursts(ctx context.Context, city int, from civil.Date) (map[civil.Date]int, error) {
	out := map[civil.Date]int{}
	if s.o.Outages == nil {
		return out, nil
	}
	f := outage.Filter{Request: page.Request{Size: page.MaxSize}}
	for {
		some, err := s.o.Outages.List(ctx, reader(), city, f)
		if err != nil {
			return nil, err
		}
		for _, o := range some.Items {
			if o.Kind == outage.Sudden && o.State != outage.Cancelled {
				out[o.Start.Date()]++
			}
		}
		if f.After = some.Next; f.After == "" || some.Items[len(some.Items)-1].Reported.Before(from.Start()) {
			return out, nil
		}
	}
}

// GoalIn is how soon calls are to be answered, for whoever counts whether they were.
func (s *Service) GoalIn(ctx context.Context, tx *db.Tx, city int) (call.Goal, error) {
	rules, err := s.o.Rules(ctx, tx, city)
	if err != nil {
		return call.Goal{}, err
	}
	set, err := settings(ctx, tx, city, rules)
	return call.Goal{Share: set.Target, Within: time.Duration(set.Within) * time.Second, Source: set.Source, Provisional: set.Provisional}, err
}

// Set changes what the centre wants to reach.
func (s *Service) Set(ctx context.Context, by actor.Actor, in Settings) (Settings, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Settings, error) {
		if err := by.May(actor.StaffingEdit, actor.On{City: in.City}); err != nil {
			return in, err
		}
		if err := in.Check(); err != nil {
			return in, err
		}
		in.Updated = tx.Now
		out, err := saveSettings(ctx, tx, in)
		if err != nil {
			return in, err
		}
		body := map[string]any{"target": in.Target, "within_s": in.Within, "shrinkage": in.Shrinkage, "talk_s": in.Talk, "wrap_s": in.Wrap, "source": in.Source}
		return out, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "staffing:settings", Act: "staffing.set", Body: body})
	})
}

// Roster adds a shift or changes the version of it that was seen.
func (s *Service) Roster(ctx context.Context, by actor.Actor, in Shift) (Shift, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Shift, error) {
		if err := by.May(actor.StaffingEdit, actor.On{City: in.City}); err != nil {
			return in, err
		}
		if err := in.Check(); err != nil {
			return in, err
		}
		var err error
		if in.By = by.ID; in.ID == "" {
			in.ID, in.Version = tx.NewID(), 1
			err = insertShift(ctx, tx, in)
		} else {
			in, err = updateShift(ctx, tx, in)
		}
		if err != nil {
			return in, err
		}
		return in, recordShift(ctx, tx, by, in, "staffing.roster")
	})
}

func recordShift(ctx context.Context, tx *db.Tx, by actor.Actor, in Shift, act string) error {
	body := map[string]any{"team": in.Team, "from": in.From.String(), "to": in.To.String(), "seats": in.Seats}
	return audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "staffing:" + in.From.Date().String(), Act: act, Body: body})
}

// Drop takes the shift that was seen out of the roster.
func (s *Service) Drop(ctx context.Context, by actor.Actor, in Shift) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if err := by.May(actor.StaffingEdit, actor.On{City: in.City}); err != nil {
			return err
		}
		was, err := findShift(ctx, tx, in.City, in.ID)
		if err != nil {
			return err
		}
		if err := dropShift(ctx, tx, in); err != nil {
			return err
		}
		return recordShift(ctx, tx, by, was, "staffing.drop")
	})
}

// Copying repeats the roster of one day on another that has none.
type Copying struct {
	City int        `json:"-" form:"-"`
	From civil.Date `json:"from" form:"from"`
	To   civil.Date `json:"to" form:"to"`
}

// Copy repeats a day's roster.
func (s *Service) Copy(ctx context.Context, by actor.Actor, in Copying) (int, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (int, error) {
		if err := by.May(actor.StaffingEdit, actor.On{City: in.City}); err != nil {
			return 0, err
		}
		var c fault.Check
		c.That(!in.From.IsZero(), "from", "field.required")
		c.That(!in.To.IsZero() && in.To != in.From, "to", "field.required")
		if err := c.Err(); err != nil {
			return 0, err
		}
		there, err := startingOn(ctx, tx, in.City, in.To)
		if err != nil {
			return 0, err
		}
		if len(there) > 0 {
			return 0, fault.New(fault.Conflict, "staffing.has_roster", "day", in.To.String())
		}
		all, err := startingOn(ctx, tx, in.City, in.From)
		if err != nil {
			return 0, err
		}
		days := time.Duration(in.From.DaysUntil(in.To)) * 24 * time.Hour
		for _, one := range all {
			one.ID, one.By, one.Version = tx.NewID(), by.ID, 1
			one.From, one.To = one.From.Add(days), one.To.Add(days)
			if err := insertShift(ctx, tx, one); err != nil {
				return 0, err
			}
			if err := recordShift(ctx, tx, by, one, "staffing.roster"); err != nil {
				return 0, err
			}
		}
		return len(all), nil
	})
}

// Handing hands over how many calls came in the half-hours before this program counted them, out of the old switch.
type Handing struct {
	City   int    `json:"-"`
	Source string `json:"source"`
	Past   []Past `json:"half_hours"`
}

// HandOver keeps past half-hours; what is handed over again replaces what stood there.
func (s *Service) HandOver(ctx context.Context, by actor.Actor, in Handing) (int, error) {
	var c fault.Check
	c.That(in.Source != "", "source", "field.required")
	c.That(len(in.Past) > 0 && len(in.Past) <= MostPast, "half_hours", "field.out_of_range", "min", 1, "max", MostPast)
	for i, p := range in.Past {
		if p.At.IsZero() || p.Calls < 0 || p.At.Sub(p.At.Date().Start())%(24*time.Hour/Slots) != 0 {
			c.Add(fmt.Sprintf("half_hours.%d", i), "staffing.bad_half_hour")
			break
		}
	}
	if err := by.May(actor.StaffingEdit, actor.On{City: in.City}); err != nil {
		return 0, err
	}
	if err := c.Err(); err != nil {
		return 0, err
	}
	const batch = 500
	for part := range slices.Chunk(in.Past, batch) {
		err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return keepPast(ctx, tx, in.City, in.Source, part) })
		if err != nil {
			return 0, err
		}
	}
	return len(in.Past), db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		act := audit.Act{Subject: "staffing:history", Act: "staffing.hand_over", Body: map[string]any{"source": in.Source, "rows": len(in.Past)}}
		return audit.Record(ctx, tx, by, in.City, act)
	})
}

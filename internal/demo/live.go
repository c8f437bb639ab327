package demo

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
)

// Live goes on living in real time until ctx ends: residents call at the rate of Speed, and companies and the centre see to
// what is under way, unless somebody at a screen was first. It must follow Prepare; background work is the caller's.
func Live(ctx context.Context, a *app.App, o Options) error {
	o = o.withDefaults()
	o.Progress = func(Step, int) {}
	c := sim.NewCity(o.Seed, o.Households)
	crew, err := hire(ctx, a, c, o, true)
	if err != nil {
		return err
	}
	s, err := newSeason(ctx, a, sim.NewWinter(c), crew)
	if err != nil {
		return err
	}
	s.people = true
	s.visits = o
	if err := s.resume(ctx); err != nil {
		return err
	}
	if err := s.connect(ctx, o.Switch); err != nil {
		return err
	}
	if err := s.staffUp(ctx); err != nil {
		return err
	}
	s.stops(s.now)
	s.later(s.now, s.hourly)
	s.later(s.now.Add(10*time.Minute), s.round)
	var beside sync.WaitGroup
	defer beside.Wait() // the database closes after it
	beside.Go(func() {
		if err := exchangeWith12345(ctx, a, o); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "demo: 12345 is away", "error", err)
		}
	})
	if o.Speed > 0 {
		far := s.now.Date().AddDays(400).Start()
		defer s.listen(together(s.w.Calls(sim.Plan{From: s.now, To: far}), s.w.Visit(s.now, o.Speed)))()
	}
	for wait(ctx, a, s.moment()) {
		s.now = max(s.now, a.DB.Now())
		if err := s.step(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "demo: an act failed", "error", err) // the next one may go well
		}
	}
	return nil
}

// wait sleeps until the city's clock shows an instant; false when ctx ended. Without an instant it waits for the end.
func wait(ctx context.Context, a *app.App, at civil.Instant) bool {
	left := 365 * 24 * time.Hour
	if !at.IsZero() {
		left = at.Sub(a.DB.Now())
	}
	if left <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// resume takes up the cases that are under way, and remembers those closed of late, whose callers may call again.
func (s *season) resume(ctx context.Context) error {
	s.taken = "/" + strconv.FormatInt(int64(s.now), 36)
	calls := map[string]sim.Call{}
	for c := range s.w.Calls(sim.Plan{From: seasonEve, To: s.now.Date().AddDays(1).Start()}) {
		calls[s.token(c)] = c
	}
	visits := s.visited()
	for _, f := range []cases.Filter{{State: "open"}, {State: "closed", Received: [2]civil.Instant{s.now.Add(-14 * 24 * hour), s.now}}} {
		f.Request = page.Request{Size: page.MaxSize}
		err := s.each(ctx, f, func(c cases.Case) {
			call, known := calls[c.Token]
			if v, came := visits[c.Token]; came && !known {
				call, known = s.w.Caller(v.minute, v.n, c.ReceivedAt), true
			}
			if known {
				s.takeUp(&file{call: call, c: c, round: c.Returns + c.Reworks + c.Reopens})
			}
		})
		if err != nil {
			return err
		}
	}
	return s.resumeStops(ctx)
}

// visit names a call that came while people looked.
type visit struct {
	minute civil.Instant
	n      int
}

// Of how many days, and how many of a minute, calls are recognized after a restart.
const (
	visitDays = 14
	visitMost = 12
)

// visited names the calls that may have come since the history ended, by the tokens of their cases.
func (s *season) visited() map[string]visit {
	out := map[string]visit{}
	if s.visits.Speed <= 0 {
		return out
	}
	note := func(minute civil.Instant, n int) {
		out[s.token(sim.Call{Key: sim.VisitKey(minute, n)})] = visit{minute, n}
	}
	for at := max(s.visits.At, s.now.Add(-visitDays*24*hour)); !at.After(s.now); at = at.Add(time.Minute) {
		for n := range visitMost {
			note(at, n)
		}
		note(at, sim.FirstVisit)
	}
	return out
}

// together is two streams of calls in the order of time.
func together(a, b iter.Seq[sim.Call]) iter.Seq[sim.Call] {
	return func(yield func(sim.Call) bool) {
		next, stop := iter.Pull(b)
		defer stop()
		other, more := next()
		for c := range a {
			for ; more && other.At.Before(c.At); other, more = next() {
				if !yield(other) {
					return
				}
			}
			if !yield(c) {
				return
			}
		}
		for ; more; other, more = next() {
			if !yield(other) {
				return
			}
		}
	}
}

// each visits every case of a list.
func (s *season) each(ctx context.Context, f cases.Filter, visit func(cases.Case)) error {
	for {
		list, err := s.app.Cases.List(ctx, owner, sim.Code, f)
		if err != nil {
			return fmt.Errorf("list cases: %w", err)
		}
		for _, c := range list.Items {
			visit(c)
		}
		if f.After = list.Next; f.After == "" {
			return nil
		}
	}
}

// takeUp goes on with a case from what can be seen of it.
func (s *season) takeUp(f *file) {
	s.files[f.call.Key] = f
	if !f.c.Open {
		return
	}
	if f.c.Company != "" && f.c.Status != cases.Dispatched {
		since := f.c.DispatchedAt
		if f.c.Status == cases.Rework {
			since = f.c.UpdatedAt
		}
		s.begin(f, since)
		f.did("rework")
		if f.c.Status != cases.Signed {
			f.did("assign")
			f.did("contact")
			f.did("contact2")
			f.did("appoint")
			f.did("extend")
		}
		if !f.c.ArrivedAt.IsZero() {
			f.did("arrive")
		}
	}
	s.plan(f)
}

// lastAct is when something last happened to a case after an instant.
func lastAct(ctx context.Context, a *app.App, since civil.Instant) (civil.Instant, error) {
	s, last := season{app: a}, since
	f := cases.Filter{Since: since, Request: page.Request{Size: page.MaxSize}}
	err := s.each(ctx, f, func(c cases.Case) { last = max(last, c.UpdatedAt) })
	return last, err
}

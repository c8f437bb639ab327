package demo

import (
	"container/heap"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/sim"
)

// season is the winter while it is being lived: the calls to come, what people will do next, and the cases under way.
type season struct {
	app      *app.App
	w        *sim.Winter
	crew     *crew
	rules    *citypack.Rules
	articles map[string]string // by topic: article and version
	files    map[string]*file  // by the key of the call
	open     []*file           // in the order of the calls; closed ones are taken out at the desk
	shared   map[int][]*file   // by shared fault
	queue    agenda
	planned  int
	now      civil.Instant
	jobs     civil.Instant // when background work is looked at next; zero where the process does it by itself
	looked   civil.Instant // when it was looked at last
	tick     civil.Instant // when periodic work is planned next
	calls    func() (sim.Call, bool)
	next     *sim.Call
	visits   Options // of the calls that come while people look
	people   bool    // others act on the cases too
	taken    string  // ends the keys of acts after the history was taken up again: rounds are counted anew
	refusals int
	phone    *telephone // nil: callers are written down at once
}

// file is a case under way, with what is true behind it.
type file struct {
	call  sim.Call
	c     cases.Case
	act   sim.Conduct
	since civil.Instant // when the conduct began: the dispatch, or the rework
	round int
	tries int             // of calling back
	done  map[string]bool // in this round
	marks []string        // ever
}

// did reports whether something was done already in this round, and notes it.
func (f *file) did(what string) bool {
	if f.done == nil {
		f.done = map[string]bool{}
	}
	was := f.done[what]
	f.done[what] = true
	return was
}

// mark reports whether something was ever done with the case, and notes it.
func (f *file) mark(what string) bool {
	if slices.Contains(f.marks, what) {
		return true
	}
	f.marks = append(f.marks, what)
	return false
}

// task is something that somebody will do.
type task struct {
	at   civil.Instant
	n    int // of tasks at one moment the earlier planned comes first
	what func(context.Context) error
}

type agenda []task

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].n < a[j].n
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(task)) } // only tasks are pushed
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// later plans something for a moment that is not past.
func (s *season) later(at civil.Instant, what func(context.Context) error) {
	s.planned++
	if s.people && at.Before(s.now) { // what was left undone is not done all at once
		at = s.now.Add(time.Duration(s.planned%40) * 15 * time.Second)
	}
	heap.Push(&s.queue, task{at: max(at, s.now), n: s.planned, what: what})
}

func newSeason(ctx context.Context, a *app.App, w *sim.Winter, c *crew) (*season, error) {
	s := &season{app: a, w: w, crew: c, files: map[string]*file{}, shared: map[int][]*file{}, articles: map[string]string{}}
	var err error
	if s.rules, err = a.Rules.Rules(ctx, sim.Code); err != nil {
		return nil, fmt.Errorf("read the city's rules: %w", err)
	}
	s.now = a.DB.Now()
	return s, s.learn(ctx)
}

// listen starts to take calls; the returned function stops it.
func (s *season) listen(to iter.Seq[sim.Call]) (stop func()) {
	s.calls, stop = iter.Pull(to)
	s.pull()
	return stop
}

func (s *season) pull() {
	s.next = nil
	if c, more := s.calls(); more {
		s.next = &c
	}
}

// moment is when something happens next; zero when nothing will.
func (s *season) moment() civil.Instant {
	at := s.jobs
	if len(s.queue) > 0 && (at.IsZero() || s.queue[0].at.Before(at)) {
		at = s.queue[0].at
	}
	if s.next != nil && (at.IsZero() || s.next.At.Before(at)) {
		at = s.next.At
	}
	return at
}

// step does what is to be done at the present moment: background work first, then what people do, then a new call.
func (s *season) step(ctx context.Context) error {
	if err := s.background(ctx); err != nil {
		return err
	}
	switch {
	case len(s.queue) > 0 && !s.queue[0].at.After(s.now):
		return heap.Pop(&s.queue).(task).what(ctx) // only tasks are pushed
	case s.next != nil && !s.next.At.After(s.now):
		c := *s.next
		s.pull()
		rang, err := s.phone.rings(ctx, c)
		if err != nil && ctx.Err() == nil { // the telephone fails, the caller does not
			s.app.Log.WarnContext(ctx, "demo: the telephone failed", "error", err)
			rang = false
		}
		if rang {
			return nil
		}
		return s.takeIn(ctx, c)
	}
	return nil
}

// background lets due jobs run, at least every quarter of an hour of a history, and periodic ones once a day: nothing that
// people see depends on those being more often.
func (s *season) background(ctx context.Context) error {
	if s.jobs.IsZero() || s.now.Before(s.looked.Add(3*time.Minute)) {
		return nil
	}
	if !s.tick.After(s.now) {
		s.tick = s.now.Add(24 * time.Hour)
		if err := s.app.Runner.Tick(ctx); err != nil {
			return fmt.Errorf("plan periodic work: %w", err)
		}
	}
	s.looked, s.jobs = s.now, s.now.Add(15*time.Minute)
	for {
		if n, err := s.app.Runner.Step(ctx); err != nil || n == 0 {
			return err
		}
	}
}

// refuse takes it that people are told no: what they do then is their next step. Anything else ends the demonstration.
func (s *season) refuse(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict, fault.Denied, fault.NotFound:
		s.refusals++
		s.app.Log.DebugContext(ctx, "demo: refused", "at", s.now.Minute(), "error", err)
		return nil
	case fault.Internal, fault.Exhausted, fault.Down:
	}
	return err
}

// refresh reads a case anew where others may have acted on it.
func (s *season) refresh(ctx context.Context, f *file) error {
	if !s.people {
		return nil
	}
	c, err := s.app.Cases.Get(ctx, owner, sim.Code, f.c.ID)
	if err != nil {
		return fmt.Errorf("read case %s: %w", f.c.No, err)
	}
	f.c = c
	return nil
}

// live lives through the season until At; a history that was interrupted goes on after the last thing that happened.
func live(ctx context.Context, a *app.App, w *sim.Winter, c *crew, o Options) error {
	s, err := newSeason(ctx, a, w, c)
	if err != nil {
		return err
	}
	from := civil.On(firstDay, 0, 0)
	last, err := lastAct(ctx, a, 0)
	if err != nil {
		return err
	}
	if !last.IsZero() {
		from = last.Add(time.Millisecond)
		s.now = from
		if err := s.resume(ctx); err != nil {
			return err
		}
	}
	s.jobs, s.tick = from, from
	defer s.listen(w.Calls(sim.Plan{From: from, To: o.At}))()
	s.office(from)
	s.refunds(from)
	s.stops(from)
	s.morning(o.At)
	return s.until(ctx, o)
}

// until does what there is to do before At, with the city's clock standing at each act.
func (s *season) until(ctx context.Context, o Options) error {
	began := s.jobs
	whole := max(int64(o.At.Sub(began)/time.Minute), 1)
	for at := s.moment(); !at.IsZero() && at.Before(o.At); at = s.moment() {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.now = at
		stand(s.app, at)
		if err := s.step(ctx); err != nil {
			return fmt.Errorf("%s: %w", at.Minute(), err)
		}
		o.Progress(Living, int(100*int64(at.Sub(began)/time.Minute)/whole))
	}
	stand(s.app, o.At)
	if err := reportWeather(ctx, s.app, s.w.Weather, measured, o.At); err != nil {
		return err
	}
	o.Progress(Living, 100)
	return s.app.Runner.RunDue(ctx)
}

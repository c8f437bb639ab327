package clock

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/text"
)

// Some clocks count no limit: a law names the day itself, or how it follows from a season. Whose capability knows the day
// hands it over; the steps before and after it, the breach and the ledger are those of every clock.

// Term is such a day: what is owed, by whom, since when, and until when.
type Term struct {
	Code        string
	Party       citypack.Party // whose duty it is; empty: a company's
	Org         string
	From        civil.Instant // from when the law counts; may be ahead
	Due         civil.Instant // the first instant that is late
	Path        string        // where the day stands in the pack
	Source      string
	Provisional bool
	Why         text.Message // how the day follows
}

// Owe starts the clock of a term, or lets one that is held go on. While it runs nothing changes: the day is the law's, and
// no edit of a pack moves it. What was met and is owed again, because something was added or came back, has a clock anew,
// whose steps before today are not taken a second time.
func (l *Ledger) Owe(ctx context.Context, tx *db.Tx, rules *citypack.Rules, s Subject, t Term) error {
	clocks, err := existing(ctx, tx, s)
	if err != nil {
		return err
	}
	b := book{tx: tx, city: s.City}
	again := false
	for i := range clocks {
		c := &clocks[i]
		if c.Code != t.Code {
			continue
		}
		switch c.State {
		case Running:
			return nil
		case Paused:
			c.State, c.Stepped = Running, max(c.Stepped, tx.Now)
			b.changed(c, Entry{At: tx.Now, Event: Resume, Detail: &Detail{Held: true}})
			b.late(c)
			b.follow(rules, *c)
			return b.write(ctx, clocks)
		case Stopped, Void:
			again = true
		}
	}
	c := Clock{
		City: s.City, ID: tx.NewID(), Subject: s.key(), Code: t.Code, Party: cmp.Or(t.Party, citypack.PartyUnit), Org: t.Org, Path: t.Path, Source: t.Source,
		Provisional: t.Provisional, Started: t.From, From: t.From, Stepped: min(t.From, t.Due.Add(-time.Millisecond)), Due: t.Due, State: Running, Version: 1,
	}
	if again {
		c.Stepped = max(c.Stepped, tx.Now)
	}
	b.note(c, Entry{At: c.Started, Event: Start, Detail: &Detail{Why: &t.Why}})
	if again {
		b.late(&c)
	}
	b.follow(rules, c)
	return b.write(ctx, append(clocks, c))
}

// late records at once that the due time passed while nothing was owed, or while the clock was held.
func (b *book) late(c *Clock) {
	if c.Breached.IsZero() && !b.tx.Now.Before(c.Due) {
		c.Breached = c.Due
		b.changed(c, Entry{At: c.Due, Event: Breach})
	}
}

// Hold stops the steps of a term's clock without moving its day: what is owed waits for a decision that is not the
// debtor's. Owe lets it go on.
func (l *Ledger) Hold(ctx context.Context, tx *db.Tx, s Subject, code string, why text.Message) error {
	return l.each(ctx, tx, s, func(b *book, c *Clock) error {
		if c.Code != code || c.State != Running {
			return nil
		}
		c.State = Paused
		b.changed(c, Entry{At: tx.Now, Event: Pause, Detail: &Detail{Why: &why, Held: true}})
		return nil
	})
}

// Met stops a term's clock at the time of the last proof that nothing is owed any more.
func (l *Ledger) Met(ctx context.Context, tx *db.Tx, s Subject, code string, at civil.Instant) error {
	return l.each(ctx, tx, s, func(b *book, c *Clock) error {
		if c.Code == code && (c.State == Running || c.State == Paused) {
			b.stop(c, at, "")
		}
		return nil
	})
}

// OfMatters lists the clocks of several matters that are no cases, with what happened to them, oldest first.
func (l *Ledger) OfMatters(ctx context.Context, tx *db.Tx, city int, matters []string) ([]Clock, []Entry, error) {
	var clocks []Clock
	var entries []Entry
	for _, m := range slices.Compact(slices.Sorted(slices.Values(matters))) {
		c, e, err := l.OfMatter(ctx, tx, city, m)
		if err != nil {
			return nil, nil, err
		}
		clocks, entries = append(clocks, c...), append(entries, e...)
	}
	return clocks, entries, nil
}

// given reports whether the clock's day was handed over instead of counted.
func (c Clock) given() bool {
	return c.Code == citypack.ClockRefund || c.Code == citypack.ClockInstruction || c.Code == citypack.ClockEnquiry
}

// explainGiven says how the day follows, and what happened since.
func (c Clock) explainGiven(rules *citypack.Rules, entries []Entry) []calendar.Step {
	r, _ := rules.Pack.Clock(c.Code)
	var steps []calendar.Step
	for _, e := range entries {
		if e.Clock != c.ID {
			continue
		}
		if e.Event == Start && e.Detail != nil && e.Detail.Why != nil {
			steps = append(steps, calendar.Step{Message: text.Msg("clock.explain.given", "name", r.Name, "why", *e.Detail.Why), Article: c.Source})
			if c.Provisional {
				steps = append(steps, calendar.Step{Message: text.Msg("clock.explain.provisional"), Article: c.Source})
			}
		}
		if m, ok := e.say(); ok {
			steps = append(steps, calendar.Step{Message: m})
		}
	}
	return steps
}

// Stage is the last step of escalation that was taken about a clock, and when; empty when none was.
func (c Clock) Stage(entries []Entry) (stage citypack.Stage, at civil.Instant) {
	for _, e := range entries {
		if e.Clock == c.ID && e.Event == Escalate && e.Detail != nil && e.At >= at {
			stage, at = e.Detail.Stage, e.At
		}
	}
	return stage, at
}

// Owing lists the clocks of terms that go or are held.
func (l *Ledger) Owing(ctx context.Context, tx *db.Tx, city int) ([]Clock, error) {
	return owing(ctx, tx, city)
}

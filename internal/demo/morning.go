package demo

import (
	"context"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/sim"
)

// morning leaves on the desks what people come to look at: a return that waits for its answer, a wish for more time, a dispute
// over who owns a pipe. What else is there (call-backs, verifications) the night has left by itself. Nothing of it is answered
// before the doors open.
func (s *season) morning(at civil.Instant) {
	for _, one := range []struct {
		before time.Duration
		what   func(context.Context) error
	}{{40 * time.Minute, s.leaveDispute}, {25 * time.Minute, s.leaveWish}, {2 * time.Minute, s.leaveReturn}} {
		if when := at.Add(-one.before); when.After(s.now) {
			s.later(when, one.what)
		}
	}
}

// leaveReturn has a company give back the case that it was told of last.
func (s *season) leaveReturn(ctx context.Context) error {
	f := s.last(func(f *file) bool {
		return f.c.Status == cases.Dispatched && !f.c.Designated && f.c.Returns == 0 && s.now.Sub(f.c.DispatchedAt) < 25*time.Minute
	})
	if f == nil {
		return nil
	}
	if f.act.Refusal == nil {
		f.act.Refusal = &sim.Refusal{Reason: s.w.Say("dispute", f.call.Key), Right: -1}
	}
	c, err := s.giveBack(ctx, f)
	if err == nil {
		f.c = c
	}
	return s.refuse(ctx, err)
}

// leaveWish has a company ask for more time.
func (s *season) leaveWish(ctx context.Context) error {
	f := s.last(func(f *file) bool {
		return (f.c.Status == cases.Handling || f.c.Status == cases.Signed) && f.c.Extensions == 0 && !f.did("extend")
	})
	if f == nil {
		return nil
	}
	in := dispatch.Asking{Act: s.act(f, "extend"), Kind: dispatch.AskExtension, Until: s.now.Add(20 * hour)}
	in.Reason = s.w.Say("not_yet", f.call.Key)
	c, err := s.app.Dispatch.AskMore(ctx, s.unit(f, actor.RoleCompany), in)
	if err == nil {
		f.c = c
	}
	return s.refuse(ctx, err)
}

// leaveDispute has a company say that a pipe is not its own.
func (s *season) leaveDispute(ctx context.Context) error {
	f := s.last(func(f *file) bool {
		return f.c.Status == cases.Handling && s.w.Community(f.call.Household).Developer != "" && !f.mark("dispute")
	})
	if f == nil {
		f = s.last(func(f *file) bool { return f.c.Status == cases.Handling && !f.mark("dispute") })
	}
	if f == nil {
		return nil
	}
	in := dispatch.Disputing{Act: s.act(f, "dispute"), Party: s.w.Community(f.call.Household).Developer}
	if in.Party == "" {
		in.Party = string(s.w.Community(f.call.Household).Management)
	}
	in.Reason = s.w.Say("dispute", f.call.Key)
	_, err := s.app.Dispatch.Dispute(ctx, s.unit(f, actor.RoleCompany), in)
	return s.refuse(ctx, err)
}

// last is the case that came in last of those that fit; nil when none does.
func (s *season) last(fits func(*file) bool) *file {
	for _, v := range slices.Backward(s.open) {
		if f := v; f.c.Open && fits(f) {
			return f
		}
	}
	return nil
}

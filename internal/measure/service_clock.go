package measure

import (
	"context"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/text"
)

// ownClocks names the clocks of a measurement that was asked for without a case. They run by the limits that the pack
// gives a request for a measurement.
func (m Measurement) ownClocks() clock.Subject {
	s := clock.Subject{
		City: m.City, Matter: m.Subject(), Category: &citypack.Category{Kind: citypack.KindMeasure}, Urgency: citypack.Normal, County: m.District,
	}
	if p := m.Promise; p != nil {
		s.Own = &citypack.LimitValue{Amount: p.Amount, Unit: citypack.Unit(p.Unit), Path: p.Path, Provisional: p.Provisional}
		s.Own.Source.Law = p.Source
	}
	return s
}

// startClocks begins the clock of a request that has no case whose clocks would run.
func (s *Service) startClocks(ctx context.Context, tx *db.Tx, r *citypack.Rules, m Measurement) error {
	if s.o.Clocks == nil || m.Company == "" {
		return nil
	}
	of := m.ownClocks()
	of.New = true
	return s.o.Clocks.Event(ctx, tx, r, of, citypack.EventRequested, m.RequestedAt, clock.Org{Org: m.Company, Ref: m.ID})
}

// tickOwn tells the measurement's own clocks, if it has any, what happened. A re-test is only owed where the first test
// was, so a measurement whose case has the clocks starts none here.
func (s *Service) tickOwn(ctx context.Context, tx *db.Tx, r *citypack.Rules, m Measurement, e citypack.Event, at civil.Instant) error {
	if s.o.Clocks == nil || m.ID == "" || m.Case != "" {
		return nil
	}
	return s.o.Clocks.Event(ctx, tx, r, m.ownClocks(), e, at, clock.Org{Org: m.Company, Ref: m.ID})
}

// endClocks ends what still runs: the home is warm by the word of others, or the request was withdrawn.
func (s *Service) endClocks(ctx context.Context, tx *db.Tx, m Measurement, at civil.Instant) error {
	if s.o.Clocks == nil {
		return nil
	}
	return s.o.Clocks.StopAll(ctx, tx, m.ownClocks(), at)
}

// leaveClocks hands the duty over to the clocks of a case that the measurement came to belong to. A clock that is late
// already stays late.
func (s *Service) leaveClocks(ctx context.Context, tx *db.Tx, m Measurement, no string) error {
	if s.o.Clocks == nil {
		return nil
	}
	clocks, _, err := s.o.Clocks.OfMatter(ctx, tx, m.City, m.Subject())
	if err != nil || len(clocks) == 0 {
		return err
	}
	for _, k := range clocks {
		if k.Late(tx.Now) {
			return s.o.Clocks.StopAll(ctx, tx, m.ownClocks(), tx.Now)
		}
	}
	return s.o.Clocks.Void(ctx, tx, m.ownClocks(), m.Company, m.ID, text.Msg("measure.clock.to_case", "no", no))
}

// Step takes a step of escalation of a measurement's own clock: it stands in the chain of the home, and the role that the
// pack names is told. Clocks of others are not ours: false.
func (s *Service) Step(ctx context.Context, tx *db.Tx, by actor.Actor, k clock.Clock, step citypack.Step) (bool, error) {
	id, ours := strings.CutPrefix(k.Subject, "measure:")
	if !ours {
		return false, nil
	}
	m, err := find(ctx, tx, k.City, id)
	if err != nil {
		return true, err
	}
	body := map[string]any{"measurement": m.ID, "clock": k.Code, "due": k.Due, "stage": step.Stage, "role": step.Role, "org": k.Org}
	if err := audit.Record(ctx, tx, by, m.City, audit.Act{Subject: ChainOf(m.Home), Act: "measure.clock", Body: body}); err != nil || s.o.Warn == nil {
		return true, err
	}
	return true, s.o.Warn(ctx, tx, m, k, step)
}

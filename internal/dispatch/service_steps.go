package dispatch

import (
	"context"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/text"
)

// step does what the pack says when a limit nears or is broken: 临期预警 → 催办 → 超期 → 督办单 → 约谈/通报.
func (s *Service) step(ctx context.Context, tx *db.Tx, by actor.Actor, k clock.Clock, step citypack.Step) error {
	id := strings.TrimPrefix(k.Subject, "case:")
	body := map[string]any{"clock": k.Code, "due": k.Due, "role": step.Role, "org": k.Org}
	if step.Document != nil {
		body["document"] = step.Document.ZH
	}
	switch step.Stage {
	case citypack.StageOverdue:
		_, err := s.o.Cases.MarkLate(ctx, tx, by, k.City, id, k)
		return err
	case citypack.StageSupervise:
		r, err := s.o.Cases.Rules(ctx, tx, k.City)
		if err != nil {
			return err
		}
		_, err = s.o.Cases.EditIn(ctx, tx, by, k.City, id, audit.Act{Act: "case.supervise", Public: true, Body: body}, func(c *cases.Case) error {
			if c.Company == "" {
				return nil
			}
			c.Supervised = true
			name, _ := r.Pack.Clock(k.Code)
			reason := text.T(text.ZH, "dispatch.order.overdue", "clock", name.Name)
			return s.order(ctx, tx, by, r, *c, reason, k.ID)
		})
		return err
	case citypack.StageWarn, citypack.StageUrge, citypack.StageInterview, citypack.StageCircular:
	}
	return audit.Record(ctx, tx, by, k.City, audit.Act{Subject: k.Subject, Act: "case." + string(step.Stage), Body: body})
}

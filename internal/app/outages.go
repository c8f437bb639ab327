package app

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/territory"
)

// outages joins the stops of heat to those who ask for them: every attribution tells of a live one, a filed case joins
// the stop that its place lies in, and the callers of linked cases hear what is said about it.
func (a *App) outages() (*outage.Service, error) {
	s, err := outage.New(outage.Options{
		DB: a.DB, Rules: a.Rules.RulesIn, Owner: a.Territory.OwnerIn, Households: place.CountHouseholdsIn, Notices: a.Notices,
		Jobs: a.Runner, Machine: a.o.Machine,
	})
	if err != nil {
		return nil, err
	}
	a.Territory.Outages = s.LiveAt
	s.OnLink, s.Tell = a.belongsTo, a.tellOfOutage
	filed := a.Cases.Filed
	a.Cases.Filed = func(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, c *cases.Case, t territory.Answer, plan *cases.Plan) error {
		if c.Outage == "" && t.Outage != nil {
			c.Outage = t.Outage.ID
		}
		if c.Outage != "" {
			if err := s.JoinIn(ctx, tx, by, c.City, c.Outage, c.ID); err != nil {
				return err
			}
		}
		if filed == nil {
			return nil
		}
		return filed(ctx, tx, by, r, c, t, plan)
	}
	return s, nil
}

// belongsTo writes on a case which stop it belongs to.
func (a *App) belongsTo(ctx context.Context, tx *db.Tx, by actor.Actor, city int, caseID, stop string) error {
	act := audit.Act{Act: "case.outage", Body: map[string]any{"outage": stop}}
	_, err := a.Cases.EditIn(ctx, tx, by, city, caseID, act, func(c *cases.Case) error {
		c.Outage = stop
		return by.May(actor.CaseLink, c.On())
	})
	return err
}

// tellOfOutage sends the caller of a linked case what is said about the stop; a stop is told at night too.
func (a *App) tellOfOutage(ctx context.Context, tx *db.Tx, by actor.Actor, o outage.Outage, w outage.Word, caseID string) error {
	c, err := a.Cases.GetIn(ctx, tx, by, o.City, caseID)
	if err != nil {
		return err
	}
	to, err := a.Cases.PhoneIn(ctx, tx, c)
	if err != nil || to == "" {
		return err
	}
	template := ""
	switch w.Event {
	case outage.Announce, outage.Begin, outage.Reschedule, outage.Say:
		template = "message.outage.word"
	case outage.Restore, outage.Relapse, outage.Lift:
		template = "message.outage." + string(w.Event)
	case outage.File, outage.Cancel: // known when the case was opened; heat was never off
		return nil
	}
	_, err = a.Notices.EnqueueIn(ctx, tx, by, notice.Message{
		City: o.City, Channel: notice.SMS, Person: c.CallerID, To: to, Template: template,
		Params:  map[string]any{"no": o.No, "said": w.Text, "until": calendar.When(w.Until)},
		Subject: c.Subject(), Matter: fmt.Sprintf("%s/outage/%s", c.Subject(), w.ID), QuietExempt: true,
	})
	return err
}

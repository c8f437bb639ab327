package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/text"
)

// measurements joins in-home measurement to those who ask for it: a case with a test request makes one in the transaction
// that opens or amends it, and a case that goes to another company takes its measurement along.
func (a *App) measurements() (*measure.Service, error) {
	s, err := measure.New(measure.Options{
		DB: a.DB, Ring: a.Ring, Cases: a.Cases, Clocks: a.Clocks, Blobs: a.Blobs, Jobs: a.Runner, Rules: a.Rules.RulesIn, Owner: a.Territory.OwnerIn,
		Ask: a.askMeasure, Tell: a.tellMeasure, VisitDenied: a.visitDenied, Warn: a.warnMeasure,
	})
	if err != nil {
		return nil, err
	}
	ofCase := a.Clocks.OnStep
	a.Clocks.OnStep = func(ctx context.Context, tx *db.Tx, by actor.Actor, k clock.Clock, step citypack.Step) error {
		if ours, err := s.Step(ctx, tx, by, k, step); ours || err != nil {
			return err
		}
		return ofCase(ctx, tx, by, k, step)
	}
	a.Cases.TestAsked = s.FromCase
	heard := a.Cases.Heard
	a.Cases.Heard = func(ctx context.Context, tx *db.Tx, c cases.Case, e cases.Event) error {
		if err := s.Follow(ctx, tx, c); err != nil {
			return err
		}
		return heard(ctx, tx, c, e)
	}
	return s, nil
}

// askMeasure sends the resident of a measurement a question with two answers.
func (a *App) askMeasure(ctx context.Context, tx *db.Tx, m measure.Measurement, question, ref string, params map[string]any) error {
	to, err := a.Measure.PhoneIn(ctx, tx, m)
	if err != nil || to == "" {
		return err
	}
	_, err = a.Notices.AskIn(ctx, tx, actor.SystemFor("measure", actor.Job), notice.Asking{
		Message: notice.Message{
			City: m.City, Channel: notice.SMS, Person: m.ContactID, To: to, Template: "message.measure." + question, Params: params, Lang: text.ZH,
			Subject: m.Subject(), Matter: m.Subject() + "/" + question + "/" + ref, QuietExempt: true,
		},
		Ref: m.Subject() + "/" + question + "/" + ref, Answers: []string{"yes", "no"}, Until: tx.Now.Add(answerTime),
	})
	return err
}

// answeredMeasure hands a resident's answer to the measurement that it is about: "ID/question/ref".
func (a *App) answeredMeasure(ctx context.Context, tx *db.Tx, q notice.Question, about string) error {
	parts := strings.SplitN(about, "/", 3)
	if len(parts) != 3 || q.Answer == "" {
		return nil
	}
	by := actor.Actor{ID: "resident:" + q.Person, Kind: actor.Resident, Door: actor.Public, Grants: []actor.Grant{{Role: actor.RoleSystem, City: q.City}}}
	return a.Measure.Answered(ctx, tx, by, q.City, parts[0], parts[1], parts[2], q.Answer == "yes")
}

// visitDenied counts a visit that the resident denies with the case that asked for it, so that a second one goes to supervision.
func (a *App) visitDenied(ctx context.Context, tx *db.Tx, by actor.Actor, m measure.Measurement, visit string, at civil.Instant) error {
	if m.Case == "" {
		return nil
	}
	return a.Dispatch.VisitDenied(ctx, tx, by, m.City, m.Case, visit, at)
}

// tellMeasure puts a word into the inbox of the company that a measurement belongs to.
func (a *App) tellMeasure(ctx context.Context, tx *db.Tx, m measure.Measurement, what, ref string) error {
	if m.Company == "" {
		return nil
	}
	_, err := a.Notices.EnqueueIn(ctx, tx, actor.SystemFor("measure", actor.Job), notice.Message{
		City: m.City, Channel: notice.Console, Org: m.Company, Role: actor.RoleCompany, Template: "message.measure.unit." + what,
		Params: map[string]any{"no": m.No, "address": m.Address}, Subject: m.Subject(), Matter: fmt.Sprintf("%s/unit/%s/%s", m.Subject(), what, ref), QuietExempt: true,
	})
	return err
}

// warnMeasure puts a step of escalation of a measurement's own clock into the inbox of the role that the pack names: of the
// company it belongs to where the role is a company's, else of the city.
func (a *App) warnMeasure(ctx context.Context, tx *db.Tx, m measure.Measurement, k clock.Clock, step citypack.Step) error {
	role, org := actor.Role(step.Role), ""
	if role.OfCompany() {
		org = m.Company
	}
	_, err := a.Notices.EnqueueIn(ctx, tx, actor.SystemFor("measure", actor.Job), notice.Message{
		City: m.City, Channel: notice.Console, Org: org, Role: role, Template: "message.measure.clock." + string(step.Stage),
		Params:  map[string]any{"no": m.No, "address": m.Address, "due": k.Due.MonthDayClock()},
		Subject: m.Subject(), Matter: fmt.Sprintf("%s/clock/%s/%s/%s", m.Subject(), k.ID, step.Stage, k.Due), QuietExempt: true,
	})
	return err
}

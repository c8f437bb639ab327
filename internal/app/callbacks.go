package app

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/text"
)

// callbackRef names the question of a call-back among the questions to residents.
const callbackRef = "callback:"

// callbacks joins what residents say of what was done for them to the cases: every closing and every "not solved" becomes an
// outcome in the transaction that makes it.
func (a *App) callbacks() {
	a.Callbacks = callback.New(callback.Options{
		DB: a.DB, Cases: a.Cases, Clocks: a.Clocks, Jobs: a.Runner, Rules: a.Rules.RulesIn, Ask: a.askBack, Tell: a.tellUnit,
		Settled: func(ctx context.Context, tx *db.Tx, c cases.Case) error {
			return a.Notices.WithdrawIn(ctx, tx, c.City, callbackRef+c.ID)
		},
	})
	heard := a.Cases.Heard
	a.Cases.Heard = func(ctx context.Context, tx *db.Tx, c cases.Case, e cases.Event) error {
		if err := a.Callbacks.FollowIn(ctx, tx, c, e); err != nil {
			return err
		}
		return heard(ctx, tx, c, e)
	}
}

// askBack sends the resident of a case the question whether it is solved, with a digit and a link for each answer.
func (a *App) askBack(ctx context.Context, tx *db.Tx, c cases.Case, ref string) error {
	to, err := a.Cases.PhoneIn(ctx, tx, c)
	if err != nil || to == "" {
		return err
	}
	_, err = a.Notices.AskIn(ctx, tx, actor.SystemFor("callback", actor.Job), notice.Asking{
		Message: notice.Message{
			City: c.City, Channel: notice.SMS, Person: c.CallerID, To: to, Template: "message.ask.callback", Lang: text.ZH,
			Params: map[string]any{"no": c.No}, Subject: c.Subject(), Matter: c.Subject() + "/callback/" + ref,
		},
		Ref: callbackRef + c.ID, Answers: callback.Answers(), Until: tx.Now.Add(cases.AskedFor),
	})
	return err
}

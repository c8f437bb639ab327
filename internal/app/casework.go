package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// casework joins cases and dispatch with each other, and with the messages that go out about them.
func (a *App) casework() {
	a.Cases = cases.New(cases.Options{
		DB: a.DB, Ring: a.Ring, Blobs: a.Blobs, Clocks: a.Clocks, Log: a.Log,
		Rules: a.Rules.RulesIn, Attribute: a.Territory.AttributeIn,
	})
	a.Dispatch = dispatch.New(dispatch.Options{
		DB: a.DB, Cases: a.Cases, Clocks: a.Clocks, Blobs: a.Blobs,
		IsCompany: a.isCompany, Learn: a.learn, Ask: a.ask,
		Settled: func(ctx context.Context, tx *db.Tx, c cases.Case, ref string) error {
			return a.Notices.WithdrawIn(ctx, tx, c.City, c.Subject()+"/"+ref)
		},
	})
	a.Cases.Heard, a.Cases.Told = a.tellResident, a.tellUnit
	a.Audit.Kept = cases.KeptIn
	a.Cases.Register(a.Runner)
	a.Notices.OnReply = a.answered
	a.Territory.OpenCases = a.Cases.OpenPerCommunity
}

func (a *App) isCompany(ctx context.Context, tx *db.Tx, city int, code string) (bool, error) {
	o, ok, err := a.Staff.Organisation(ctx, tx, city, code)
	return ok && o.Active && o.Kind == staff.Company, err
}

// learn keeps a dispatcher's choice for the next call from the same place.
func (a *App) learn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, r territory.Rule) error {
	_, err := a.Territory.Learn(ctx, tx, by, city, r)
	return err
}

// toldAbout are the steps that a resident gets a message about; the rest stands on their progress page.
var toldAbout = map[cases.Event]bool{
	cases.Dispatch: true, cases.Answer: true, cases.Reject: true, cases.FeedBack: true, cases.Close: true, cases.Reopen: true,
	cases.Postpone: true, cases.Park: true,
}

// tellResident sends the caller a message about a step of their case. Whoever rings has heard the answer already.
func (a *App) tellResident(ctx context.Context, tx *db.Tx, c cases.Case, e cases.Event) error {
	if !toldAbout[e] {
		return nil
	}
	template, matter := "message.case."+string(e), fmt.Sprintf("%s/%s/%d", c.Subject(), e, c.Version)
	params := map[string]any{"no": c.No, "company": a.companyName(ctx, tx, c.City, c.Company), "link": a.receiptLink(c)}
	to, err := a.Cases.PhoneIn(ctx, tx, c)
	if err != nil {
		return err
	}
	if to == "" && a.Mail != nil {
		return a.Mail.Tell(ctx, tx, c, template, params, matter)
	}
	if to == "" {
		return nil
	}
	_, err = a.Notices.EnqueueIn(ctx, tx, actor.SystemFor("cases", actor.Job), notice.Message{
		City: c.City, Channel: notice.SMS, Person: c.CallerID, To: to, Template: template, Params: params,
		Subject: c.Subject(), Matter: matter, QuietExempt: c.Kind == "leak",
	})
	return err
}

// tellUnit puts a word into the inbox of the company that holds a case.
func (a *App) tellUnit(ctx context.Context, tx *db.Tx, c cases.Case, what string) error {
	if c.Company == "" {
		return nil
	}
	_, err := a.Notices.EnqueueIn(ctx, tx, actor.SystemFor("cases", actor.Job), notice.Message{
		City: c.City, Channel: notice.Console, Org: c.Company, Role: actor.RoleCompany, Template: "message.unit." + what,
		Params: map[string]any{"no": c.No}, Subject: c.Subject(), Matter: fmt.Sprintf("%s/unit/%s/%d", c.Subject(), what, c.Version), QuietExempt: true,
	})
	return err
}

func (a *App) companyName(ctx context.Context, tx *db.Tx, city int, code string) string {
	if o, ok, err := a.Staff.Organisation(ctx, tx, city, code); err == nil && ok {
		return o.NameZH
	}
	return code
}

// ReceiptPath is the page on which a resident follows their own case.
const ReceiptPath = "/c/%d/m/r/%s"

func (a *App) receiptLink(c cases.Case) string {
	return a.Config.PublicURL + fmt.Sprintf(ReceiptPath, c.City, c.Token)
}

// answerTime is how long a resident may answer a question of ours.
const answerTime = 48 * time.Hour

// ask sends the resident of a case a question with two answers.
func (a *App) ask(ctx context.Context, tx *db.Tx, c cases.Case, question, ref string, params map[string]string) error {
	to, err := a.Cases.PhoneIn(ctx, tx, c)
	if err != nil || to == "" {
		return err
	}
	all := map[string]any{"no": c.No}
	for k, v := range params {
		all[k] = v
	}
	_, err = a.Notices.AskIn(ctx, tx, actor.SystemFor("cases", actor.Job), notice.Asking{
		Message: notice.Message{
			City: c.City, Channel: notice.SMS, Person: c.CallerID, To: to, Template: "message.ask." + question, Params: all, Lang: text.ZH,
			Subject: c.Subject(), Matter: c.Subject() + "/ask/" + ref, QuietExempt: true,
		},
		Ref: c.Subject() + "/" + ref, Answers: []string{"yes", "no"}, Until: tx.Now.Add(answerTime),
	})
	return err
}

// answered hands a resident's answer to the case or measurement that it is about.
func (a *App) answered(ctx context.Context, tx *db.Tx, q notice.Question) error {
	if about, ok := strings.CutPrefix(q.Ref, "measure:"); ok {
		return a.answeredMeasure(ctx, tx, q, about)
	}
	asked, isBack := strings.CutPrefix(q.Ref, callbackRef)
	id, ref, ok := strings.Cut(strings.TrimPrefix(q.Ref, "case:"), "/")
	if !ok && !isBack || q.Answer == "" {
		return nil
	}
	by := actor.Actor{ID: "resident:" + q.Person, Kind: actor.Resident, Door: actor.Public, Grants: []actor.Grant{{Role: actor.RoleSystem, City: q.City}}}
	if isBack {
		return a.Callbacks.AnsweredIn(ctx, tx, by, q.City, asked, q.Answer)
	}
	return a.Dispatch.Answered(ctx, tx, by, q.City, id, ref, q.Answer == "yes")
}

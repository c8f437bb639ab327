package app

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
)

// exchanges joins the tickets of platforms to the cases: every step of a case is told to its platforms in the transaction
// of the step, and what platforms say reaches the dispatchers' inbox.
func (a *App) exchanges() (*exchange.Service, error) {
	s, err := exchange.New(exchange.Options{
		DB: a.DB, Ring: a.Ring, Cases: a.Cases, Dispatch: a.Dispatch, Blobs: a.Blobs, Jobs: a.Runner, Machine: a.o.Machine, Log: a.Log,
		Tell: a.tellOfExchange, IsCompany: a.isCompany, Companies: a.companyCodes,
	})
	if err != nil {
		return nil, err
	}
	heard := a.Cases.Heard
	a.Cases.Heard = func(ctx context.Context, tx *db.Tx, c cases.Case, e cases.Event) error {
		if err := s.FollowIn(ctx, tx, c, e); err != nil {
			return err
		}
		if heard == nil {
			return nil
		}
		return heard(ctx, tx, c, e)
	}
	return s, nil
}

// tellOfExchange puts a word about a platform's ticket into the dispatchers' inbox.
func (a *App) tellOfExchange(ctx context.Context, tx *db.Tx, t exchange.Ticket, p exchange.Platform, what, ref string) error {
	template := "message.exchange.said"
	if what == "refused" || what == "attention" {
		template = "message.exchange." + what
	}
	params := map[string]any{"platform": p.Name, "no": t.No, "case": t.CaseNo}
	if template == "message.exchange.said" {
		params["event"] = text.Msg("exchange_event." + what)
	}
	_, err := a.Notices.EnqueueIn(ctx, tx, actor.SystemFor("exchange", actor.Job), notice.Message{
		City: t.City, Channel: notice.Console, Role: actor.RoleDispatcher, Template: template, Params: params,
		Subject: t.Subject(), Matter: fmt.Sprintf("%s/%s/%s", t.Subject(), what, ref), QuietExempt: true,
	})
	return err
}

// companyCodes lists the heating companies that work in a city.
func (a *App) companyCodes(ctx context.Context, city int) ([]string, error) {
	all, err := a.Staff.Organisations(ctx, actor.SystemFor("exchange", actor.Job), city, staff.Company)
	var out []string
	for _, o := range all {
		if o.Active {
			out = append(out, o.Code)
		}
	}
	return out, err
}

package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/sheet"
)

// lineFilter pages through the lines of a settlement.
type lineFilter struct {
	After string `json:"after" form:"after"`
	Limit int    `json:"limit" form:"limit"`
}

// bankResult is the bank's table, as the text of a CSV file.
type bankResult struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

// batchFilter narrows the list of bank files.
type batchFilter struct {
	Company string `json:"company" form:"company"`
}

// fileFormat says how a bank file is written.
type fileFormat struct {
	Format sheet.Format `json:"format" form:"format"`
}

const (
	ofSeason = "/cities/{city}/refunds/{season}"
	ofClaim  = ofSeason + "/claims/{account}"
)

// refundOperations are claims: what a household gets back, why, and what either side says.
func (v *v1) refundOperations() {
	read := []actor.Permission{actor.RefundRead}
	ask(v, Operation{Name: "list_refund_claims", Method: http.MethodGet, Path: ofSeason + "/claims", Permissions: read, tag: "refunds"},
		func(ctx context.Context, c caller, f settle.Filter) (page.Of[settle.Claim], error) {
			f.Season = c.param("season")
			return full(v.Refunds.Claims(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "show_refund_claim", Method: http.MethodGet, Path: ofClaim, Permissions: read, tag: "refunds"},
		func(ctx context.Context, c caller, _ none) (settle.View, error) {
			return v.Refunds.Claim(ctx, c.by, c.city, c.param("season"), c.param("account"))
		})
	ask(v, Operation{Name: "refund_exposure", Method: http.MethodGet, Path: ofSeason + "/exposure", Permissions: read, tag: "refunds"},
		func(ctx context.Context, c caller, _ none) (page.Of[settle.Exposure], error) {
			return listed(v.Refunds.Exposure(ctx, c.by, c.city, c.param("season")))
		})
	act(v, Operation{Name: "object_to_refund", Method: http.MethodPost, Path: ofClaim + "/object", Permissions: []actor.Permission{actor.RefundObject}, tag: "refunds", status: http.StatusCreated},
		func(ctx context.Context, c caller, in settle.ObjectInput) (settle.Objection, error) {
			in.City, in.Season, in.Account, in.Key = c.city, c.param("season"), c.param("account"), c.key()
			return v.Refunds.ObjectTo(ctx, c.by, in)
		})
	act(v, Operation{Name: "decide_refund_objection", Method: http.MethodPost, Path: "/cities/{city}/refund-objections/{objection}/decide", Permissions: []actor.Permission{actor.RefundDecide}, tag: "refunds"},
		func(ctx context.Context, c caller, in settle.DecideInput) (settle.View, error) {
			in.City, in.ID = c.city, c.param("objection")
			return v.Refunds.DecideObjection(ctx, c.by, in)
		})
	move := func(name string, p actor.Permission, do func(context.Context, actor.Actor, settle.MoveInput) (settle.View, error)) {
		act(v, Operation{Name: name + "_refund", Method: http.MethodPost, Path: ofClaim + "/" + name, Permissions: []actor.Permission{p}, tag: "refunds"},
			func(ctx context.Context, c caller, in settle.MoveInput) (settle.View, error) {
				in.City, in.Season, in.Account = c.city, c.param("season"), c.param("account")
				return do(ctx, c.by, in)
			})
	}
	move("confirm", actor.RefundConfirm, v.Refunds.ConfirmClaim)
	move("refuse", actor.RefundDecide, v.Refunds.RefuseClaim)
	act(v, Operation{Name: "choose_refund_rule", Method: http.MethodPost, Path: ofSeason + "/rule", Permissions: []actor.Permission{actor.RefundDecide}, tag: "refunds"},
		func(ctx context.Context, c caller, in settle.ChooseInput) (settle.Choice, error) {
			in.City, in.Season = c.city, c.param("season")
			return v.Refunds.ChooseRule(ctx, c.by, in)
		})
	v.areaOperations()
}

// areaOperations are what befell whole stretches of the network.
func (v *v1) areaOperations() {
	ask(v, Operation{Name: "list_refund_areas", Method: http.MethodGet, Path: ofSeason + "/areas", Permissions: []actor.Permission{actor.RefundRead}, tag: "refunds"},
		func(ctx context.Context, c caller, _ none) (page.Of[settle.Area], error) {
			return listed(v.Refunds.Areas(ctx, c.by, c.city, c.param("season")))
		})
	act(v, Operation{Name: "propose_refund_area", Method: http.MethodPost, Path: ofSeason + "/areas", Permissions: []actor.Permission{actor.RefundClaim}, tag: "refunds", status: http.StatusCreated},
		func(ctx context.Context, c caller, in settle.AreaInput) (settle.Area, error) {
			in.City, in.Season, in.Key = c.city, c.param("season"), c.key()
			return v.Refunds.ProposeArea(ctx, c.by, in)
		})
	act(v, Operation{Name: "determine_refund_area", Method: http.MethodPost, Path: "/cities/{city}/refund-areas/{area}/determine", Permissions: []actor.Permission{actor.RefundDecide}, tag: "refunds"},
		func(ctx context.Context, c caller, in settle.DetermineInput) (settle.Area, error) {
			in.City, in.ID = c.city, c.param("area")
			return v.Refunds.Determine(ctx, c.by, in)
		})
}

// settleOperations are settlements: run, looked at, approved.
func (v *v1) settleOperations() {
	read := []actor.Permission{actor.RefundRead}
	ask(v, Operation{Name: "settlement_console", Method: http.MethodGet, Path: ofSeason + "/settlement", Permissions: read, tag: "settlement"},
		func(ctx context.Context, c caller, _ none) (settle.Console, error) {
			return v.Refunds.Console(ctx, c.by, c.city, c.param("season"))
		})
	act(v, Operation{Name: "settle_refunds", Method: http.MethodPost, Path: ofSeason + "/settlement", Permissions: []actor.Permission{actor.SettleRun}, tag: "settlement"},
		func(ctx context.Context, c caller, in settle.RunInput) (settle.Settlement, error) {
			in.City, in.Season = c.city, c.param("season")
			return v.Refunds.Settle(ctx, c.by, in)
		})
	ask(v, Operation{Name: "settlement_lines", Method: http.MethodGet, Path: "/cities/{city}/settlements/{settlement}/lines", Permissions: read, tag: "settlement"},
		func(ctx context.Context, c caller, q lineFilter) (page.Of[settle.Line], error) {
			return listed(v.Refunds.Lines(ctx, c.by, c.city, c.param("settlement"), q.After, q.Limit))
		})
	act(v, Operation{Name: "approve_settlement", Method: http.MethodPost, Path: "/cities/{city}/settlements/{settlement}/approve", Permissions: []actor.Permission{actor.SettleApprove}, tag: "settlement"},
		func(ctx context.Context, c caller, in settle.ApproveInput) (settle.Settlement, error) {
			in.City, in.ID = c.city, c.param("settlement")
			return v.Refunds.ApproveSettlement(ctx, c.by, in)
		})
	ask(v, Operation{Name: "overdue_refunds", Method: http.MethodGet, Path: ofSeason + "/overdue", Permissions: read, tag: "settlement"},
		func(ctx context.Context, c caller, _ none) (page.Of[settle.Overdue], error) {
			return listed(v.Refunds.Overdue(ctx, c.by, c.city, c.param("season")))
		})
	ask(v, Operation{Name: "published_refunds", Method: http.MethodGet, Path: ofSeason + "/public", tag: "settlement"},
		func(ctx context.Context, c caller, _ none) (page.Of[settle.Published], error) {
			return listed(v.Refunds.PublicList(ctx, c.city, c.param("season")))
		})
	act(v, Operation{Name: "set_late_rate", Method: http.MethodPost, Path: "/cities/{city}/refund-terms/{company}", Permissions: []actor.Permission{actor.RefundDecide}, tag: "settlement"},
		func(ctx context.Context, c caller, in settle.RateInput) (settle.CompanyTerm, error) {
			in.City, in.Company = c.city, c.param("company")
			return v.Refunds.SetLateRate(ctx, c.by, in)
		})
	v.payOperations()
}

// payOperations are payees, orders to pay and files for the bank.
func (v *v1) payOperations() {
	read, pay := []actor.Permission{actor.RefundRead}, []actor.Permission{actor.SettlePay}
	ask(v, Operation{Name: "list_payouts", Method: http.MethodGet, Path: ofSeason + "/payouts", Permissions: read, tag: "settlement"},
		func(ctx context.Context, c caller, f settle.PayFilter) (page.Of[settle.Payout], error) {
			f.Season = c.param("season")
			return full(v.Refunds.Payouts(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "show_payee", Method: http.MethodGet, Path: "/cities/{city}/payees/{account}", Permissions: read, tag: "settlement"},
		func(ctx context.Context, c caller, _ none) (settle.Payee, error) {
			return v.Refunds.Payee(ctx, c.by, c.city, c.param("account"))
		})
	act(v, Operation{Name: "set_payee", Method: http.MethodPost, Path: "/cities/{city}/payees/{account}", Permissions: pay, tag: "settlement"},
		func(ctx context.Context, c caller, in settle.PayeeInput) (settle.Payee, error) {
			in.City, in.Account = c.city, c.param("account")
			return v.Refunds.SetPayee(ctx, c.by, in)
		})
	act(v, Operation{Name: "agree_set_off", Method: http.MethodPost, Path: ofClaim + "/set-off", Permissions: pay, tag: "settlement", status: http.StatusCreated},
		func(ctx context.Context, c caller, in settle.SetOffInput) (settle.SetOff, error) {
			in.City, in.Season, in.Account, in.Key = c.city, c.param("season"), c.param("account"), c.key()
			return v.Refunds.AgreeSetOff(ctx, c.by, in)
		})
	act(v, Operation{Name: "withdraw_set_off", Method: http.MethodPost, Path: "/cities/{city}/set-offs/{set_off}/withdraw", Permissions: pay, tag: "settlement"},
		func(ctx context.Context, c caller, in settle.WithdrawInput) (settle.SetOff, error) {
			in.City, in.ID = c.city, c.param("set_off")
			return v.Refunds.WithdrawSetOff(ctx, c.by, in)
		})
	act(v, Operation{Name: "mark_payout", Method: http.MethodPost, Path: "/cities/{city}/settlements/{settlement}/payouts/{account}", Permissions: pay, tag: "settlement"},
		func(ctx context.Context, c caller, in settle.MarkInput) (settle.Payout, error) {
			in.City, in.Settlement, in.Account = c.city, c.param("settlement"), c.param("account")
			return v.Refunds.MarkPayout(ctx, c.by, in)
		})
	act(v, Operation{Name: "note_late_payment", Method: http.MethodPost, Path: "/cities/{city}/settlements/{settlement}/payouts/{account}/late-payment", Permissions: pay, tag: "settlement"},
		func(ctx context.Context, c caller, in settle.LateInput) (settle.Payout, error) {
			in.City, in.Settlement, in.Account = c.city, c.param("settlement"), c.param("account")
			return v.Refunds.NoteLatePayment(ctx, c.by, in)
		})
	ask(v, Operation{Name: "list_pay_batches", Method: http.MethodGet, Path: ofSeason + "/batches", Permissions: read, tag: "settlement"},
		func(ctx context.Context, c caller, q batchFilter) (page.Of[settle.Batch], error) {
			return listed(v.Refunds.Batches(ctx, c.by, c.city, c.param("season"), q.Company))
		})
	act(v, Operation{Name: "make_pay_batch", Method: http.MethodPost, Path: ofSeason + "/batches", Permissions: pay, tag: "settlement", status: http.StatusCreated},
		func(ctx context.Context, c caller, in settle.BatchInput) (settle.Batch, error) {
			in.City, in.Season, in.Key = c.city, c.param("season"), c.key()
			return v.Refunds.MakeBatch(ctx, c.by, in)
		})
	act(v, Operation{Name: "read_bank_result", Method: http.MethodPost, Path: "/cities/{city}/pay-batches/{batch}/result", Permissions: pay, tag: "settlement"},
		func(ctx context.Context, c caller, in bankResult) (settle.ResultReport, error) {
			return v.Refunds.ReadResult(ctx, c.by, c.city, c.param("batch"), in.Name, strings.NewReader(in.Content))
		})
	v.bankFile(Operation{Name: "bank_file", Method: http.MethodGet, Path: "/cities/{city}/pay-batches/{batch}/file", Permissions: pay, tag: "settlement"})
}

// bankFile gives a company the file for its bank.
func (v *v1) bankFile(o Operation) {
	doc := huma.Operation{Parameters: v.about.parameters(typeOf[fileFormat]())}
	v.about.answer(&doc, typeOf[none](), http.StatusOK)
	doc.Responses["200"].Content = map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		f := sheet.CSV
		if c.r.URL.Query().Get("format") == string(sheet.XLSX) {
			f = sheet.XLSX
		}
		to := &begun{w: w, as: f.MediaType(), name: fmt.Sprintf("refunds-%s.%s", c.param("batch"), f)}
		err := v.Refunds.WriteBatch(c.r.Context(), c.by, c.city, c.param("batch"), f, to)
		if err != nil && to.yes {
			v.brokenOff(c, err)
		}
		return err
	})
}

// listed wraps a list that is never cut.
func listed[T any](list []T, err error) (page.Of[T], error) {
	if err != nil {
		return page.Of[T]{}, err
	}
	return whole(list), nil
}

package web

import (
	"net/http"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

const settleDesk = "/c/{city}/settle"

// settleRoutes are the settlement of a season: runs and their approval, orders to pay, files for the bank, what is late, and
// determinations of areas.
func (w *Web) settleRoutes() []Route {
	if w.Settle == nil || w.Rules == nil || w.Places == nil {
		return nil
	}
	read := may(actor.RefundRead)
	return []Route{
		get(settleDesk, read, w.settlements),
		post(settleDesk+"/run", may(actor.SettleRun), w.runSettlement),
		post(settleDesk+"/approve", may(actor.SettleApprove), w.approveSettlement),
		post(settleDesk+"/rule", may(actor.RefundDecide), w.chooseRule),
		get(settleDesk+"/lines/{settlement}", read, w.settlementLines),
		get(settleDesk+"/payouts", read, w.payouts),
		get(settleDesk+"/banks", read, w.banks),
		post(settleDesk+"/banks", may(actor.SettlePay), w.makeBatch),
		get(settleDesk+"/banks/{batch}/file", may(actor.SettlePay), w.batchFile),
		post(settleDesk+"/banks/{batch}/result", may(actor.SettlePay), w.bankResult),
		get(settleDesk+"/overdue", read, w.overdue),
		post(settleDesk+"/overdue", may(actor.RefundDecide), w.setLateRate),
		get(settleDesk+"/areas", read, w.refundAreas),
		get(settleDesk+"/areas/suggest", may(actor.RefundClaim), w.suggestStretch),
		post(settleDesk+"/areas", may(actor.RefundClaim), w.proposeArea),
		post(settleDesk+"/areas/{area}", may(actor.RefundDecide), w.determineArea),
	}
}

// settlePath is an address of the settlement's pages for a season.
func settlePath(city int, page, season string) string {
	return withQuery(at(settleDesk+page, city), filterValues("season", season))
}

// settleView is the state of a season's settlements as the console shows it.
type settleView struct {
	settle.Console
	city   int
	now    civil.Instant
	names  *caseNames
	people map[string]string
	me     string
	runs   bool
	second bool // may approve
	rules  []ui.Option
	watch  bool // a run was just asked for, or is under way: the page looks again
	form   ui.Form
}

// settleQuery is the season, and until when the page looks again for a run that was asked for.
type settleQuery struct {
	Season string `form:"season"`
	Watch  int64  `form:"watch"`
}

func (w *Web) settleView(r *http.Request, season string) (settleView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := settleView{city: city, now: w.o.Now(), me: by(r).ID}
	season = w.heatSeason(season)
	if !fee.IsSeason(season) {
		return v, badSeason(season)
	}
	var err error
	if v.Console, err = w.Settle.Console(ctx, by(r), city, season); err != nil {
		return v, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	var ids []string
	for _, s := range v.Settlements {
		ids = append(ids, s.RunBy, s.ApprovedBy)
	}
	if v.people, err = w.Staff.Names(ctx, ids); err != nil {
		return v, err
	}
	v.runs, v.second = by(r).May(actor.SettleRun, actor.On{City: city}) == nil, by(r).May(actor.SettleApprove, actor.On{City: city}) == nil
	if by(r).May(actor.RefundDecide, actor.On{City: city}) == nil {
		for _, rule := range v.names.rules.Pack.Doc.RefundRules {
			if rule.Selectable() {
				v.rules = append(v.rules, ui.Option{Value: rule.ID, Text: ruleName(ctx, rule)})
			}
		}
	}
	return v, nil
}

func (v settleView) page() Page {
	return Page{Title: text.Msg("settlepage.title"), Nav: "settle", Body: settleBody(v)}
}

// settlements is the console. While a run is under way its part looks again by itself and, once it is over, leads back.
func (w *Web) settlements(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[settleQuery](r)
	if err != nil {
		return err
	}
	v, err := w.settleView(r, q.Season)
	if err != nil {
		return err
	}
	v.watch = v.Running != nil || q.Watch > int64(v.now)
	if r.Header.Get("HX-Target") == "settle-run" {
		if !v.watch || v.Running == nil && v.Current != nil && int64(v.Current.Assessed) >= q.Watch-watchFor.Milliseconds() {
			return w.to(rw, r, settlePath(v.city, "", v.Season))
		}
		return w.show(rw, r, Page{Body: settleRun(v)})
	}
	return w.show(rw, r, v.page())
}

// watchFor is how long the console looks for a run that was asked for and has not begun.
const watchFor = time.Minute

func (w *Web) runSettlement(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[settle.RunInput](r)
	in.City = httpx.City(r.Context())
	if err == nil {
		err = w.Settle.Start(r.Context(), by(r), in)
	}
	if err != nil {
		v, gone := w.settleView(r, r.PostFormValue("season"))
		if gone != nil {
			return gone
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { v.form = f; return v.page() })
	}
	to := withQuery(at(settleDesk, in.City), filterValues("season", in.Season, "watch", count(int64(w.o.Now().Add(watchFor)))))
	return w.done(rw, r, to, text.Msg("settlepage.started"))
}

// approvalForm is the second person's word on a settlement.
type approvalForm struct {
	settle.ApproveInput
	Settlement string `form:"settlement"`
	Season     string `form:"season"`
}

func (w *Web) approveSettlement(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[approvalForm](r)
	city := httpx.City(r.Context())
	if err == nil {
		in.City, in.ID = city, in.Settlement
		_, err = w.Settle.ApproveSettlement(r.Context(), by(r), in.ApproveInput)
	}
	return w.after(rw, r, err, settlePath(city, "", in.Season), "settlepage.approved_done")
}

func (w *Web) chooseRule(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[settle.ChooseInput](r)
	in.City = httpx.City(r.Context())
	if err == nil {
		_, err = w.Settle.ChooseRule(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, settlePath(in.City, "", in.Season), "settlepage.rule_chosen")
}

// settlementLines sends what a settlement says of each claim, as a table.
func (w *Web) settlementLines(rw http.ResponseWriter, r *http.Request) error {
	const atOnce = 500
	ctx, city, id := r.Context(), httpx.City(r.Context()), param(r, "settlement")
	list, err := w.Settle.Lines(ctx, by(r), city, id, "", atOnce)
	if err != nil {
		return err
	}
	names, err := w.caseNames(r)
	if err != nil {
		return err
	}
	columns := []string{"refundpage.account", "refundpage.company", "refundpage.status", "refundpage.days", "settlepage.assessed", "settlepage.refused", "settlepage.prior", "settlepage.payable", "settlepage.open"}
	return w.sendSheet(rw, r, "settlement", columns, func(out sheet.Writer) error {
		for len(list) > 0 {
			for _, l := range list {
				err := out.Row(l.Account, names.org(ctx, l.Company), ui.T(ctx, "refundpage.status."+string(l.Status)), count(int64(l.Counted)), l.Amount.Yuan(), l.Refused.Yuan(),
					l.Prior.Yuan(), l.Payable.Yuan(), l.Open.Yuan())
				if err != nil {
					return err
				}
			}
			if list, err = w.Settle.Lines(ctx, by(r), city, id, list[len(list)-1].Account, atOnce); err != nil {
				return err
			}
		}
		return nil
	})
}

// ruleOf names the rule of a season.
func (v settleView) ruleOf() (citypack.RefundRule, bool) {
	return v.names.rules.Pack.RefundRule(v.Rule)
}

// choiceVersion is the version of the season's choice; 0 chooses for the first time.
func (v settleView) choiceVersion() int64 {
	if v.Choice == nil {
		return 0
	}
	return v.Choice.Version
}

// waiting is the settlement that waits for the second person.
func (v settleView) waiting() *settle.Settlement {
	if v.Current != nil && v.Current.State == settle.Assessed {
		return v.Current
	}
	return nil
}

func settlementTone(s settle.SettlementState) ui.Tone {
	switch s {
	case settle.Assessing:
		return ui.Teal
	case settle.Assessed:
		return ui.Amber
	case settle.Approved, settle.Ordered:
		return ui.Green
	case settle.Superseded:
	}
	return ui.Grey
}

package web

import (
	"mime/multipart"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
)

// payView are a season's orders to pay, files for the bank, late refunds or determinations.
type payView struct {
	city    int
	now     civil.Instant
	season  string
	names   *caseNames
	query   settle.PayFilter
	list    page.Of[settle.Payout]
	batches []settle.Batch
	late    []settle.Overdue
	rates   []settle.CompanyTerm
	areas   []settle.Area
	company string // whose files may be made; empty: any
	pays    bool
	decides bool
	claims  bool
}

func (w *Web) payView(r *http.Request, season string) (payView, error) {
	city := httpx.City(r.Context())
	v := payView{city: city, now: w.o.Now(), season: w.heatSeason(season)}
	if !fee.IsSeason(v.season) {
		return v, badSeason(v.season)
	}
	v.pays = by(r).MayAny(actor.SettlePay, city)
	v.decides, v.claims = by(r).MayAny(actor.RefundDecide, city), by(r).MayAny(actor.RefundClaim, city)
	if !by(r).ScopeOf(actor.RefundRead, city).All {
		v.company = by(r).Org
	}
	var err error
	v.names, err = w.caseNames(r)
	return v, err
}

// payQuery narrows the list of orders to pay.
type payQuery struct {
	settle.PayFilter
	Format sheet.Format `form:"format"`
}

// payouts lists the orders to pay, or sends all of them as a table.
func (w *Web) payouts(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[payQuery](r)
	if err != nil {
		return err
	}
	v, err := w.payView(r, q.Season)
	if err != nil {
		return err
	}
	v.query = q.PayFilter
	v.query.Season = v.season
	if q.Format != "" {
		v.query.Size, v.query.After = page.MaxSize, ""
	}
	if v.list, err = w.Settle.Payouts(r.Context(), by(r), v.city, v.query); err != nil {
		return err
	}
	if q.Format == "" {
		return w.show(rw, r, Page{Title: text.Msg("settlepage.payouts"), Nav: "payouts", Body: payoutsBody(v)})
	}
	ctx := r.Context()
	columns := []string{"refundpage.account", "refundpage.company", "refundpage.amount", "refundpage.net", "refundpage.state", "refundpage.pay_by", "refundpage.paid_at", "refundpage.bank_ref", "refundpage.invoice_no"}
	return w.sendSheet(rw, r, "payouts-"+v.season, columns, func(out sheet.Writer) error {
		for {
			for _, p := range v.list.Items {
				err := out.Row(p.Account, v.names.org(ctx, p.Company), p.Amount.Yuan(), p.Net().Yuan(), text.T(httpx.Lang(ctx), "payout.state."+string(p.State)), dayOrNone(p.PayBy), timeOrNone(p.Paid), p.BankRef, p.InvoiceNo)
				if err != nil {
					return err
				}
			}
			if v.list.Next == "" {
				return nil
			}
			v.query.After = v.list.Next
			if v.list, err = w.Settle.Payouts(ctx, by(r), v.city, v.query); err != nil {
				return err
			}
		}
	})
}

func (w *Web) banks(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.payView(r, r.URL.Query().Get("season"))
	if err != nil {
		return err
	}
	if v.batches, err = w.Settle.Batches(r.Context(), by(r), v.city, v.season, v.company); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("settlepage.banks"), Nav: "banks", Body: banksBody(v)})
}

func (w *Web) makeBatch(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[settle.BatchInput](r)
	in.City, in.Key = httpx.City(r.Context()), formKey(r)
	if err == nil {
		_, err = w.Settle.MakeBatch(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, settlePath(in.City, "/banks", in.Season), "settlepage.batch_made")
}

// attachment says what a file is once its first bytes are there: before that, an error can still be a page.
type attachment struct {
	http.ResponseWriter
	name, kind string
	begun      bool
}

func (a *attachment) Write(b []byte) (int, error) {
	if !a.begun {
		a.begun = true
		a.Header().Set("Content-Type", a.kind)
		a.Header().Set("Content-Disposition", `attachment; filename="`+a.name+`"`)
		a.Header().Set("Cache-Control", "private, no-store")
	}
	return a.ResponseWriter.Write(b)
}

// batchFile sends a file for the bank; it holds names and account numbers, and each time is noted.
func (w *Web) batchFile(rw http.ResponseWriter, r *http.Request) error {
	f := sheet.CSV
	if r.URL.Query().Get("format") == string(sheet.XLSX) {
		f = sheet.XLSX
	}
	if err := httpx.Long(rw); err != nil {
		return err
	}
	out := &attachment{ResponseWriter: rw, name: "bank-" + param(r, "batch") + "." + string(f), kind: f.MediaType()}
	return w.Settle.WriteBatch(r.Context(), by(r), httpx.City(r.Context()), param(r, "batch"), f, out)
}

// resultForm is the bank's answer as a file.
type resultForm struct {
	Season string                `form:"season"`
	File   *multipart.FileHeader `form:"file"`
}

// bankResult takes over what the bank says of a file.
func (w *Web) bankResult(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[resultForm](r)
	city := httpx.City(r.Context())
	back := settlePath(city, "/banks", in.Season)
	if err == nil && in.File == nil {
		err = fault.New(fault.Invalid, "settlepage.no_file")
	}
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	f, err := in.File.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	report, err := w.Settle.ReadResult(r.Context(), by(r), city, param(r, "batch"), in.File.Filename, f)
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("settlepage.result_read", "paid", report.Paid, "failed", report.Failed, "returned", report.Returned, "unchanged", report.Unchanged, "left", report.Left))
}

func (w *Web) overdue(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.payView(r, r.URL.Query().Get("season"))
	if err != nil {
		return err
	}
	if v.late, err = w.Settle.Overdue(r.Context(), by(r), v.city, v.season); err != nil {
		return err
	}
	if v.rates, err = w.Settle.LateRates(r.Context(), by(r), v.city); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("settlepage.overdue"), Nav: "overdue", Body: overdueBody(v)})
}

// rateForm is what a company's contracts say about late refunds.
type rateForm struct {
	settle.RateInput
	Season string `form:"season"`
}

func (w *Web) setLateRate(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[rateForm](r)
	in.City = httpx.City(r.Context())
	if err == nil {
		_, err = w.Settle.SetLateRate(r.Context(), by(r), in.RateInput)
	}
	return w.after(rw, r, err, settlePath(in.City, "/overdue", in.Season), "settlepage.rate_kept")
}

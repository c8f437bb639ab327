package web

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/text"
)

// orderedCase is a case with one of its supervision orders.
func (w *Web) orderedCase(r *http.Request) (caseView, error) {
	v, err := w.caseView(r, chi.URLParam(r, "case"))
	if err != nil {
		return v, err
	}
	i := slices.IndexFunc(v.sends.Requests, func(q dispatch.Request) bool {
		return q.ID == chi.URLParam(r, "request") && q.Kind == dispatch.Supervision
	})
	if i < 0 {
		return v, fault.New(fault.NotFound, "not_found")
	}
	v.asked = v.sends.Requests[i]
	return v, nil
}

// caseOrderPDF is a supervision order laid out as an official document, to be sealed.
func (w *Web) caseOrderPDF(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.orderedCase(r)
	if err != nil {
		return err
	}
	return w.sheetOf(rw, orderSheet(r, v, w.o.Site.Owner), "order-"+v.asked.AskedAt.Date().String())
}

// orderSheet says to the unit which case it is late with, why it is ordered, and by when it answers.
func orderSheet(r *http.Request, v caseView, owner string) paper.Document {
	ctx := r.Context()
	l := httpx.Lang(ctx)
	title := text.T(l, "request.supervision")
	if t, ok := v.names.rules.Pack.Template("supervision_order"); ok {
		title = t.Name.In(l)
	}
	indent := func(key string, pairs ...any) paper.Block {
		return paper.Paragraph{Text: text.T(l, key, pairs...), Indent: true}
	}
	blocks := []paper.Block{
		paper.Paragraph{Text: text.T(l, "casework.paper.order_to", "unit", v.names.org(ctx, v.asked.Company))},
		indent("casework.paper.order_text", "no", v.Case.No, "address", v.Case.Address, "category", v.names.category(ctx, v.Case.Category), "received", v.Case.ReceivedAt.Minute(), "status", text.T(l, "status."+string(v.Case.Status))),
		indent("casework.paper.order_reason", "reason", v.asked.Reason),
	}
	if !v.asked.Until.IsZero() {
		blocks = append(blocks, indent("casework.paper.order_reply", "until", v.asked.Until.Minute()))
	}
	blocks = append(blocks, paper.Space{Height: 10}, paper.Seal{Place: owner, Date: longDay(l, v.asked.AskedAt.Date()), Note: text.T(l, "casework.paper.order_seal")})
	if v.asked.Reply != "" {
		blocks = append(blocks, paper.Space{Height: 6}, paper.Heading{Text: text.T(l, "casework.replied") + " " + v.asked.RepliedAt.Minute()},
			paper.Paragraph{Text: v.asked.Reply, Indent: true})
	}
	return paper.Document{Style: paper.Official, Language: l, Issuer: owner, Title: title, Number: v.asked.No, Blocks: blocks}
}

// longDay writes a day as documents do: 2026年1月10日.
func longDay(l text.Lang, d civil.Date) string {
	return text.T(l, "paper.day", "year", d.Year, "month", int(d.Month), "day", d.Day)
}

// sheetOf answers with a document as PDF, shown by the browser and saved under a name.
func (w *Web) sheetOf(rw http.ResponseWriter, d paper.Document, name string) error {
	var b bytes.Buffer
	if err := w.press.Print(&b, d); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/pdf")
	rw.Header().Set("Content-Disposition", `inline; filename="`+name+`.pdf"`)
	rw.Header().Set("Cache-Control", "private, no-store")
	_, err := b.WriteTo(rw)
	return err
}

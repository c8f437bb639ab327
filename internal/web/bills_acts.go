package web

import (
	"net/http"
	"slices"

	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// billAct is something that is entered about a household's bills: its form opens on their page.
type billAct struct {
	name string
	do   func(w *Web, r *http.Request) error
}

func billActs() []billAct {
	return []billAct{
		{"pay", (*Web).recordPayment},
		{"void", (*Web).voidPayment},
		{"read", (*Web).readMeter},
		{"correct", (*Web).correctReading},
		{"unread", (*Web).voidReading},
	}
}

// doBill carries an act out and leads back to the bills; when it is refused, its form stays open with what was typed.
func (w *Web) doBill(a billAct) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		err := a.do(w, r)
		if err == nil {
			return w.done(rw, r, billPath(httpx.City(r.Context()), param(r, "account")), text.Msg("billpage.done."+a.name))
		}
		v, gone := w.homeBillsView(r)
		if gone != nil {
			return gone
		}
		v.act, v.subject = a.name, r.PostFormValue("_subject")
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { v.form = f; return v.page() })
	}
}

func (w *Web) recordPayment(r *http.Request) error {
	in, err := httpx.Bind[fee.PaymentInput](r)
	if err != nil {
		return err
	}
	in.City, in.Account, in.Key = httpx.City(r.Context()), param(r, "account"), formKey(r)
	_, err = w.Fees.RecordPayment(r.Context(), by(r), in)
	return err
}

// bindVoid reads what is void and why.
func bindVoid(r *http.Request) (fee.VoidInput, error) {
	in, err := httpx.Bind[fee.VoidInput](r)
	in.City, in.Account, in.ID, in.Key = httpx.City(r.Context()), param(r, "account"), r.PostFormValue("_subject"), formKey(r)
	return in, err
}

func (w *Web) voidPayment(r *http.Request) error {
	in, err := bindVoid(r)
	if err != nil {
		return err
	}
	_, err = w.Fees.VoidPayment(r.Context(), by(r), in)
	return err
}

func (w *Web) voidReading(r *http.Request) error {
	in, err := bindVoid(r)
	if err != nil {
		return err
	}
	_, err = w.Fees.VoidReading(r.Context(), by(r), in)
	return err
}

// bindReading reads one reading as it was entered.
func bindReading(r *http.Request) (fee.ReadingInput, error) {
	in, err := httpx.Bind[fee.ReadingInput](r)
	in.City, in.Account, in.Key = httpx.City(r.Context()), param(r, "account"), formKey(r)
	return in, err
}

func (w *Web) readMeter(r *http.Request) error {
	in, err := bindReading(r)
	if err != nil {
		return err
	}
	_, err = w.Fees.ReadMeter(r.Context(), by(r), in)
	return err
}

func (w *Web) correctReading(r *http.Request) error {
	in, err := bindReading(r)
	if err != nil {
		return err
	}
	in.Replaces = r.PostFormValue("_subject")
	_, err = w.Fees.CorrectReading(r.Context(), by(r), in)
	return err
}

// href is where an act's form is sent.
func (v homeBillsView) href(act string) string { return billPath(v.city, v.Home.Account) + "/" + act }

// opens is the address at which an act's form is open.
func (v homeBillsView) opens(act, subject string) string {
	return withQuery(billPath(v.city, v.Home.Account), filterValues("act", act, "subject", subject)) + "#act"
}

// asks reports whether a form is open: of something that is there and can still be changed.
func (v homeBillsView) asks() bool {
	if !v.edits {
		return false
	}
	switch v.act {
	case "pay":
		return fee.IsSeason(v.subject)
	case "read":
		return true
	case "void":
		_, ok := v.payment(v.subject)
		return ok
	case "correct", "unread":
		_, ok := v.reading(v.subject)
		return ok
	}
	return false
}

// rev is that of a season's bill as it is seen; empty where no list has it.
func (v homeBillsView) rev(season string) string {
	i := slices.IndexFunc(v.Bills, func(b fee.Bill) bool { return b.Season == season })
	if i < 0 {
		return ""
	}
	return v.Bills[i].Rev
}

// payment finds a payment that is not void.
func (v homeBillsView) payment(id string) (fee.Payment, bool) {
	i := slices.IndexFunc(v.Payments, func(p fee.Payment) bool { return p.ID == id && p.Voided.IsZero() })
	if i < 0 {
		return fee.Payment{}, false
	}
	return v.Payments[i], true
}

// reading finds a reading that stands.
func (v homeBillsView) reading(id string) (fee.Reading, bool) {
	i := slices.IndexFunc(v.Readings, func(r fee.Reading) bool { return r.ID == id && r.Ended == "" })
	if i < 0 {
		return fee.Reading{}, false
	}
	return v.Readings[i], true
}

// lastMeter is the number of the meter that was read last.
func (v homeBillsView) lastMeter() string {
	if len(v.Readings) == 0 {
		return ""
	}
	return v.Readings[len(v.Readings)-1].Meter
}

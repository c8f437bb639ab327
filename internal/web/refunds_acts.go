package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// refundAct is something that is done about a claim: its form opens on the claim's page.
type refundAct struct {
	name string
	may  actor.Permission
	do   func(w *Web, r *http.Request) error
}

func refundActs() []refundAct {
	return []refundAct{
		{"object", actor.RefundObject, (*Web).objectToRefund},
		{"decide", actor.RefundDecide, (*Web).decideObjection},
		{"confirm", actor.RefundConfirm, (*Web).confirmRefund},
		{"refuse", actor.RefundDecide, (*Web).refuseRefund},
		{"payee", actor.SettlePay, (*Web).setPayee},
		{"order", actor.SettlePay, (*Web).markPayout},
		{"late", actor.SettlePay, (*Web).noteLatePayment},
		{"setoff", actor.SettlePay, (*Web).agreeSetOff},
		{"unset", actor.SettlePay, (*Web).withdrawSetOff},
	}
}

// doRefund carries an act out and leads back to the claim; when it is refused, its form stays open with what was typed.
func (w *Web) doRefund(a refundAct) handler {
	return func(rw http.ResponseWriter, r *http.Request) error {
		err := a.do(w, r)
		season, account := refundKey(r)
		if err == nil {
			return w.done(rw, r, refundPath(httpx.City(r.Context()), season, account), text.Msg("refundpage.done."+a.name))
		}
		v, gone := w.refundView(r)
		if gone != nil {
			return gone
		}
		v.act, v.subject = a.name, r.PostFormValue("_subject")
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { v.form = f; return v.page() })
	}
}

func (w *Web) objectToRefund(r *http.Request) error {
	in, err := httpx.Bind[settle.ObjectInput](r)
	if err != nil {
		return err
	}
	in.City, in.Key = httpx.City(r.Context()), formKey(r)
	in.Season, in.Account = refundKey(r)
	_, err = w.Settle.ObjectTo(r.Context(), by(r), in)
	return err
}

func (w *Web) decideObjection(r *http.Request) error {
	in, err := httpx.Bind[settle.DecideInput](r)
	if err != nil {
		return err
	}
	in.City, in.ID = httpx.City(r.Context()), r.PostFormValue("_subject")
	_, err = w.Settle.DecideObjection(r.Context(), by(r), in)
	return err
}

func (w *Web) moveRefund(r *http.Request, do func(in settle.MoveInput) (settle.View, error)) error {
	in, err := httpx.Bind[settle.MoveInput](r)
	if err != nil {
		return err
	}
	in.City = httpx.City(r.Context())
	in.Season, in.Account = refundKey(r)
	_, err = do(in)
	return err
}

func (w *Web) confirmRefund(r *http.Request) error {
	return w.moveRefund(r, func(in settle.MoveInput) (settle.View, error) { return w.Settle.ConfirmClaim(r.Context(), by(r), in) })
}

func (w *Web) refuseRefund(r *http.Request) error {
	return w.moveRefund(r, func(in settle.MoveInput) (settle.View, error) { return w.Settle.RefuseClaim(r.Context(), by(r), in) })
}

func (w *Web) setPayee(r *http.Request) error {
	in, err := httpx.Bind[settle.PayeeInput](r)
	if err != nil {
		return err
	}
	in.City = httpx.City(r.Context())
	_, in.Account = refundKey(r)
	_, err = w.Settle.SetPayee(r.Context(), by(r), in)
	return err
}

func (w *Web) markPayout(r *http.Request) error {
	in, err := httpx.Bind[settle.MarkInput](r)
	if err != nil {
		return err
	}
	in.City, in.Settlement = httpx.City(r.Context()), r.PostFormValue("_subject")
	_, in.Account = refundKey(r)
	_, err = w.Settle.MarkPayout(r.Context(), by(r), in)
	return err
}

func (w *Web) noteLatePayment(r *http.Request) error {
	in, err := httpx.Bind[settle.LateInput](r)
	if err != nil {
		return err
	}
	in.City, in.Settlement = httpx.City(r.Context()), r.PostFormValue("_subject")
	_, in.Account = refundKey(r)
	_, err = w.Settle.NoteLatePayment(r.Context(), by(r), in)
	return err
}

func (w *Web) agreeSetOff(r *http.Request) error {
	in, err := httpx.Bind[settle.SetOffInput](r)
	if err != nil {
		return err
	}
	in.City, in.Key = httpx.City(r.Context()), formKey(r)
	in.Season, in.Account = refundKey(r)
	_, err = w.Settle.AgreeSetOff(r.Context(), by(r), in)
	return err
}

func (w *Web) withdrawSetOff(r *http.Request) error {
	in, err := httpx.Bind[settle.WithdrawInput](r)
	if err != nil {
		return err
	}
	in.City, in.ID = httpx.City(r.Context()), r.PostFormValue("_subject")
	_, err = w.Settle.WithdrawSetOff(r.Context(), by(r), in)
	return err
}

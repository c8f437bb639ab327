package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// caseAct is something that can be done to a case: a button, and the form behind it.
type caseAct struct {
	name   string // last part of its address
	key    string // catalogue key of the button
	icon   string
	look   string // "", "main-act", "danger"
	letter string
	verb   string // key of the form's button; empty: the same as key
	text   string // key of a sentence in the form
	atOnce bool   // it asks nothing
	reason string // "need", "may"; empty: no reason is asked
	may    []actor.Permission
	events []cases.Event // any of these must be allowed; none: open decides
	open   func(v caseView) bool
	fields func(v caseView, f ui.Form) templ.Component
	do     doing
	quick  bool // stands in the drawer
	files  bool // its form carries photographs
}

// doing reads the form of an act and does it.
type doing func(w *Web, r *http.Request) (cases.Case, error)

// doer runs a use case with a form of type T, which holds the act that says which case is meant.
func doer[T any](act func(*T) *cases.Act, use func(w *Web) func(context.Context, actor.Actor, T) (cases.Case, error)) doing {
	return func(w *Web, r *http.Request) (cases.Case, error) {
		in, err := httpx.Bind[T](r)
		if err != nil {
			return cases.Case{}, err
		}
		a := act(&in)
		a.City, a.ID, a.Key = httpx.City(r.Context()), chi.URLParam(r, "case"), formKey(r)
		return use(w)(r.Context(), by(r), in)
	}
}

// plain runs a use case that needs no more than a reason.
func plain(use func(w *Web) func(context.Context, actor.Actor, cases.Act) (cases.Case, error)) doing {
	return doer(func(in *cases.Act) *cases.Act { return in }, use)
}

type (
	useAct  = func(context.Context, actor.Actor, cases.Act) (cases.Case, error)
	useSend = func(context.Context, actor.Actor, dispatch.Sending) (cases.Case, error)
)

func sending(use func(w *Web) useSend) doing {
	return doer(func(in *dispatch.Sending) *cases.Act { return &in.Act }, use)
}

func isOpen(v caseView) bool { return v.Case.Open }

// caseActs are all acts of the centre on one case, in the order of its life.
func caseActs() []caseAct {
	return slices.Concat(intakeActs(), unitActs(), holdingActs(), replyActs(), endActs(), sideActs())
}

// intakeActs bring a report to a company.
func intakeActs() []caseAct {
	p := func(all ...actor.Permission) []actor.Permission { return all }
	e := func(all ...cases.Event) []cases.Event { return all }
	return []caseAct{
		{
			name: "accept", key: "event.accept", icon: "check", look: "main-act", atOnce: true, quick: true, may: p(actor.CaseAccept), events: e(cases.Accept),
			do: plain(func(w *Web) useAct { return w.Cases.Accept }),
		},
		{
			name: "file", key: "event.file", icon: "file-text", look: "main-act", quick: true, may: p(actor.CaseFile), events: e(cases.File), fields: fileFields,
			do: doer(func(in *cases.Filing) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, cases.Filing) (cases.Case, error) { return w.Cases.File }),
		},
		{
			name: "dispatch", key: "event.dispatch", icon: "send", look: "main-act", letter: "P", quick: true, may: p(actor.CaseDispatch), events: e(cases.Dispatch),
			reason: "may", fields: sendFields, do: sending(func(w *Web) useSend { return w.Dispatch.Dispatch }),
		},
		{
			name: "return", key: "casework.return", icon: "undo-2", look: "main-act", letter: "T", quick: true, may: p(actor.CaseDispatch),
			events: e(cases.AcceptReturn, cases.RefuseReturn), reason: "may", text: "casework.return.text", fields: returnFields,
			do: doer(func(in *dispatch.ReturnAnswer) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.ReturnAnswer) (cases.Case, error) {
				return w.Dispatch.AnswerReturn
			}),
		},
		{
			name: "confirmed", key: "event.confirm", icon: "check", look: "main-act", atOnce: true, quick: true, may: p(actor.CaseConfirm), events: e(cases.Confirm),
			do: plain(func(w *Web) useAct { return w.Cases.Confirm }),
		},
		{
			name: "refute", key: "event.refute", icon: "x", look: "danger", reason: "need", quick: true, may: p(actor.CaseConfirm), events: e(cases.Refute),
			do: plain(func(w *Web) useAct { return w.Cases.Refute }),
		},
		{
			name: "answer", key: "event.answer", icon: "message-square", quick: true, may: p(actor.CaseAccept), events: e(cases.Answer), text: "casework.answer.text", fields: answerFields,
			do: answering,
		},
		{
			name: "redress", key: "event.redress", icon: "message-square", may: p(actor.CaseStaff, actor.CaseAppeal), events: e(cases.Redress), text: "casework.redress.text", fields: closeFields,
			do: doer(func(in *cases.Answering) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, cases.Answering) (cases.Case, error) {
				return w.Cases.Redress
			}),
		},
		{
			name: "ask_confirm", key: "event.ask_confirm", icon: "map-pin", atOnce: true, may: p(actor.CaseAccept), events: e(cases.AskConfirm),
			do: plain(func(w *Web) useAct { return w.Cases.AskConfirm }),
		},
		{
			name: "reject", key: "event.reject", icon: "ban", look: "danger", reason: "need", text: "casework.reject.text", may: p(actor.CaseAccept), events: e(cases.Reject),
			do: plain(func(w *Web) useAct { return w.Cases.Reject }),
		},
		{
			name: "redispatch", key: "event.redispatch", icon: "rotate-ccw", reason: "need", may: p(actor.CaseDispatch), events: e(cases.Redispatch), fields: resendFields,
			do: sending(func(w *Web) useSend { return w.Dispatch.Redispatch }),
		},
		{
			name: "designate", key: "event.designate", icon: "flag", reason: "need", text: "casework.designate.text", may: p(actor.CaseDesignate), events: e(cases.Designate),
			fields: designateFields, do: sending(func(w *Web) useSend { return w.Dispatch.Designate }),
		},
	}
}

// unitActs are about the unit that holds the case.
func unitActs() []caseAct {
	p := func(all ...actor.Permission) []actor.Permission { return all }
	e := func(all ...cases.Event) []cases.Event { return all }
	signing := func(use func(w *Web) func(context.Context, actor.Actor, dispatch.Signing) (cases.Case, error)) doing {
		return doer(func(in *dispatch.Signing) *cases.Act { return &in.Act }, use)
	}
	return []caseAct{
		{
			name: "sign", key: "event.sign", icon: "pencil", look: "main-act", quick: true, may: p(actor.CaseSign), events: e(cases.Sign), fields: signFields,
			do: signing(func(w *Web) func(context.Context, actor.Actor, dispatch.Signing) (cases.Case, error) {
				return w.Dispatch.Sign
			}),
		},
		{
			name: "sign_for", key: "event.sign_for", icon: "phone", quick: true, may: p(actor.CaseSignFor), events: e(cases.SignFor), text: "casework.sign_for.text", fields: signForFields,
			do: signing(func(w *Web) func(context.Context, actor.Actor, dispatch.Signing) (cases.Case, error) {
				return w.Dispatch.SignFor
			}),
		},
		{
			name: "urge", key: "casework.urge", icon: "bell", letter: "U", quick: true, may: p(actor.CaseUrge), open: isOpen, fields: urgeFields,
			do: doer(func(in *cases.Reminder) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, cases.Reminder) (cases.Case, error) {
				return w.Cases.Remind
			}),
		},
		{
			name: "supervise", key: "casework.supervise", icon: "siren", reason: "need", quick: true, text: "casework.supervise.text", may: p(actor.CaseSupervise),
			open: func(v caseView) bool { return v.Case.Open && v.Case.Company != "" }, fields: superviseFields,
			do: doer(func(in *dispatch.Ordering) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.Ordering) (cases.Case, error) {
				return w.Dispatch.Supervise
			}),
		},
		{
			name: "assist", key: "casework.assist", icon: "users", reason: "need", may: p(actor.CaseDispatch), open: func(v caseView) bool { return v.Case.Status.WithUnit() }, fields: assistFields,
			do: assisting(func(w *Web) useAssist { return w.Dispatch.AddAssist }),
		},
		{
			name: "assist_end", key: "casework.assist_end", icon: "x", may: p(actor.CaseDispatch), open: func(v caseView) bool { return v.Case.Open && len(v.Case.Assisting) > 0 }, fields: assistEndFields,
			do: assisting(func(w *Web) useAssist { return w.Dispatch.EndAssist }),
		},
		{
			name: "dispute", key: "casework.dispute", icon: "scale", reason: "need", text: "casework.dispute.text", may: p(actor.CaseDispatch, actor.CaseReturn),
			open: func(v caseView) bool { return v.Case.Status.WithUnit() }, fields: disputeFields,
			do: doer(func(in *dispatch.Disputing) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.Disputing) (cases.Case, error) {
				return w.Dispatch.Dispute
			}),
		},
		{
			name: "resume", key: "event.resume", icon: "rotate-ccw", look: "main-act", atOnce: true, quick: true, may: p(actor.CaseUrge), events: e(cases.Resume),
			do: plain(func(w *Web) useAct { return w.Dispatch.Resume }),
		},
		{
			name: "decide", key: "casework.decide", icon: "check", reason: "may", may: p(actor.CaseExtend, actor.CasePark, actor.CaseSupervise, actor.CaseDecideAppeal),
			open: func(v caseView) bool { return false }, fields: decideFields,
			do: doer(func(in *dispatch.Decision) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.Decision) (cases.Case, error) {
				return w.Dispatch.Decide
			}),
		},
		{
			name: "duty_call", key: "casework.duty_call", icon: "phone", may: p(actor.CaseUrge), open: func(v caseView) bool { return false }, fields: dutyFields,
			do: doer(func(in *dispatch.DutyCall) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, dispatch.DutyCall) (cases.Case, error) {
				return w.Dispatch.LogDutyCall
			}),
		},
	}
}

type useAssist = func(context.Context, actor.Actor, dispatch.Assisting) (cases.Case, error)

func assisting(use func(w *Web) useAssist) doing {
	return doer(func(in *dispatch.Assisting) *cases.Act { return &in.Act }, use)
}

// endActs bring a case from the unit's word to the archive, or end it otherwise.
func endActs() []caseAct {
	p := func(all ...actor.Permission) []actor.Permission { return all }
	e := func(all ...cases.Event) []cases.Event { return all }
	return []caseAct{
		{
			name: "verify", key: "casework.verify", icon: "badge-check", look: "main-act", quick: true, may: p(actor.CaseVerify), events: e(cases.Verify, cases.FailVerify), fields: verifyFields,
			do: doer(func(in *cases.Verification) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, cases.Verification) (cases.Case, error) {
				return w.Cases.Verify
			}),
		},
		{
			name: "callback", key: "event.call_back", icon: "phone-call", look: "main-act", quick: true, may: p(actor.CaseCallBack), events: e(cases.CallBack, cases.NotSolved), fields: callFields,
			do: doer(func(in *cases.Call) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, cases.Call) (cases.Case, error) {
				return w.Cases.CallBack
			}),
		},
		{
			name: "close", key: "event.close", icon: "circle-check", look: "main-act", quick: true, text: "casework.close.text", may: p(actor.CaseClose), events: e(cases.Close), fields: closeFields,
			do: doer(func(in *cases.Answering) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, cases.Answering) (cases.Case, error) {
				return w.Cases.Close
			}),
		},
		{
			name: "send_back", key: "event.send_back", icon: "undo-2", look: "danger", reason: "need", quick: true, may: p(actor.CaseClose), events: e(cases.SendBack),
			do: plain(func(w *Web) useAct { return w.Cases.SendBack }),
		},
		{
			name: "reopen", key: "event.reopen", icon: "rotate-ccw", look: "main-act", quick: true, text: "casework.reopen.text", may: p(actor.CaseReopen),
			open: func(v caseView) bool { return v.Reopen }, fields: reopenFields,
			do: doer(func(in *cases.Reopening) *cases.Act { return &in.Act }, func(w *Web) func(context.Context, actor.Actor, cases.Reopening) (cases.Case, error) {
				return w.Cases.Reopen
			}),
		},
		{
			name: "archive", key: "event.archive", icon: "archive", atOnce: true, quick: true, may: p(actor.CaseArchive), events: e(cases.Archive),
			do: plain(func(w *Web) useAct { return w.Cases.Archive }),
		},
		{
			name: "withdraw", key: "event.withdraw", icon: "undo-2", look: "danger", reason: "need", text: "casework.withdraw.text", may: p(actor.CaseWithdraw), events: e(cases.Withdraw),
			do: plain(func(w *Web) useAct { return w.Cases.Withdraw }),
		},
		{
			name: "terminate", key: "event.terminate", icon: "ban", look: "danger", reason: "need", may: p(actor.CaseTerminate), events: e(cases.Terminate),
			do: plain(func(w *Web) useAct { return w.Cases.Terminate }),
		},
		{
			name: "void", key: "event.void", icon: "trash-2", look: "danger", reason: "need", text: "casework.void.text", may: p(actor.CaseVoid), events: e(cases.Cancel),
			do: plain(func(w *Web) useAct { return w.Cases.Cancel }),
		},
	}
}

// sideActs change a case without moving it.
func sideActs() []caseAct {
	p := func(all ...actor.Permission) []actor.Permission { return all }
	return []caseAct{
		{name: "amend", key: "casework.amend", icon: "pencil", may: p(actor.CaseAccept), open: isOpen, reason: "may", fields: amendFields, do: amending},
		{
			name: "test_request", key: "casework.test_request", icon: "thermometer", atOnce: true, may: p(actor.CaseAccept),
			open: func(v caseView) bool { return v.Case.Open && v.Case.TestAt.IsZero() && v.needsTemperature() }, do: requestTest,
		},
		{name: "link", key: "casework.link", icon: "link", reason: "may", text: "casework.link.text", may: p(actor.CaseLink), open: func(caseView) bool { return true }, fields: linkFields, do: linking},
		{name: "unlink", key: "casework.unlink", icon: "x", may: p(actor.CaseLink), open: func(caseView) bool { return false }, reason: "may", fields: unlinkFields, do: unlinking},
	}
}

// open reports whether the reader may do an act to the case now.
func (v caseView) can(a caseAct) bool {
	if !slices.ContainsFunc(a.may, v.may) {
		return false
	}
	if a.open != nil {
		return a.open(v)
	}
	return slices.ContainsFunc(a.events, v.allows)
}

// buttons are the acts that the reader may do now; quick: only those of the drawer.
func (v caseView) buttons(quick bool) []caseAct {
	var out []caseAct
	for _, a := range caseActs() {
		if (a.quick || !quick) && v.can(a) {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b caseAct) int { return lookRank(a.look) - lookRank(b.look) })
	main := false
	for i := range out { // one chief action
		if out[i].look == "main-act" {
			if main {
				out[i].look = ""
			}
			main = true
		}
	}
	return out
}

func lookRank(look string) int { return slices.Index([]string{"main-act", "", "danger"}, look) }

// running are the clocks that go or wait.
func (v caseView) running() []clock.Clock {
	var out []clock.Clock
	for _, k := range v.Clocks {
		if k.State == clock.Running || k.State == clock.Paused {
			out = append(out, k)
		}
	}
	return out
}

func (v caseView) undecided() []dispatch.Request {
	var out []dispatch.Request
	for _, q := range v.sends.Requests {
		if q.State == dispatch.Open || q.State == dispatch.Replied {
			out = append(out, q)
		}
	}
	return out
}

// decides reports whether the reader may decide a request; a return is answered by its own act.
func (v caseView) decides(q dispatch.Request) bool {
	switch q.Kind {
	case dispatch.AskExtension:
		return v.may(actor.CaseExtend)
	case dispatch.AskPostpone, dispatch.AskPark, dispatch.AskDispute:
		return v.may(actor.CasePark)
	case dispatch.AskAppeal:
		return v.may(actor.CaseDecideAppeal)
	case dispatch.Supervision:
		return v.may(actor.CaseSupervise)
	case dispatch.AskReturn:
		return v.may(actor.CaseDispatch) && v.allows(cases.AcceptReturn)
	}
	return false
}

// decideName is the act that decides a request.
func decideName(q dispatch.Request) string {
	if q.Kind == dispatch.AskReturn {
		return "return"
	}
	return "decide?request=" + q.ID
}

func (v caseView) missing(ctx context.Context) string {
	words := make([]string, len(v.Case.Missing))
	for i, m := range v.Case.Missing {
		words[i] = ui.T(ctx, "entry."+m)
	}
	return strings.Join(words, "、")
}

func (v caseView) needsTemperature() bool {
	c, ok := v.names.rules.Pack.Category(v.Case.Category)
	return ok && c.Temperature
}

func keyOf(letter string) templ.Attributes {
	if letter == "" {
		return nil
	}
	return templ.Attributes{"data-key": strings.ToLower(letter), "aria-keyshortcuts": letter}
}

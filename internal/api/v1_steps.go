package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/dispatch"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// useCase is a method of a service that does something to one case.
type useCase[In any] func(ctx context.Context, by actor.Actor, in In) (cases.Case, error)

// step adds one act on a case: POST /cases/{case}/<name>. of finds in the input which case it is about.
func step[In any](v *v1, name string, do useCase[In], of func(in *In) *cases.Act, any ...actor.Permission) {
	stepWith(v, name, do, of, nil, any...)
}

// stepWith is step for acts that photographs belong to.
func stepWith[In any](v *v1, name string, do useCase[In], of func(in *In) *cases.Act, photos func(in *In) *[]blob.Stored, any ...actor.Permission) {
	o := Operation{Name: name + "_case", Method: http.MethodPost, Path: "/cities/{city}/cases/{case}/" + name, Permissions: any, tag: "steps"}
	if event := cases.Event(name); len(any) == 0 {
		o.Permissions, o.say = permissionsOf(event), "event."+name
	}
	actWith(v, o, photos, func(ctx context.Context, c caller, in In) (cases.Case, error) {
		id, err := v.caseID(ctx, c)
		if err != nil {
			return cases.Case{}, err
		}
		at := of(&in)
		at.City, at.ID, at.Key = c.city, id, c.key()
		done, err := do(ctx, c.by, in)
		return done.For(c.by), err
	})
}

// permissionsOf lists what the life cycle asks for an event.
func permissionsOf(e cases.Event) []actor.Permission {
	seen := map[string]bool{}
	var out []actor.Permission
	for _, s := range cases.Lifecycle.Steps {
		if s.Event == e && !seen[s.By] {
			seen[s.By] = true
			out = append(out, actor.Permission(s.By))
		}
	}
	return out
}

// unlinking names a link to undo.
type unlinking struct {
	cases.Act
	Link string `json:"link"`
}

// stepOperations are the acts on one case. Those of the life cycle have the names of its events, so that what a case allows
// is where to post.
func (v *v1) stepOperations() {
	plain := func(in *cases.Act) *cases.Act { return in }
	for name, do := range map[string]useCase[cases.Act]{
		"accept": v.Cases.Accept, "reject": v.Cases.Reject, "ask_confirm": v.Cases.AskConfirm, "confirm": v.Cases.Confirm,
		"refute": v.Cases.Refute, "withdraw": v.Cases.Withdraw, "terminate": v.Cases.Terminate, "void": v.Cases.Cancel,
		"archive": v.Cases.Archive, "send_back": v.Cases.SendBack, "take": v.Dispatch.Take, "resume": v.Dispatch.Resume,
	} {
		step(v, name, do, plain)
	}
	answering := func(in *cases.Answering) *cases.Act { return &in.Act }
	step(v, "answer", v.Cases.AnswerDirect, answering)
	step(v, "close", v.Cases.Close, answering)
	step(v, "redress", v.Cases.Redress, answering, actor.CaseStaff, actor.CaseAppeal)
	step(v, "file", v.Cases.File, func(in *cases.Filing) *cases.Act { return &in.Act })
	step(v, "verify", v.Cases.Verify, func(in *cases.Verification) *cases.Act { return &in.Act })
	step(v, "call_back", v.Cases.CallBack, func(in *cases.Call) *cases.Act { return &in.Act })
	step(v, "reopen", v.Cases.Reopen, func(in *cases.Reopening) *cases.Act { return &in.Act })
	step(v, "amend", v.Cases.Amend, func(in *cases.Amendment) *cases.Act { return &in.Act }, actor.CaseAccept)
	step(v, "remind", v.Cases.Remind, func(in *cases.Reminder) *cases.Act { return &in.Act }, actor.CaseUrge)
	step(v, "send_reply", v.Cases.SendReply, func(in *cases.Replying) *cases.Act { return &in.Act }, actor.CaseAccept)
	step(v, "link", v.Cases.LinkCases, func(in *cases.Linking) *cases.Act { return &in.Act }, actor.CaseLink)
	step(v, "unlink", func(ctx context.Context, by actor.Actor, in unlinking) (cases.Case, error) {
		return v.Cases.Unlink(ctx, by, in.Act, strings.TrimSpace(in.Link))
	}, func(in *unlinking) *cases.Act { return &in.Act }, actor.CaseLink)
	v.unitSteps()
	v.requestSteps()
	act(v, Operation{Name: "reveal_case", Method: http.MethodPost, Path: "/cities/{city}/cases/{case}/reveal", Permissions: []actor.Permission{actor.CaseReveal}, tag: "steps"},
		func(ctx context.Context, c caller, in cases.Act) (cases.Revealed, error) {
			id, err := v.caseID(ctx, c)
			if err != nil {
				return cases.Revealed{}, err
			}
			in.City, in.ID = c.city, id
			return v.Cases.Reveal(ctx, c.by, in)
		})
}

// unitSteps are the acts of sending a case to a unit and of the unit itself.
func (v *v1) unitSteps() {
	sending := func(in *dispatch.Sending) *cases.Act { return &in.Act }
	step(v, "dispatch", v.Dispatch.Dispatch, sending)
	step(v, "redispatch", v.Dispatch.Redispatch, sending)
	step(v, "designate", v.Dispatch.Designate, sending)
	signing := func(in *dispatch.Signing) *cases.Act { return &in.Act }
	step(v, "sign", v.Dispatch.Sign, signing)
	step(v, "sign_for", v.Dispatch.SignFor, signing)
	step(v, "assign", v.Dispatch.Assign, func(in *dispatch.Assigning) *cases.Act { return &in.Act })
	step(v, "contact", v.Dispatch.Contact, func(in *dispatch.Contacting) *cases.Act { return &in.Act })
	step(v, "appoint", v.Dispatch.Appoint, func(in *dispatch.Appointment) *cases.Act { return &in.Act })
	stepWith(v, "arrive", v.Dispatch.Arrive, func(in *dispatch.Visit) *cases.Act { return &in.Act }, func(in *dispatch.Visit) *[]blob.Stored { return &in.Photos })
	stepWith(v, "feed_back", v.Dispatch.FeedBack, func(in *dispatch.Feedback) *cases.Act { return &in.Act }, func(in *dispatch.Feedback) *[]blob.Stored { return &in.Photos })
	stepWith(v, "return", v.Dispatch.Return, func(in *dispatch.Returning) *cases.Act { return &in.Act }, func(in *dispatch.Returning) *[]blob.Stored { return &in.Photos })
	assisting := func(in *dispatch.Assisting) *cases.Act { return &in.Act }
	step(v, "add_assist", v.Dispatch.AddAssist, assisting, actor.CaseDispatch)
	step(v, "end_assist", v.Dispatch.EndAssist, assisting, actor.CaseDispatch)
	step(v, "duty_call", v.Dispatch.LogDutyCall, func(in *dispatch.DutyCall) *cases.Act { return &in.Act }, actor.CaseUrge)
}

// requestSteps are what is asked for, and what is decided by somebody else.
func (v *v1) requestSteps() {
	step(v, "answer_return", v.Dispatch.AnswerReturn, func(in *dispatch.ReturnAnswer) *cases.Act { return &in.Act }, actor.CaseDispatch, actor.CaseDesignate)
	step(v, "ask", v.Dispatch.AskMore, func(in *dispatch.Asking) *cases.Act { return &in.Act }, actor.CaseAskExtend)
	step(v, "decide", v.Dispatch.Decide, func(in *dispatch.Decision) *cases.Act { return &in.Act },
		actor.CaseExtend, actor.CasePark, actor.CaseDecideAppeal, actor.CaseSupervise)
	step(v, "supervise", v.Dispatch.Supervise, func(in *dispatch.Ordering) *cases.Act { return &in.Act }, actor.CaseSupervise)
	step(v, "reply", v.Dispatch.Reply, func(in *dispatch.Replying) *cases.Act { return &in.Act }, actor.CaseFeedBack)
	step(v, "appeal", v.Dispatch.Appeal, func(in *dispatch.Appealing) *cases.Act { return &in.Act }, actor.CaseAppeal)
	step(v, "dispute", v.Dispatch.Dispute, func(in *dispatch.Disputing) *cases.Act { return &in.Act }, actor.CaseReturn, actor.CaseDispatch)
}

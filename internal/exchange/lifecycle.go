package exchange

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/flow"
	"github.com/rehu-heat/rehu/internal/text"
)

// Status is where a ticket stands between the sides. Its name on the screen is "exchange_status.<name>".
type Status string

// The statuses in the order of a ticket's life.
const (
	Dispatched Status = "dispatched"  // 待受理
	Accepted   Status = "accepted"    // 待预审
	Handling   Status = "handling"    // 处置中
	Returning  Status = "returning"   // 退回待审
	Replied    Status = "replied"     // 待回访
	CalledBack Status = "called_back" // 待结案
	Closed     Status = "closed"      // 结案
	Returned   Status = "returned"    // 已退回
	Cancelled  Status = "cancelled"   // 已撤销
)

// Event is what one side says about a ticket. Its name on the screen is "exchange_event.<name>".
type Event string

// The events that move a ticket.
const (
	Dispatch     Event = "dispatch"      // 派单: 首派, 加派
	Accept       Event = "accept"        // 受理
	Review       Event = "review"        // 预审通过
	Handle       Event = "handle"        // 处置进展
	Reply        Event = "reply"         // 办理反馈
	CallBack     Event = "call_back"     // 回访
	Close        Event = "close"         // 结案
	AskReturn    Event = "ask_return"    // 申请退回
	GrantReturn  Event = "grant_return"  // 同意退回
	RefuseReturn Event = "refuse_return" // 不同意退回
	Redo         Event = "redo"          // 二次办理
	Cancel       Event = "cancel"        // 撤销
)

// The events beside them, which leave the status as it is.
const (
	Note            Event = "note"             // 补充说明
	Urge            Event = "urge"             // 催办
	Supervise       Event = "supervise"        // 督办
	SuperviseReply  Event = "supervise_reply"  // 督办回复
	AskExtension    Event = "ask_extension"    // 申请延期
	GrantExtension  Event = "grant_extension"  // 同意延期
	RefuseExtension Event = "refuse_extension" // 不同意延期
	AskExclusion    Event = "ask_exclusion"    // 剔除申请
	GrantExclusion  Event = "grant_exclusion"  // 同意剔除
	RefuseExclusion Event = "refuse_exclusion" // 不同意剔除
	AddDispatch     Event = "add_dispatch"     // 加派: another unit is to help
	Skip            Event = "skip"             // a number that says nothing: its message was taken back before it was taken
)

type step = flow.Step[Status, Event]

func row(from Status, e Event, to Status) step {
	return step{From: from, Event: e, To: to, By: string(actor.ExchangeSend)}
}

// Lifecycle is the life of a ticket, the same whichever side opened it.
var Lifecycle = flow.Table[Status, Event]{
	Name:  "exchange",
	Start: Dispatched,
	Final: []Status{Closed, Returned, Cancelled},
	Steps: []step{
		row(Dispatched, Accept, Accepted),
		row(Dispatched, AskReturn, Returning),
		row(Dispatched, Cancel, Cancelled),

		row(Accepted, Review, Handling),
		row(Accepted, AskReturn, Returning),
		row(Accepted, Cancel, Cancelled),

		row(Returning, GrantReturn, Returned),
		row(Returning, RefuseReturn, Handling),
		row(Returning, Cancel, Cancelled),

		row(Handling, Handle, Handling),
		row(Handling, AskReturn, Returning),
		row(Handling, Reply, Replied),
		row(Handling, Cancel, Cancelled),

		row(Replied, CallBack, CalledBack),
		row(Replied, Redo, Handling),
		row(Replied, Cancel, Cancelled),

		row(CalledBack, CallBack, CalledBack),
		row(CalledBack, Close, Closed),
		row(CalledBack, Redo, Handling),

		row(Closed, Redo, Handling),
	},
}

// Role is a side's part in a ticket.
type Role string

// The roles.
const (
	Asker Role = "asker" // 交办方
	Doer  Role = "doer"  // 承办方
)

// says tells who may say what; an event that is not listed is either side's.
var says = map[Event]Role{
	Dispatch: Asker, CallBack: Asker, Close: Asker, GrantReturn: Asker, RefuseReturn: Asker, Redo: Asker, Cancel: Asker, Urge: Asker,
	Supervise: Asker, GrantExtension: Asker, RefuseExtension: Asker, GrantExclusion: Asker, RefuseExclusion: Asker, AddDispatch: Asker,
	Accept: Doer, Review: Doer, Handle: Doer, Reply: Doer, AskReturn: Doer, SuperviseReply: Doer, AskExtension: Doer, AskExclusion: Doer,
}

// needs are the fields that an event cannot be without.
var needs = map[Event][]string{
	Dispatch: {"details"}, Reply: {"text"}, CallBack: {"reached"}, AskReturn: {"text"}, RefuseReturn: {"text"}, Redo: {"text"}, Cancel: {"text"},
	Note: {"text"}, Supervise: {"text", "until"}, SuperviseReply: {"text", "answers"}, AskExtension: {"text", "until"}, GrantExtension: {"answers"},
	RefuseExtension: {"text", "answers"}, AskExclusion: {"text", "what"}, GrantExclusion: {"answers"}, RefuseExclusion: {"text", "answers"},
	AddDispatch: {"text"}, Skip: {"text"},
}

// Events lists every event in the order of a ticket's life.
func Events() []Event {
	return []Event{
		Dispatch, Accept, Review, Handle, Reply, CallBack, Close, AskReturn, GrantReturn, RefuseReturn, Redo, Cancel, Note, Urge, Supervise,
		SuperviseReply, AskExtension, GrantExtension, RefuseExtension, AskExclusion, GrantExclusion, RefuseExclusion, AddDispatch, Skip,
	}
}

// Statuses lists every status in the order of a ticket's life.
func Statuses() []Status { return Lifecycle.Statuses() }

// moves reports whether an event belongs to the table; the others leave the status as it is.
func (e Event) moves() bool {
	return slices.ContainsFunc(Lifecycle.Steps, func(s step) bool { return s.Event == e })
}

// next is the status after an event of a side, or what is wrong with it, by the name of the field.
func (t Ticket) next(e Event, by Side) (Status, error) {
	var c fault.Check
	if role, ok := says[e]; ok && role != t.Role(by) {
		c.Add("event", "exchange.not_yours", "event", text.Msg("exchange_event."+string(e)), "role", text.Msg("exchange_role."+string(role)))
		return t.Status, c.Err()
	}
	if e == Dispatch {
		c.Add("event", "exchange.dispatched_before")
		return t.Status, c.Err()
	}
	if !e.moves() {
		return t.Status, nil
	}
	s, err := Lifecycle.Next(t.Status, e)
	if err != nil {
		c.Add("event", "exchange.not_now", "event", text.Msg("exchange_event."+string(e)), "status", text.Msg("exchange_status."+string(t.Status)))
		return t.Status, c.Err()
	}
	return s.To, nil
}

// Allowed lists what we may say about a ticket now: the buttons of its page.
func (t Ticket) Allowed(now civil.Instant) []Event {
	var out []Event
	for _, e := range Events() {
		if e == Dispatch || e == Skip {
			continue
		}
		if e == AskReturn && t.windowOver(now) {
			continue
		}
		if !e.moves() && t.Status != Closed && Lifecycle.IsFinal(t.Status) {
			continue
		}
		if _, err := t.next(e, Ours); err == nil {
			out = append(out, e)
		}
	}
	return out
}

// windowOver reports whether it is too late to return the ticket.
func (t Ticket) windowOver(now civil.Instant) bool {
	return !t.ReturnBy.IsZero() && !now.Before(t.ReturnBy)
}

// RequestKind is what is asked for beside the life of a ticket. Its name on the screen is "exchange_request.<name>".
type RequestKind string

// The kinds.
const (
	Extension   RequestKind = "extension"   // 延期
	Exclusion   RequestKind = "exclusion"   // 剔除
	Supervision RequestKind = "supervision" // 督办
)

// RequestState is where such a request stands. Its name on the screen is "exchange_request_state.<name>".
type RequestState string

// The states.
const (
	Asked    RequestState = "asked"
	Granted  RequestState = "granted"
	Refused  RequestState = "refused"
	Answered RequestState = "answered"
)

// RequestEvent decides a request. Its name on the screen is "exchange_request_event.<name>".
type RequestEvent string

// The events.
const (
	Grant  RequestEvent = "grant"
	Refuse RequestEvent = "refuse"
	Answer RequestEvent = "answer"
)

// Requests is the life of what is asked for beside a ticket: more time, an exclusion from the figures, an answer to a
// supervision order.
var Requests = flow.Table[RequestState, RequestEvent]{
	Name:  "exchange_request",
	Start: Asked,
	Final: []RequestState{Granted, Refused, Answered},
	Steps: []flow.Step[RequestState, RequestEvent]{
		{From: Asked, Event: Grant, To: Granted, By: string(actor.ExchangeSend)},
		{From: Asked, Event: Refuse, To: Refused, By: string(actor.ExchangeSend)},
		{From: Asked, Event: Answer, To: Answered, By: string(actor.ExchangeSend)},
	},
}

// asks are the events that open a request.
var asks = map[Event]RequestKind{AskExtension: Extension, AskExclusion: Exclusion, Supervise: Supervision}

// decides are the events that end one.
var decides = map[Event]struct {
	kind  RequestKind
	event RequestEvent
}{
	GrantExtension: {Extension, Grant}, RefuseExtension: {Extension, Refuse}, GrantExclusion: {Exclusion, Grant}, RefuseExclusion: {Exclusion, Refuse},
	SuperviseReply: {Supervision, Answer},
}

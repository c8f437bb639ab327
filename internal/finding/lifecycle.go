package finding

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/flow"
)

// State is where an objection stands. Its name on the screen is "finding_state.<name>".
type State string

// The states.
const (
	Filed     State = "filed"     // 已提出
	Accepted  State = "accepted"  // 复核中
	Weighed   State = "weighed"   // 已检测待出具: a new test is there
	Issued    State = "issued"    // 已出具意见书
	Mediated  State = "mediated"  // 已调解
	Ruled     State = "ruled"     // 已裁决
	Rejected  State = "rejected"  // 不予受理
	Withdrawn State = "withdrawn" // 已撤回
)

// Event moves an objection on. Its name on the screen is "finding_event.<name>".
type Event string

// The events.
const (
	Accept   Event = "accept"   // 受理
	Reject   Event = "reject"   // 不予受理
	Withdraw Event = "withdraw" // 撤回
	Weigh    Event = "weigh"    // 已检测
	Issue    Event = "issue"    // 出具意见书
	Mediate  Event = "mediate"  // 调解
	Rule     Event = "rule"     // 裁决
)

const (
	filing   = string(actor.FindingFile)
	deciding = string(actor.FindingDecide)
)

// Lifecycle is the life of an objection. Accepting asks the company for its word; a result that comes after acceptance is
// weighed before the paper; of a company that never came there may be nothing to weigh.
var Lifecycle = flow.Table[State, Event]{
	Name: "finding", Start: Filed, Final: []State{Issued, Mediated, Ruled, Rejected, Withdrawn},
	Steps: []flow.Step[State, Event]{
		{From: Filed, Event: Accept, To: Accepted, By: deciding},
		{From: Filed, Event: Reject, To: Rejected, By: deciding},
		{From: Filed, Event: Withdraw, To: Withdrawn, By: filing},
		{From: Accepted, Event: Weigh, To: Weighed, By: deciding},
		{From: Accepted, Event: Withdraw, To: Withdrawn, By: filing},
		{From: Accepted, Event: Issue, To: Issued, By: deciding},
		{From: Accepted, Event: Mediate, To: Mediated, By: deciding},
		{From: Accepted, Event: Rule, To: Ruled, By: deciding},
		{From: Weighed, Event: Weigh, To: Weighed, By: deciding},
		{From: Weighed, Event: Withdraw, To: Withdrawn, By: filing},
		{From: Weighed, Event: Issue, To: Issued, By: deciding},
		{From: Weighed, Event: Mediate, To: Mediated, By: deciding},
		{From: Weighed, Event: Rule, To: Ruled, By: deciding},
	},
}

// IsOpen reports whether the authority still owes an answer.
func (s State) IsOpen() bool { return !Lifecycle.IsFinal(s) }

// event is the step that a form of paper is.
func (f Form) event() Event {
	switch f {
	case Opinion:
		return Issue
	case Mediation:
		return Mediate
	case Ruling:
		return Rule
	}
	return ""
}

package settle

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/flow"
)

// State is where a claim stands.
type State string

// The states of a claim.
const (
	Open      State = "open"      // counted, shown to both sides as provisional
	Objected  State = "objected"  // the company's objection waits for the authority
	Confirmed State = "confirmed" // 退费确认单
	Refused   State = "refused"   // by the authority; a settlement pays nothing
)

// Event moves a claim on.
type Event string

// The events of a claim.
const (
	Object  Event = "object"
	Decide  Event = "decide"
	Confirm Event = "confirm"
	Refuse  Event = "refuse"
	Change  Event = "change" // new facts: what was confirmed or refused is open again
)

// Lifecycle is the life of a claim.
var Lifecycle = flow.Table[State, Event]{
	Name: "refund_claim", Start: Open, Final: []State{},
	Steps: []flow.Step[State, Event]{
		{From: Open, Event: Object, To: Objected, By: string(actor.RefundObject)},
		{From: Open, Event: Confirm, To: Confirmed, By: string(actor.RefundConfirm)},
		{From: Open, Event: Refuse, To: Refused, By: string(actor.RefundDecide)},
		{From: Open, Event: Change, To: Open},
		{From: Objected, Event: Object, To: Objected, By: string(actor.RefundObject)},
		{From: Objected, Event: Decide, To: Open, By: string(actor.RefundDecide)},
		{From: Objected, Event: Refuse, To: Refused, By: string(actor.RefundDecide)},
		{From: Objected, Event: Change, To: Objected},
		{From: Confirmed, Event: Object, To: Objected, By: string(actor.RefundObject)},
		{From: Confirmed, Event: Change, To: Open},
		{From: Refused, Event: Change, To: Open},
	},
}

// SettlementState is where a settlement stands.
type SettlementState string

// The states of a settlement.
const (
	Assessing  SettlementState = "assessing" // not seen yet
	Assessed   SettlementState = "assessed"
	Approved   SettlementState = "approved"
	Ordered    SettlementState = "ordered"    // every household has its order to pay
	Superseded SettlementState = "superseded" // a later one took its place before it was approved
)

// SettlementEvent moves a settlement on.
type SettlementEvent string

// The events of a settlement.
const (
	Show      SettlementEvent = "show"
	Approve   SettlementEvent = "approve"
	Order     SettlementEvent = "order"
	Supersede SettlementEvent = "supersede"
)

// SettlementLifecycle is the life of a settlement.
var SettlementLifecycle = flow.Table[SettlementState, SettlementEvent]{
	Name: "settlement", Start: Assessing, Final: []SettlementState{Ordered, Superseded},
	Steps: []flow.Step[SettlementState, SettlementEvent]{
		{From: Assessing, Event: Show, To: Assessed},
		{From: Assessing, Event: Supersede, To: Superseded},
		{From: Assessed, Event: Approve, To: Approved, By: string(actor.SettleApprove)},
		{From: Assessed, Event: Supersede, To: Superseded},
		{From: Approved, Event: Order, To: Ordered},
	},
}

// PayState is where an order to pay stands.
type PayState string

// The states of an order to pay.
const (
	Due       PayState = "due"
	InFile    PayState = "ordered"   // in a file for the bank
	Failed    PayState = "failed"    // the bank sent it back
	Unclaimed PayState = "unclaimed" // nobody says where to: carried and shown
	Paid      PayState = "paid"
)

// PayEvent moves an order to pay on.
type PayEvent string

// The events of an order to pay.
const (
	Fill    PayEvent = "fill"
	Settled PayEvent = "settled"
	Bounce  PayEvent = "bounce"
	Return  PayEvent = "return" // 退票: the receiving bank sends back what was paid
	Again   PayEvent = "again"
	Park    PayEvent = "park"
	Credit  PayEvent = "credit"
)

// PayLifecycle is the life of an order to pay.
var PayLifecycle = flow.Table[PayState, PayEvent]{
	Name: "payout", Start: Due, Final: []PayState{},
	Steps: []flow.Step[PayState, PayEvent]{
		{From: Due, Event: Fill, To: InFile, By: string(actor.SettlePay)},
		{From: Due, Event: Credit, To: Paid, By: string(actor.SettlePay)},
		{From: Due, Event: Park, To: Unclaimed, By: string(actor.SettlePay)},
		{From: InFile, Event: Settled, To: Paid, By: string(actor.SettlePay)},
		{From: InFile, Event: Bounce, To: Failed, By: string(actor.SettlePay)},
		{From: Paid, Event: Return, To: Failed, By: string(actor.SettlePay)},
		{From: Failed, Event: Again, To: Due, By: string(actor.SettlePay)},
		{From: Failed, Event: Park, To: Unclaimed, By: string(actor.SettlePay)},
		{From: Unclaimed, Event: Again, To: Due, By: string(actor.SettlePay)},
	},
}

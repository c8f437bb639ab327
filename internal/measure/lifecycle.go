package measure

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/flow"
)

// State is where a measurement stands. Its name on the screen is "measure_state.<name>".
type State string

// The states.
const (
	Requested  State = "requested"  // 待测温
	Absent     State = "absent"     // 未遇
	Missed     State = "missed"     // 逾期未测, 企业拒测
	Refused    State = "refused"    // 用户拒测
	Unsigned   State = "unsigned"   // 待签字: read, but no side or only one has signed
	Failed     State = "failed"     // 不达标
	Cured      State = "cured"      // 已整改待复测
	Conforming State = "conforming" // 达标
	Withdrawn  State = "withdrawn"  // 已撤回
)

// Event moves a measurement on. Its name on the screen is "measure_event.<name>".
type Event string

// The events.
const (
	NobodyHome Event = "nobody_home" // 未遇
	Miss       Event = "miss"        // 逾期未到
	TurnAway   Event = "turn_away"   // 企业拒测
	Refuse     Event = "refuse"      // 用户拒测
	Fall       Event = "fall_short"  // 企业原因未测成: nobody else's fault, and a test is still owed
	Read       Event = "read"        // 已测, 签字未齐
	Fail       Event = "fail"        // 测得不达标
	Pass       Event = "pass"        // 测得达标
	Claim      Event = "claim_cure"  // 企业称已整改
	Deny       Event = "deny_cure"   // 用户称仍不热
	Verify     Event = "verify_cure" // 整改确认
	Withdraw   Event = "withdraw"    // 撤回申请
)

const (
	testing    = string(actor.MeasureTest)
	curing     = string(actor.MeasureCure)
	verifying  = string(actor.MeasureVerify)
	requesting = string(actor.MeasureRequest)
)

// Lifecycle is the life of a measurement. Where it stands is computed from its records in the order in which things
// happened, not in which they were sent: a form that waited in a stairwell finds its place.
var Lifecycle = flow.Table[State, Event]{
	Name: "measurement", Start: Requested, Final: []State{Conforming, Withdrawn},
	Steps: []flow.Step[State, Event]{
		{From: Requested, Event: NobodyHome, To: Absent, By: testing},
		{From: Requested, Event: Miss, To: Missed},
		{From: Requested, Event: TurnAway, To: Missed, By: testing},
		{From: Requested, Event: Refuse, To: Refused, By: testing},
		{From: Requested, Event: Fall, To: Requested, By: testing},
		{From: Requested, Event: Read, To: Unsigned, By: testing},
		{From: Requested, Event: Fail, To: Failed, By: testing},
		{From: Requested, Event: Pass, To: Conforming, By: testing},
		{From: Requested, Event: Withdraw, To: Withdrawn, By: requesting},
		{From: Absent, Event: NobodyHome, To: Absent, By: testing},
		{From: Absent, Event: Miss, To: Missed},
		{From: Absent, Event: TurnAway, To: Missed, By: testing},
		{From: Absent, Event: Refuse, To: Refused, By: testing},
		{From: Absent, Event: Fall, To: Requested, By: testing},
		{From: Absent, Event: Read, To: Unsigned, By: testing},
		{From: Absent, Event: Fail, To: Failed, By: testing},
		{From: Absent, Event: Pass, To: Conforming, By: testing},
		{From: Absent, Event: Withdraw, To: Withdrawn, By: requesting},
		{From: Missed, Event: NobodyHome, To: Absent, By: testing},
		{From: Missed, Event: Miss, To: Missed},
		{From: Missed, Event: TurnAway, To: Missed, By: testing},
		{From: Missed, Event: Refuse, To: Refused, By: testing},
		{From: Missed, Event: Fall, To: Missed, By: testing},
		{From: Missed, Event: Read, To: Unsigned, By: testing},
		{From: Missed, Event: Fail, To: Failed, By: testing},
		{From: Missed, Event: Pass, To: Conforming, By: testing},
		{From: Missed, Event: Withdraw, To: Withdrawn, By: requesting},
		{From: Refused, Event: NobodyHome, To: Absent, By: testing},
		{From: Refused, Event: Miss, To: Missed},
		{From: Refused, Event: TurnAway, To: Missed, By: testing},
		{From: Refused, Event: Refuse, To: Refused, By: testing},
		{From: Refused, Event: Fall, To: Requested, By: testing},
		{From: Refused, Event: Read, To: Unsigned, By: testing},
		{From: Refused, Event: Fail, To: Failed, By: testing},
		{From: Refused, Event: Pass, To: Conforming, By: testing},
		{From: Refused, Event: Withdraw, To: Withdrawn, By: requesting},
		{From: Unsigned, Event: NobodyHome, To: Unsigned, By: testing},
		{From: Unsigned, Event: Miss, To: Missed},
		{From: Unsigned, Event: TurnAway, To: Missed, By: testing},
		{From: Unsigned, Event: Refuse, To: Refused, By: testing},
		{From: Unsigned, Event: Fall, To: Unsigned, By: testing},
		{From: Unsigned, Event: Read, To: Unsigned, By: testing},
		{From: Unsigned, Event: Fail, To: Failed, By: testing},
		{From: Unsigned, Event: Pass, To: Conforming, By: testing},
		{From: Unsigned, Event: Withdraw, To: Withdrawn, By: requesting},
		{From: Failed, Event: Fail, To: Failed, By: testing},
		{From: Failed, Event: Pass, To: Conforming, By: testing},
		{From: Failed, Event: Claim, To: Cured, By: curing},
		{From: Failed, Event: Verify, To: Conforming, By: verifying},
		{From: Cured, Event: Claim, To: Cured, By: curing},
		{From: Cured, Event: Deny, To: Failed, By: requesting},
		{From: Cured, Event: Verify, To: Conforming, By: verifying},
		{From: Cured, Event: Fail, To: Failed, By: testing},
		{From: Cured, Event: Pass, To: Conforming, By: testing},
		{From: Conforming, Event: Fail, To: Failed, By: testing},
		{From: Conforming, Event: Pass, To: Conforming, By: testing},
	},
}

// IsOpen reports whether something is still to be done about a measurement.
func (s State) IsOpen() bool { return !Lifecycle.IsFinal(s) }

// Waiting reports whether the company still owes a test: the promise of time runs.
func (s State) Waiting() bool { return s == Requested || s == Absent || s == Refused }

// Agreement is where an appointment stands. Its name on the screen is "appointment_state.<name>".
type Agreement string

// The states of an appointment.
const (
	Proposed  Agreement = "proposed"  // 待居民确认
	Agreed    Agreement = "agreed"    // 已约定
	Declined  Agreement = "declined"  // 居民不同意
	Replaced  Agreement = "replaced"  // 已改约
	Kept      Agreement = "kept"      // 已到访
	Broken    Agreement = "missed"    // 失约
	Cancelled Agreement = "cancelled" // 已取消
)

// Turn moves an appointment on. Its name on the screen is "appointment_event.<name>".
type Turn string

// The events of an appointment.
const (
	Accept  Turn = "accept"  // 居民同意
	Decline Turn = "decline" // 居民不同意
	Replace Turn = "replace" // 改约
	Keep    Turn = "keep"    // 到访
	Break   Turn = "break"   // 失约
	Cancel  Turn = "cancel"  // 取消
)

const appointing = string(actor.MeasureAppoint)

// Appointments is the life of an appointment. The company proposes; only the resident's own word makes it agreed, and only
// an agreed one moves the promise of time.
var Appointments = flow.Table[Agreement, Turn]{
	Name: "measure_appointment", Start: Proposed, Final: []Agreement{Declined, Replaced, Kept, Broken, Cancelled},
	Steps: []flow.Step[Agreement, Turn]{
		{From: Proposed, Event: Accept, To: Agreed, By: requesting},
		{From: Proposed, Event: Decline, To: Declined, By: requesting},
		{From: Proposed, Event: Replace, To: Replaced, By: appointing},
		{From: Proposed, Event: Keep, To: Kept, By: testing},
		{From: Proposed, Event: Cancel, To: Cancelled, By: requesting},
		{From: Agreed, Event: Replace, To: Replaced, By: appointing},
		{From: Agreed, Event: Decline, To: Declined, By: requesting},
		{From: Agreed, Event: Keep, To: Kept, By: testing},
		{From: Agreed, Event: Break, To: Broken},
		{From: Agreed, Event: Cancel, To: Cancelled, By: requesting},
		{From: Broken, Event: Keep, To: Kept, By: testing},
	},
}

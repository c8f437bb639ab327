package callback

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/flow"
)

// SampleState is where a sample call stands. Its name on the screen is "callback.sample.<name>".
type SampleState string

// The states of a sample call.
const (
	Drawn    SampleState = "drawn"
	Answered SampleState = "answered"
	NoAnswer SampleState = "unreached"
)

// SampleEvent moves a sample call.
type SampleEvent string

// The events of a sample call.
const (
	Again  SampleEvent = "try"     // nobody reached, tries left
	Reach  SampleEvent = "reach"   // the resident answered
	GiveUp SampleEvent = "give_up" // nobody reached, and no try left
)

// SampleLifecycle is the life of a sample call.
var SampleLifecycle = flow.Table[SampleState, SampleEvent]{
	Name: "sample", Start: Drawn, Final: []SampleState{Answered, NoAnswer},
	Steps: []flow.Step[SampleState, SampleEvent]{
		{From: Drawn, Event: Again, To: Drawn, By: string(actor.CaseCallBack)},
		{From: Drawn, Event: Reach, To: Answered, By: string(actor.CaseCallBack)},
		{From: Drawn, Event: GiveUp, To: NoAnswer, By: string(actor.CaseCallBack)},
	},
}

// AppealState is where an appeal stands. Its name on the screen is "callback.appeal.<name>".
type AppealState string

// The states of an appeal.
const (
	Asked   AppealState = "asked"
	Upheld  AppealState = "upheld"  // 申诉成立
	Refused AppealState = "refused" // 申诉不成立
)

// AppealEvent moves an appeal.
type AppealEvent string

// The events of an appeal.
const (
	Uphold AppealEvent = "uphold"
	Refuse AppealEvent = "refuse"
)

// AppealLifecycle is the life of an appeal against a figure.
var AppealLifecycle = flow.Table[AppealState, AppealEvent]{
	Name: "callback_appeal", Start: Asked, Final: []AppealState{Upheld, Refused},
	Steps: []flow.Step[AppealState, AppealEvent]{
		{From: Asked, Event: Uphold, To: Upheld, By: string(actor.CaseDecideAppeal)},
		{From: Asked, Event: Refuse, To: Refused, By: string(actor.CaseDecideAppeal)},
	},
}

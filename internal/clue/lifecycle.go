package clue

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/flow"
)

// State is where a clue stands. Its name on the screen is "clue.state.<name>".
type State string

// The states.
const (
	Undecided  State = "new"
	Confirmed  State = "confirmed" // a case was made of it
	Linked     State = "linked"    // it belongs to a case that was there
	NotHeating State = "not_heating"
	Rumour     State = "rumour" // to be answered with the facts
	Spam       State = "spam"
)

// Decision is what somebody makes of a clue. Its name on the screen is "clue.decision.<name>".
type Decision string

// The decisions.
const (
	Confirm    Decision = "confirm"
	LinkTo     Decision = "link"
	Dismiss    Decision = "dismiss"
	Refute     Decision = "refute"
	Discard    Decision = "discard"
	Reconsider Decision = "reconsider"
)

// Lifecycle is the life of a clue.
var Lifecycle = flow.Table[State, Decision]{
	Name: "clue", Start: Undecided, Final: []State{Confirmed},
	Steps: []flow.Step[State, Decision]{
		{From: Undecided, Event: Confirm, To: Confirmed, By: string(actor.ClueDecide)},
		{From: Undecided, Event: LinkTo, To: Linked, By: string(actor.ClueDecide)},
		{From: Undecided, Event: Dismiss, To: NotHeating, By: string(actor.ClueDecide)},
		{From: Undecided, Event: Refute, To: Rumour, By: string(actor.ClueDecide)},
		{From: Undecided, Event: Discard, To: Spam, By: string(actor.ClueDecide)},
		{From: Linked, Event: Reconsider, To: Undecided, By: string(actor.ClueDecide)},
		{From: NotHeating, Event: Reconsider, To: Undecided, By: string(actor.ClueDecide)},
		{From: Rumour, Event: Reconsider, To: Undecided, By: string(actor.ClueDecide)},
		{From: Spam, Event: Reconsider, To: Undecided, By: string(actor.ClueDecide)},
	},
}

// States lists the states in the order of the tabs.
func States() []State { return []State{Undecided, Confirmed, Linked, Rumour, NotHeating, Spam} }

package channel

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/flow"
)

// State is where a message or a reply stands. Its name on the screen is "channel.state.<name>".
type State string

// The states. A message is received, then taken or failed; a reply is queued, then sent, failed or held.
const (
	Received State = "received" // kept, not yet handed on
	Taken    State = "taken"    // the capability that it is for has it
	Queued   State = "queued"
	Sent     State = "sent" // the channel took it, or staff told it by other means
	Failed   State = "failed"
	Held     State = "held" // waits for a person: no way to send it, or it may have been sent already
)

// Move moves a message or a reply on. Its name on the screen is "channel.move.<name>".
type Move string

// The moves.
const (
	Take   Move = "take"   // handed on, or taken by the channel
	Fail   Move = "fail"   // refused for good, or tried too often
	Hold   Move = "hold"   //
	Replay Move = "replay" // staff let it be tried again
	Tell   Move = "tell"   // staff told it by other means
	Bounce Move = "bounce" // the channel says afterwards that it did not arrive
)

// Inward is the life of a message that came in.
var Inward = flow.Table[State, Move]{
	Name: "message", Start: Received, Final: []State{Taken},
	Steps: []flow.Step[State, Move]{
		{From: Received, Event: Take, To: Taken},
		{From: Received, Event: Fail, To: Failed},
		{From: Failed, Event: Replay, To: Received, By: string(actor.ChannelReply)},
	},
}

// Outward is the life of a reply.
var Outward = flow.Table[State, Move]{
	Name: "reply", Start: Queued, Final: []State{Sent},
	Steps: []flow.Step[State, Move]{
		{From: Queued, Event: Take, To: Sent},
		{From: Queued, Event: Fail, To: Failed},
		{From: Queued, Event: Hold, To: Held},
		{From: Sent, Event: Bounce, To: Failed},
		{From: Failed, Event: Replay, To: Queued, By: string(actor.ChannelReply)},
		{From: Failed, Event: Tell, To: Sent, By: string(actor.ChannelReply)},
		{From: Held, Event: Replay, To: Queued, By: string(actor.ChannelReply)},
		{From: Held, Event: Tell, To: Sent, By: string(actor.ChannelReply)},
	},
}

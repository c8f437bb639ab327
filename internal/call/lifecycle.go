package call

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/flow"
)

// State is where a call stands.
type State string

// The states.
const (
	Arrived State = "arrived" // 进线: in the voice menu, nobody was asked for yet
	InQueue State = "queued"  // 排队
	Rings   State = "ringing" // 振铃
	Talking State = "talking" // 通话
	OnHold  State = "held"    // 保持
	Moved   State = "transferred"
	Over    State = "over" // 已结束
	Lost    State = "lost" // 未接: gave up before anybody answered
)

// Kind is what a report says happened.
type Kind string

// The kinds of reports.
const (
	Queued      Kind = "queued"
	Ringing     Kind = "ringing"
	Answered    Kind = "answered"
	Held        Kind = "held"
	Resumed     Kind = "resumed"
	Transferred Kind = "transferred"
	Joined      Kind = "conference_joined"
	Left        Kind = "conference_left"
	Ended       Kind = "ended"
	Abandoned   Kind = "abandoned"
	Recorded    Kind = "recording_ready" // moves nothing: it may come after the end
)

// Kinds lists the kinds of reports.
func Kinds() []Kind {
	return []Kind{Queued, Ringing, Answered, Held, Resumed, Transferred, Joined, Left, Ended, Abandoned, Recorded}
}

// lasts tells a report without which a call would never be over, or its recording never be found.
func (k Kind) lasts() bool { return k == Ended || k == Abandoned || k == Recorded }

// Lifecycle is the life of a call. The switch moves it; nobody needs a permission to hang up.
var Lifecycle = flow.Table[State, Kind]{
	Name: "call", Start: Arrived, Final: []State{Over, Lost},
	Steps: []flow.Step[State, Kind]{
		{From: Arrived, Event: Queued, To: InQueue},
		{From: Arrived, Event: Ringing, To: Rings},
		{From: Arrived, Event: Answered, To: Talking},
		{From: Arrived, Event: Ended, To: Over}, // the voice menu was enough
		{From: Arrived, Event: Abandoned, To: Lost},
		{From: InQueue, Event: Ringing, To: Rings},
		{From: InQueue, Event: Answered, To: Talking},
		{From: InQueue, Event: Ended, To: Lost},
		{From: InQueue, Event: Abandoned, To: Lost},
		{From: Rings, Event: Queued, To: InQueue}, // the seat did not answer
		{From: Rings, Event: Ringing, To: Rings},  // at the next seat
		{From: Rings, Event: Answered, To: Talking},
		{From: Rings, Event: Ended, To: Lost},
		{From: Rings, Event: Abandoned, To: Lost},
		{From: Talking, Event: Held, To: OnHold},
		{From: Talking, Event: Transferred, To: Moved},
		{From: Talking, Event: Joined, To: Talking},
		{From: Talking, Event: Left, To: Talking},
		{From: Talking, Event: Ended, To: Over},
		{From: OnHold, Event: Resumed, To: Talking},
		{From: OnHold, Event: Transferred, To: Moved},
		{From: OnHold, Event: Joined, To: Talking},
		{From: OnHold, Event: Left, To: OnHold},
		{From: OnHold, Event: Ended, To: Over},
		{From: OnHold, Event: Abandoned, To: Over},  // had enough of the music
		{From: Moved, Event: Answered, To: Talking}, // by another seat
		{From: Moved, Event: Ended, To: Over},
		{From: Moved, Event: Abandoned, To: Over},
	},
}

// SeatState is what a seat is doing.
type SeatState string

// The states of a seat.
const (
	Offline SeatState = "offline" // 未签入
	Ready   SeatState = "ready"   // 就绪
	Busy    SeatState = "busy"    // 通话中
	Wrap    SeatState = "wrap"    // 话后处理
	Break   SeatState = "break"   // 小休
)

// SeatEvent moves a seat.
type SeatEvent string

// The events of a seat.
const (
	LogIn   SeatEvent = "log_in"
	GoReady SeatEvent = "ready"
	Pause   SeatEvent = "pause"
	PickUp  SeatEvent = "pick_up" // the switch says that the seat talks
	Finish  SeatEvent = "finish"  // and that the call left it
	LogOut  SeatEvent = "log_out"
)

// SeatLifecycle is what a seat may do next. The switch's word counts even where the seat said otherwise.
var SeatLifecycle = flow.Table[SeatState, SeatEvent]{
	Name: "call_seat", Start: Offline,
	Steps: []flow.Step[SeatState, SeatEvent]{
		{From: Offline, Event: LogIn, To: Ready, By: string(actor.CallTake)},
		{From: Ready, Event: PickUp, To: Busy},
		{From: Ready, Event: Pause, To: Break, By: string(actor.CallTake)},
		{From: Ready, Event: LogOut, To: Offline, By: string(actor.CallTake)},
		{From: Busy, Event: PickUp, To: Busy},
		{From: Busy, Event: Finish, To: Wrap},
		{From: Wrap, Event: GoReady, To: Ready, By: string(actor.CallTake)},
		{From: Wrap, Event: Pause, To: Break, By: string(actor.CallTake)},
		{From: Wrap, Event: PickUp, To: Busy},
		{From: Wrap, Event: LogOut, To: Offline, By: string(actor.CallTake)},
		{From: Break, Event: GoReady, To: Ready, By: string(actor.CallTake)},
		{From: Break, Event: Pause, To: Break, By: string(actor.CallTake)},
		{From: Break, Event: PickUp, To: Busy},
		{From: Break, Event: LogOut, To: Offline, By: string(actor.CallTake)},
	},
}

// BackState is where a call-back stands.
type BackState string

// The states of a call-back.
const (
	Waiting   BackState = "waiting"   // 待回拨
	Calling   BackState = "calling"   // 回拨中
	BackDone  BackState = "done"      // 已回拨
	Merged    BackState = "merged"    // 对方已再次接通
	Unreached BackState = "unreached" // 多次未接通
	Dropped   BackState = "dropped"   // 不再回拨
)

// BackEvent moves a call-back.
type BackEvent string

// The events of a call-back.
const (
	TakeBack BackEvent = "take"
	Reach    BackEvent = "reach"
	Miss     BackEvent = "miss"    // this try did not reach anybody
	GiveUp   BackEvent = "give_up" // nor did the last one allowed
	Merge    BackEvent = "merge"
	Release  BackEvent = "release"
	Drop     BackEvent = "drop"
)

// BackLifecycle is the life of a call-back.
var BackLifecycle = flow.Table[BackState, BackEvent]{
	Name: "call_back", Start: Waiting, Final: []BackState{BackDone, Merged, Unreached, Dropped},
	Steps: []flow.Step[BackState, BackEvent]{
		{From: Waiting, Event: TakeBack, To: Calling, By: string(actor.CallTake)},
		{From: Waiting, Event: Merge, To: Merged},
		{From: Waiting, Event: Drop, To: Dropped, By: string(actor.CallManage)},
		{From: Calling, Event: Reach, To: BackDone, By: string(actor.CallTake)},
		{From: Calling, Event: Miss, To: Waiting, By: string(actor.CallTake)},
		{From: Calling, Event: GiveUp, To: Unreached, By: string(actor.CallTake)},
		{From: Calling, Event: Release, To: Waiting, By: string(actor.CallTake)},
		{From: Calling, Event: Merge, To: Merged},
	},
}

package cases

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/flow"
)

// Status is where a case stands (GB/T 30428 and the words of hotlines). Its name on the screen is "status.<name>".
type Status string

// The statuses in the order of a case's life.
const (
	Reported   Status = "reported"   // 待受理: came in by a door where nobody decides
	Accepted   Status = "accepted"   // 待立案
	Confirming Status = "confirming" // 待核实: on the spot, before filing
	Filed      Status = "filed"      // 待派遣
	Dispatched Status = "dispatched" // 待签收
	Signed     Status = "signed"     // 待处置
	Handling   Status = "handling"   // 处置中
	Returned   Status = "returned"   // 回退待答复
	FedBack    Status = "fed_back"   // 待核查: the unit says it is done
	Verified   Status = "verified"   // 待回访
	Rework     Status = "rework"     // 返工
	ToClose    Status = "to_close"   // 待结案
	Postponed  Status = "postponed"  // 缓办
	Parked     Status = "parked"     // 挂账
	Closed     Status = "closed"     // 结案
	Archived   Status = "archived"   // 归档
	Answered   Status = "answered"   // 直接答复
	Rejected   Status = "rejected"   // 不予受理
	Withdrawn  Status = "withdrawn"  // 撤回
	Terminated Status = "terminated" // 终止办理
	Void       Status = "void"       // 作废
)

// Event is what moves a case. Its name on the screen is "event.<name>".
type Event string

// The events.
const (
	Accept       Event = "accept"        // 受理
	Answer       Event = "answer"        // 直接答复
	Redress      Event = "redress"       // 投诉处理答复: of a complaint about staff
	Reject       Event = "reject"        // 不予受理
	AskConfirm   Event = "ask_confirm"   // 交核实
	Confirm      Event = "confirm"       // 核实属实
	Refute       Event = "refute"        // 核实不属实
	File         Event = "file"          // 案件立案
	Dispatch     Event = "dispatch"      // 派遣
	Redispatch   Event = "redispatch"    // 改派
	Designate    Event = "designate"     // 指定处置
	Sign         Event = "sign"          // 签收
	SignFor      Event = "sign_for"      // 代签收
	Assign       Event = "assign"        // 二次派单
	Take         Event = "take"          // 接单
	Contact      Event = "contact"       // 首次联系
	Appoint      Event = "appoint"       // 预约
	Arrive       Event = "arrive"        // 到场
	FeedBack     Event = "feed_back"     // 反馈
	AskReturn    Event = "return"        // 回退
	AcceptReturn Event = "accept_return" // 同意回退
	RefuseReturn Event = "refuse_return" // 不同意回退
	Verify       Event = "verify"        // 核查通过
	FailVerify   Event = "fail_verify"   // 核查不通过
	CallBack     Event = "call_back"     // 回访: solved, or nobody could be reached
	NotSolved    Event = "not_solved"    // 回访未解决
	Postpone     Event = "postpone"      // 缓办
	Park         Event = "park"          // 挂账
	Resume       Event = "resume"        // 恢复办理
	Close        Event = "close"         // 结案
	SendBack     Event = "send_back"     // 返工
	Archive      Event = "archive"       // 归档
	Reopen       Event = "reopen"        // 重办
	Withdraw     Event = "withdraw"      // 撤回
	Terminate    Event = "terminate"     // 终止
	Cancel       Event = "void"          // 作废
)

type step = flow.Step[Status, Event]

func row(from Status, e Event, to Status, by actor.Permission) step {
	return step{From: from, Event: e, To: to, By: string(by)}
}

// Lifecycle is the life of a case. Guards that need data (a return before arrival and within the minutes, a verifier who
// is not the handler) stand in the use cases.
var Lifecycle = flow.Table[Status, Event]{
	Name:  "case",
	Start: Reported,
	Final: []Status{Archived, Rejected, Withdrawn, Terminated, Void},
	Steps: []step{
		row(Reported, Accept, Accepted, actor.CaseAccept),
		row(Reported, Answer, Answered, actor.CaseAccept),
		row(Reported, Redress, Answered, actor.CaseStaff),
		row(Reported, Reject, Rejected, actor.CaseAccept),
		row(Reported, Withdraw, Withdrawn, actor.CaseWithdraw),
		row(Reported, Cancel, Void, actor.CaseVoid),

		row(Accepted, AskConfirm, Confirming, actor.CaseAccept),
		row(Accepted, File, Filed, actor.CaseFile),
		row(Accepted, Answer, Answered, actor.CaseAccept),
		row(Accepted, Redress, Answered, actor.CaseStaff),
		row(Accepted, Reject, Rejected, actor.CaseAccept),
		row(Accepted, Withdraw, Withdrawn, actor.CaseWithdraw),
		row(Accepted, Cancel, Void, actor.CaseVoid),
		row(Confirming, Confirm, Accepted, actor.CaseConfirm),
		row(Confirming, Refute, Rejected, actor.CaseConfirm),
		row(Confirming, Withdraw, Withdrawn, actor.CaseWithdraw),

		row(Filed, Dispatch, Dispatched, actor.CaseDispatch),
		row(Filed, Designate, Dispatched, actor.CaseDesignate),
		row(Filed, Answer, Answered, actor.CaseAccept),
		row(Filed, Withdraw, Withdrawn, actor.CaseWithdraw),
		row(Filed, Terminate, Terminated, actor.CaseTerminate),
		row(Filed, Cancel, Void, actor.CaseVoid),

		row(Dispatched, Sign, Signed, actor.CaseSign),
		row(Dispatched, SignFor, Signed, actor.CaseSignFor),
		row(Dispatched, AskReturn, Returned, actor.CaseReturn),
		row(Dispatched, Redispatch, Dispatched, actor.CaseDispatch),
		row(Dispatched, Designate, Dispatched, actor.CaseDesignate),
		row(Dispatched, Withdraw, Withdrawn, actor.CaseWithdraw),
		row(Dispatched, Terminate, Terminated, actor.CaseTerminate),
		row(Dispatched, Cancel, Void, actor.CaseVoid),

		row(Returned, AcceptReturn, Filed, actor.CaseDispatch),
		row(Returned, RefuseReturn, Signed, actor.CaseDispatch),
		row(Returned, Designate, Dispatched, actor.CaseDesignate),
		row(Returned, Withdraw, Withdrawn, actor.CaseWithdraw),

		row(Signed, Assign, Signed, actor.CaseAssign),
		row(Signed, Take, Handling, actor.CaseTake),
		row(Signed, Contact, Handling, actor.CaseHandle),
		row(Signed, Appoint, Handling, actor.CaseHandle),
		row(Signed, Arrive, Handling, actor.CaseHandle),
		row(Signed, FeedBack, FedBack, actor.CaseFeedBack),
		row(Signed, AskReturn, Returned, actor.CaseReturn),
		row(Signed, Redispatch, Dispatched, actor.CaseDispatch),
		row(Signed, Postpone, Postponed, actor.CasePark),
		row(Signed, Park, Parked, actor.CasePark),
		row(Signed, Withdraw, Withdrawn, actor.CaseWithdraw),
		row(Signed, Terminate, Terminated, actor.CaseTerminate),
		row(Signed, Cancel, Void, actor.CaseVoid),

		row(Handling, Assign, Handling, actor.CaseAssign),
		row(Handling, Take, Handling, actor.CaseTake),
		row(Handling, Contact, Handling, actor.CaseHandle),
		row(Handling, Appoint, Handling, actor.CaseHandle),
		row(Handling, Arrive, Handling, actor.CaseHandle),
		row(Handling, FeedBack, FedBack, actor.CaseFeedBack),
		row(Handling, AskReturn, Returned, actor.CaseReturn),
		row(Handling, Redispatch, Dispatched, actor.CaseDispatch),
		row(Handling, Designate, Dispatched, actor.CaseDesignate),
		row(Handling, Postpone, Postponed, actor.CasePark),
		row(Handling, Park, Parked, actor.CasePark),
		row(Handling, Withdraw, Withdrawn, actor.CaseWithdraw),
		row(Handling, Terminate, Terminated, actor.CaseTerminate),
		row(Handling, Cancel, Void, actor.CaseVoid),

		row(FedBack, Verify, Verified, actor.CaseVerify),
		row(FedBack, FailVerify, Rework, actor.CaseVerify),
		row(FedBack, Withdraw, Withdrawn, actor.CaseWithdraw),
		row(Verified, CallBack, ToClose, actor.CaseCallBack),
		row(Verified, NotSolved, Rework, actor.CaseCallBack),
		row(Verified, SendBack, Rework, actor.CaseClose),
		row(Verified, Close, Closed, actor.CaseClose),
		row(ToClose, Close, Closed, actor.CaseClose),
		row(ToClose, SendBack, Rework, actor.CaseClose),

		row(Rework, Assign, Rework, actor.CaseAssign),
		row(Rework, Take, Rework, actor.CaseTake),
		row(Rework, Contact, Rework, actor.CaseHandle),
		row(Rework, Appoint, Rework, actor.CaseHandle),
		row(Rework, Arrive, Rework, actor.CaseHandle),
		row(Rework, FeedBack, FedBack, actor.CaseFeedBack),
		row(Rework, Redispatch, Dispatched, actor.CaseDispatch),
		row(Rework, Postpone, Postponed, actor.CasePark),
		row(Rework, Park, Parked, actor.CasePark),
		row(Rework, Terminate, Terminated, actor.CaseTerminate),

		row(Postponed, Resume, Handling, actor.CaseUrge),
		row(Postponed, Park, Parked, actor.CasePark),
		row(Postponed, FeedBack, FedBack, actor.CaseFeedBack),
		row(Postponed, Terminate, Terminated, actor.CaseTerminate),
		row(Parked, Resume, Handling, actor.CaseUrge),
		row(Parked, FeedBack, FedBack, actor.CaseFeedBack),
		row(Parked, Terminate, Terminated, actor.CaseTerminate),

		row(Closed, Reopen, Filed, actor.CaseReopen),
		row(Closed, Archive, Archived, actor.CaseArchive),
		row(Answered, Reopen, Accepted, actor.CaseReopen),
		row(Answered, Archive, Archived, actor.CaseArchive),
	},
}

// open tells which statuses still want somebody to act.
var open = map[Status]bool{
	Reported: true, Accepted: true, Confirming: true, Filed: true, Dispatched: true, Signed: true, Handling: true,
	Returned: true, FedBack: true, Verified: true, Rework: true, ToClose: true, Postponed: true, Parked: true,
	Closed: false, Archived: false, Answered: false, Rejected: false, Withdrawn: false, Terminated: false, Void: false,
}

// IsOpen reports whether a case in this status still wants somebody to act.
func (s Status) IsOpen() bool { return open[s] }

// WithUnit reports whether a unit holds the case.
func (s Status) WithUnit() bool {
	switch s {
	case Dispatched, Signed, Handling, Returned, Rework, Postponed, Parked:
		return true
	case Reported, Accepted, Confirming, Filed, FedBack, Verified, ToClose, Closed, Archived, Answered, Rejected, Withdrawn, Terminated, Void:
	}
	return false
}

// Statuses lists every status in the order of a case's life.
func Statuses() []Status {
	return []Status{
		Reported, Accepted, Confirming, Filed, Dispatched, Signed, Handling, Returned, Rework, FedBack, Verified,
		ToClose, Postponed, Parked, Closed, Answered, Archived, Rejected, Withdrawn, Terminated, Void,
	}
}

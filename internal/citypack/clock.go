package citypack

// Phase is a part of the heating year.
type Phase string

// The phases in their order. The empty phase means that the pack does not know the season.
const (
	PhaseFill        Phase = "fill"        // 充水试压
	PhaseTrial       Phase = "trial"       // 试运行
	PhaseFirstDays   Phase = "first_days"  // 采暖期前10日
	PhaseSeason      Phase = "season"      // 采暖期
	PhaseAfter       Phase = "after"       // 停暖后
	PhaseMaintenance Phase = "maintenance" // 检修期
)

// Phases lists the phases in the order of the year.
func Phases() []Phase {
	return []Phase{PhaseFill, PhaseTrial, PhaseFirstDays, PhaseSeason, PhaseAfter, PhaseMaintenance}
}

func (Phase) values() []string { return stringsOf(Phases()) }

// The clocks that a case may carry.
const (
	ClockSign         = "sign"          // 签收
	ClockFirstContact = "first_contact" // 首次联系
	ClockArrive       = "arrive"        // 到场
	ClockMeasure      = "measure"       // 测温
	ClockFeedback     = "feedback"      // 反馈, the handling time
	ClockRetest       = "retest"        // 复测
	ClockAnswer       = "answer"        // 答复 to the resident by the company
	ClockResident     = "resident"      // one clock towards the resident from the first contact anywhere
	ClockReturn       = "return_window" // 回退时限
	ClockReturnAnswer = "return_answer" // 回退答复
	ClockConnect      = "connect"       // 报装
	ClockRefund       = "refund"        // 退费到账, towards the legal day of refunds; no case carries it
	ClockInstruction  = "instruction"   // 批示办理: the deadline that a leader's instruction sets
	ClockEnquiry      = "enquiry"       // 媒体答复: the deadline of an enquiry of the press
)

// ClockNames lists the clocks in the order of a case's life.
func ClockNames() []string {
	return []string{
		ClockSign, ClockFirstContact, ClockArrive, ClockMeasure, ClockFeedback, ClockRetest, ClockAnswer,
		ClockResident, ClockReturn, ClockReturnAnswer, ClockConnect, ClockRefund,
		ClockInstruction, ClockEnquiry,
	}
}

// Event is what starts or stops a clock.
type Event string

// The events of clocks.
const (
	EventFirstSaid   Event = "first_said"   // the resident's first contact anywhere
	EventCompanyTold Event = "company_told" // the company was told by any door, its own hotline included
	EventDelivered   Event = "delivered"    // the dispatch was delivered
	EventSigned      Event = "signed"       // 签收
	EventContacted   Event = "contacted"    // a connected call, or two tries and a message
	EventArrived     Event = "arrived"      // 到场
	EventRequested   Event = "test_request" // 测温申请
	EventMeasured    Event = "measured"     // 测温
	EventFedBack     Event = "fed_back"     // 反馈
	EventCured       Event = "cured"        // 已整改
	EventRetested    Event = "retested"     // 复测
	EventAnswered    Event = "answered"     // 答复
	EventReturned    Event = "returned"     // 回退
	EventReturnDone  Event = "return_done"  // the dispatcher decided the return
	EventApplied     Event = "applied"      // 报装受理
	EventConnected   Event = "connected"    // 开通
	EventClosed      Event = "closed"       // 结案
)

func (Event) values() []string {
	return []string{
		string(EventFirstSaid), string(EventCompanyTold), string(EventDelivered), string(EventSigned),
		string(EventContacted), string(EventArrived), string(EventRequested), string(EventMeasured), string(EventFedBack),
		string(EventCured), string(EventRetested), string(EventAnswered), string(EventReturned), string(EventReturnDone),
		string(EventApplied), string(EventConnected), string(EventClosed),
	}
}

// Party is whose clock it is.
type Party string

// The parties.
const (
	PartyUnit     Party = "unit"     // the dispatched company
	PartyCentre   Party = "centre"   // the hotline or dispatch centre
	PartyResident Party = "resident" // towards the resident: never stops for anybody's dispute
)

func (Party) values() []string {
	return []string{string(PartyUnit), string(PartyCentre), string(PartyResident)}
}

// Unit is the unit of a time limit, as calendar reads it, and minutes.
type Unit string

func (Unit) values() []string {
	return []string{"minute", "hour", "day", "working_hour", "working_day"}
}

// Limit is one time limit of a clock. Empty lists mean any. Limits are read in order and the first that fits holds, the
// city's before the province's.
type Limit struct {
	Period
	Kinds      []Kind    `json:"kinds,omitempty"`
	Categories []string  `json:"categories,omitempty"`
	Urgency    []Urgency `json:"urgency,omitempty"`
	Phases     []Phase   `json:"phases,omitempty"`
	Amount     int       `json:"amount" pack:"required,min=1"`
	Unit       Unit      `json:"unit" pack:"required"`
	Roll       *bool     `json:"roll,omitempty"`
	Origin
}

// Clock is how one clock runs.
type Clock struct {
	Name        Phrase  `json:"name,omitzero"`
	Start       Event   `json:"start,omitempty"`
	Stop        Event   `json:"stop,omitempty"`
	Party       Party   `json:"party,omitempty"`
	Appointment bool    `json:"moved_by_appointment,omitempty"`
	Kinds       []Kind  `json:"kinds,omitempty"` // categories that carry the clock; empty: all
	Limits      []Limit `json:"limits,omitempty"`
	Escalation  []Step  `json:"escalation,omitempty"`
}

// Stage is a step of escalation.
type Stage string

// The stages in their order.
const (
	StageWarn      Stage = "warn"      // 临期预警
	StageUrge      Stage = "urge"      // 催办
	StageOverdue   Stage = "overdue"   // 超期
	StageSupervise Stage = "supervise" // 督办单
	StageInterview Stage = "interview" // 约谈
	StageCircular  Stage = "circular"  // 通报
)

func (Stage) values() []string {
	return []string{
		string(StageWarn), string(StageUrge), string(StageOverdue), string(StageSupervise),
		string(StageInterview), string(StageCircular),
	}
}

// Step is one step of escalation of a clock: when, who is told, and by which document. At most one of the times is set; all
// zero means at the due time itself.
type Step struct {
	Stage         Stage   `json:"stage" pack:"required"`
	LeftPercent   int     `json:"left_percent,omitempty" pack:"min=1,max=99"` // when this share of the limit is left
	BeforeMinutes int     `json:"before_minutes,omitempty" pack:"min=1"`
	AfterMinutes  int     `json:"after_minutes,omitempty" pack:"min=1"`
	BeforeDays    int     `json:"before_days,omitempty" pack:"min=1"`
	AfterDays     int     `json:"after_days,omitempty" pack:"min=1"`
	Role          string  `json:"role" pack:"required"` // an actor role
	Document      *Phrase `json:"document,omitempty"`
	Origin
}

// Package dispatch brings a case to the heating company that must act, and keeps what the company does: it signs, sends
// its people, calls, comes, repairs and answers; it asks for more time, or says that the flat is not its own.
//
// Invariants: a unit is told in the transaction that files the case whenever no person has to choose; a wrong dispatch
// counts against the centre and never against the unit; the second return ends in a designation that nobody may return;
// a return, a dispute or a parked case never stops the resident's clock; an appointment moves a limit only when the
// resident confirmed it; nobody decides what they asked for themselves.
package dispatch

import (
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
)

// Part is a unit's part in a case.
type Part string

// The parts.
const (
	Lead   Part = "lead"   // 主办
	Assist Part = "assist" // 协办
)

// Way is how a unit came to hold a case. Its name on the screen is "way.<name>".
type Way string

// The ways.
const (
	Auto       Way = "auto"        // in the transaction that filed the case
	Manual     Way = "manual"      // chosen by a dispatcher
	Designated Way = "designated"  // 指定处置, binding
	Again      Way = "redispatch"  // 改派
	Reopened   Way = "reopened"    // the resident says that it is still cold
	PhoneFirst Way = "phone_first" // 电话先行派遣
)

// Dispatch is one unit's hold on a case.
type Dispatch struct {
	City        int           `db:"city_id" json:"-"`
	ID          string        `db:"id" json:"id"`
	Case        string        `db:"case_id" json:"case"`
	Company     string        `db:"company" json:"company"`
	Part        Part          `db:"part" json:"part"`
	Way         Way           `db:"way" json:"way"`
	Reason      string        `db:"reason" json:"reason,omitempty"`
	ToldAt      civil.Instant `db:"told_at" json:"told_at"` // when the unit knew, by whatever door
	DeliveredAt civil.Instant `db:"delivered_at" json:"delivered_at"`
	SignedAt    civil.Instant `db:"signed_at" json:"signed_at,omitzero"`
	SignedBy    string        `db:"signed_by" json:"-"`
	SignedHow   string        `db:"signed_how" json:"signed_how,omitempty"` // unit, by_phone, return_refused, binding
	Recording   string        `db:"recording" json:"recording,omitempty"`
	OrderNo     string        `db:"order_no" json:"order_no,omitempty"` // 企业工单号
	Station     string        `db:"station" json:"station,omitempty"`
	Crew        string        `db:"crew" json:"crew,omitempty"`
	Worker      string        `db:"worker" json:"worker,omitempty"`
	AssignedAt  civil.Instant `db:"assigned_at" json:"assigned_at,omitzero"`
	TakenAt     civil.Instant `db:"taken_at" json:"taken_at,omitzero"`
	ContactedAt civil.Instant `db:"contacted_at" json:"contacted_at,omitzero"`
	ArrivedAt   civil.Instant `db:"arrived_at" json:"arrived_at,omitzero"`
	FedBackAt   civil.Instant `db:"fed_back_at" json:"fed_back_at,omitzero"`
	EndedAt     civil.Instant `db:"ended_at" json:"ended_at,omitzero"`
	EndKind     string        `db:"end_kind" json:"end_kind,omitempty"` // done, misdirected, replaced, void
	By          string        `db:"created_by" json:"-"`
	Version     int64         `db:"version" json:"version"`
}

// RequestKind is what is asked for. Its name on the screen is "request.<name>".
type RequestKind string

// The kinds.
const (
	AskReturn    RequestKind = "return"      // 回退
	AskExtension RequestKind = "extension"   // 延期
	AskPostpone  RequestKind = "postpone"    // 缓办
	AskPark      RequestKind = "park"        // 挂账
	AskAppeal    RequestKind = "appeal"      // 申诉
	AskDispute   RequestKind = "dispute"     // 责任争议
	Supervision  RequestKind = "supervision" // 督办单
)

// RequestState is where a request stands. Its name on the screen is "request_state.<name>".
type RequestState string

// The states.
const (
	Open    RequestState = "open"
	Replied RequestState = "replied" // a supervision order that the unit answered
	Granted RequestState = "granted"
	Refused RequestState = "refused"
)

// Request is something asked for and decided by somebody else.
type Request struct {
	City      int           `db:"city_id" json:"-"`
	ID        string        `db:"id" json:"id"`
	No        string        `db:"no" json:"no,omitempty"` // of a supervision order
	Case      string        `db:"case_id" json:"case"`
	Dispatch  string        `db:"dispatch_id" json:"dispatch,omitempty"`
	Kind      RequestKind   `db:"kind" json:"kind"`
	State     RequestState  `db:"state" json:"state"`
	Company   string        `db:"company" json:"company,omitempty"` // who asks, or who is supervised
	Other     string        `db:"other" json:"other,omitempty"`     // the right unit, the party named responsible
	Reason    string        `db:"reason" json:"reason"`
	Until     civil.Instant `db:"until" json:"until,omitzero"` // the new end, or by when to reply
	Ref       string        `db:"ref" json:"ref,omitempty"`    // the clock that is appealed against
	AskedAt   civil.Instant `db:"asked_at" json:"asked_at"`
	AskedBy   string        `db:"asked_by" json:"-"`
	Reply     string        `db:"reply" json:"reply,omitempty"`
	RepliedAt civil.Instant `db:"replied_at" json:"replied_at,omitzero"`
	DecidedAt civil.Instant `db:"decided_at" json:"decided_at,omitzero"`
	DecidedBy string        `db:"decided_by" json:"-"`
	Note      string        `db:"note" json:"note,omitempty"`
	Version   int64         `db:"version" json:"version"`
}

// mayReturn says why a unit may not say "not ours" any more; empty when it may.
func mayReturn(c cases.Case, d Dispatch, minutes int, now civil.Instant) string {
	switch {
	case c.Designated:
		return "dispatch.no_return_binding"
	case !d.ArrivedAt.IsZero() || !c.ArrivedAt.IsZero():
		return "dispatch.no_return_arrived"
	case minutes > 0 && now.Sub(d.DeliveredAt) > time.Duration(minutes)*time.Minute:
		return "dispatch.no_return_late"
	}
	return ""
}

// inNight reports whether a clock reading lies in the night hours of a pack; they may go over midnight.
func inNight(at civil.Instant, from, to string) bool {
	if from == "" || to == "" {
		return false
	}
	hm := at.Clock()
	if from <= to {
		return hm >= from && hm < to
	}
	return hm >= from || hm < to
}

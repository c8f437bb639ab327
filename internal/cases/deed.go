package cases

import (
	"encoding/json"

	"github.com/rehu-heat/rehu/internal/civil"
)

// DeedKind is what somebody did about a case. Its name on the screen is "deed.<name>".
type DeedKind string

// The kinds.
const (
	DeedContact      DeedKind = "contact"      // 首次联系: a try to reach the resident
	DeedAppointment  DeedKind = "appointment"  // 预约
	DeedVisit        DeedKind = "visit"        // 到场, also 未遇
	DeedFeedback     DeedKind = "feedback"     // 反馈
	DeedVerification DeedKind = "verification" // 核查
	DeedCallBack     DeedKind = "callback"     // 回访
	DeedAnswer       DeedKind = "answer"       // the resident's answer to a question of ours
)

// Deed is one thing that somebody did about a case. It is never changed: a correction is a new one.
type Deed struct {
	City     int             `db:"city_id" json:"-"`
	ID       string          `db:"id" json:"id"`
	Case     string          `db:"case_id" json:"case"`
	Dispatch string          `db:"dispatch_id" json:"dispatch,omitempty"`
	Kind     DeedKind        `db:"kind" json:"kind"`
	At       civil.Instant   `db:"at" json:"at"`
	Company  string          `db:"company" json:"company,omitempty"`
	By       string          `db:"by_id" json:"-"` // a member of staff; never shown to residents
	Result   string          `db:"result" json:"result"`
	Data     json.RawMessage `db:"data,json" json:"data"`
}

// Into decodes the facts of the deed.
func (d Deed) Into(v any) error { return json.Unmarshal(d.Data, v) }

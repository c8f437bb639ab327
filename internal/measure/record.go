package measure

import (
	"encoding/json"
	"slices"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
)

// Kind is what a record says. Its name on the screen is "measure_record.<name>".
type Kind string

// The kinds.
const (
	KindReport      Kind = "report"        // the resident said that it is cold
	KindRequest     Kind = "request"       // 测温申请
	KindAppointment Kind = "appointment"   // a time was proposed
	KindAgreed      Kind = "agreed"        // the resident agreed to a time
	KindDeclined    Kind = "declined"      // the resident did not
	KindArrival     Kind = "arrival"       // somebody came: met, nobody home, refused
	KindReadings    Kind = "readings"      // what the display showed
	KindPhoto       Kind = "photo"         // of the display, of the closed door
	KindSignature   Kind = "signature"     // of a side, or its refusal with a witness
	KindAnswer      Kind = "answer"        // the resident's answer whether somebody came
	KindMissed      Kind = "missed"        // the time passed and nobody came
	KindClaim       Kind = "cure_claimed"  // 企业称已整改
	KindDeny        Kind = "cure_denied"   // 用户称仍不热
	KindVerify      Kind = "cure_verified" // 整改确认
	KindInvitation  Kind = "invitation"    // 委托检测参检通知
	KindLab         Kind = "lab_report"    // 委托检测报告
	KindWithdrawn   Kind = "withdrawn"     // 撤回申请
)

// Party is whose word a record is. Its name on the screen is "measure_party.<name>".
type Party string

// The parties.
const (
	Company    Party = "company"
	Authority  Party = "authority"
	Laboratory Party = "laboratory"
	GridWorker Party = "grid_worker" // 网格员
	Resident   Party = "resident"
	Centre     Party = "centre"
	Program    Party = "program"
)

// Record is one thing that was said, agreed, read or signed about a home. It is never changed.
type Record struct {
	City        int             `db:"city_id" json:"-"`
	ID          string          `db:"id" json:"id"`
	Home        string          `db:"home" json:"home"`
	Measurement string          `db:"measurement_id" json:"measurement,omitempty"`
	Visit       string          `db:"visit_id" json:"visit,omitempty"`
	Kind        Kind            `db:"kind" json:"kind"`
	Part        string          `db:"part" json:"part,omitempty"` // of a visit: "arrival", "readings", "photo:1", "signature:user"
	At          civil.Instant   `db:"at" json:"at"`               // when it happened
	Season      string          `db:"season" json:"season"`
	RecordedAt  civil.Instant   `db:"recorded_at" json:"recorded_at"` // when the server was told
	Party       Party           `db:"party" json:"party"`
	Company     string          `db:"company" json:"company,omitempty"`
	By          string          `db:"by_id" json:"-"`
	Digest      string          `db:"digest" json:"digest"`               // of the content
	Counted     bool            `db:"counted" json:"counted"`             // false: a second version of a part
	Corrects    string          `db:"corrects" json:"corrects,omitempty"` // the record it stands for
	Reason      string          `db:"reason" json:"reason,omitempty"`     // of a correction
	Outcome     Outcome         `db:"outcome" json:"-"`                   // of an arrival, as its data say
	Data        json.RawMessage `db:"data,json" json:"data"`
	Seq         int64           `db:"seq" json:"seq"`   // its place in the home's chain
	Hash        string          `db:"hash" json:"hash"` // of that place
}

// Into decodes what the record says.
func (r Record) Into(v any) error { return json.Unmarshal(r.Data, v) }

// Standing gives the records that count: neither a second version of a part nor one that a later record stands for. A
// correction counts in the place of what it corrects, at the time of its own content.
func Standing(records []Record) []Record {
	corrected := map[string]bool{}
	for _, r := range records {
		if r.Corrects != "" {
			corrected[r.Corrects] = true
		}
	}
	out := make([]Record, 0, len(records))
	for _, r := range records {
		if r.Counted && !corrected[r.ID] {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, before)
	return out
}

// before orders records by what happened first; what happened in the same millisecond by its kind and then by what was
// told first, so that every order of arrival gives one order.
func before(a, b Record) int {
	switch {
	case a.At != b.At:
		if a.At.Before(b.At) {
			return -1
		}
		return 1
	case a.Kind != b.Kind:
		return rankOf(a.Kind) - rankOf(b.Kind)
	case a.Part != b.Part:
		if a.Part < b.Part {
			return -1
		}
		return 1
	case a.ID < b.ID:
		return -1
	case a.ID > b.ID:
		return 1
	}
	return 0
}

var ranks = []Kind{
	KindReport, KindRequest, KindAppointment, KindAgreed, KindDeclined, KindMissed, KindArrival, KindReadings, KindPhoto, KindSignature, KindAnswer,
	KindInvitation, KindLab, KindClaim, KindDeny, KindVerify, KindWithdrawn,
}

func rankOf(k Kind) int { return slices.Index(ranks, k) }

// Lab is what a report of a laboratory says.
type Lab struct {
	Laboratory  string        `json:"laboratory" form:"laboratory"`           // as the city's list names it
	Listed      bool          `json:"listed" form:"-"`                        // it stands on the list
	ReportNo    string        `json:"report_no" form:"report_no"`             //
	Invited     string        `json:"invitation,omitempty" form:"invitation"` // the record by which the company was invited; empty: it was not
	CompanyCame *bool         `json:"company_came,omitempty" form:"company_came"`
	Readings    []RoomReading `json:"readings" form:"readings"`
}

// RoomReading is the temperature of a room.
type RoomReading struct {
	Room  string         `json:"room" form:"room"`           // as people call it
	Type  string         `json:"type,omitempty" form:"type"` // bedroom, living_room, kitchen …: as the pack's standards name them
	TempC celsius.Tenths `json:"temp_c" form:"temp_c"`
	At    civil.Instant  `json:"at,omitzero" form:"at"`
}

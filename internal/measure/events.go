package measure

import (
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
)

// CountedType is a type of the events that refunds are counted from, as the contract of `rehu refund` names them.
type CountedType string

// The types that this capability gives; stops, late starts and exclusions come from others.
const (
	CountReport    CountedType = "report"
	CountRequest   CountedType = "request"
	CountAppoint   CountedType = "appointment"
	CountAbsent    CountedType = "visit_user_absent"
	CountTest      CountedType = "test"
	CountRetest    CountedType = "retest"
	CountLab       CountedType = "lab_report"
	CountClaim     CountedType = "cure_claimed"
	CountVerify    CountedType = "cure_verified"
	CountMissed    CountedType = "missed_by_company"
	CountRefusedBy CountedType = "refused_by_company"
	CountRefused   CountedType = "refused_by_user"
	CountNoRecord  CountedType = "no_record"
	CountWithdrawn CountedType = "withdrawn"
)

// noRecordAfter is how long parts of a visit may be on their way before it counts as one without a record.
const noRecordAfter = 24 * time.Hour

// Counted is one event that refunds are counted from. Beside the fields of the contract it says where it stands in the log
// and what is doubtful about it.
type Counted struct {
	Type          CountedType   `json:"type"`
	At            civil.Instant `json:"at"`
	Until         civil.Instant `json:"until,omitzero"` // of an appointment: the agreed later time
	Readings      []CountedRoom `json:"readings,omitempty"`
	By            Party         `json:"by,omitempty"`
	SignedUser    *bool         `json:"signed_user,omitempty"`
	SignedCompany *bool         `json:"signed_company,omitempty"`
	RefusedToSign bool          `json:"user_refused_signature,omitempty"`
	Invited       bool          `json:"company_invited,omitempty"` // of a laboratory's report
	Disputed      bool          `json:"disputed,omitempty"`        // the resident says that nobody came
	Conflict      bool          `json:"conflict,omitempty"`        // two versions of the reading stand beside each other
	Flags         []Deviation   `json:"flags,omitempty"`           // an expired instrument, windows, hours …
	Conforming    *bool         `json:"conforming,omitempty"`
	Measurement   string        `json:"measurement,omitempty"`
	Visit         string        `json:"visit,omitempty"`
	Record        string        `json:"record,omitempty"`
	Company       string        `json:"company,omitempty"`
}

// CountedRoom is a reading of the contract.
type CountedRoom struct {
	Room  string         `json:"room"`
	TempC celsius.Tenths `json:"temp_c"`
	At    civil.Instant  `json:"at,omitzero"`
}

// CountedEvents gives the events of a home in the order in which they happened. A visit without a reading becomes "no
// record" a day after it; a missed time is left out when a visit that was told later kept it.
func CountedEvents(records []Record, visits []Visit, now civil.Instant) ([]Counted, error) {
	var out []Counted
	for _, r := range Standing(records) {
		c, ok, err := r.counted(visits)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, c)
		}
	}
	for _, v := range visits {
		if c, ok := v.counted(now); ok {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Counted) int {
		switch {
		case a.At.Before(b.At):
			return -1
		case b.At.Before(a.At):
			return 1
		}
		return slices.Index(countedOrder, a.Type) - slices.Index(countedOrder, b.Type)
	})
	return out, nil
}

var countedOrder = []CountedType{
	CountReport, CountRequest, CountAppoint, CountMissed, CountAbsent, CountRefusedBy, CountRefused, CountNoRecord, CountTest, CountRetest, CountLab,
	CountClaim, CountVerify, CountWithdrawn,
}

// counted is what a record that is no part of a visit counts as.
func (r Record) counted(visits []Visit) (Counted, bool, error) {
	c := Counted{At: r.At, By: r.Party, Measurement: r.Measurement, Record: r.ID, Company: r.Company}
	switch r.Kind {
	case KindReport:
		c.Type = CountReport
	case KindRequest:
		c.Type = CountRequest
	case KindAgreed:
		var a agreed
		err := r.Into(&a)
		c.Type, c.Until = CountAppoint, a.To
		return c, true, err
	case KindMissed:
		var m missed
		err := r.Into(&m)
		c.Type = CountMissed
		return c, !m.undone(visits, r.Measurement), err
	case KindLab:
		var l KeptLab
		if err := r.Into(&l); err != nil {
			return c, false, err
		}
		c.Type, c.By, c.Invited = CountLab, Laboratory, l.Invited != ""
		c.Readings = countedRooms(l.Readings)
		if l.Result.Known {
			c.Conforming = &l.Result.Conforming
		}
	case KindClaim:
		c.Type = CountClaim
	case KindVerify:
		c.Type = CountVerify
	case KindWithdrawn:
		c.Type = CountWithdrawn
	case KindAppointment, KindDeclined, KindArrival, KindReadings, KindPhoto, KindSignature, KindAnswer, KindDeny, KindInvitation:
		return c, false, nil
	}
	return c, true, nil
}

// counted is what a visit counts as; nothing while it says too little.
func (v Visit) counted(now civil.Instant) (Counted, bool) {
	c := Counted{At: v.At, By: v.Party, Measurement: v.Measurement, Visit: v.ID, Record: v.Record, Company: v.Company, Disputed: v.Disputed}
	if v.Arrival != nil {
		c.Flags = append(c.Flags, v.Arrival.Deviations...)
	}
	switch {
	case v.Readings != nil:
		c.Type = CountTest
		if v.Retest {
			c.Type = CountRetest
		}
		user, company := v.signed(UserSide), v.signed(CompanySide)
		c.SignedUser, c.SignedCompany, c.RefusedToSign = &user, &company, v.refusedToSign(UserSide)
		c.Readings, c.Flags, c.Conflict = countedRooms(v.Readings.Rooms), append(c.Flags, v.Readings.Deviations...), len(v.Conflicts) > 0
		if v.Result != nil && v.Result.Known {
			c.Conforming = &v.Result.Conforming
		}
	case v.Outcome == NobodyIn:
		c.Type = CountAbsent
	case v.Outcome == RefusedByUser:
		c.Type = CountRefused
	case v.Outcome == RefusedByCompany:
		c.Type = CountRefusedBy
	case v.Outcome == Met && now.Sub(v.At) >= noRecordAfter:
		c.Type = CountNoRecord
	default:
		return c, false
	}
	return c, true
}

func countedRooms(rooms []RoomReading) []CountedRoom {
	out := make([]CountedRoom, len(rooms))
	for i, r := range rooms {
		out[i] = CountedRoom{r.Room, r.TempC, r.At}
	}
	return out
}

// agreed is what a record of an agreed appointment says.
type agreed struct {
	Appointment string        `json:"appointment"`
	From        civil.Instant `json:"from"`
	To          civil.Instant `json:"to"`
	How         string        `json:"how,omitempty"`
	Recording   string        `json:"recording,omitempty"`
}

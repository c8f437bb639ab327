package measure

import (
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/refund"
)

// noRecordAfter is how long parts of a visit may be on their way before it counts as one without a record.
const noRecordAfter = 24 * time.Hour

// Counted is one event that refunds are counted from, with where it stands in the log and what is doubtful about it. Of an
// appointment At is the end of the agreed time.
type Counted struct {
	refund.Event
	Party         Party             `json:"party,omitempty"` // whose word it is, also where that is no maker of a measurement
	AgreedAt      civil.Instant     `json:"agreed_at,omitzero"`
	NoneWithin    bool              `json:"none_within,omitempty"` // of an appointment: the company had no earlier one within its limit
	RefusedToSign bool              `json:"user_refused_signature,omitempty"`
	Invited       bool              `json:"company_invited,omitempty"` // of a laboratory's report
	Disputed      bool              `json:"disputed,omitempty"`        // the resident says that nobody came
	Conflict      bool              `json:"conflict,omitempty"`        // two versions of the reading stand beside each other
	Instrument    equipment.Fitness `json:"instrument,omitempty"`
	Flags         []Deviation       `json:"flags,omitempty"` // an expired instrument, windows, hours …
	Conforming    *bool             `json:"conforming,omitempty"`
	Measurement   string            `json:"measurement,omitempty"`
	Visit         string            `json:"visit,omitempty"`
	Company       string            `json:"company,omitempty"`
}

// ForRefund gives the events as the refund engine takes them. An appointment that was agreed only after a time had been
// missed, or because the company had none within its limit, excuses nothing, so it is left out; it stays in the log.
func ForRefund(list []Counted) []refund.Event {
	out := make([]refund.Event, 0, len(list))
	for _, c := range list {
		afterMiss := func(m Counted) bool {
			return m.Type == refund.MissedByCompany && m.Measurement == c.Measurement && m.At.Before(c.At) && !c.AgreedAt.Before(m.At)
		}
		if c.Type == refund.Appointed && (c.NoneWithin || slices.ContainsFunc(list, afterMiss)) {
			continue
		}
		out = append(out, c.Event)
	}
	return out
}

// makerOf is whose measurement it is; a word of the resident or the centre has no maker.
func makerOf(p Party) refund.Maker {
	switch p {
	case Company:
		return refund.ByCompany
	case Authority:
		return refund.ByAuthority
	case Laboratory:
		return refund.ByLaboratory
	case GridWorker:
		return refund.ByGridWorker
	case Resident, Centre, Program:
	}
	return ""
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

var countedOrder = []refund.EventType{
	refund.Reported, refund.Requested, refund.Appointed, refund.MissedByCompany, refund.UserAbsent, refund.UnableByCompany, refund.RefusedByCompany, refund.RefusedByUser,
	refund.NoRecord, refund.Tested, refund.Retested, refund.LabReported, refund.CureClaimed, refund.CureVerified, refund.Withdrawn,
}

// counted is what a record that is no part of a visit counts as.
func (r Record) counted(visits []Visit) (Counted, bool, error) {
	c := Counted{Event: refund.Event{At: r.At, By: makerOf(r.Party), Record: r.ID}, Party: r.Party, Measurement: r.Measurement, Company: r.Company}
	switch r.Kind {
	case KindReport:
		c.Type = refund.Reported
	case KindRequest:
		c.Type = refund.Requested
	case KindAgreed:
		var a agreed
		err := r.Into(&a)
		c.Type, c.At, c.AgreedAt, c.NoneWithin = refund.Appointed, a.To, r.At, a.NoneWithin
		return c, true, err
	case KindMissed:
		var m missed
		err := r.Into(&m)
		c.Type = refund.MissedByCompany
		return c, !m.undone(visits, r.Measurement), err
	case KindLab:
		var l KeptLab
		if err := r.Into(&l); err != nil {
			return c, false, err
		}
		c.Type, c.By, c.Invited = refund.LabReported, refund.ByLaboratory, l.Invited != ""
		c.Readings = countedRooms(l.Readings)
		if l.Result.Known {
			c.Conforming = &l.Result.Conforming
		}
	case KindClaim:
		c.Type = refund.CureClaimed
	case KindVerify:
		c.Type = refund.CureVerified
	case KindWithdrawn:
		c.Type = refund.Withdrawn
	case KindAppointment, KindDeclined, KindArrival, KindReadings, KindPhoto, KindSignature, KindAnswer, KindDeny, KindInvitation:
		return c, false, nil
	}
	return c, true, nil
}

// counted is what a visit counts as; nothing while it says too little.
func (v Visit) counted(now civil.Instant) (Counted, bool) {
	c := Counted{
		Event: refund.Event{At: v.At, By: makerOf(v.Party), Record: v.Record}, Party: v.Party, Measurement: v.Measurement, Visit: v.ID, Company: v.Company, Disputed: v.Disputed,
	}
	if v.Arrival != nil {
		c.Flags = append(c.Flags, v.Arrival.Deviations...)
	}
	switch {
	case v.Readings != nil:
		c.Type = refund.Tested
		if v.Retest {
			c.Type = refund.Retested
		}
		user, company, proven := v.signed(UserSide), v.signed(CompanySide) || v.Party != Company, v.Readings.Tool.Fitness == equipment.Valid
		c.SignedUser, c.SignedCompany, c.RefusedToSign = &user, &company, v.refusedToSign(UserSide)
		c.Certificate, c.Instrument = &proven, v.Readings.Tool.Fitness
		c.Readings, c.Flags, c.Conflict = countedRooms(v.Readings.Rooms), append(c.Flags, v.Readings.Deviations...), len(v.Conflicts) > 0
		if v.Result != nil && v.Result.Known {
			c.Conforming = &v.Result.Conforming
		}
	case v.Outcome == NobodyIn:
		c.Type = refund.UserAbsent
	case v.Outcome == RefusedByUser:
		c.Type = refund.RefusedByUser
	case v.Outcome == RefusedByCompany:
		c.Type = refund.RefusedByCompany
	case v.Outcome == Unable:
		c.Type = refund.UnableByCompany
	case v.Outcome == Met && now.Sub(v.At) >= noRecordAfter:
		c.Type = refund.NoRecord
	default:
		return c, false
	}
	return c, true
}

func countedRooms(rooms []RoomReading) []refund.Reading {
	out := make([]refund.Reading, len(rooms))
	for i, r := range rooms {
		out[i] = refund.Reading{Room: r.Room, TempC: r.TempC}
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
	// NoneWithin says that the company had no window left within its limit, so that a later time excuses nothing.
	NoneWithin bool          `json:"none_within,omitempty"`
	Limit      civil.Instant `json:"limit,omitzero"`
}

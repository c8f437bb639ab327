package dispatch

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Device is what a telephone says of itself when a form is filled in: its own clock, and where it was. It is kept as it
// was said, as evidence beside the time of arrival here, and decides nothing.
type Device struct {
	Made     civil.Instant `json:"made,omitzero" form:"made"`
	Lng      *float64      `json:"lng,omitempty" form:"lng"` // WGS-84
	Lat      *float64      `json:"lat,omitempty" form:"lat"`
	Accuracy *float64      `json:"accuracy,omitempty" form:"accuracy"` // metres
}

// Check refuses a place that is none.
func (d Device) Check() error {
	var c fault.Check
	c.That((d.Lng == nil) == (d.Lat == nil), "device.lat", "field.required")
	if d.Lng != nil {
		c.That(*d.Lng >= -180 && *d.Lng <= 180, "device.lng", "field.out_of_range", "min", -180, "max", 180)
	}
	if d.Lat != nil {
		c.That(*d.Lat >= -90 && *d.Lat <= 90, "device.lat", "field.out_of_range", "min", -90, "max", 90)
	}
	if d.Accuracy != nil {
		c.That(*d.Accuracy >= 0, "device.accuracy", "field.out_of_range", "min", 0, "max", 1e7)
	}
	return c.Err()
}

// into adds what a reader of the chain needs.
func (d Device) into(body map[string]any) map[string]any {
	if !d.Made.IsZero() {
		body["made"] = d.Made
	}
	return body
}

// handling are the acts of others that somebody must know of before they say that the case is done.
var handling = []string{
	"case.assign", "case.take", "case.contact", "case.appoint", "case.arrive", "case.feed_back", "case.amend", "case.redispatch",
	"case.designate", "case.fail_verify", "case.not_solved", "case.send_back", "case.give_back", "case.late",
}

// Others lists what others did about a case after the entry that somebody saw last.
func Others(by actor.Actor, seen int64, timeline []audit.Entry) []audit.Entry {
	var out []audit.Entry
	for _, e := range timeline {
		if e.Seq > seen && e.Actor != by.ID && slices.Contains(handling, e.Act) {
			out = append(out, e)
		}
	}
	return out
}

// isLate reports whether a case has left the unit's hands in the way that a unit ends its work: what was done before and
// arrives only now is kept all the same.
func isLate(s cases.Status) bool {
	switch s {
	case cases.FedBack, cases.Verified, cases.ToClose, cases.Closed, cases.Archived, cases.Postponed, cases.Parked:
		return true
	case cases.Reported, cases.Accepted, cases.Confirming, cases.Filed, cases.Dispatched, cases.Signed, cases.Handling, cases.Returned, cases.Rework,
		cases.Answered, cases.Rejected, cases.Withdrawn, cases.Terminated, cases.Void:
	}
	return false
}

// Package handover passes the centre from one shift to the next (交接班). The system writes the sheet: what is unsigned, near
// its deadline or late, what units hand to and fro, which stops of heat go on, what leaders asked about. The shift leader
// adds a word, and the next one takes it over by name.
//
// Invariants: a sheet shows the moment at which it was written and is never changed; at most one waits to be taken; nobody
// takes over from themselves.
package handover

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/flow"
)

// State is where a sheet stands.
type State string

// The states.
const (
	Written State = "written" // 待接班
	Taken   State = "taken"   // 已接班
)

// Event moves a sheet.
type Event string

// Take is the only event: the next shift takes over.
const Take Event = "take"

// Lifecycle is the life of a sheet.
var Lifecycle = flow.Table[State, Event]{
	Name: "handover", Start: Written, Final: []State{Taken},
	Steps: []flow.Step[State, Event]{{From: Written, Event: Take, To: Taken, By: string(actor.HandoverWrite)}},
}

// Item is one matter on a sheet.
type Item struct {
	Case    string        `json:"case,omitempty"`
	No      string        `json:"no"`
	Status  cases.Status  `json:"status,omitempty"`
	Address string        `json:"address,omitempty"` // no further than a worker needs; no name, no telephone
	Company string        `json:"company,omitempty"`
	Due     civil.Instant `json:"due,omitzero"`
	Clock   string        `json:"clock,omitempty"`
	Until   civil.Instant `json:"until,omitzero"` // of a stop
	Why     string        `json:"why,omitempty"`
}

// Part is one heading of a sheet. Its name on the screen is "handover.part.<name>". Total may be more than the items shown.
type Part struct {
	Name  string `json:"name"`
	Total int64  `json:"total"`
	More  bool   `json:"more,omitempty"`
	Items []Item `json:"items"`
}

// Sheet is what one shift leaves to the next.
type Sheet struct {
	City      int           `db:"city_id" json:"city"`
	ID        string        `db:"id" json:"id"`
	No        string        `db:"no" json:"no"`
	State     State         `db:"state" json:"state"`
	Parts     []Part        `db:"sheet,json" json:"parts"`
	Note      string        `db:"note" json:"note"`
	WrittenAt civil.Instant `db:"written_at" json:"written_at"`
	WrittenBy string        `db:"written_by" json:"-"`
	Writer    string        `db:"writer" json:"writer"` // a member of staff, for staff
	TakenAt   civil.Instant `db:"taken_at" json:"taken_at,omitzero"`
	TakenBy   string        `db:"taken_by" json:"-"`
	Taker     string        `db:"taker" json:"taker,omitempty"`
	Reply     string        `db:"reply" json:"reply,omitempty"`
	Version   int64         `db:"version" json:"version"`
}

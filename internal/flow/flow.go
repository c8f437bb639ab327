// Package flow holds life cycles as literal tables. A table says which event leads from which status to which, and which
// permission it takes; guards that need data stay in the use case. Buttons, allowed actions of the API and
// docs/flows.md are all read from the same table.
package flow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Step is one row of a life cycle.
type Step[S ~string, E ~string] struct {
	From  S
	Event E
	To    S
	By    string // permission, as actor.Permission spells it
}

// Table is a life cycle: a name for the documentation, the first status, the final ones and the rows.
type Table[S ~string, E ~string] struct {
	Name  string
	Start S
	Final []S
	Steps []Step[S, E]
}

// Next is the row for an event in a status; Conflict when the table has none.
func (t Table[S, E]) Next(from S, event E) (Step[S, E], error) {
	for _, s := range t.Steps {
		if s.From == from && s.Event == event {
			return s, nil
		}
	}
	return Step[S, E]{}, fault.New(fault.Conflict, "flow.no_such_step", "flow", t.Name, "status", string(from), "event", string(event))
}

// From lists the rows that leave a status: the buttons a page shows.
func (t Table[S, E]) From(from S) []Step[S, E] {
	var out []Step[S, E]
	for _, s := range t.Steps {
		if s.From == from {
			out = append(out, s)
		}
	}
	return out
}

// Statuses lists every status in order of first appearance.
func (t Table[S, E]) Statuses() []S {
	var out []S
	seen := map[S]bool{}
	add := func(s S) {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	add(t.Start)
	for _, s := range t.Steps {
		add(s.From)
		add(s.To)
	}
	for _, s := range t.Final {
		add(s)
	}
	return out
}

// IsFinal reports whether a status ends the life cycle.
func (t Table[S, E]) IsFinal(s S) bool {
	return slices.Contains(t.Final, s)
}

// Check lists what is wrong with a table: a status that nothing leads to, one that is neither final nor left, and two
// rows for one event in one status.
func (t Table[S, E]) Check() []string {
	var faults []string
	to, left := map[S]bool{t.Start: true}, map[S]bool{}
	rows := map[string]bool{}
	for _, s := range t.Steps {
		left[s.From] = true
		key := string(s.From) + " " + string(s.Event)
		if rows[key] {
			faults = append(faults, "two rows for "+key)
		}
		rows[key] = true
	}
	for changed := true; changed; {
		changed = false
		for _, s := range t.Steps {
			if to[s.From] && !to[s.To] {
				to[s.To], changed = true, true
			}
		}
	}
	for _, s := range t.Statuses() {
		if !to[s] {
			faults = append(faults, "unreachable: "+string(s))
		}
		if !left[s] && !t.IsFinal(s) {
			faults = append(faults, "no way out: "+string(s))
		}
	}
	return faults
}

// Mermaid draws the table as a state diagram.
func (t Table[S, E]) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	fmt.Fprintf(&b, "    [*] --> %s\n", t.Start)
	for _, s := range t.Steps {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", s.From, s.To, s.Event)
	}
	for _, f := range t.Final {
		fmt.Fprintf(&b, "    %s --> [*]\n", f)
	}
	return b.String()
}

package exchange

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Line is one ticket in the list of a day that the sides compare (对账单).
type Line struct {
	Ticket   string `db:"no" json:"ticket"`
	OpenedBy Side   `db:"opened_by" json:"opened_by"`
	PeerNo   string `db:"peer_no" json:"peer_no,omitempty"`
	Status   Status `db:"status" json:"status"`
	Said     int64  `db:"said_seq" json:"said"`   // number of the last message of the side whose list it is
	Taken    int64  `db:"taken_seq" json:"taken"` // number of the other side's last message that it took
}

// DifferenceKind is how the lists differ. Its name on the screen is "difference.<name>".
type DifferenceKind string

// The kinds of differences.
const (
	MissingHere  DifferenceKind = "missing_here"
	MissingThere DifferenceKind = "missing_there"
	OtherState   DifferenceKind = "state"
)

// Pair is one ticket as the two sides have it; a side that does not know it is nil.
type Pair struct {
	Kind   DifferenceKind
	Theirs *Line
	Ours   *Line
}

// Compare lists where two lists of a day differ: by status, or because one side did not take what the other said.
func Compare(theirs, ours []Line) []Pair {
	key := func(l Line) string { return string(l.OpenedBy) + "\n" + l.Ticket }
	known := make(map[string]Line, len(ours))
	for _, l := range ours {
		known[key(l)] = l
	}
	var out []Pair
	seen := make(map[string]bool, len(theirs))
	for _, l := range theirs {
		if seen[key(l)] {
			continue
		}
		seen[key(l)] = true
		o, ok := known[key(l)]
		switch {
		case !ok:
			out = append(out, Pair{Kind: MissingHere, Theirs: &l})
		case l.Status != o.Status || l.Said != o.Taken || l.Taken != o.Said:
			out = append(out, Pair{Kind: OtherState, Theirs: &l, Ours: &o})
		}
	}
	for _, l := range ours {
		if !seen[key(l)] {
			out = append(out, Pair{Kind: MissingThere, Ours: &l})
		}
	}
	slices.SortStableFunc(out, func(a, b Pair) int { return strings.Compare(a.no(), b.no()) })
	return out
}

func (p Pair) no() string {
	if p.Ours != nil {
		return p.Ours.Ticket
	}
	return p.Theirs.Ticket
}

// The bounds of the wait before a message is tried again.
const (
	firstWait = 5 * time.Second
	mostWait  = 10 * time.Minute
)

// Wait is how long to wait after so many tries: twice as long each time up to a bound, and a fifth more or less, so that
// what failed together does not come back together.
func Wait(tries int) time.Duration {
	d := mostWait
	if tries < 8 {
		d = min(firstWait<<max(tries-1, 0), mostWait)
	}
	return d - d/5 + rand.N(2*d/5)
}

package callback

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Draw is the sample of one day: drawn after it from its closings, in the order that the root of the city's log gives. The
// root covers the closings themselves, so that nobody knew the order when they were made, and whoever has it draws the same.
type Draw struct {
	City     int           `db:"city_id" json:"-"`
	Day      civil.Date    `db:"day" json:"day"`
	Percent  int           `db:"percent" json:"percent"` // of each company's closings
	Root     string        `db:"root" json:"root"`
	LogSize  int64         `db:"log_size" json:"log_size"`
	Closings int           `db:"closings" json:"closings"`
	Drawn    int           `db:"drawn" json:"drawn"`
	At       civil.Instant `db:"at" json:"at"`
}

// Late reports whether the day was drawn later than the day after it.
func (d Draw) Late() bool { return d.At.Date().After(d.Day.AddDays(1)) }

// Pick is a closing that was drawn and why: it came so far forward among so many of its company.
type Pick struct {
	Outcome Outcome
	Rank    int    // 1 is the first of its company
	Of      int    // closings of its company that day
	Score   string // SHA-256 of root and outcome: the order
}

// Choose draws from each company's closings the share in per cent, at least one: those with the lowest scores. The order of
// the list does not matter.
func Choose(root string, percent int, closings []Outcome) []Pick {
	by := map[string][]Pick{}
	for _, o := range closings {
		sum := sha256.Sum256([]byte(root + "/" + o.ID))
		by[o.Company] = append(by[o.Company], Pick{Outcome: o, Score: hex.EncodeToString(sum[:])})
	}
	var out []Pick
	for _, all := range by {
		slices.SortFunc(all, func(a, b Pick) int { return cmp.Compare(a.Score, b.Score) })
		n := (len(all)*percent + 99) / 100
		for i, p := range all[:min(n, len(all))] {
			p.Rank, p.Of = i+1, len(all)
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b Pick) int { return cmp.Compare(a.Score, b.Score) })
	return out
}

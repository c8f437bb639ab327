package callback

import (
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// Sample is a closing that a second person asks about.
type Sample struct {
	City      int           `db:"city_id" json:"-"`
	ID        string        `db:"id" json:"id"`
	Outcome   string        `db:"outcome_id" json:"outcome"`
	Day       civil.Date    `db:"day" json:"day"`
	Rank      int           `db:"rank" json:"rank"`   // the first, second … drawn of its company
	Of        int           `db:"of_n" json:"of"`     // closings of its company that day
	Score     string        `db:"score" json:"score"` // SHA-256 of root and outcome, which gave the order
	State     SampleState   `db:"state" json:"state"`
	Solved    string        `db:"solved" json:"solved,omitempty"`
	Satisfied string        `db:"satisfied" json:"satisfied,omitempty"`
	Word      string        `db:"word" json:"word,omitempty"`
	DoneAt    civil.Instant `db:"done_at" json:"done_at,omitzero"`
	DoneBy    string        `db:"done_by" json:"-"`
	Version   int64         `db:"version" json:"version"`
}

// Try is one try to reach a resident.
type Try struct {
	City    int           `db:"city_id" json:"-"`
	ID      string        `db:"id" json:"id"`
	Sample  string        `db:"sample_id" json:"-"`
	At      civil.Instant `db:"at" json:"at"`
	By      string        `db:"by_id" json:"-"`
	ByName  string        `db:"by_name" json:"by"`
	Channel string        `db:"channel" json:"channel"`
	Result  string        `db:"result" json:"result"` // yes, no, unreached
	Note    string        `db:"note" json:"note,omitempty"`
}

// SampleView is a sample call with its closing, its draw and its tries.
type SampleView struct {
	Sample
	About Outcome `json:"about"`
	Draw  Draw    `json:"draw"`
	Tries []Try   `json:"tries,omitempty"`
}

// SampleFilter narrows the list of sample calls; without a state those that wait.
type SampleFilter struct {
	State SampleState `json:"state" form:"state"`
	page.Request
}

// Calling is the input of Call: one try at a sample call.
type Calling struct {
	City      int    `json:"-" form:"-"`
	ID        string `json:"-" form:"-"`
	Version   int64  `json:"version" form:"version"`
	Channel   string `json:"channel" form:"channel"`
	Reached   bool   `json:"reached" form:"reached"`
	Solved    string `json:"solved" form:"solved"`
	Satisfied string `json:"satisfied" form:"satisfied"`
	Word      string `json:"word" form:"word"`
	Key       string `json:"-" form:"key"`
}

func (in *Calling) check() error {
	var c fault.Check
	in.Word = strings.TrimSpace(in.Word)
	c.That(in.Channel != "", "channel", "field.required")
	oneOf(&c, "channel", in.Channel, "phone", "message")
	checkSaid(&c, in.Solved, in.Satisfied, in.Reached)
	words(&c, "word", in.Word, false)
	return c.Err()
}

func checkSaid(c *fault.Check, solved, satisfied string, need bool) {
	c.That(!need || solved != "", "solved", "field.required")
	oneOf(c, "solved", solved, yes, no)
	oneOf(c, "satisfied", satisfied, yes, no)
}

// enough reports whether a try now is the last that the pack asks for: so many tries in so many half-days.
func enough(tried []Try, now civil.Instant, tries, halfDays int) bool {
	half := map[string]bool{halfDay(now): true}
	for _, t := range tried {
		half[halfDay(t.At)] = true
	}
	return len(tried)+1 >= max(tries, 1) && len(half) >= max(halfDays, 1)
}

func halfDay(at civil.Instant) string {
	if at.Time().Hour() < 12 {
		return at.Date().String() + "/am"
	}
	return at.Date().String() + "/pm"
}

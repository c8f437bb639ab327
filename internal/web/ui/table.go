package ui

import "strconv"

// Col is a column of a table.
type Col struct {
	Key   string // heading; empty with Label
	Label string // finished text of the heading
	Ch    int    // width in characters: 3-10, 12, 14, 16, 20 or 24; 0 shares what is left
	Num   bool   // right-aligned
}

func (c Col) width() string {
	if c.Ch == 0 {
		return ""
	}
	return "ch-" + strconv.Itoa(c.Ch)
}

func (c Col) align() string {
	if c.Num {
		return "num"
	}
	return ""
}

// Table describes a table; its rows are the children of the part.
type Table struct {
	Name string // catalogue key: what a screen reader calls it
	Cols []Col
	Keys bool // arrows, Enter and the letters of buttons work on its rows (static/js/rows.js)
	Wide bool // stays a table on a phone and scrolls sideways, for figures
}

// Tone is a colour of a chip. Open work is violet (not accepted or filed yet), blue (to be dispatched or signed for), teal
// (being handled), amber (to be verified, rework); grey is over without success, green closed, red late.
type Tone string

// The tones.
const (
	Grey   Tone = "grey"
	Violet Tone = "violet"
	Blue   Tone = "blue"
	Teal   Tone = "teal"
	Amber  Tone = "amber"
	Green  Tone = "green"
	Red    Tone = "red"
)

// Stat is a figure above a list; with Href it is a link that filters it.
type Stat struct {
	Icon    string
	Key     string
	Value   string
	Tone    Tone // amber or red; else plain
	Href    string
	Current bool
}

// Step is an entry of a timeline.
type Step struct {
	At    string // shown time
	Title string
	Who   string
	Text  string
}

// Fact is a line of a list of facts; Text is finished, empty lines are left out.
type Fact struct {
	Key  string
	Text string
}

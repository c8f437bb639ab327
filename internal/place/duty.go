package place

import (
	"regexp"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Rung says whose number it is.
type Rung string

// The rungs of a duty chain, in the order in which they are tried.
const (
	RungStation Rung = "station" // the station's shift
	RungCompany Rung = "company" // the company's shift
	RungLeader  Rung = "leader"  // 值班领导
	RungBackup  Rung = "backup"
	RungDesk    Rung = "desk" // the company's own number
)

// Call is one number to try.
type Call struct {
	Rung    Rung          `json:"rung"`
	Name    string        `json:"name"`
	Phone   string        `json:"phone"`
	Station string        `json:"station,omitempty"`
	From    civil.Instant `json:"from"`
	To      civil.Instant `json:"to"`
}

// Chain orders the numbers of the shifts that hold: the station's, the company's, the leaders, the backups, at last the
// company's own number. No number is offered twice.
func Chain(station, company *Shift, c Company) []Call {
	var out []Call
	seen := map[string]bool{}
	add := func(r Rung, s *Shift, name, phone string) {
		if digits := numbers.FindString(narrow(phone)); digits != "" && !seen[digits] {
			seen[digits] = true
			call := Call{Rung: r, Name: name, Phone: digits}
			if s != nil {
				call.Station, call.From, call.To = s.Station, s.At, s.To
			}
			out = append(out, call)
		}
	}
	shifts := []*Shift{station, company}
	for i, r := range []Rung{RungStation, RungCompany} {
		if s := shifts[i]; s != nil {
			add(r, s, s.Name, s.Phone)
		}
	}
	for _, s := range shifts {
		if s != nil {
			add(RungLeader, s, nameIn(s.Leader), s.Leader)
		}
	}
	for _, s := range shifts {
		if s != nil {
			add(RungBackup, s, nameIn(s.Backup), s.Backup)
		}
	}
	add(RungDesk, nil, c.Name, c.Phone)
	return out
}

// numbers finds a telephone number among other words: "王五 138 0000 0000" without its spaces.
var numbers = regexp.MustCompile(`\+?[0-9](?:[0-9\-]{1,18})[0-9]`)

// nameIn is what stands beside a telephone number.
func nameIn(s string) string {
	return strings.Trim(numbers.ReplaceAllString(narrow(s), ""), "-,，:：;；()（）/、")
}

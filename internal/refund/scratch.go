package refund

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// fact is what is known about days that are alike.
type fact struct {
	verdict
	temp    ratio // in tenths
	hasTemp bool
	share   ratio // of the billed area; 1 for the whole dwelling
	weight  ratio // of a day: 1, or the part of it that was stopped
	kind    citypack.BaseKind
	scale   ratio // what that kind of money is of the whole fee
	cause   Cause
	level   Level
	noRooms bool // rooms' areas would be needed to know the share
}

// worth orders facts about one day: what is paid of the day's fee.
func (f *fact) worth() ratio { return f.percent.mul(f.share).mul(f.weight).mul(f.scale) }

// row is so many days of one fact. A day without a date has number 0.
type row struct {
	day  int32
	days int32
	fact int16
}

// Scratch is working memory for Plan.Assess; one per goroutine, used again and again. The zero value is ready.
type Scratch struct {
	order  []int32
	facts  []fact // the first is no fact
	cells  []int16
	other  []int16
	rows   []row
	tests  []test
	rooms  []roomTemp
	spells []spell

	first   int32 // the day of cells[0]
	agreed  *celsius.Tenths
	missing []string
	warned  []Warning // told when words are wanted, otherwise left out
	steps   []Step
	talk    bool // whether words are wanted
}

func (s *Scratch) reset(talk bool) {
	if cap(s.facts) == 0 {
		s.facts = make([]fact, 0, 16)
	}
	s.facts = append(s.facts[:0], fact{})
	s.order, s.cells, s.other, s.rows = s.order[:0], s.cells[:0], s.other[:0], s.rows[:0]
	s.tests, s.rooms, s.spells = s.tests[:0], s.rooms[:0], s.spells[:0]
	s.missing = s.missing[:0]
	s.warned, s.steps, s.talk = nil, nil, talk
}

func (s *Scratch) add(f fact) int16 {
	s.facts = append(s.facts, f)
	return int16(len(s.facts) - 1)
}

// lack notes what is missing, with a message "refund.missing.<what>".
func (s *Scratch) lack(what string) {
	if slices.Contains(s.missing, what) {
		return
	}
	s.missing = append(s.missing, what)
}

// warn notes a warning once. Its code is the last part of the message's key.
func (s *Scratch) warn(code string, msg text.Message) {
	for _, w := range s.warned {
		if w.Code == code {
			return
		}
	}
	s.warned = append(s.warned, Warning{Code: code, Message: msg})
}

func (s *Scratch) step(article string, msg text.Message) {
	s.steps = append(s.steps, Step{Message: msg, Article: article})
}

// open makes the table of the days from first to last.
func (s *Scratch) open(first, last int32) {
	n := int(last-first) + 1
	s.first = first
	s.cells = zeroed(s.cells, n)
	s.other = zeroed(s.other, n)
}

func zeroed(list []int16, n int) []int16 {
	if cap(list) < n {
		return make([]int16, n, n+32)
	}
	list = list[:n]
	clear(list)
	return list
}

// at gives the place of a day in the table, false outside it.
func (s *Scratch) at(day int32) (int, bool) {
	i := int(day - s.first)
	return i, i >= 0 && i < len(s.cells)
}

// raise lets a fact stand for a day unless what stands there pays as much.
func (s *Scratch) raise(day int32, f int16) {
	i, ok := s.at(day)
	if !ok {
		return
	}
	if now := s.cells[i]; now == 0 || s.facts[f].worth().cmp(s.facts[now].worth()) > 0 {
		s.cells[i] = f
	}
}

// gather turns the table into rows of like days.
func (s *Scratch) gather() {
	for i := 0; i < len(s.cells); {
		f := s.cells[i]
		n := 1
		for i+n < len(s.cells) && s.cells[i+n] == f {
			n++
		}
		if f != 0 {
			s.rows = append(s.rows, row{day: s.first + int32(i), days: int32(n), fact: f})
		}
		i += n
	}
}

func (r row) date() civil.Date {
	if r.day == 0 {
		return civil.Date{}
	}
	return dateOf(r.day)
}

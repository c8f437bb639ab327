package fee

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/text"
)

// ReadingKind says what a reading of a heat meter is for.
type ReadingKind string

// The kinds.
const (
	Opening ReadingKind = "opening" // of the season, or of a meter put in during it
	Monthly ReadingKind = "monthly"
	Closing ReadingKind = "closing" // of the season, or of a meter taken out during it
)

// ReadingKinds lists the kinds.
func ReadingKinds() []ReadingKind { return []ReadingKind{Opening, Monthly, Closing} }

// Ending says why a record of a reading no longer stands.
type Ending string

// The endings. A record that stands has none.
const (
	Superseded Ending = "superseded" // by a correction
	Voided     Ending = "voided"
)

// Reading is what a household's heat meter showed on a day. A record is never changed: a correction is a new one that
// supersedes it, and one that is void says why.
type Reading struct {
	City       int                `db:"city_id" json:"-"`
	ID         string             `db:"id" json:"id"`
	Account    string             `db:"account" json:"account"`
	Meter      string             `db:"meter" json:"meter"`
	Season     string             `db:"season" json:"season"`
	On         civil.Date         `db:"read_on" json:"on"`
	Kind       ReadingKind        `db:"kind" json:"kind"`
	Value      string             `db:"value" json:"value"` // an exact decimal
	Unit       citypack.PriceUnit `db:"unit" json:"unit"`
	KeptBy     string             `db:"kept_by" json:"-"`
	Kept       civil.Instant      `db:"kept_at" json:"kept_at"`
	Supersedes string             `db:"supersedes" json:"supersedes,omitempty"` // the record that it corrects
	Ended      Ending             `db:"ended" json:"ended,omitempty"`
	EndedBy    string             `db:"ended_by" json:"-"`
	EndedAt    civil.Instant      `db:"ended_at" json:"ended_at"`
	Reason     string             `db:"reason" json:"reason,omitempty"` // of the end
	Version    int64              `db:"version" json:"version"`         // 1, and one more with each correction

	row int // of the table that it stands in; 0 for one that was kept before
}

func (r Reading) key() string {
	return strings.Join([]string{r.Account, r.Meter, r.Season, r.On.String(), string(r.Kind)}, "\n")
}

// Metering is what one meter counted in a season.
type Metering struct {
	Meter  string             `json:"meter"`
	Unit   citypack.PriceUnit `json:"unit"`
	Opened string             `json:"opening"`
	Last   string             `json:"last"`
	LastOn civil.Date         `json:"last_on"`
	Used   string             `json:"used"`
	Closed bool               `json:"closed"` // the last is its closing
}

// perGJ is how many kilowatt-hours a gigajoule is: exactly 2500/9.
var perGJ = big.NewRat(2500, 9)

// in is what was used in the unit of a price, exactly.
func (m Metering) in(unit citypack.PriceUnit) *big.Rat {
	used := rat(m.Used)
	switch {
	case m.Unit == unit:
		return used
	case m.Unit == gigajoule:
		return used.Mul(used, perGJ)
	}
	return used.Quo(used, perGJ)
}

// The units of what a meter counts.
const (
	kilowattHour citypack.PriceUnit = "kwh"
	gigajoule    citypack.PriceUnit = "gj"
)

func isMetered(u citypack.PriceUnit) bool { return u == kilowattHour || u == gigajoule }

// Count says what each meter of a household counted in a season: its last reading less its opening. Readings that break a
// rule were refused before.
func Count(season string, readings []Reading) []Metering {
	var out []Metering
	for _, r := range ordered(readings) {
		if r.Season != season {
			continue
		}
		i := slices.IndexFunc(out, func(m Metering) bool { return m.Meter == r.Meter })
		if i < 0 {
			if r.Kind != Opening {
				continue
			}
			out = append(out, Metering{Meter: r.Meter, Unit: r.Unit, Opened: r.Value})
			i = len(out) - 1
		}
		m := &out[i]
		m.Last, m.LastOn, m.Closed = r.Value, r.On, r.Kind == Closing
		m.Used = decimal(new(big.Rat).Sub(rat(m.Last), rat(m.Opened)))
	}
	return out
}

// decimal writes a difference of decimals, which is one, without a needless nought.
func decimal(r *big.Rat) string {
	const digits = 6 // as many as a reading can have
	s := strings.TrimRight(r.FloatString(digits), "0")
	return strings.TrimSuffix(s, ".")
}

// ordered are readings meter by meter, each in the order of time; on one day the closing of a season stands before the
// opening of the next.
func ordered(list []Reading) []Reading {
	out := slices.Clone(list)
	rank := func(r Reading) int { return slices.Index(ReadingKinds(), r.Kind) }
	slices.SortFunc(out, func(a, b Reading) int {
		return cmp.Or(cmp.Compare(a.Meter, b.Meter), cmp.Compare(a.Season, b.Season), cmp.Compare(a.On.String(), b.On.String()), cmp.Compare(rank(a), rank(b)))
	})
	return out
}

// wrong is what a reading breaks.
type wrong struct {
	of    Reading
	field string
	what  text.Message
}

// faults looks over all readings of one household: a meter never falls, each begins a season with its own opening and ends
// it with its closing, in one unit. What was kept before is right; the fault is the new reading's beside it.
func faults(list []Reading) []wrong {
	list = ordered(list)
	var out []wrong
	say := func(of, other Reading, field, key string, pairs ...any) {
		if of.row == 0 {
			of = other
		}
		out = append(out, wrong{of, field, text.Msg(key, pairs...)})
	}
	for i, r := range list {
		first := i == 0 || list[i-1].Meter != r.Meter || list[i-1].Season != r.Season
		if first && r.Kind != Opening {
			say(r, r, "kind", "meter.no_opening", "meter", r.Meter, "season", r.Season)
		}
		if i == 0 || list[i-1].Meter != r.Meter {
			continue
		}
		p := list[i-1]
		switch {
		case !first && r.Kind == Opening:
			say(r, p, "kind", "meter.opened_twice", "meter", r.Meter, "on", p.On.String())
		case !first && r.On == p.On:
			say(r, p, "on", "meter.same_day", "meter", r.Meter, "on", p.On.String())
		case !first && p.Kind == Closing:
			say(r, p, "on", "meter.after_closing", "meter", r.Meter, "on", p.On.String())
		case r.Unit != p.Unit:
			say(r, p, "unit", "meter.other_unit", "meter", r.Meter)
		case rat(r.Value).Cmp(rat(p.Value)) < 0:
			say(r, p, "value", "meter.falls", "meter", r.Meter, "value", r.Value, "before", p.Value, "on", p.On.String())
		}
	}
	return out
}

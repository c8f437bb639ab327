package fee

import (
	"math/big"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/text"
)

// The codes of prices that mean the same in every pack.
const (
	resident  = "resident"
	lowIncome = "low_income"
	basicPart = "metered_basic"
	energy    = "metered_energy"
)

// classWords are what lists call the price classes that every pack knows.
var classWords = map[string]string{
	"居民": resident, "居民用户": resident, "住宅": resident, "低收入": lowIncome, "低保": lowIncome, "低保户": lowIncome, "低收入家庭": lowIncome,
	"非居民": "other", "非居民用户": "other", "公建": "other", "商业": "other", "计量": basicPart, "居民计量": basicPart, "热计量": basicPart, "metered": basicPart,
}

// rat reads a decimal that was checked before.
func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// fen rounds yuan to whole fen, half up: the only rounding of a bill.
func fen(yuan *big.Rat) money.Fen {
	n := new(big.Rat).Mul(yuan, big.NewRat(200, 1)) // twice the fen
	q := new(big.Int).Add(n.Num(), n.Denom())
	return money.Fen(q.Div(q, new(big.Int).Mul(big.NewInt(2), n.Denom())).Int64())
}

// classOf finds the price that a list's word for a class means. A word that no price answers to gives none, and neither
// does the beginning of a name that two prices share.
func classOf(fees citypack.Fees, word string, s citypack.Season) (citypack.Price, bool) {
	word = strings.TrimSpace(word)
	if word == "" {
		word = resident
	}
	known := classWords[word]
	var alike []citypack.Price
	for _, p := range fees.Prices {
		if !p.Covers(s.Start.Date()) {
			continue
		}
		if p.Code == word || p.Name.ZH == word || strings.EqualFold(p.Name.EN, word) || p.Code == known {
			return p, true
		}
		if zh, _, _ := strings.Cut(p.Name.ZH, "（"); zh == word {
			alike = append(alike, p)
		}
	}
	if len(alike) == 1 {
		return alike[0], true
	}
	return citypack.Price{}, false
}

func coded(fees citypack.Fees, code string, s citypack.Season) (citypack.Price, bool) {
	for _, p := range fees.Prices {
		if p.Code == code && p.Covers(s.Start.Date()) {
			return p, true
		}
	}
	return citypack.Price{}, false
}

// periods is how many of a price's units a season has: 1 for the season, whole months, whole days.
func periods(per citypack.PriceUnit, s citypack.Season) (int64, bool) {
	switch per {
	case "m2_season":
		return 1, true
	case "m2_month":
		from, to := s.Start.Date(), s.End.Date()
		for n := 1; n <= 12; n++ {
			if from.AddMonths(n) == to && s.Start.Clock() == s.End.Clock() {
				return int64(n), true
			}
		}
	case "m2_day":
		if d := s.End.Sub(s.Start); d > 0 && d%(24*time.Hour) == 0 {
			return int64(d / (24 * time.Hour)), true
		}
	}
	return 0, false
}

// Facts are what a bill follows from. Empty area and class of the row were filled from the register of households; Heat is
// the household's state there.
type Facts struct {
	Row      Row
	Heat     string
	Term     Term
	Readings []Reading
}

// Reckon says what a household's season comes to under a city's pack: the list's own amount where it has one, else area
// times price and what the meter counted.
func Reckon(p *citypack.Pack, s citypack.Season, in Facts) Bill {
	r := in.Row
	b := Bill{
		Account: r.Account, Season: s.Label, AreaM2: r.AreaM2, PriceClass: r.PriceClass, Amount: r.Amount, Paid: r.Paid, PaidAt: r.PaidAt,
		Suspended: in.Heat == "suspended", Term: in.Term, Rev: r.Sum, Meters: Count(s.Label, in.Readings),
	}
	price, ok := classOf(p.Doc.Fees, r.PriceClass, s)
	if ok {
		b.PriceClass, b.Price, b.Per = price.Code, string(price.Amount), price.Per
		b.Metered = price.Code == basicPart || isMetered(price.Per)
	}
	switch {
	case r.Amount != nil:
		b.Origin = Imported
		if ok && b.Metered {
			b.Basic, _ = b.basic(p, price, s)
		}
		b.Lines = nil
		b.line(Line{Code: "imported", Text: text.Msg("fee.imported", "amount", r.Amount.Yuan()), Amount: *r.Amount})
	case !ok:
		b.Missing = append(b.Missing, "fee.price")
	default:
		b.reckon(p, price, s)
	}
	for _, l := range b.Lines {
		b.Explain = append(b.Explain, l.Text)
		b.Provisional = b.Provisional || l.Provisional && (b.Amount != nil || b.Basic != nil)
	}
	return b
}

// reckon adds up the lines of a bill that no list gave. With one part unknown the whole is.
func (b *Bill) reckon(p *citypack.Pack, price citypack.Price, s citypack.Season) {
	sum, missing := b.basic(p, price, s)
	if sum == nil {
		b.Missing = append(b.Missing, missing)
		return
	}
	if !b.Metered {
		b.Amount, b.Origin = sum, Computed
		return
	}
	b.Basic = sum
	energyPrice := price
	if !isMetered(price.Per) {
		var ok bool
		if energyPrice, ok = coded(p.Doc.Fees, energy, s); !ok {
			b.Missing = append(b.Missing, "fee.metered_price")
			return
		}
	}
	used, missing := b.used(p, energyPrice)
	if missing != "" {
		b.Missing = append(b.Missing, missing)
		return
	}
	total := *b.Basic + used
	b.Amount, b.Origin = &total, Computed
}

// basic is what does not hang on a meter: nothing where the price is for heat alone.
func (b *Bill) basic(p *citypack.Pack, price citypack.Price, s citypack.Season) (*money.Fen, string) {
	if isMetered(price.Per) {
		return new(money.Fen), ""
	}
	return b.times(p, price, s)
}

// used is the metered part: what every meter counted, at the price of a unit, rounded once. It is known only when each
// meter of the season has its closing.
func (b *Bill) used(p *citypack.Pack, price citypack.Price) (money.Fen, string) {
	if len(b.Meters) == 0 {
		return 0, "fee.meter_reading"
	}
	missing, before, yuan := "", money.Fen(0), new(big.Rat)
	for _, m := range b.Meters {
		if !m.Closed {
			missing = "fee.meter_closing"
		}
		yuan.Add(yuan, new(big.Rat).Mul(m.in(price.Per), rat(string(price.Amount))))
		now := fen(yuan)
		b.line(Line{
			Code: "metered", Amount: now - before, Source: price.Source.String(), Provisional: p.Provisional(price.Origin),
			Text: text.Msg("fee.metered", "meter", m.Meter, "from", m.Opened, "to", m.Last, "on", m.LastOn.String(), "used", m.Used, "unit", text.Msg("fee.unit."+string(m.Unit)),
				"price", string(price.Amount), "per", text.Msg("fee.per."+string(price.Per))),
		})
		before = now
	}
	return before, missing
}

// times is area × price × periods with the surcharge for high rooms and the share of a stopped home. The lines are the
// differences of rounded sums, so that they add up to the whole, which is rounded once.
func (b *Bill) times(p *citypack.Pack, price citypack.Price, s citypack.Season) (sum *money.Fen, missing string) {
	if b.AreaM2 == "" {
		return nil, "fee.billed_area_m2"
	}
	n, ok := periods(price.Per, s)
	if !ok {
		return nil, "season.whole_" + strings.TrimPrefix(string(price.Per), "m2_") + "s"
	}
	yuan := new(big.Rat).Mul(rat(b.AreaM2), rat(string(price.Amount)))
	yuan.Mul(yuan, big.NewRat(n, 1))
	var f money.Fen
	add := func(code string, o citypack.Origin, said text.Message) {
		now := fen(yuan)
		b.line(Line{Code: code, Text: said, Amount: now - f, Source: o.Source.String(), Provisional: p.Provisional(o)})
		f = now
	}
	add("area", price.Origin, text.Msg("fee.times", "area", b.AreaM2, "price", string(price.Amount), "per", text.Msg("fee.per."+string(price.Per)), "n", n, "class", price.Name))
	if h, percent := surcharge(p.Doc.Fees.Height, b.Term.HeightM); percent.Sign() > 0 {
		yuan.Mul(yuan, new(big.Rat).Add(big.NewRat(1, 1), new(big.Rat).Quo(percent, big.NewRat(100, 1))))
		add("height", h.Origin, text.Msg("fee.height", "height", b.Term.HeightM, "percent", percent.FloatString(2)))
	}
	if b.Suspended {
		share, ok := p.Doc.Fees.Suspended.On(s.Start.Date())
		if !ok {
			return nil, "fee.suspended_use_percent"
		}
		yuan.Mul(yuan, big.NewRat(int64(share.Value), 100))
		add("suspended", share.Origin, text.Msg("fee.suspended", "percent", share.Value))
	}
	return &f, ""
}

// surcharge is the percentage for high rooms. Only full steps count, since no pack read so far says that a part does.
func surcharge(rules []citypack.Height, height string) (citypack.Height, *big.Rat) {
	if height == "" {
		return citypack.Height{}, new(big.Rat)
	}
	for _, h := range rules {
		step := rat(string(h.StepM))
		over := new(big.Rat).Sub(rat(height), rat(string(h.AboveM)))
		if over.Sign() <= 0 || step.Sign() <= 0 {
			continue
		}
		steps := new(big.Rat).Quo(over, step)
		whole := new(big.Int).Div(steps.Num(), steps.Denom())
		add := new(big.Rat).Mul(new(big.Rat).SetInt(whole), rat(string(h.StepPercent)))
		if most := rat(string(h.MaxPercent)); h.MaxPercent != "" && add.Cmp(most) > 0 {
			add = most
		}
		return h, add
	}
	return citypack.Height{}, new(big.Rat)
}

func (b *Bill) line(l Line) { b.Lines = append(b.Lines, l) }

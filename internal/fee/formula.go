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

// classOf finds the price that a list's word for a class means; a word that no price answers to gives none.
func classOf(fees citypack.Fees, word string, s citypack.Season) (citypack.Price, bool) {
	word = strings.TrimSpace(word)
	if word == "" {
		word = resident
	}
	known := classWords[word]
	for _, p := range fees.Prices {
		if !p.Covers(s.Start.Date()) {
			continue
		}
		zh, _, _ := strings.Cut(p.Name.ZH, "（")
		if p.Code == word || p.Name.ZH == word || zh == word || strings.EqualFold(p.Name.EN, word) || p.Code == known {
			return p, true
		}
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

// Reckon says what a row comes to under a city's pack: the list's own amount where it has one, else area times price. The
// row's empty area and class were filled from the register of households by the caller; heat is the household's state
// there.
func Reckon(p *citypack.Pack, s citypack.Season, r Row, heat string, t Term) Bill {
	b := Bill{
		Account: r.Account, Season: s.Label, AreaM2: r.AreaM2, PriceClass: r.PriceClass, Amount: r.Amount, Paid: r.Paid, PaidAt: r.PaidAt,
		Suspended: heat == "suspended", Term: t, Rev: r.Sum,
	}
	price, ok := classOf(p.Doc.Fees, r.PriceClass, s)
	if ok {
		b.PriceClass, b.Price, b.Per, b.Metered = price.Code, string(price.Amount), price.Per, price.Code == basicPart
	}
	switch {
	case r.Amount != nil:
		b.Origin = Imported
		b.say("fee.imported", "amount", r.Amount.Yuan())
		if ok && b.Metered {
			b.Basic, _ = b.times(p, price, s)
		}
		return b
	case !ok:
		b.Missing = append(b.Missing, "fee.price")
	case r.AreaM2 == "":
		b.Missing = append(b.Missing, "fee.billed_area_m2")
	default:
		b.reckon(p, price, s)
	}
	return b
}

func (b *Bill) reckon(p *citypack.Pack, price citypack.Price, s citypack.Season) {
	sum, missing := b.times(p, price, s)
	if sum == nil {
		b.Missing = append(b.Missing, missing)
		return
	}
	b.Provisional = p.Provisional(price.Origin)
	if b.Metered {
		b.Basic = sum
		if e, ok := coded(p.Doc.Fees, energy, s); ok {
			b.Provisional = b.Provisional || p.Provisional(e.Origin)
		}
		b.Missing = append(b.Missing, "fee.meter_reading")
		return
	}
	b.Amount, b.Origin = sum, Computed
}

// times is area × price × periods with the surcharge for high rooms and the share of a stopped home, rounded once.
func (b *Bill) times(p *citypack.Pack, price citypack.Price, s citypack.Season) (sum *money.Fen, missing string) {
	if b.AreaM2 == "" {
		return nil, "fee.billed_area_m2"
	}
	n, ok := periods(price.Per, s)
	if !ok {
		return nil, map[bool]string{true: "season.whole_" + strings.TrimPrefix(string(price.Per), "m2_") + "s", false: "fee.meter_reading"}[strings.HasPrefix(string(price.Per), "m2_")]
	}
	yuan := new(big.Rat).Mul(rat(b.AreaM2), rat(string(price.Amount)))
	yuan.Mul(yuan, big.NewRat(n, 1))
	b.say("fee.times", "area", b.AreaM2, "price", string(price.Amount), "per", text.Msg("fee.per."+string(price.Per)), "n", n, "class", price.Name)
	if add := surcharge(p.Doc.Fees.Height, b.Term.HeightM); add.Sign() > 0 {
		yuan.Mul(yuan, new(big.Rat).Add(big.NewRat(1, 1), new(big.Rat).Quo(add, big.NewRat(100, 1))))
		b.say("fee.height", "height", b.Term.HeightM, "percent", add.FloatString(2))
	}
	if b.Suspended {
		share, ok := p.Doc.Fees.Suspended.On(s.Start.Date())
		if !ok {
			return nil, "fee.suspended_use_percent"
		}
		yuan.Mul(yuan, big.NewRat(int64(share.Value), 100))
		b.say("fee.suspended", "percent", share.Value)
	}
	f := fen(yuan)
	return &f, ""
}

// surcharge is the percentage for high rooms. Only full steps count, since no pack read so far says that a part does.
func surcharge(rules []citypack.Height, height string) *big.Rat {
	if height == "" {
		return new(big.Rat)
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
		return add
	}
	return new(big.Rat)
}

func (b *Bill) say(key string, pairs ...any) { b.Explain = append(b.Explain, text.Msg(key, pairs...)) }

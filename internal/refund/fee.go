package refund

import (
	"time"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
)

// fen turns area times price into fen: both are in ten-thousandths.
var fenOf = over(100, quantityOne*quantityOne)

// product is area times price in fen, exactly.
func (f *Fee) product() (ratio, bool) {
	if f.AreaM2 == 0 || f.Price == 0 {
		return ratio{}, false
	}
	return over(int64(f.AreaM2), 1).mul(whole(int64(f.Price))).mul(fenOf), true
}

// season is the fee of the whole season in fen; nothing where it cannot be known.
func (f *Fee) season() (ratio, bool) {
	switch {
	case f.Total != nil:
		return whole(int64(*f.Total)), true
	case f.Per == "" || f.Per == PerSeason:
		return f.product()
	}
	return ratio{}, false
}

// price is the fee of one day for a claim: worked out once for each base of money and then looked up.
type price struct {
	days    ratio // the divisor
	season  ratio
	basic   ratio
	product ratio // area times price, for prices per day or per month
	per     PricePer

	hasDays, hasSeason, hasBasic, hasProduct bool
	borrowed                                 bool // the divisor is the input's, because the rule has none
}

// price reads the fee as the rule wants it.
func (p *Plan) price(in *Input) price {
	f := &in.Fee
	v := price{per: f.Per}
	v.season, v.hasSeason = f.season()
	v.product, v.hasProduct = f.product()
	if f.Basic != nil {
		v.basic, v.hasBasic = whole(int64(*f.Basic)), true
	}
	n := in.Season.Days
	switch d := p.rule.Divisor; {
	case d == nil:
		v.borrowed = n > 0
	case d.Kind == "price_per_day" && v.per == "":
		v.per = PerDay
	case d.Kind == "price_per_month" && v.per == "":
		v.per = PerMonth
	case d.Days > 0:
		n = d.Days
	case n == 0 && d.Kind == "statutory_days":
		n = p.opts.SeasonDays
	}
	if n > 0 {
		v.days, v.hasDays = whole(int64(n)), true
	}
	return v
}

// kind is the money that a percentage is taken of.
func (p *Plan) kind(f *Fee, stop *stopRule) citypack.BaseKind {
	if stop != nil {
		if f.Metered && stop.of.Metered != "" {
			return stop.of.Metered
		}
		return citypack.BaseWholeFee
	}
	b := p.rule.Base
	switch {
	case f.Metered && b.Metered != "":
		return b.Metered
	case b.Basic != nil && *b.Basic:
		return citypack.BaseWithoutBasic
	case b.Kind == "":
		return citypack.BaseWholeFee
	}
	return b.Kind
}

// scale is what a kind of money is of the whole fee, as far as that is known, so that claims of one day can be compared.
func (f *Fee) scale(kind citypack.BaseKind) ratio {
	if kind == citypack.BaseWholeFee || kind == citypack.BaseRoomsArea || kind == "" || f.Basic == nil {
		return whole(1)
	}
	total, ok := f.season()
	if !ok || total.sign() == 0 {
		return whole(1)
	}
	basic := whole(int64(*f.Basic)).div(total)
	if kind == citypack.BaseBasicOnly {
		return basic
	}
	return whole(1).sub(basic)
}

// day is the fee of one day in fen, before any share of rooms; nothing where something is lacking.
func (v *price) day(kind citypack.BaseKind, date civil.Date) (fee ratio, ok bool) {
	part := partly(kind)
	if !part && v.per == PerDay && v.hasProduct {
		return v.product, true
	}
	if !part && v.per == PerMonth && v.hasProduct {
		if date.IsZero() {
			return ratio{}, false
		}
		n := civil.NewDate(date.Year, date.Month+1, 0).Day
		return v.product.mul(ratio{num: 1, den: int64(n)}), true
	}
	sum := v.season
	switch {
	case part && !v.hasBasic, !v.hasSeason && kind != citypack.BaseBasicOnly, !v.hasDays:
		return ratio{}, false
	case kind == citypack.BaseBasicOnly:
		sum = v.basic
	case part:
		sum = v.season.sub(v.basic)
	}
	return sum.div(v.days), true
}

// lacks names everything that a day's fee would need and that is not there.
func (v *price) lacks(s *Scratch, f *Fee, kind citypack.BaseKind, date civil.Date) {
	part := partly(kind)
	if !part && (v.per == PerDay || v.per == PerMonth) && !v.hasSeason {
		f.lacksProduct(s)
		if v.per == PerMonth && date.IsZero() {
			s.lack("daily.date")
		}
		return
	}
	if !part && v.per == PerMonth && v.hasProduct {
		s.lack("daily.date")
		return
	}
	if part && !v.hasBasic {
		s.lack("fee.basic_yuan")
	}
	if !v.hasSeason && kind != citypack.BaseBasicOnly {
		f.lacks(s)
	}
	if !v.hasDays {
		s.lack("season.days")
	}
}

// partly reports whether a kind of money is a part of a two-part fee.
func partly(kind citypack.BaseKind) bool {
	return kind != citypack.BaseWholeFee && kind != citypack.BaseRoomsArea
}

// lacks names what a season's fee would need.
func (f *Fee) lacks(s *Scratch) {
	if f.Per != "" && f.Per != PerSeason {
		s.lack("fee.total_yuan")
		return
	}
	f.lacksProduct(s)
}

func (f *Fee) lacksProduct(s *Scratch) {
	if f.AreaM2 == 0 {
		s.lack("fee.area_m2")
	}
	if f.Price == 0 {
		s.lack("fee.price_yuan_per_m2")
	}
}

// payBy is the last day to pay, and the last day to apply where the rule pays on application only.
func (p *Plan) payBy(in *Input) (pay, apply civil.Date) {
	d := p.rule.Deadline
	if d == nil {
		return pay, apply
	}
	end := in.lastSeasonDay()
	switch d.Kind {
	case "within":
		if !in.Claimed.IsZero() {
			pay = in.Claimed.AddMonths(d.Months).AddDays(d.Days)
		}
	case "on_application":
		if !end.IsZero() {
			apply = end.AddMonths(d.Months).AddDays(d.Days)
		}
	case "calendar":
		if !end.IsZero() {
			pay = yearly(d.MonthDay, end)
		}
	case "after_season_end":
		if !end.IsZero() {
			pay = end.AddMonths(d.Months).AddDays(d.Days)
		}
	}
	return pay, apply
}

// yearly is the first such day of the year after the season's end.
func yearly(monthDay string, end civil.Date) civil.Date {
	if len(monthDay) != len("06-30") {
		return civil.Date{}
	}
	month := time.Month(10*(monthDay[0]-'0') + monthDay[1] - '0')
	day := int(10*(monthDay[3]-'0') + monthDay[4] - '0')
	due := civil.NewDate(end.Year, month, day)
	if due.Before(end) {
		due = civil.NewDate(end.Year+1, month, day)
	}
	return due
}

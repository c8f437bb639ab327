package register

import (
	"context"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/sheet"
)

var feeColumns = []sheet.Column{
	must("account", "户号", "用热户号", "用户编号", "用户号", "卡号"), may("season", "采暖期", "采暖季", "年度", "供热年度"),
	may("billed_area_m2", "计费面积", "收费面积", "面积"), may("price_class", "价格类别", "价类", "收费类别"),
	may("amount_yuan", "应收", "应收金额", "应缴", "应缴金额", "热费", "金额"), may("paid_yuan", "实收", "实收金额", "已缴", "已缴金额", "缴费金额"),
	may("paid_at", "缴费时间", "缴费日期", "收费日期", "收费时间"),
}

// fees reads the companies' lists of bills and payments. A list without some columns changes only those it has.
type fees struct {
	base
	by     actor.Actor
	only   bool       // the actor may send the bills of its own households
	today  civil.Date // whose season is meant where the list does not say
	before map[string]fee.Row
	homes  map[string]place.Home
}

func (*fees) columns() []sheet.Column { return feeColumns }

// prefetch reads what is kept of the bills of a portion, and the households that they are for.
func (l *fees) prefetch(ctx context.Context, w *work, batch []record) error {
	accounts, keys := make([]string, len(batch)), make([]string, len(batch))
	for i, r := range batch {
		accounts[i] = r.get("account")
		keys[i] = fee.KeyOf(accounts[i], l.season(r))
	}
	_, err := db.Read(ctx, w.s.o.DB, func(tx *db.Tx) (int, error) {
		var err error
		if l.homes, err = w.s.o.Places.HomesIn(ctx, tx, w.in.City, accounts); err != nil {
			return 0, err
		}
		l.before, err = fee.RowsIn(ctx, tx, w.in.City, keys)
		return 0, err
	})
	return err
}

// season is the one that a row names, in either of the ways in which offices write it.
func (l *fees) season(r record) string {
	s := strings.NewReplacer("－", "-", "—", "-", "/", "-", " ", "").Replace(r.get("season"))
	s = strings.TrimSuffix(strings.TrimSuffix(s, "采暖季"), "采暖期")
	if s == "" {
		return citypack.SeasonLabel(l.today)
	}
	return s
}

func (l *fees) read(r record, n *notes) []out {
	account, season := key(n, r, "account"), l.season(r)
	if !fee.IsSeason(season) {
		n.fault(r.no, "season", "fee.bad_season", "value", r.get("season"))
	}
	l.served(r, n, account)
	f := l.before[fee.KeyOf(account, season)]
	f.Account, f.Season = account, season
	if r.x.Has("billed_area_m2") {
		f.AreaM2 = number(n, r, "billed_area_m2", r.get("billed_area_m2"))
		if f.AreaM2 != "" && !fee.IsArea(f.AreaM2) {
			n.fault(r.no, "billed_area_m2", "fee.bad_area", "value", r.get("billed_area_m2"))
		}
	}
	f.PriceClass = r.or("price_class", f.PriceClass)
	f.Amount = sum(n, r, "amount_yuan", f.Amount)
	f.Paid = sum(n, r, "paid_yuan", f.Paid)
	if r.x.Has("paid_at") {
		f.PaidAt = instant(n, r, "paid_at", r.get("paid_at"))
	}
	if f.Amount != nil && f.Paid != nil && *f.Paid > *f.Amount {
		n.warn(r.no, "paid_yuan", "fee.overpaid", "paid", f.Paid.Yuan(), "amount", f.Amount.Yuan())
	}
	within(n, r, feeColumns)
	return []out{{"fee", fee.KeyOf(account, season), f.Values(), &f}}
}

// served checks that the household is known, and that it is the actor's own to bill.
func (l *fees) served(r record, n *notes, account string) {
	if account == "" {
		return
	}
	h, known := l.homes[account]
	switch {
	case l.only && (!known || l.by.May(actor.FeeImport, h.On(l.k.city)) != nil):
		n.fault(r.no, "account", "denied.scope")
	case !known:
		n.warn(r.no, "account", "fee.no_household", "account", account)
	}
}

// sum reads yuan; a list without the column leaves what was known.
func sum(n *notes, r record, column string, before *money.Fen) *money.Fen {
	if !r.x.Has(column) {
		return before
	}
	cell := strings.ReplaceAll(strings.TrimPrefix(r.get(column), "¥"), ",", "")
	f, ok := fee.Sum(cell)
	if !ok {
		n.fault(r.no, column, "fee.bad_sum", "value", r.get(column))
	}
	return f
}

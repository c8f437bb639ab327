package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/text"
)

// ApproveInput is the input of ApproveSettlement. Version is that of the settlement that was seen.
type ApproveInput struct {
	City    int    `json:"-" form:"-"`
	ID      string `json:"-" form:"-"`
	Note    string `json:"note" form:"note"`
	Version int64  `json:"version" form:"version"`
}

// ApproveSettlement is the second pair of eyes: whoever ran a settlement does not approve it. Money follows only under a rule
// that the city stands by; orders to pay are made afterwards, one per household.
func (s *Service) ApproveSettlement(ctx context.Context, by actor.Actor, in ApproveInput) (Settlement, error) {
	if err := by.May(actor.SettleApprove, actor.On{City: in.City}); err != nil {
		return Settlement{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Settlement, error) {
		was, err := findSettlement(ctx, tx, in.City, in.ID)
		if err != nil {
			return was, err
		}
		next, err := SettlementLifecycle.Next(was.State, Approve)
		if err != nil {
			return was, err
		}
		if err := s.approvable(ctx, tx, by, was); err != nil {
			return was, err
		}
		if was.Version != in.Version {
			return was, fault.New(fault.Conflict, "settle.moved")
		}
		now := was
		now.State, now.ApprovedBy, now.Approved, now.Note, now.After = next.To, by.ID, tx.Now, in.Note, ""
		if now, err = saveSettlement(ctx, tx, was, now); err != nil {
			return was, err
		}
		if err := jobs.Add(ctx, tx, in.City, orderArgs{City: in.City, ID: in.ID}, jobs.When{Unique: "settle.order:" + in.ID}); err != nil {
			return was, err
		}
		return now, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "settlement:" + in.ID, Act: "settle.approve", Public: true, Body: map[string]any{
			"no": now.No, "season": now.Season, "period": now.Period, "note": in.Note,
		}})
	})
}

// approvable refuses one's own settlement, one that was overtaken, and one under a rule that the city has not approved.
func (s *Service) approvable(ctx context.Context, tx *db.Tx, by actor.Actor, x Settlement) error {
	if by.ID == x.RunBy {
		return fault.New(fault.Denied, "settle.four_eyes")
	}
	t, err := s.termsIn(ctx, tx, x.City, x.Season)
	if err != nil {
		return err
	}
	if x.Provisional || t.plan == nil || t.plan.Provisional() {
		return fault.New(fault.Conflict, "settle.rule_not_approved", "rule", x.Rule)
	}
	// The head is touched so that a run that begins now sees this approval, or this one sees the run.
	n, err := db.Exec(ctx, tx, `UPDATE settle_head SET beat = beat + 1 WHERE city_id = $1 AND season = $2 AND current = $3 AND run = ''`, x.City, x.Season, x.ID)
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "settle.runs", "season", x.Season)
	}
	return err
}

// orderArgs are a job that makes the orders to pay of an approved settlement.
type orderArgs struct {
	City int    `json:"city"`
	ID   string `json:"id"`
}

// Kind implements jobs.Args.
func (orderArgs) Kind() string { return "settle.order" }

func (s *Service) order(ctx context.Context, _ jobs.Job, a orderArgs) error {
	return s.OrderPayouts(ctx, a.City, a.ID)
}

// perOrder is how many households a transaction of ordering covers; each may get a message.
const perOrder = 50

// OrderPayouts makes the orders to pay of an approved settlement, one per household; cut short, it goes on where it was.
func (s *Service) OrderPayouts(ctx context.Context, city int, id string) error {
	for {
		done, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (bool, error) {
			was, err := findSettlement(ctx, tx, city, id)
			if err != nil || was.State != Approved {
				return true, err
			}
			lines, err := linesAfter(ctx, tx, city, id, was.After, perOrder)
			if err != nil {
				return false, err
			}
			now := was
			if len(lines) == 0 {
				now.State = Ordered
			} else {
				now.After = lines[len(lines)-1].Account
				if err := s.orderSome(ctx, tx, was, lines); err != nil {
					return false, err
				}
			}
			_, err = saveSettlement(ctx, tx, was, now)
			return len(lines) == 0, err
		})
		if err != nil || done {
			return err
		}
	}
}

func (s *Service) orderSome(ctx context.Context, tx *db.Tx, x Settlement, lines []Line) error {
	accounts := make([]string, len(lines))
	for i, l := range lines {
		accounts[i] = l.Account
	}
	payees, err := payeesOf(ctx, tx, x.City, accounts)
	if err != nil {
		return err
	}
	claims, err := claimsOf(ctx, tx, x.City, x.Season, accounts)
	if err != nil {
		return err
	}
	offsets, err := s.offsetsOf(ctx, tx, x.City, x.Season, accounts)
	if err != nil {
		return err
	}
	t, err := s.termsIn(ctx, tx, x.City, x.Season)
	if err != nil {
		return err
	}
	if err := s.tick(ctx, tx, x.City); err != nil {
		return err
	}
	list := make([]Payout, len(lines))
	for i, l := range lines {
		c := claims[l.Account]
		if c.Published.IsZero() {
			c.Published = x.Approved
			c.PayBy = t.payBy(c)
			if err := publish(ctx, tx, c); err != nil {
				return err
			}
		}
		p := Payout{
			City: x.City, Settlement: x.ID, Account: l.Account, Season: x.Season, Company: l.Company, Bearer: c.Bearer, Amount: l.Payable, State: Due,
			PayBy: c.PayBy, Invoice: InvoiceOpen, Created: tx.Now, Version: 1,
		}
		p.meet(payees[l.Account], offsets[l.Account].rest(), tx.Now)
		p.PaidLate = p.paidLate()
		list[i] = p
	}
	if err := s.tell(ctx, tx, list); err != nil {
		return err
	}
	if err := db.InsertAll(ctx, tx, "payout", list); err != nil {
		return fmt.Errorf("order payouts: %w", err)
	}
	system := actor.SystemFor("settle", actor.Job)
	for _, p := range list {
		err := audit.Record(ctx, tx, system, x.City, audit.Act{Subject: chainOf(p.Account), Act: "payout.order", Public: true, Body: map[string]any{
			"settlement": x.ID, "season": x.Season, "amount_yuan": p.Amount.Yuan(), "set_off_yuan": p.SetOff.Yuan(), "method": p.Method, "state": p.State,
		}})
		if err != nil {
			return err
		}
	}
	return s.credited(ctx, tx, list)
}

// credited lets the claims of later seasons follow refunds that were met as credit: such a claim may rest on arrears that
// are no more.
func (s *Service) credited(ctx context.Context, tx *db.Tx, list []Payout) error {
	var accounts []string
	for _, p := range list {
		if p.Method == ByCredit {
			accounts = append(accounts, p.Account)
		}
	}
	if len(accounts) == 0 {
		return nil
	}
	return s.RebaseIn(ctx, tx, actor.SystemFor("settle", actor.Job), list[0].City, fee.NextSeason(list[0].Season), accounts)
}

// tell gives each household the word (告知) of what it gets and by when; which message it was stands with the order. Where the
// register has no telephone, the company tells it in another way and notes that.
func (s *Service) tell(ctx context.Context, tx *db.Tx, list []Payout) error {
	if s.o.Notices == nil {
		return nil
	}
	by := actor.SystemFor("settle", actor.Job)
	at := map[string]int{}
	accounts := make([]string, len(list))
	for i, p := range list {
		at[p.Account], accounts[i] = i, p.Account
	}
	type to struct{ account, person, phone string }
	var all []to
	err := s.o.Places.EachPlainIn(ctx, tx, list[0].City, accounts, func(h place.HouseholdRow, c place.Contact) {
		if c.Phone != "" {
			all = append(all, to{h.Account, h.Person, c.Phone})
		}
	})
	if err != nil {
		return err
	}
	for _, t := range all {
		p := &list[at[t.account]]
		n, err := s.o.Notices.EnqueueIn(ctx, tx, by, notice.Message{
			City: p.City, Channel: notice.SMS, Person: t.person, To: firstNumber(t.phone), Template: "settle.sms_refund", Lang: text.ZH,
			Params:  map[string]any{"amount": p.Amount.Yuan(), "season": p.Season, "pay_by": p.PayBy.String()},
			Subject: chainOf(p.Account), Matter: "payout:" + p.Settlement + ":" + p.Account,
		})
		if fault.Is(err, fault.Invalid) {
			continue // a number that cannot be dialled
		}
		if err != nil {
			return fmt.Errorf("tell of a refund: %w", err)
		}
		p.Notice = n.ID // told is who was reached, see told
	}
	return nil
}

func setOffBefore(ctx context.Context, tx *db.Tx, city int, season string, accounts []string) (map[string]money.Fen, error) {
	out := map[string]money.Fen{}
	in, args := marks(accounts, city, season)
	err := db.EachRow(ctx, tx, func(r []any) error { out[str(r[0])] += money.Fen(num(r[1])); return nil },
		`SELECT account, set_off_fen FROM payout WHERE city_id = $1 AND season = $2 AND set_off_fen > 0 AND account IN (`+in+`)`, args...)
	return out, err
}

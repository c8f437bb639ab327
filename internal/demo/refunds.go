package demo

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/sim"
)

// refundDay is the day of the month on which the refunds of the month before are gone through.
const refundDay = 5

// heatingSeason names the season that the demonstration lives in.
const heatingSeason = "2025-2026"

// refunds plans what becomes of the refunds of each month: companies confirm or object, the authority decides, the
// settlement is run by one and approved by another, and the bank pays.
func (s *season) refunds(from civil.Instant) {
	for month := time.December; month <= time.March+12; month++ {
		day := civil.NewDate(2025+int(month-1)/12, time.Month(int(month-1)%12+1), refundDay)
		period := civil.NewDate(day.Year, day.Month, 1).AddDays(-1)
		for n, what := range []func(context.Context, civil.Date) error{s.confirmRefunds, s.decideRefunds, s.settleRefunds, s.namePayees, s.payRefunds} {
			if at := civil.On(day.AddDays(n), 10, 20); !at.Before(from) {
				s.later(at, func(ctx context.Context) error { return what(ctx, period) })
			}
		}
	}
}

// claims lists the refund claims of a state.
func (s *season) claims(ctx context.Context, state settle.State) ([]settle.Claim, error) {
	f := settle.Filter{Season: heatingSeason, State: state, Request: page.Request{Size: page.MaxSize}}
	var out []settle.Claim
	for {
		list, err := s.app.Settle.Claims(ctx, s.crew.by[actor.RoleRegulator][0], sim.Code, f)
		if err != nil {
			return nil, fmt.Errorf("list refund claims: %w", err)
		}
		out = append(out, list.Items...)
		if f.After = list.Next; f.After == "" {
			return out, nil
		}
	}
}

// confirmRefunds: companies confirm what their own records bear out, and object now and then.
func (s *season) confirmRefunds(ctx context.Context, period civil.Date) error {
	open, err := s.claims(ctx, settle.Open)
	if err != nil {
		return err
	}
	rule, ok := s.rules.Pack.RefundRuleOn(firstDay)
	for n, c := range open {
		crew := s.crew.company[c.Company][actor.RoleCompany]
		if c.Amount == 0 || len(crew) == 0 {
			continue
		}
		if ok && len(rule.Exclusions) > 0 && n%9 == 4 {
			_, err = s.app.Settle.ObjectTo(ctx, crew[0], settle.ObjectInput{
				City: sim.Code, Season: c.Season, Account: c.Account, Reason: rule.Exclusions[n%2].Code, From: period.AddDays(-2), To: period,
				Proof: s.w.Say("refund_objection", c.Account), Version: c.Version, Key: "demo/object/" + c.Account + "/" + period.String(),
			})
		} else {
			_, err = s.app.Settle.ConfirmClaim(ctx, crew[0], settle.MoveInput{City: sim.Code, Season: c.Season, Account: c.Account, Version: c.Version})
		}
		if err := s.refuse(ctx, err); err != nil {
			return err
		}
	}
	return nil
}

// decideRefunds: the authority decides what companies objected to.
func (s *season) decideRefunds(ctx context.Context, _ civil.Date) error {
	objected, err := s.claims(ctx, settle.Objected)
	if err != nil {
		return err
	}
	by := s.crew.by[actor.RoleRegulator][0]
	for _, c := range objected {
		v, err := s.app.Settle.Claim(ctx, by, sim.Code, c.Season, c.Account)
		if err != nil {
			return fmt.Errorf("read the claim of %s: %w", c.Account, err)
		}
		for _, o := range v.Objections {
			if !o.Decided.IsZero() {
				continue
			}
			in := settle.DecideInput{City: sim.Code, ID: o.ID, Accept: s.w.Digits("objection "+o.Account, 1) < "3", Version: o.Version}
			in.Decision = s.w.Say("refund_decided", o.Account)
			if in.Accept {
				in.Decision = s.w.Say("refund_objection_accepted", o.Account)
			}
			_, err := s.app.Settle.DecideObjection(ctx, by, in)
			if err := s.refuse(ctx, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleRefunds: one person runs the settlement of the month, another approves it.
func (s *season) settleRefunds(ctx context.Context, period civil.Date) error {
	x, err := s.app.Settle.Settle(ctx, s.crew.by[actor.RoleSectionHead][0], settle.RunInput{City: sim.Code, Season: heatingSeason, Period: period.String()[:7]})
	if err != nil {
		return s.refuse(ctx, err)
	}
	_, err = s.app.Settle.ApproveSettlement(ctx, s.crew.by[actor.RoleRegulator][0], settle.ApproveInput{City: sim.Code, ID: x.ID, Version: x.Version})
	return s.refuse(ctx, err)
}

// payouts lists the orders to pay of which nobody has said where to.
func (s *season) payouts(ctx context.Context) ([]settle.Payout, error) {
	list, err := s.app.Settle.Payouts(ctx, s.crew.by[actor.RoleRegulator][0], sim.Code, settle.PayFilter{Season: heatingSeason, State: settle.Unclaimed, Request: page.Request{Size: page.MaxSize}})
	if err != nil {
		return nil, fmt.Errorf("list orders to pay: %w", err)
	}
	return list.Items, nil
}

// namePayees: most households say where the money is to go; some take it off the next bill, and some are not heard from.
func (s *season) namePayees(ctx context.Context, _ civil.Date) error {
	due, err := s.payouts(ctx)
	if err != nil {
		return err
	}
	for n, p := range due {
		crew := s.crew.company[p.Company][actor.RoleCompany]
		if len(crew) == 0 || n%7 == 6 {
			continue
		}
		in := settle.PayeeInput{
			City: sim.Code, Account: p.Account, Kind: settle.Holder, Name: s.w.NameOf("payee "+p.Account, 0), Bank: "暖城农村商业银行",
			BankNo: "621700" + s.w.Digits("bank "+p.Account, 13), Choice: settle.ByBank, Consent: true,
		}
		if n%5 == 3 {
			in.Choice, in.Bank, in.BankNo = settle.ByCredit, "", ""
		}
		if _, err := s.app.Settle.SetPayee(ctx, crew[0], in); err != nil {
			if err := s.refuse(ctx, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// payRefunds: every company sends its file to the bank, and the bank answers; one transfer in a dozen comes back.
func (s *season) payRefunds(ctx context.Context, _ civil.Date) error {
	companies := make([]string, 0, len(s.crew.company))
	for c := range s.crew.company {
		companies = append(companies, c)
	}
	slices.Sort(companies)
	for _, c := range companies {
		if crew := s.crew.company[c][actor.RoleCompany]; len(crew) > 0 {
			if err := s.refuse(ctx, s.pay(ctx, crew[0], c)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *season) pay(ctx context.Context, by actor.Actor, company string) error {
	b, err := s.app.Settle.MakeBatch(ctx, by, settle.BatchInput{City: sim.Code, Season: heatingSeason, Company: company})
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := s.app.Settle.WriteBatch(ctx, by, sim.Code, b.ID, sheet.CSV, &file); err != nil {
		return err
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.String(), "\ufeff"))).ReadAll()
	if err != nil {
		return fmt.Errorf("read the file for the bank: %w", err)
	}
	var answer strings.Builder
	answer.WriteString("业务编号,处理结果,银行流水号,支付时间,金额,失败原因\n")
	for n, r := range rows[1 : len(rows)-1] {
		if n%12 == 7 {
			fmt.Fprintf(&answer, "%s,失败,,,%s,账号与户名不符\n", r[0], r[4])
			continue
		}
		fmt.Fprintf(&answer, "%s,成功,%s,%s,%s,\n", r[0], s.w.Digits("transfer "+r[0], 16), s.now.Minute(), r[4])
	}
	_, err = s.app.Settle.ReadResult(ctx, by, sim.Code, b.ID, "result.csv", strings.NewReader(answer.String()))
	return err
}

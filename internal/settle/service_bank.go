package settle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
)

// BatchInput is the input of MakeBatch.
type BatchInput struct {
	City    int    `json:"-" form:"-"`
	Season  string `json:"season" form:"season"`
	Company string `json:"company" form:"company"`
	Key     string `json:"-" form:"-"` // idempotency
}

// perFill is how many orders a transaction puts into a bank file.
const perFill = 200

// MakeBatch gathers the orders of a company that can go to the bank into one file. Cut short, the next call goes on with the
// same file; an order goes into one file only. Whoever lost the answer asks again under the same key and gets the file it made,
// although nothing is due any more.
func (s *Service) MakeBatch(ctx context.Context, by actor.Actor, in BatchInput) (Batch, error) {
	if in.Company == "" {
		var c fault.Check
		c.Add("company", "field.required")
		return Batch{}, c.Err()
	}
	if err := mayCompany(by, actor.SettlePay, in.City, in.Company); err != nil {
		return Batch{}, err
	}
	id, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (string, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (string, error) { return beginBatch(ctx, tx, by, in) })
	})
	if err != nil {
		return Batch{}, err
	}
	return s.fill(ctx, by, Batch{City: in.City, ID: id, Season: in.Season, Company: in.Company})
}

// beginBatch gives the file that is being filled, or begins one where something is due.
func beginBatch(ctx context.Context, tx *db.Tx, by actor.Actor, in BatchInput) (string, error) {
	if b, ok, err := fillingBatch(ctx, tx, in.City, in.Season, in.Company); err != nil || ok {
		return b.ID, err
	}
	due, err := dueFor(ctx, tx, in.City, in.Season, in.Company, 1)
	if err == nil && len(due) == 0 {
		err = fault.New(fault.Conflict, "settle.nothing_due", "company", in.Company)
	}
	if err != nil {
		return "", err
	}
	no, err := db.Next(ctx, tx, in.City, "pay_batch")
	if err != nil {
		return "", err
	}
	b := Batch{City: in.City, ID: tx.NewID(), No: no, Company: in.Company, Season: in.Season, State: BatchFilling, MadeBy: by.ID, Made: tx.Now, Version: 1}
	return b.ID, db.Insert(ctx, tx, "pay_batch", &b)
}

func (s *Service) fill(ctx context.Context, by actor.Actor, b Batch) (Batch, error) {
	for {
		next, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (Batch, error) {
			was, err := findBatch(ctx, tx, b.City, b.ID)
			if err != nil || was.State != BatchFilling {
				return was, err
			}
			due, err := dueFor(ctx, tx, b.City, b.Season, b.Company, perFill)
			if err != nil {
				return was, err
			}
			now := was
			for _, p := range due {
				in := p
				in.State, in.Batch, in.Reason = InFile, b.ID, ""
				if _, err := savePayout(ctx, tx, p, in); err != nil {
					return was, err
				}
			}
			if len(due) == 0 {
				now.State = BatchReady
				sum, err := sumBatch(ctx, tx, b.City, b.ID)
				if err != nil {
					return was, err
				}
				now.Rows, now.Total = sum.Rows, sum.Total
				err = audit.Record(ctx, tx, by, b.City, audit.Act{Subject: "pay_batch:" + b.ID, Act: "payout.batch", Body: map[string]any{
					"no": b.No, "company": b.Company, "rows": now.Rows, "total_yuan": now.Total.Yuan(),
				}})
				if err != nil {
					return was, err
				}
			}
			return saveBatch(ctx, tx, was, now)
		})
		if err != nil || next.State != BatchFilling {
			return next, err
		}
	}
}

// Batches lists the bank files of a season, newest first; company may be empty for those who see all.
func (s *Service) Batches(ctx context.Context, by actor.Actor, city int, season, company string) ([]Batch, error) {
	if err := mayCompany(by, actor.RefundRead, city, company); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Batch, error) { return batchesOf(ctx, tx, city, season, company) })
}

var bankHeader = []string{"ref", "name", "bank", "bank_account", "amount_yuan", "remark"}

// WriteBatch writes the file for the bank: a row per order and a last row with the control sums. It holds names and account
// numbers in the clear, so each time is an act; the same file comes out however often it is written.
func (s *Service) WriteBatch(ctx context.Context, by actor.Actor, city int, id string, f sheet.Format, w io.Writer) error {
	b, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (Batch, error) {
		b, err := findBatch(ctx, tx, city, id)
		if err != nil {
			return b, err
		}
		if err := mayCompany(by, actor.SettlePay, city, b.Company); err != nil {
			return b, actor.Hide(err)
		}
		if b.State == BatchFilling {
			return b, fault.New(fault.Conflict, "settle.batch_fills")
		}
		return b, audit.Record(ctx, tx, by, city, audit.Act{Subject: "pay_batch:" + id, Act: "payout.export", Body: map[string]any{"no": b.No, "rows": b.Rows, "format": f}})
	})
	if err != nil {
		return err
	}
	out, err := sheet.NewWriter(w, f, bankHeader...)
	if err != nil {
		return fmt.Errorf("write a bank file: %w", err)
	}
	sums := newControl()
	var settlement, account string
	for {
		rows, people, err := s.batchPart(ctx, city, id, settlement, account)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for _, p := range rows {
			name, no, err := opened(people[p.Person], p.Name, p.BankNo)
			if err != nil {
				return err
			}
			ref := refOf(p.No, p.Account)
			sums.add(ref, name, p.Bank, no, p.Net())
			if err := out.Row(ref, name, p.Bank, no, p.Net().Yuan(), text.Say(text.ZH, "settle.remark", map[string]any{"season": p.Season})); err != nil {
				return fmt.Errorf("write a bank file: %w", err)
			}
		}
		settlement, account = rows[len(rows)-1].Settlement, rows[len(rows)-1].Account
	}
	if sums.total != b.Total || sums.rows != b.Rows {
		return fmt.Errorf("bank file %d: %d rows over %s do not make the %d rows over %s that it was gathered with", b.No, sums.rows, sums.total, b.Rows, b.Total)
	}
	if err := out.Row("TOTAL", strconv.FormatInt(sums.rows, 10), "SHA-256", sums.hash(), sums.total.Yuan(), ""); err != nil {
		return fmt.Errorf("write a bank file: %w", err)
	}
	return out.Close()
}

func (s *Service) batchPart(ctx context.Context, city int, id, settlement, account string) ([]numbered, map[string]secret.Person, error) {
	const most = 300
	type part struct {
		rows   []numbered
		people map[string]secret.Person
	}
	p, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (part, error) {
		rows, err := inBatch(ctx, tx, city, id, settlement, account, most)
		if err != nil {
			return part{}, err
		}
		ids := make([]string, len(rows))
		for i, r := range rows {
			ids[i] = r.Person
		}
		people, err := secret.OpenSubjects(ctx, tx, s.o.Ring, city, ids)
		return part{rows, people}, err
	})
	return p.rows, p.people, err
}

// Answer is what the bank says of one order.
type Answer struct {
	Row     int
	Ref     string
	Paid    bool
	Back    bool // sent back: not paid, or paid first and returned
	BankRef string
	At      civil.Instant
	Reason  string
	Amount  *money.Fen
}

// ResultReport is what reading the bank's answer found and did.
type ResultReport struct {
	Rows      int           `json:"rows"`
	Paid      int           `json:"paid"`
	Failed    int           `json:"failed"`
	Returned  int           `json:"returned"` // paid first, and sent back by the receiving bank days later (退票)
	Unchanged int           `json:"unchanged"`
	Left      int64         `json:"left"` // orders of the file that the bank has not answered
	Faults    []fault.Field `json:"faults,omitempty"`
}

var resultColumns = []sheet.Column{
	{Name: "ref", Aliases: []string{"业务编号", "参考号", "流水号", "编号"}, Required: true},
	{Name: "result", Aliases: []string{"结果", "处理结果", "状态", "交易状态"}, Required: true},
	{Name: "bank_ref", Aliases: []string{"银行流水号", "交易流水号", "回单号"}},
	{Name: "paid_at", Aliases: []string{"支付时间", "交易时间", "交易日期"}},
	{Name: "reason", Aliases: []string{"失败原因", "原因", "备注"}},
	{Name: "amount_yuan", Aliases: []string{"金额", "交易金额"}},
}

// outcome is what the bank's word for a result means.
type outcome string

const (
	paidOut  outcome = "paid"
	refused  outcome = "failed"
	sentBack outcome = "returned" // also of an order that was paid before
)

var outcomes = map[string]outcome{
	"成功": paidOut, "已支付": paidOut, "success": paidOut, "paid": paidOut, "失败": refused, "failed": refused,
	"退回": sentBack, "退票": sentBack, "returned": sentBack,
}

// readAnswers reads the bank's table; every row that cannot be meant is named.
func readAnswers(name string, in io.Reader, now civil.Instant) ([]Answer, error) {
	r, err := sheet.Open(name, in)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	x, err := sheet.Match(r.Header(), resultColumns...)
	if err != nil {
		return nil, err
	}
	var c fault.Check
	var out []Answer
	seen := map[string]bool{}
	for {
		cells, no, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, c.Err()
		}
		if err != nil {
			return nil, err
		}
		at := "rows." + strconv.Itoa(no)
		a := Answer{Row: no, Ref: strings.TrimSpace(x.Get(cells, "ref")), BankRef: x.Get(cells, "bank_ref"), Reason: x.Get(cells, "reason"), At: now}
		if a.Ref == "TOTAL" {
			continue
		}
		word := strings.ToLower(strings.TrimSpace(x.Get(cells, "result")))
		result, ok := outcomes[word]
		a.Paid, a.Back = result == paidOut, result == sentBack
		c.That(ok, at+".result", "settle.bad_result", "value", word)
		c.That(a.Ref != "" && !seen[a.Ref], at+".ref", "settle.ref_twice", "ref", a.Ref)
		seen[a.Ref] = true
		if v := x.Get(cells, "paid_at"); v != "" {
			if a.At, err = sheet.Time(v); err != nil {
				c.Add(at+".paid_at", "register.bad_time", "value", v)
			}
			c.That(!a.At.Date().After(now.Date()), at+".paid_at", "settle.paid_in_future")
		}
		if v := x.Get(cells, "amount_yuan"); v != "" {
			f, err := money.Parse(v)
			c.That(err == nil, at+".amount_yuan", "fee.bad_sum", "value", v)
			a.Amount = &f
		}
		out = append(out, a)
	}
}

// ReadResult takes over what the bank says of a file: what was paid, with its number and time, and what came back. All rows
// are checked before any is noted; the same answer twice changes nothing. What is paid stays paid, unless the bank says later
// that the money came back (退票): then it is owed again.
func (s *Service) ReadResult(ctx context.Context, by actor.Actor, city int, id, name string, in io.Reader) (ResultReport, error) {
	var report ResultReport
	b, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Batch, error) { return findBatch(ctx, tx, city, id) })
	if err != nil {
		return report, err
	}
	if err := mayCompany(by, actor.SettlePay, city, b.Company); err != nil {
		return report, actor.Hide(err)
	}
	answers, err := readAnswers(name, in, s.o.DB.Now())
	if err != nil {
		return report, err
	}
	report.Rows = len(answers)
	orders, err := s.ordersOf(ctx, city, id)
	if err != nil {
		return report, err
	}
	if err := fits(answers, orders); err != nil {
		return report, err
	}
	for len(answers) > 0 {
		n := min(len(answers), perFill)
		part, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (ResultReport, error) {
			return s.noteAnswers(ctx, tx, by, report, orders, answers[:n], id)
		})
		if err != nil {
			return report, err
		}
		report, answers = part, answers[n:]
	}
	return s.answered(ctx, by, b, report)
}

// ordersOf are the orders of a file by their reference.
func (s *Service) ordersOf(ctx context.Context, city int, id string) (map[string]Payout, error) {
	out := map[string]Payout{}
	var settlement, account string
	for {
		rows, _, err := s.batchPart(ctx, city, id, settlement, account)
		if err != nil || len(rows) == 0 {
			return out, err
		}
		for _, r := range rows {
			out[refOf(r.No, r.Account)] = r.Payout
		}
		settlement, account = rows[len(rows)-1].Settlement, rows[len(rows)-1].Account
	}
}

// fits checks the answers against the orders that they are about.
func fits(answers []Answer, orders map[string]Payout) error {
	var c fault.Check
	for _, a := range answers {
		p, ok := orders[a.Ref]
		at := "rows." + strconv.Itoa(a.Row)
		if !c.That(ok, at+".ref", "settle.no_ref", "ref", a.Ref) {
			continue
		}
		c.That(a.Amount == nil || *a.Amount == p.Net(), at+".amount_yuan", "settle.other_sum", "want", p.Net().Yuan())
	}
	return c.Err()
}

// answered is an order after what the bank said of it in answer to a file, and nothing where that says nothing new: of an
// order that went into another file since, of one that was answered already, or of a return before the day of payment.
func (p Payout) answered(a Answer, batch string) (Payout, PayEvent) {
	switch {
	case p.Batch != batch:
	case p.State == InFile && a.Paid:
		p.BankRef, p.Paid, p.Reason = a.BankRef, a.At, ""
		return p, Settled
	case p.State == InFile:
		p.Reason = a.Reason
		return p, Bounce
	case p.State == Paid && p.Method == ByBank && a.Back && !a.At.Before(p.Paid):
		p.BankRef, p.Paid, p.Reason = "", 0, a.Reason
		return p, Return
	}
	return p, ""
}

func (s *Service) noteAnswers(ctx context.Context, tx *db.Tx, by actor.Actor, report ResultReport, orders map[string]Payout, answers []Answer, batch string) (ResultReport, error) {
	for _, a := range answers {
		seen := orders[a.Ref]
		was, err := findPayout(ctx, tx, seen.City, seen.Settlement, seen.Account)
		if err != nil {
			return report, err
		}
		p, event := was.answered(a, batch)
		switch event {
		case Settled:
			report.Paid++
		case Bounce:
			report.Failed++
		case Return:
			report.Returned++
		default:
			report.Unchanged++
			continue
		}
		step, err := PayLifecycle.Next(was.State, event)
		if err != nil {
			return report, err
		}
		p.State = step.To
		if p, err = savePayout(ctx, tx, was, p); err != nil {
			return report, err
		}
		err = audit.Record(ctx, tx, by, p.City, audit.Act{Subject: chainOf(p.Account), Act: "payout.result", Public: true, Body: map[string]any{
			"settlement": p.Settlement, "state": p.State, "amount_yuan": p.Net().Yuan(), "bank_ref": p.BankRef, "paid_at": p.Paid, "reason": p.Reason,
		}})
		if err != nil {
			return report, err
		}
	}
	return report, nil
}

// answered closes the file once the bank has said something of every order.
func (s *Service) answered(ctx context.Context, by actor.Actor, b Batch, report ResultReport) (ResultReport, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (ResultReport, error) {
		left, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM payout WHERE city_id = $1 AND batch = $2 AND state = 'ordered'`, b.City, b.ID)
		if err != nil {
			return report, err
		}
		report.Left = left
		if err := s.tick(ctx, tx, b.City); err != nil {
			return report, err
		}
		was, err := findBatch(ctx, tx, b.City, b.ID)
		if err != nil || left > 0 || was.State == BatchAnswered {
			return report, err
		}
		now := was
		now.State, now.Answered = BatchAnswered, tx.Now
		if _, err := saveBatch(ctx, tx, was, now); err != nil {
			return report, err
		}
		return report, audit.Record(ctx, tx, by, b.City, audit.Act{Subject: "pay_batch:" + b.ID, Act: "payout.answered", Body: map[string]any{"no": b.No}})
	})
}

package settle

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

// PayFilter narrows the list of orders to pay; the season is needed.
type PayFilter struct {
	Season  string   `json:"season" form:"season"`
	State   PayState `json:"state" form:"state"`
	Company string   `json:"company" form:"company"`
	Batch   string   `json:"batch" form:"batch"`
	Overdue bool     `json:"overdue" form:"overdue"`
	page.Request

	today civil.Date
}

// Payouts lists orders to pay, masked, in the order of the accounts.
func (s *Service) Payouts(ctx context.Context, by actor.Actor, city int, f PayFilter) (page.Of[Payout], error) {
	if err := mayAny(by, city); err != nil {
		return page.Of[Payout]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Payout], error) {
		f.today = tx.Now.Date()
		out, err := listPayouts(ctx, tx, city, by.ScopeOf(actor.RefundRead, city), f)
		if err != nil {
			return out, err
		}
		return out, s.mask(ctx, tx, city, out.Items)
	})
}

// mask opens names and bank accounts only to show their masked form.
func (s *Service) mask(ctx context.Context, tx *db.Tx, city int, list []Payout) error {
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.Person
	}
	people, err := secret.OpenSubjects(ctx, tx, s.o.Ring, city, ids)
	if err != nil {
		return fmt.Errorf("open payees: %w", err)
	}
	for i := range list {
		name, no, err := opened(people[list[i].Person], list[i].Name, list[i].BankNo)
		if err != nil {
			return err
		}
		list[i].Name, list[i].BankNo = secret.MaskName(name), lastFour(no)
	}
	return s.told(ctx, tx, city, list)
}

// told sets when households were told by the message of their order: when it left, not when it was written. A message
// that no gateway took has told nobody; what staff noted themselves stays.
func (s *Service) told(ctx context.Context, tx *db.Tx, city int, list []Payout) error {
	for i := range list {
		p := &list[i]
		if !p.Notified.IsZero() || p.Notice == "" {
			continue
		}
		at, channel, err := notice.SentIn(ctx, tx, city, p.Notice)
		if err != nil {
			return err
		}
		if !at.IsZero() {
			p.Notified, p.ToldBy = at, string(channel)
		}
	}
	return nil
}

func opened(p secret.Person, name, account string) (string, string, error) {
	if name == "" && account == "" {
		return "", "", nil
	}
	n, err := p.Open("payee_name", name)
	if err != nil {
		return "", "", fmt.Errorf("open a payee: %w", err)
	}
	a, err := p.Open("payee_account", account)
	if err != nil {
		return "", "", fmt.Errorf("open a bank account: %w", err)
	}
	return n, a, nil
}

func lastFour(s string) string {
	if len(s) <= 4 {
		return s
	}
	return "****" + s[len(s)-4:]
}

// Payee shows who gets a household's money, masked; version 0 when nobody said so far.
func (s *Service) Payee(ctx context.Context, by actor.Actor, city int, account string) (Payee, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Payee, error) {
		if err := s.mayHome(ctx, tx, by, city, account, actor.RefundRead); err != nil {
			return Payee{}, err
		}
		return s.payeeIn(ctx, tx, city, account)
	})
}

func (s *Service) payeeIn(ctx context.Context, tx *db.Tx, city int, account string) (Payee, error) {
	all, err := payeesOf(ctx, tx, city, []string{account})
	if err != nil {
		return Payee{}, err
	}
	p, ok := all[account]
	if !ok {
		return Payee{Account: account}, nil
	}
	shown := []Payout{{Person: p.Person, Name: p.Name, BankNo: p.BankNo}}
	if err := s.mask(ctx, tx, city, shown); err != nil {
		return Payee{}, err
	}
	p.Name, p.BankNo = shown[0].Name, shown[0].BankNo
	return p, nil
}

// mayHome asks for a permission on a household, which does not exist for those who may not see its refunds.
func (s *Service) mayHome(ctx context.Context, tx *db.Tx, by actor.Actor, city int, account string, p actor.Permission) error {
	homes, err := s.o.Places.HomesIn(ctx, tx, city, []string{account})
	if err != nil {
		return err
	}
	h, ok := homes[account]
	if err := by.May(actor.RefundRead, h.On(city)); err != nil {
		return actor.Hide(err)
	}
	if !ok {
		return fault.New(fault.NotFound, "place.no_account", "account", account)
	}
	return by.May(p, h.On(city))
}

// SetPayee says who gets a household's money, where, and whether as credit on next season's bill. Orders
// that wait follow; what is in a file for the bank already does not.
func (s *Service) SetPayee(ctx context.Context, by actor.Actor, in PayeeInput) (Payee, error) {
	if err := in.check(); err != nil {
		return Payee{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Payee, error) {
		if err := s.mayHome(ctx, tx, by, in.City, in.Account, actor.SettlePay); err != nil {
			return Payee{}, err
		}
		return s.setPayeeIn(ctx, tx, by, in)
	})
}

// SetPayeeIn is SetPayee for a door that has shown that the actor is the household itself: the resident's page.
func (s *Service) SetPayeeIn(ctx context.Context, tx *db.Tx, by actor.Actor, in PayeeInput) (Payee, error) {
	if err := in.check(); err != nil {
		return Payee{}, err
	}
	return s.setPayeeIn(ctx, tx, by, in)
}

func (s *Service) setPayeeIn(ctx context.Context, tx *db.Tx, by actor.Actor, in PayeeInput) (Payee, error) {
	all, err := payeesOf(ctx, tx, in.City, []string{in.Account})
	if err != nil {
		return Payee{}, err
	}
	was, has := all[in.Account]
	if was.Version != in.Version {
		return Payee{}, fault.New(fault.Conflict, "settle.moved")
	}
	person, err := secret.Subject(ctx, tx, s.o.Ring, in.City, secret.Phone, "")
	if err != nil {
		return Payee{}, err
	}
	p := Payee{City: in.City, Account: in.Account, Kind: in.Kind, Person: person.ID, Bank: in.Bank, Choice: in.Choice, Consent: in.Consent, Changed: tx.Now}
	p.Name, p.BankNo = person.Seal("payee_name", in.Name), person.Seal("payee_account", in.BankNo)
	before := &was
	if !has {
		before = nil
	}
	if p, err = savePayee(ctx, tx, before, p); err != nil {
		return Payee{}, err
	}
	if err := s.redirect(ctx, tx, p); err != nil {
		return Payee{}, err
	}
	err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: "payout.payee", Public: true, Body: map[string]any{
		"kind": p.Kind, "choice": p.Choice, "consent": p.Consent,
		"name": audit.Fingerprint(person.ID, in.Name), "bank_account": audit.Fingerprint(person.ID, in.BankNo),
	}})
	if err != nil {
		return Payee{}, err
	}
	return s.payeeIn(ctx, tx, in.City, in.Account)
}

// redirect lets the orders that wait follow a new payee.
func (s *Service) redirect(ctx context.Context, tx *db.Tx, to Payee) error {
	waiting, err := openPayouts(ctx, tx, to.City, to.Account)
	if err != nil {
		return err
	}
	if len(waiting) > 0 {
		if err := s.tick(ctx, tx, to.City); err != nil {
			return err
		}
	}
	for _, was := range waiting {
		all, err := s.offsetsOf(ctx, tx, to.City, was.Season, []string{to.Account})
		if err != nil {
			return err
		}
		o := all[to.Account]
		o.used -= was.SetOff
		p := was
		p.Batch = ""
		p.meet(to, o.rest(), tx.Now)
		if p, err = savePayout(ctx, tx, was, p); err != nil {
			return err
		}
		if err := s.credited(ctx, tx, []Payout{p}); err != nil {
			return err
		}
	}
	return nil
}

// MarkInput is the input of MarkPayout: one or more of what is noted about an order to pay.
type MarkInput struct {
	City       int           `json:"-" form:"-"`
	Settlement string        `json:"-" form:"-"`
	Account    string        `json:"-" form:"-"`
	Invoice    Invoice       `json:"invoice" form:"invoice"`
	InvoiceNo  string        `json:"invoice_no" form:"invoice_no"`
	ToldBy     string        `json:"told_by" form:"told_by"` // the channel of the notice
	ToldAt     civil.Instant `json:"told_at" form:"told_at"`
	Proof      string        `json:"proof" form:"proof"`
	Excused    string        `json:"excused" form:"excused"` // why lateness is not the company's: the user did not come
	Park       bool          `json:"park" form:"park"`       // nobody claims it: carried and shown
	Reason     string        `json:"reason" form:"reason"`
	Version    int64         `json:"version" form:"version"`
}

func (in MarkInput) check() error {
	var c fault.Check
	c.That(known([]Invoice{"", InvoiceNone, InvoiceCredit, InvoiceDiscount}, in.Invoice), "invoice", "field.required")
	c.That(in.Invoice == "" || in.Invoice == InvoiceNone || in.InvoiceNo != "", "invoice_no", "field.required")
	c.That((in.ToldBy == "") == in.ToldAt.IsZero(), "told_at", "field.required")
	c.That(in.ToldBy == "" || in.Proof != "", "proof", "settle.proof_needed")
	for name, v := range map[string]string{"invoice_no": in.InvoiceNo, "told_by": in.ToldBy, "proof": in.Proof, "excused": in.Excused, "reason": in.Reason} {
		c.That(len([]rune(v)) <= 200, name, "field.too_long", "max", 200)
	}
	return c.Err()
}

// MarkPayout notes what became of the invoice, that the household was told and how that is shown, why lateness is not the
// company's, or that nobody claims the money.
func (s *Service) MarkPayout(ctx context.Context, by actor.Actor, in MarkInput) (Payout, error) {
	if err := in.check(); err != nil {
		return Payout{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Payout, error) {
		was, err := findPayout(ctx, tx, in.City, in.Settlement, in.Account)
		if err != nil {
			return was, err
		}
		if err := mayCompany(by, actor.SettlePay, in.City, was.Company); err != nil {
			return Payout{}, actor.Hide(err)
		}
		if was.Version != in.Version {
			return Payout{}, fault.New(fault.Conflict, "settle.moved")
		}
		p := was
		if in.Invoice != "" {
			p.Invoice, p.InvoiceNo = in.Invoice, in.InvoiceNo
		}
		if in.ToldBy != "" {
			p.ToldBy, p.Notified, p.Notice = in.ToldBy, in.ToldAt, in.Proof
		}
		if in.Excused != "" {
			p.Excused = in.Excused
		}
		if in.Park {
			step, err := PayLifecycle.Next(p.State, Park)
			if err != nil {
				return Payout{}, err
			}
			p.State, p.Batch, p.Reason = step.To, "", in.Reason
		}
		if p, err = savePayout(ctx, tx, was, p); err != nil {
			return Payout{}, err
		}
		if err := s.tick(ctx, tx, in.City); err != nil {
			return Payout{}, err
		}
		err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: "payout.mark", Public: true, Body: map[string]any{
			"settlement": in.Settlement, "invoice": p.Invoice, "invoice_no": p.InvoiceNo, "told_by": p.ToldBy, "told_at": p.Notified, "excused": p.Excused, "state": p.State,
		}})
		if err != nil {
			return Payout{}, err
		}
		one := []Payout{p}
		err = s.mask(ctx, tx, in.City, one)
		return one[0], err
	})
}

// RateInput is the input of SetLateRate.
type RateInput struct {
	City     int    `json:"-" form:"-"`
	Company  string `json:"company" form:"company"`
	LateRate string `json:"late_rate" form:"late_rate"`
	Version  int64  `json:"version" form:"version"`
}

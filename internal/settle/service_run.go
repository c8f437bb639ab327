package settle

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
)

// RunInput is the input of Settle.
type RunInput struct {
	City     int                     `json:"-" form:"-"`
	Season   string                  `json:"season" form:"season"`
	Period   string                  `json:"period" form:"period"` // a month, "2026-01": up to its end; empty: the whole season
	Progress func(done, total int64) `json:"-" form:"-"`
}

var errLost = errors.New("another process took the settlement over")

// run is one settlement under way in this process.
type run struct {
	s        *Service
	by       actor.Actor
	in       RunInput
	me       string
	t        terms
	mark     string // of the basis
	approved []string
	at       Settlement
}

// Settle reckons every claim of a season up to the period's end, in batches that nobody waits for, and shows the result as a
// whole. Cut short, the next call goes on where it was; when nothing changed since, it is the settlement that is there.
// While another process settles the season it is a Conflict.
func (s *Service) Settle(ctx context.Context, by actor.Actor, in RunInput) (Settlement, error) {
	if err := by.May(actor.SettleRun, actor.On{City: in.City}); err != nil {
		return Settlement{}, err
	}
	if err := in.check(); err != nil {
		return Settlement{}, err
	}
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails
	r := &run{s: s, by: by, in: in, me: hex.EncodeToString(b)}
	if err := r.hold(ctx); err != nil {
		return Settlement{}, err
	}
	done, err := r.begin(ctx)
	if err == nil && !done {
		err = r.work(ctx)
	}
	switch {
	case err == nil:
		return r.at, r.sweep(ctx)
	case errors.Is(err, errLost):
		return Settlement{}, fault.Wrap(err, fault.Conflict, "settle.taken_over")
	}
	letGo := db.Do(context.WithoutCancel(ctx), s.o.DB, func(tx *db.Tx) error {
		h, _, err := headIn(ctx, tx, in.City, in.Season)
		if err != nil {
			return err
		}
		return release(ctx, tx, in.City, in.Season, r.me, h.Run, h.Current)
	})
	return Settlement{}, errors.Join(err, letGo)
}

func (in RunInput) check() error {
	var c fault.Check
	c.That(in.City > 0, "city", "field.required")
	c.That(fee.IsSeason(in.Season), "season", "fee.bad_season", "value", in.Season)
	_, err := periodEnd(in.Period)
	c.That(err == nil, "period", "settle.bad_period", "value", in.Period)
	return c.Err()
}

// periodEnd is the last day of a month; absent for no month.
func periodEnd(period string) (civil.Date, error) {
	if period == "" {
		return civil.Date{}, nil
	}
	first, err := civil.ParseDate(period + "-01")
	if err != nil {
		return civil.Date{}, err
	}
	return first.AddMonths(1).AddDays(-1), nil
}

// hold makes this process the one that settles the season. An owner whose beat stands still is dead.
func (r *run) hold(ctx context.Context) error {
	d := r.s.o.DB
	seen, err := db.Write(ctx, d, func(tx *db.Tx) (head, error) { return headMade(ctx, tx, r.in.City, r.in.Season) })
	if err != nil {
		return err
	}
	const looks = 12
	for i := 0; i < looks && seen.Owner != ""; i++ {
		t := time.NewTimer(r.s.o.Patience / looks)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
		now, err := db.Read(ctx, d, func(tx *db.Tx) (head, error) {
			h, _, err := headIn(ctx, tx, r.in.City, r.in.Season)
			return h, err
		})
		if err != nil {
			return err
		}
		if now != seen {
			return fault.New(fault.Conflict, "settle.runs", "season", r.in.Season)
		}
	}
	err = db.Do(ctx, d, func(tx *db.Tx) error { return take(ctx, tx, seen, seen.Run, r.me) })
	if fault.Is(err, fault.Conflict) {
		return fault.Wrap(err, fault.Conflict, "settle.runs", "season", r.in.Season)
	}
	return err
}

// begin goes on with a run that was cut short, finds that there is nothing to do, or starts a new settlement.
func (r *run) begin(ctx context.Context) (done bool, err error) {
	// Counting a million claims takes its time, so it is done before anybody could wait for the writer. A claim that changes
	// meanwhile makes the next settlement another one.
	n, err := db.Read(ctx, r.s.o.DB, func(tx *db.Tx) (census, error) { return censusOf(ctx, tx, r.in.City, r.in.Season) })
	if err != nil {
		return false, fmt.Errorf("count the claims: %w", err)
	}
	return db.Write(ctx, r.s.o.DB, func(tx *db.Tx) (bool, error) {
		if err := mine(ctx, tx, r.in.City, r.in.Season, r.me); err != nil {
			return false, err
		}
		h, _, err := headIn(ctx, tx, r.in.City, r.in.Season)
		if err != nil {
			return false, err
		}
		if r.t, err = r.s.termsIn(ctx, tx, r.in.City, r.in.Season); err != nil {
			return false, err
		}
		if r.mark, err = basisMark(ctx, tx, r.in.City, r.t); err != nil {
			return false, err
		}
		next := r.fresh(tx, n)
		all, err := settlementsOf(ctx, tx, r.in.City, r.in.Season)
		if err != nil {
			return false, err
		}
		r.approved = nil
		for _, x := range all {
			if x.State == Approved || x.State == Ordered {
				r.approved = append(r.approved, x.ID)
			}
		}
		return r.choose(ctx, tx, h, all, next)
	})
}

// fresh is a new settlement, not yet kept.
func (r *run) fresh(tx *db.Tx, n census) Settlement {
	upto, _ := periodEnd(r.in.Period) // checked before
	if now := r.t.upto(tx.Now); upto.IsZero() || upto.After(now) {
		upto = now
	}
	return Settlement{
		City: r.in.City, ID: tx.NewID(), Season: r.in.Season, Period: r.in.Period, Upto: upto, Rule: r.t.rule, State: Assessing, Total: n.N,
		Mark:        fmt.Sprint(n.N, ".", n.Version, ".", n.Changed, ".", upto, ".", r.mark),
		Provisional: r.t.plan != nil && r.t.plan.Provisional(), RunBy: r.by.ID, Started: tx.Now, Version: 1,
	}
}

// choose decides between what is there and the new settlement.
func (r *run) choose(ctx context.Context, tx *db.Tx, h head, all []Settlement, next Settlement) (done bool, err error) {
	find := func(id string) (Settlement, bool) {
		i := slices.IndexFunc(all, func(x Settlement) bool { return x.ID == id })
		if i < 0 {
			return Settlement{}, false
		}
		return all[i], true
	}
	if old, ok := find(h.Run); ok && old.State == Assessing {
		if old.Period == next.Period && old.Upto == next.Upto && old.Rule == next.Rule && old.Provisional == next.Provisional {
			r.at = old
			return false, nil
		}
		gone := old
		gone.State = Superseded
		if _, err := saveSettlement(ctx, tx, old, gone); err != nil {
			return false, err
		}
	}
	if current, ok := find(h.Current); ok && current.Mark == next.Mark && current.Period == next.Period {
		r.at = current
		return true, release(ctx, tx, r.in.City, r.in.Season, r.me, "", h.Current)
	}
	if next.No, err = db.Next(ctx, tx, r.in.City, "settlement"); err != nil {
		return false, err
	}
	if err := db.Insert(ctx, tx, "settlement", &next); err != nil {
		return false, fmt.Errorf("begin a settlement: %w", err)
	}
	r.at = next
	_, err = db.Exec(ctx, tx, `UPDATE settle_head SET run = $3 WHERE city_id = $1 AND season = $2`, r.in.City, r.in.Season, next.ID)
	return false, err
}

// portion is a batch on its way from reading to writing.
type portion struct {
	lines []Line
	last  string
	err   error
}

// work reads and assesses while what was assessed before is written, and shows the whole.
func (r *run) work(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	ready := make(chan portion, 2)
	go func() {
		defer close(ready)
		r.read(reading, ready)
	}()
	for p := range ready {
		if p.err != nil {
			return p.err
		}
		if err := r.keep(ctx, p); err != nil {
			return err
		}
		if r.in.Progress != nil {
			r.in.Progress(r.at.Claims, r.at.Total)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.show(ctx)
}

// read assesses claims in the order of their accounts and hands them on.
func (r *run) read(ctx context.Context, ready chan<- portion) {
	after := r.at.After
	w := assessor{run: r}
	for {
		p, err := db.Read(ctx, r.s.o.DB, func(tx *db.Tx) (portion, error) { return w.portion(ctx, tx, after) })
		if err == nil && p.last == "" {
			return
		}
		p.err, after = err, p.last
		select {
		case ready <- p:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// assessor is the memory of a goroutine that assesses.
type assessor struct {
	run     *run
	unpack  unpacker
	scratch refund.Scratch
}

func (w *assessor) portion(ctx context.Context, tx *db.Tx, after string) (portion, error) {
	r := w.run
	list, err := entriesAfter(ctx, tx, r.in.City, r.in.Season, after, r.s.o.Batch)
	if err != nil || len(list) == 0 {
		return portion{}, err
	}
	first, last := list[0].account, list[len(list)-1].account
	prior, err := priorsOf(ctx, tx, r.in.City, r.approved, first, last)
	if err != nil {
		return portion{}, err
	}
	if err := r.refreshBasis(ctx, tx, list); err != nil {
		return portion{}, err
	}
	p := portion{lines: make([]Line, len(list)), last: last}
	for i, e := range list {
		if p.lines[i], err = w.line(e, prior[e.account]); err != nil {
			return portion{}, fmt.Errorf("claim of %s: %w", e.account, err)
		}
	}
	return p, nil
}

// refreshBasis reads the bills anew of claims whose basis is older than the lists.
func (r *run) refreshBasis(ctx context.Context, tx *db.Tx, list []entry) error {
	var stale []string
	for _, e := range list {
		if e.basisMark != r.mark {
			stale = append(stale, e.account)
		}
	}
	if len(stale) == 0 {
		return nil
	}
	bills, err := r.s.o.Fees.BillsIn(ctx, tx, r.in.City, r.in.Season, stale)
	if err != nil {
		return err
	}
	for i, e := range list {
		if e.basisMark == r.mark {
			continue
		}
		b, err := BasisOf(bills[e.account])
		if err != nil {
			return fmt.Errorf("basis of %s: %w", e.account, err)
		}
		list[i].basis = b.Pack()
	}
	return nil
}

// line is what a claim comes to, split into what becomes of it.
func (w *assessor) line(e entry, prior money.Fen) (Line, error) {
	events, err := w.unpack.unpack(e.facts)
	if err != nil {
		return Line{}, err
	}
	basis, err := UnpackBasis(e.basis)
	if err != nil {
		return Line{}, err
	}
	in := w.run.t.input(events, basis, e.claimed, w.run.at.Upto)
	res, _ := w.run.t.assess(&in, &w.scratch)
	l := Line{Account: e.account, Company: e.company, Status: res.Status, Confirmed: e.state == Confirmed, Counted: res.Counted, Amount: res.Refund, Prior: prior}
	l.split(e.state)
	return l, nil
}

// keep writes a portion and how far the settlement has come, in one transaction: it is written once.
func (r *run) keep(ctx context.Context, p portion) error {
	was := r.at
	next, err := db.Write(ctx, r.s.o.DB, func(tx *db.Tx) (Settlement, error) {
		if err := mine(ctx, tx, r.in.City, r.in.Season, r.me); err != nil {
			return was, err
		}
		if err := insertLines(ctx, tx, r.in.City, was.ID, p.lines); err != nil {
			return was, err
		}
		now := was
		now.After, now.Claims = p.last, was.Claims+int64(len(p.lines))
		return saveSettlement(ctx, tx, was, now)
	})
	if err != nil {
		return fmt.Errorf("write lines of a settlement: %w", err)
	}
	r.at = next
	return nil
}

// show makes the settlement seen: its totals, its state and the head in one short transaction.
func (r *run) show(ctx context.Context) error {
	totals, err := db.Read(ctx, r.s.o.DB, func(tx *db.Tx) ([]Total, error) { return sumLines(ctx, tx, r.in.City, r.at.ID) })
	if err != nil {
		return fmt.Errorf("total a settlement: %w", err)
	}
	was := r.at
	now, err := db.Write(ctx, r.s.o.DB, func(tx *db.Tx) (Settlement, error) {
		if err := mine(ctx, tx, r.in.City, r.in.Season, r.me); err != nil {
			return was, err
		}
		h, _, err := headIn(ctx, tx, r.in.City, r.in.Season)
		if err != nil {
			return was, err
		}
		if err := r.replaceIn(ctx, tx, h.Current); err != nil {
			return was, err
		}
		if err := db.InsertAll(ctx, tx, "settle_total", totals); err != nil {
			return was, fmt.Errorf("keep the totals: %w", err)
		}
		now := was
		now.State, now.Assessed, now.Total, now.PayBy = Assessed, tx.Now, was.Claims, r.payBy(tx)
		if now, err = saveSettlement(ctx, tx, was, now); err != nil {
			return was, err
		}
		if err := release(ctx, tx, r.in.City, r.in.Season, r.me, "", was.ID); err != nil {
			return was, err
		}
		var all Total
		for _, t := range totals {
			all.add(t)
		}
		return now, audit.Record(ctx, tx, r.by, r.in.City, audit.Act{Subject: "settlement:" + now.ID, Act: "settle.assess", Public: true, Body: map[string]any{
			"no": now.No, "season": now.Season, "period": now.Period, "upto": now.Upto, "rule": now.Rule, "claims": now.Claims,
			"amount_yuan": all.Amount.Yuan(), "payable_yuan": all.Payable.Yuan(), "open_yuan": all.Open.Yuan(), "refused_yuan": all.Refused.Yuan(),
		}})
	})
	if err != nil {
		return err
	}
	r.at = now
	return nil
}

// payBy is the legal day for the whole season, as far as the rule sets one that does not depend on the claim.
func (r *run) payBy(tx *db.Tx) civil.Date {
	if r.t.plan == nil {
		return civil.Date{}
	}
	in := refund.Input{Season: r.t.season, Claimed: tx.Now.Date(), Events: []refund.Event{}}
	res, err := r.t.plan.Assess(&in, &refund.Scratch{})
	if err != nil {
		return civil.Date{}
	}
	return res.PayBy
}

// replaceIn takes the place of what was seen and never approved.
func (r *run) replaceIn(ctx context.Context, tx *db.Tx, current string) error {
	if current == "" {
		return nil
	}
	old, err := findSettlement(ctx, tx, r.in.City, current)
	if err != nil || old.State != Assessed {
		return err
	}
	gone := old
	gone.State = Superseded
	_, err = saveSettlement(ctx, tx, old, gone)
	return err
}

// sweep forgets the lines of settlements that another took the place of.
func (r *run) sweep(ctx context.Context) error {
	all, err := db.Read(ctx, r.s.o.DB, func(tx *db.Tx) ([]Settlement, error) { return settlementsOf(ctx, tx, r.in.City, r.in.Season) })
	if err != nil {
		return err
	}
	for _, x := range all {
		for x.State == Superseded {
			n, err := db.Write(ctx, r.s.o.DB, func(tx *db.Tx) (int64, error) { return dropLines(ctx, tx, r.in.City, x.ID, r.s.o.Batch) })
			if err != nil {
				return fmt.Errorf("forget a superseded settlement: %w", err)
			}
			if n == 0 {
				break
			}
		}
	}
	return nil
}

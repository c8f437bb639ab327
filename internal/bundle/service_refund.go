package bundle

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
)

// claimBatch is how many claims are in memory at once.
const claimBatch = 500

// ExportHousehold writes everything about the refund of one home in one season: its audit chain, the bill, the rule, the
// claim with every day, the settlements, the orders to pay. Whoever may see the household's refund may take it away; the
// address beyond the community is in it only for those who may reveal one.
func (s *Service) ExportHousehold(ctx context.Context, by actor.Actor, in HouseholdRequest, w io.Writer) error {
	if err := in.check(); err != nil {
		return err
	}
	home, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (place.Home, error) {
		homes, err := s.o.Places.HomesIn(ctx, tx, in.City, []string{in.Account})
		h, ok := homes[in.Account]
		if err != nil {
			return h, err
		}
		if !ok {
			return h, fault.New(fault.NotFound, "place.no_account", "account", in.Account)
		}
		return h, actor.Hide(by.May(actor.RefundRead, h.On(in.City)))
	})
	if err != nil {
		return err
	}
	return s.moneyFile(ctx, by, in.City, in, w, func(ctx context.Context, tx *db.Tx, m *moneyExport) error {
		m.scope = Scope{Kind: kindHousehold, Season: in.Season, Home: pseudonym(m.key, in.City, in.Account)}
		subject := measure.ChainOf(in.Account)
		chained, err := hasChain(ctx, tx, in.City, subject)
		if err != nil {
			return err
		}
		if chained {
			m.in.Subjects = []string{subject}
		}
		return m.household(ctx, tx, by, home)
	})
}

// ExportSeason writes all claims of a city and season as they stand in one moment, claim by claim in little memory.
func (s *Service) ExportSeason(ctx context.Context, by actor.Actor, in SeasonRequest, w io.Writer) error {
	if err := (HouseholdRequest{City: in.City, Season: in.Season, Account: "-", Roots: in.Roots}).check(); err != nil {
		return err
	}
	if err := by.May(actor.RefundRead, actor.On{City: in.City}); err != nil {
		return err
	}
	return s.moneyFile(ctx, by, in.City, in, w, func(ctx context.Context, tx *db.Tx, m *moneyExport) error {
		m.scope = Scope{Kind: kindSeason, Season: in.Season}
		return m.season(ctx, tx, in.Progress)
	})
}

func (r HouseholdRequest) check() error {
	var c fault.Check
	c.That(r.City > 0, "city", "field.required")
	c.That(fee.IsSeason(r.Season), "season", "fee.bad_season", "value", r.Season)
	c.That(r.Account != "", "account", "field.required")
	for _, n := range r.Roots {
		c.That(n > 0, "roots", "bundle.bad_root", "root", n)
	}
	return c.Err()
}

// pseudonym names a home in files: the same in each, and found out by nobody who tries account numbers, since it takes the
// installation's key to make one.
func pseudonym(key ed25519.PrivateKey, city int, account string) string {
	salt := sha256.Sum256(append([]byte("rehu pseudonyms v1\n"), key.Seed()...))
	h := hmac.New(sha256.New, salt[:])
	fmt.Fprintf(h, "%d\n%s", city, account)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// moneyExport is a file about money being written, all of it from one state of the database.
type moneyExport struct {
	export
	key   ed25519.PrivateKey
	scope Scope
	terms settle.Terms
	seen  []settle.Seen
	no    int64
	plan  *refund.Plan
	late  money.Fen // charges of the claims so far
}

// moneyFile notes the export as an act, then writes a file within one reading transaction.
func (s *Service) moneyFile(ctx context.Context, by actor.Actor, city int, request any, w io.Writer, write func(context.Context, *db.Tx, *moneyExport) error) error {
	key, err := s.key(ctx)
	if err != nil {
		return err
	}
	err = db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		return audit.Record(ctx, tx, by, city, audit.Act{Subject: fmt.Sprintf("city:%d", city), Act: "refund.export", Body: request})
	})
	if err != nil {
		return err
	}
	roots := rootsOf(request)
	m := moneyExport{key: key, export: export{service: s, in: Request{City: city, Roots: roots}, w: newWriter(w, refundFormat), leaf: -1}}
	m.values = map[string]citypack.Value{}
	_, err = db.Read(ctx, s.o.DB, func(tx *db.Tx) (struct{}, error) { return struct{}{}, write(ctx, tx, &m) })
	if err != nil {
		return err
	}
	return m.w.close(key)
}

func rootsOf(request any) []int64 {
	switch r := request.(type) {
	case HouseholdRequest:
		return r.Roots
	case SeasonRequest:
		return r.Roots
	}
	return nil
}

// begin writes the header, the chain where there is one, the values it names, and the terms of the season.
func (m *moneyExport) begin(ctx context.Context, tx *db.Tx) error {
	m.known()
	h, err := m.headerIn(ctx, tx, m.key, refundFormat, len(m.in.Subjects) > 0)
	if err != nil {
		return err
	}
	h.Scope = &m.scope
	if err := m.w.write(line{Header: &h}); err != nil {
		return err
	}
	if err := m.chains(ctx, tx, m.places); err != nil {
		return err
	}
	if err := m.rules(); err != nil {
		return err
	}
	if m.terms, err = m.service.o.Settle.TermsIn(ctx, tx, m.in.City, m.scope.Season); err != nil {
		return err
	}
	t := termsLine{
		Season: m.scope.Season, From: m.terms.Season.From, To: m.terms.Season.To, Days: m.terms.Season.Days, StatutoryDays: m.terms.StatutoryDays,
		Rule: m.terms.Rule, Provisional: m.terms.Provisional,
	}
	m.plan, t.LateRates = t.plan(), m.terms.Rates
	if t.Rule != nil && m.service.o.Approval != nil {
		if t.Approval, err = m.service.o.Approval(ctx, tx, m.in.City, t.Rule.Path); err != nil {
			return err
		}
	}
	return m.w.write(line{Terms: &t})
}

func (m *moneyExport) household(ctx context.Context, tx *db.Tx, by actor.Actor, h place.Home) error {
	if err := m.begin(ctx, tx); err != nil {
		return err
	}
	bills, err := m.service.o.Fees.BillsOfIn(ctx, tx, m.in.City, m.scope.Season, []place.Home{h})
	if err != nil {
		return err
	}
	home := homeLine{
		Home: m.scope.Home, Account: h.Account, Company: h.Company, Station: h.Station, District: h.District, Community: h.CommunityName, Bill: billOf(bills[h.Account]),
	}
	if by.May(actor.CaseReveal, h.On(m.in.City)) == nil {
		home.Building, home.Unit, home.Room = h.Building, h.Unit, h.Room
	}
	if err := m.w.write(line{Home: &home}); err != nil {
		return err
	}
	if err := m.settlements(ctx, tx); err != nil {
		return err
	}
	k, ok, err := m.service.o.Settle.KeptOneIn(ctx, tx, m.in.City, m.scope.Season, h.Account, m.settled())
	if err != nil || !ok {
		return err
	}
	c := m.claim(k)
	if err := m.explain(ctx, tx, &c, k); err != nil {
		return err
	}
	return m.w.write(line{Claim: &c})
}

// explain adds to the claim of a household what a million of them would have no room for.
func (m *moneyExport) explain(ctx context.Context, tx *db.Tx, c *claimLine, k settle.Kept) error {
	if m.terms.Rule != nil {
		plan := refund.Compile(*m.terms.Rule, refund.Options{Provisional: m.terms.Provisional, SeasonDays: m.terms.StatutoryDays})
		if a, err := plan.Explain(&k.Input); err == nil { // facts that the engine refuses are in Missing
			if c.Why, err = compact(refund.AnswerOf(a)); err != nil {
				return err
			}
		}
	}
	objections, err := m.service.o.Settle.ObjectionsIn(ctx, tx, m.in.City, m.scope.Season, k.Claim.Account)
	if err != nil {
		return err
	}
	salt := measure.ChainOf(k.Claim.Account)
	for _, o := range objections {
		c.Objects = append(c.Objects, objectionLine{
			ID: o.ID, Company: o.Company, Reason: o.Reason, From: o.From, To: o.To, State: o.State, Filed: o.Filed, Decided: o.Decided,
			Proof: audit.Fingerprint(salt, o.Proof), Decision: audit.Fingerprint(salt, o.Decision),
		})
	}
	areas, err := m.service.o.Settle.AreasIn(ctx, tx, k.Claim)
	for _, a := range areas {
		c.Areas = append(c.Areas, areaLine{ID: a.ID, Kind: a.Kind, From: a.From, To: a.To})
	}
	return err
}

func (m *moneyExport) season(ctx context.Context, tx *db.Tx, progress func(done, total int64)) error {
	if err := m.begin(ctx, tx); err != nil {
		return err
	}
	if err := m.settlements(ctx, tx); err != nil {
		return err
	}
	total, err := m.service.o.Settle.CountIn(ctx, tx, m.in.City, m.scope.Season)
	if err != nil {
		return err
	}
	seen := m.settled()
	for after := ""; ; {
		list, err := m.service.o.Settle.KeptIn(ctx, tx, m.in.City, m.scope.Season, after, seen, claimBatch)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		for _, k := range list {
			c := m.claim(k)
			if err := m.w.write(line{Claim: &c}); err != nil {
				return err
			}
		}
		after = list[len(list)-1].Claim.Account
		if progress != nil {
			progress(m.no, total)
		}
	}
	return m.sums(ctx, tx)
}

// settlements writes the settlements that people see.
func (m *moneyExport) settlements(ctx context.Context, tx *db.Tx) error {
	var err error
	if m.seen, err = m.service.o.Settle.SeenIn(ctx, tx, m.in.City, m.scope.Season); err != nil {
		return err
	}
	for _, x := range m.seen {
		err := m.w.write(line{Settlement: &settlementLine{
			No: x.No, Period: x.Period, Upto: x.Upto, Rule: x.Rule, State: x.State, Current: x.Current, Assessed: x.Assessed, Approved: x.Approved, PayBy: x.PayBy,
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *moneyExport) settled() []settle.Settlement {
	out := make([]settle.Settlement, len(m.seen))
	for i, x := range m.seen {
		out[i] = x.Settlement
	}
	return out
}

// claim is the line of a claim without its words.
func (m *moneyExport) claim(k settle.Kept) claimLine {
	c := k.Claim
	m.no++
	out := claimLine{
		No: m.no, Home: pseudonym(m.key, c.City, c.Account), Company: c.Company, Station: c.Station, State: c.State, Claimed: c.Claimed, Changed: c.Changed, From: m.terms.RunsFrom(c),
		Fee: k.Input.Fee, AgreedC: k.Input.AgreedC, Events: k.Input.Events, Upto: k.Input.Only.To, Stale: k.Stale,
		Status: c.Status, Amount: c.Amount, Counted: c.Counted, PayBy: c.PayBy, Missing: c.Missing, Settled: []settledLine{}, Payouts: []payoutLine{},
	}
	numbers := make(map[string]settle.Settlement, len(m.seen))
	for _, x := range m.seen {
		numbers[x.ID] = x.Settlement
	}
	for _, l := range k.Lines {
		x := numbers[l.Settlement]
		out.Settled = append(out.Settled, settledLine{
			Settlement: x.No, Company: l.Company, Status: l.Status, Confirmed: l.Confirmed, Counted: l.Counted, Amount: l.Amount, Refused: l.Refused, Prior: l.Prior,
			Payable: l.Payable, Open: l.Open, Same: x.Reckons(k, m.terms),
		})
	}
	salt := measure.ChainOf(c.Account)
	for _, x := range k.SetOffs {
		out.SetOffs = append(out.SetOffs, setOffLine{
			Amount: x.Amount, Ground: x.Ground, Article: x.Article, On: x.On, State: x.State, Made: x.Made, Who: x.Who,
			Proof: audit.Fingerprint(salt, x.Proof),
		})
	}
	for _, l := range m.terms.Lates(m.plan, k) {
		m.late += l.Charge
		out.Lates = append(out.Lates, lateLine{Settlement: numbers[l.Settlement].No, Late: l})
	}
	for _, p := range k.Payouts {
		out.Payouts = append(out.Payouts, payoutLine{
			Settlement: numbers[p.Settlement].No, Company: p.Company, Amount: p.Amount, SetOff: p.SetOff, Method: p.Method, State: p.State, PayBy: p.PayBy,
			Paid: p.Paid, Excused: p.Excused != "", Invoice: p.Invoice, Proof: audit.Fingerprint(salt, p.BankRef),
		})
	}
	return out
}

// sums writes the totals of each settlement by company and the books.
func (m *moneyExport) sums(ctx context.Context, tx *db.Tx) error {
	for _, x := range m.seen {
		for _, t := range x.Totals {
			err := m.w.write(line{Total: &totalLine{
				Settlement: x.No, Company: t.Company, Claims: t.Claims, Confirmed: t.Confirmed, NotComputable: t.NotComputable, Counted: t.Counted, Amount: t.Amount,
				Refused: t.Refused, Prior: t.Prior, Payable: t.Payable, Open: t.Open,
			}})
			if err != nil {
				return err
			}
		}
	}
	b, err := m.service.o.Settle.BooksIn(ctx, tx, m.in.City, m.scope.Season)
	if err != nil {
		return err
	}
	books := booksOf(b)
	books.Late = m.late
	return m.w.write(line{Books: &books})
}

// compact is JSON in the one way in which a line holds it.
func compact(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write an assessment: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

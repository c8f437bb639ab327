package bundle

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
)

// ledger is what the verifier keeps of a file about money: sums, and of a claim no more than a mark of its home, 16 bytes, by
// which a home that stands in the file twice is found.
type ledger struct {
	terms       *termsLine
	plan        *refund.Plan
	scratch     refund.Scratch
	settlements map[int64]settlementLine
	last        int64 // number of the settlement before
	homes       map[mark]struct{}
	sums        map[sumKey]*totalLine
	claimed     map[sumKey]bool // totals that the file has
	sum         booksLine       // as the claims say
	books       booksLine       // as the file says
	booked      bool
	deed        deed
}

// mark stands for the name of a home.
type mark [16]byte

func markOf(home string) mark {
	sum := sha256.Sum256([]byte(home))
	return mark(sum[:16])
}

type sumKey struct {
	settlement int64
	company    string
}

// differs notes a value that is not what follows from the rest of the file.
func (v *verifier) differs(at Problem, want, have any) {
	at.Want, at.Have = fmt.Sprint(want), fmt.Sprint(have)
	v.problem(at, "bundle.differs_from", "of", at.Subject, "field", at.Field, "want", at.Want, "have", at.Have)
}

// refunds checks a line about money.
func (v *verifier) refunds(l line) {
	if v.report.Header.Format != refundFormat {
		v.problem(Problem{}, "bundle.order", "line", v.line)
		return
	}
	was := v.state
	switch {
	case l.Terms != nil:
		v.enter(terms)
		v.once(was, terms)
		v.takeTerms(l.Terms)
	case v.money.terms == nil:
		v.enter(claims)
		v.problem(Problem{Field: "terms"}, "bundle.order", "line", v.line)
	case l.Home != nil:
		v.enter(homes)
		v.once(was, homes)
		v.home(*l.Home)
	case l.Settlement != nil:
		v.enter(settlements)
		v.settlement(*l.Settlement)
	case l.Claim != nil:
		v.enter(claims)
		v.claim(l.Claim)
	case l.Total != nil:
		v.enter(sums)
		v.total(*l.Total)
	case l.Books != nil:
		v.enter(books)
		v.once(was, books)
		v.money.books, v.money.booked = *l.Books, true
	}
}

// once refuses a second line of a sort that a file has once.
func (v *verifier) once(was, is state) {
	if was == is {
		v.problem(Problem{}, "bundle.order", "line", v.line)
	}
}

func (v *verifier) takeTerms(t *termsLine) {
	v.money = ledger{
		terms: t, plan: t.plan(), settlements: map[int64]settlementLine{}, homes: map[mark]struct{}{}, sums: map[sumKey]*totalLine{}, claimed: map[sumKey]bool{},
		deed: v.money.deed,
	}
	if s := v.report.Header.Scope; s != nil && s.Season != t.Season {
		v.differs(Problem{Field: "terms.season"}, s.Season, t.Season)
	}
	if t.Rule == nil {
		return
	}
	// A rule that was not read in a primary text counts only by the city's approval, which names it.
	if provisional := !t.Rule.Confidence.Confirmed() && t.Approval == nil; provisional != t.Provisional {
		v.differs(Problem{Field: "terms.provisional"}, provisional, t.Provisional)
	}
	if t.Approval != nil && t.Approval.Path != t.Rule.Path {
		v.differs(Problem{Field: "terms.approval"}, t.Rule.Path, t.Approval.Path)
	}
}

func (v *verifier) home(h homeLine) {
	s := v.report.Header.Scope
	if s == nil || s.Kind != kindHousehold || s.Home != h.Home {
		v.problem(Problem{Field: "home"}, "bundle.header", "field", "home")
	}
	v.money.deed.home = &h
}

func (v *verifier) settlement(s settlementLine) {
	if s.No <= v.money.last {
		v.problem(Problem{}, "bundle.order", "line", v.line)
	}
	v.money.last = s.No
	v.money.settlements[s.No] = s
}

// claim recomputes a claim and everything that a settlement made of it.
func (v *verifier) claim(c *claimLine) {
	v.counted.Claims++
	at := Problem{Subject: c.Home, Seq: c.No}
	if c.No != v.counted.Claims {
		at.Field = "no"
		v.differs(at, v.counted.Claims, c.No)
	}
	home := markOf(c.Home)
	if _, twice := v.money.homes[home]; twice {
		at.Field = "home"
		v.problem(at, "bundle.claim_twice", "home", c.Home)
	}
	v.money.homes[home] = struct{}{}
	if c.Events == nil {
		c.Events = []refund.Event{}
	}
	v.report.Refunds += c.Amount
	if !c.Stale {
		v.reckon(at, "", c, c.Upto, settledLine{Status: c.Status, Counted: c.Counted, Amount: c.Amount}, c.PayBy)
	}
	if s := v.report.Header.Scope; s != nil && s.Kind == kindHousehold {
		v.household(at, c)
	}
	v.settled(at, c)
	v.paid(at, c)
	v.offset(at, c)
	v.late(at, c)
}

func (v *verifier) input(c *claimLine, upto civil.Date) refund.Input {
	t := v.money.terms
	in := refund.Input{Season: refund.Season{From: t.From, To: t.To, Days: t.Days}, AgreedC: c.AgreedC, Fee: c.Fee, Events: c.Events}
	in.Claimed = c.From
	if in.Claimed.IsZero() && !c.Claimed.IsZero() && (t.Rule == nil || t.Rule.Deadline == nil || t.Rule.Deadline.From == "") {
		in.Claimed = c.Claimed.Date() // written before the day stood in the file
	}
	in.Only.To = upto
	return in
}

// reckon computes what a claim comes to up to a day and holds it against what the file says.
func (v *verifier) reckon(at Problem, part string, c *claimLine, upto civil.Date, said settledLine, payBy civil.Date) {
	want := refund.Result{Status: refund.NotComputable}
	if v.money.plan != nil {
		in := v.input(c, upto)
		r, err := v.money.plan.Assess(&in, &v.money.scratch)
		switch {
		case err == nil:
			want = r
		case !fault.Is(err, fault.Invalid):
			at.Field = part + "events"
			v.problem(at, "bundle.not_computed", "home", c.Home)
			return
		}
	}
	if want.Status == refund.NotComputable {
		want.Refund = 0
	}
	diff := func(field string, want, have any) {
		if want != have {
			at.Field = part + field
			v.differs(at, want, have)
		}
	}
	diff("status", want.Status, said.Status)
	diff("amount_yuan", want.Refund, said.Amount)
	diff("counted_days", want.Counted, said.Counted)
	if part == "" {
		diff("pay_by", want.PayBy, payBy)
	}
}

// settled checks what settlements said of a claim and adds it to their totals.
func (v *verifier) settled(at Problem, c *claimLine) {
	var prior money.Fen
	var last int64
	for i, l := range c.Settled {
		part := fmt.Sprintf("settled.%d.", i)
		s, known := v.money.settlements[l.Settlement]
		if !known || l.Settlement <= last {
			at.Field = part + "settlement"
			v.problem(at, "bundle.no_settlement", "home", c.Home, "no", l.Settlement)
			continue
		}
		last = l.Settlement
		if l.Amount != l.Refused+l.Prior+l.Payable+l.Open || l.Payable < 0 {
			at.Field = part + "amount_yuan"
			v.differs(at, l.Refused+l.Prior+l.Payable+l.Open, l.Amount)
		}
		if l.Prior != prior {
			at.Field = part + "prior_yuan"
			v.differs(at, prior, l.Prior)
		}
		if l.Payable > 0 && (!l.Confirmed || l.Status != refund.Computed) {
			at.Field = part + "payable_yuan"
			v.differs(at, money.Fen(0), l.Payable)
		}
		if l.Same {
			v.reckon(at, part, c, s.Upto, l, civil.Date{})
		} else {
			v.report.Unproved++
		}
		if s.given() {
			prior += l.Payable
		}
		v.add(s, l)
	}
}

// add adds a claim's line to the sums of its settlement and to the books.
func (v *verifier) add(s settlementLine, l settledLine) {
	k := sumKey{l.Settlement, l.Company}
	t := v.money.sums[k]
	if t == nil {
		t = &totalLine{Settlement: l.Settlement, Company: l.Company}
		v.money.sums[k] = t
	}
	t.Claims, t.Counted = t.Claims+1, t.Counted+int64(l.Counted)
	if l.Confirmed {
		t.Confirmed++
	}
	if l.Status == refund.NotComputable {
		t.NotComputable++
	}
	t.Amount, t.Refused, t.Prior, t.Payable, t.Open = t.Amount+l.Amount, t.Refused+l.Refused, t.Prior+l.Prior, t.Payable+l.Payable, t.Open+l.Open
	b := &v.money.sum
	if s.given() {
		b.Approved += l.Payable
	}
	if s.Current {
		b.Assessed, b.Refused, b.Open = b.Assessed+l.Amount, b.Refused+l.Refused, b.Open+l.Open
		if !s.given() {
			b.Open += l.Payable
		}
	}
}

// paid checks the orders to pay of a claim: one per settlement at most, for exactly what was approved.
func (v *verifier) paid(at Problem, c *claimLine) {
	approved, ordered := map[int64]money.Fen{}, map[int64]bool{}
	for _, l := range c.Settled {
		if v.money.settlements[l.Settlement].given() {
			approved[l.Settlement] = l.Payable
		}
	}
	for i, p := range c.Payouts {
		at.Field = fmt.Sprintf("payouts.%d.amount_yuan", i)
		want, ok := approved[p.Settlement]
		switch {
		case ordered[p.Settlement]:
			v.problem(at, "bundle.paid_twice", "home", c.Home, "no", p.Settlement)
		case !ok || want != p.Amount:
			v.differs(at, want, p.Amount)
		case p.SetOff < 0 || p.SetOff > p.Amount:
			at.Field = fmt.Sprintf("payouts.%d.set_off_yuan", i)
			v.differs(at, p.Amount, p.SetOff)
		}
		ordered[p.Settlement] = true
		if p.State == settle.Paid {
			v.money.sum.Paid += p.Amount - p.SetOff
		}
		v.money.sum.SetOff += p.SetOff
	}
	for _, l := range c.Settled {
		if s := v.money.settlements[l.Settlement]; s.State == settle.Ordered && l.Payable > 0 && !ordered[l.Settlement] {
			at.Field = "payouts"
			v.differs(at, l.Payable, money.Fen(0))
		}
	}
}

// total holds a settlement's total for a company against the sum of its claims.
func (v *verifier) total(t totalLine) {
	k := sumKey{t.Settlement, t.Company}
	at := Problem{Subject: fmt.Sprintf("%d/%s", t.Settlement, t.Company), Field: "total"}
	if v.money.claimed[k] {
		v.problem(at, "bundle.order", "line", v.line)
	}
	v.money.claimed[k] = true
	want := v.money.sums[k]
	if want == nil {
		want = &totalLine{Settlement: t.Settlement, Company: t.Company}
	}
	for _, f := range []struct {
		name       string
		want, have any
	}{
		{"claims", want.Claims, t.Claims},
		{"confirmed", want.Confirmed, t.Confirmed},
		{"not_computable", want.NotComputable, t.NotComputable},
		{"counted_days", want.Counted, t.Counted},
		{"amount_yuan", want.Amount, t.Amount},
		{"refused_yuan", want.Refused, t.Refused},
		{"prior_yuan", want.Prior, t.Prior},
		{"payable_yuan", want.Payable, t.Payable},
		{"open_yuan", want.Open, t.Open},
	} {
		if f.want != f.have {
			at.Field = "total." + f.name
			v.differs(at, f.want, f.have)
		}
	}
}

// closeBooks checks at the end that no total is missing and that the books balance with what the claims say.
func (v *verifier) closeBooks() {
	m := &v.money
	if m.terms == nil {
		v.problem(Problem{Field: "terms"}, "bundle.lacks", "section", "terms")
		return
	}
	if v.report.Header.Scope == nil || v.report.Header.Scope.Kind != kindSeason {
		if m.deed.home == nil {
			v.problem(Problem{Field: "home"}, "bundle.lacks", "section", "home")
		}
		if m.deed.sealed != nil && v.counted.Claims == 0 {
			v.problem(Problem{Field: "claim", Seq: m.deed.sealed.seq}, "bundle.lacks", "section", "claim")
		}
		return
	}
	for k := range m.sums {
		if !m.claimed[k] {
			v.problem(Problem{Subject: fmt.Sprintf("%d/%s", k.settlement, k.company), Field: "total"}, "bundle.lacks", "section", "total")
		}
	}
	if !m.booked {
		v.problem(Problem{Field: "books"}, "bundle.lacks", "section", "books")
		return
	}
	m.sum.Owed = m.sum.Approved - m.sum.Paid - m.sum.SetOff
	for _, f := range []struct {
		name       string
		want, have money.Fen
	}{
		{"assessed_yuan", m.sum.Assessed, m.books.Assessed},
		{"approved_yuan", m.sum.Approved, m.books.Approved},
		{"refused_yuan", m.sum.Refused, m.books.Refused},
		{"open_yuan", m.sum.Open, m.books.Open},
		{"paid_yuan", m.sum.Paid, m.books.Paid},
		{"set_off_yuan", m.sum.SetOff, m.books.SetOff},
		{"owed_yuan", m.sum.Owed, m.books.Owed},
		{"late_charge_yuan", m.sum.Late, m.books.Late},
	} {
		if f.want != f.have {
			v.differs(Problem{Field: "books." + f.name}, f.want, f.have)
		}
	}
	if !m.books.balanced() {
		v.problem(Problem{Field: "books"}, "bundle.unbalanced")
	}
}

// household checks what only a household's file holds: the explanation, and that the events are those of the chain.
func (v *verifier) household(at Problem, c *claimLine) {
	if s := v.report.Header.Scope; s.Home != c.Home {
		at.Field = "home"
		v.differs(at, s.Home, c.Home)
	}
	if len(c.Why) > 0 && v.money.plan != nil {
		in := v.input(c, c.Upto)
		if a, err := v.money.plan.Explain(&in); err == nil {
			at.Field = "assessment"
			if w, h, differ := answersDiffer(refund.AnswerOf(a), c.Why, &at.Field); differ {
				v.differs(at, w, h)
			}
		}
	}
	v.followsFromBill(at, c)
	v.followsFromChain(at, c)
}

// followsFromBill checks that the fee of a claim is the bill's. One that is older than the list says so.
func (v *verifier) followsFromBill(at Problem, c *claimLine) {
	h := v.money.deed.home
	if h == nil || c.Stale {
		return
	}
	b, err := settle.BasisOf(h.Bill.read())
	if err != nil {
		at.Field = "bill"
		v.problem(at, "bundle.not_computed", "home", c.Home)
		return
	}
	at.Field = "claim"
	want, err1 := compact(map[string]any{"fee": b.Fee, "agreed_c": b.AgreedC})
	have, err2 := compact(map[string]any{"fee": c.Fee, "agreed_c": c.AgreedC})
	if err1 == nil && err2 == nil && string(want) != string(have) {
		w, h := firstDifference(want, have, &at.Field)
		v.differs(at, w, h)
	}
}

// answersDiffer compares the figures of two assessments; the words of explanations may be put better by a later version.
func answersDiffer(want any, have json.RawMessage, path *string) (w, h string, differ bool) {
	b, err := compact(want)
	var x, y map[string]any
	if err != nil || json.Unmarshal(b, &x) != nil || json.Unmarshal(have, &y) != nil {
		return string(b), string(have), true
	}
	for _, words := range []string{"explain", "warnings"} {
		delete(x, words)
		delete(y, words)
	}
	if reflect.DeepEqual(x, y) {
		return "", "", false
	}
	w, h = walk(x, y, path)
	return w, h, true
}

// firstDifference finds the first place at which two JSON values differ; path is continued to it.
func firstDifference(a, b []byte, path *string) (string, string) {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return string(a), string(b)
	}
	return walk(x, y, path)
}

func walk(x, y any, path *string) (string, string) {
	switch a := x.(type) {
	case map[string]any:
		b, ok := y.(map[string]any)
		if !ok {
			break
		}
		for _, k := range keysOf(a, b) {
			if !reflect.DeepEqual(a[k], b[k]) {
				*path += "." + k
				return walk(a[k], b[k], path)
			}
		}
	case []any:
		b, ok := y.([]any)
		if !ok || len(a) != len(b) {
			break
		}
		for i := range a {
			if !reflect.DeepEqual(a[i], b[i]) {
				*path += fmt.Sprintf(".%d", i)
				return walk(a[i], b[i], path)
			}
		}
	}
	return asJSON(x), asJSON(y)
}

func keysOf(a, b map[string]any) []string {
	var out []string
	for k := range a {
		out = append(out, k)
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	const most = 200
	if len(b) > most {
		return string(b[:most])
	}
	return string(b)
}

// ownEvents are the events of a claim that measurements gave, those of the area and of objections left out.
func ownEvents(list []refund.Event, season string) []refund.Event {
	return slices.DeleteFunc(slices.Clone(list), func(e refund.Event) bool {
		return strings.HasPrefix(e.Record, "area:") || strings.HasPrefix(e.Record, "objection:") || citypack.SeasonLabel(e.At.Date()) != season
	})
}

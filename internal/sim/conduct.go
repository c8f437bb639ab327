package sim

import (
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/celsius"
)

// Refusal is a company's word that a case is not its own.
type Refusal struct {
	After  time.Duration // after dispatch
	Reason string
	Right  int  // the company it names, -1 if it names none
	Fair   bool // it is true
}

// Conduct is how a company acts on one dispatch of one case, and how the caller takes it. Times run from the dispatch.
type Conduct struct {
	Refusal *Refusal

	SignAfter     time.Duration
	ContactAfter  time.Duration
	Reached       bool // the caller answers the telephone
	ArriveAfter   time.Duration
	Absent        bool          // nobody is home the first time
	ReturnAfter   time.Duration // the second visit, where nobody was home
	ExtendAfter   time.Duration // 0: does not ask
	ExtendReason  string
	FeedBackAfter time.Duration

	Truth, Cause, Segment string // codes of the city's pack
	Measures              string
	Answer                string
	Rooms                 string
	Before, After         celsius.Tenths
	Measured              bool // temperatures were taken
	Claims                bool // says that it is solved
	Cured                 bool // it is

	CallBackReached bool
	Satisfied       bool
}

// Conduct says how a company acts on a call; round counts the dispatches of the case before this one. It depends on the
// seed, the call's key, the company and the round alone.
func (w *Winter) Conduct(c Call, company, round int) Conduct {
	r := roll(w.Seed, "conduct "+c.Key, company, round)
	unit := w.Companies[company]
	right := w.Supplier(w.Households[c.Household].Building)
	a := Conduct{Refusal: w.refusal(r, unit, company, right, round)}
	w.timing(r, c, unit, &a)
	w.finding(r, c, &a)
	bad := 100 - unit.skill
	a.Claims = !r.chance(60 + 2*bad)
	a.Cured = a.Claims && !r.chance(30+2*bad)
	if c.Fault == WeakHome && r.chance(220) {
		a.Cured = false
	}
	w.outcome(r, c, &a)
	a.CallBackReached = r.chance(860)
	a.Satisfied = a.Cured && r.chance(960-2*bad) || !a.Cured && r.chance(120)
	return a
}

// refusal: a company that is not meant mostly says so; one that is sometimes tries to.
func (w *Winter) refusal(r dice, unit Company, company, right, round int) *Refusal {
	after := time.Duration(r.between(6, 34)) * time.Minute
	switch {
	case company != right && r.chance(850):
		reason := strings.ReplaceAll(pick(r, words("not_ours")), "{right}", w.Companies[right].Short)
		return &Refusal{After: after, Reason: reason, Right: right, Fair: true}
	case company == right && round == 0 && r.chance(2+(100-unit.skill)*4/10):
		return &Refusal{After: after, Reason: pick(r, words("not_ours_wrongly")), Right: -1}
	default:
		return nil
	}
}

// timing: how fast the company is, by how well it is run, the hour and the days of the season.
func (w *Winter) timing(r dice, c Call, unit Company, a *Conduct) {
	slow := 125 - unit.skill // 33 for the best, about 90 for the worst
	since := seasonStart.DaysUntil(c.At.Date())
	if since >= 0 && since < 10 {
		slow = slow * (16 - since/2) / 10
	}
	leak := strings.HasPrefix(c.Category, "leak")
	minutes := func(from, to int) time.Duration {
		n := r.between(from, to)
		if r.chance(70 + slow) {
			n = n * r.between(2, 5) // somebody forgot
		}
		return time.Duration(n*slow/60) * time.Minute
	}
	a.SignAfter = minutes(1, 11)
	if c.At.Time().Hour() == 7 { // the night shift leaves it to the day's
		a.SignAfter += time.Duration(r.between(5, 24)) * time.Minute
	}
	a.ContactAfter = a.SignAfter + minutes(5, 55)
	a.ArriveAfter = a.ContactAfter + minutes(20, 110)
	work := minutes(25, 240)
	if leak {
		a.ContactAfter = a.SignAfter + minutes(2, 14)
		a.ArriveAfter = a.ContactAfter + minutes(8, 32)
		work = minutes(30, 200)
	}
	if !w.visits(c) {
		a.ArriveAfter = 0
		work = minutes(240, 1500)
	}
	a.Reached = !r.chance(60)
	if h := c.At.Add(a.ArriveAfter).Time().Hour(); a.ArriveAfter > 0 && !leak && (h >= 22 || h < 7) { // nobody wants a visit at night
		wait := time.Duration((31-h)%24)*hour + time.Duration(r.n(150))*time.Minute
		a.ArriveAfter += wait
	}
	done := max(a.ArriveAfter, a.ContactAfter) + work
	if a.ArriveAfter > 0 && r.chance(70) {
		a.Absent = true
		a.ReturnAfter = a.ArriveAfter + time.Duration(r.between(4, 22))*hour
		done = a.ReturnAfter + work
	}
	if !leak && r.chance(30+slow/3) {
		a.ExtendAfter, a.ExtendReason = a.SignAfter+minutes(120, 600), pick(r, words("extend"))
		done += time.Duration(r.between(16, 44)) * hour
	}
	if c.Shared >= 0 { // it is mended when it is mended for all
		done = max(done, w.Faults[c.Shared].Until.Sub(c.At)+time.Duration(r.between(20, 200))*time.Minute)
	}
	a.FeedBackAfter = done
}

// visits reports whether somebody must come.
func (w *Winter) visits(c Call) bool {
	for _, kind := range []string{"fee", "service", "connect", "illegal", "measure_unpaid"} {
		if strings.HasPrefix(c.Category, kind) {
			return false
		}
	}
	return true
}

// repair is what is found and done, by fault.
type repair struct{ cause, segment, did string }

var repairs = map[FaultKind]repair{
	StationDown: {"station", "company", "act_station"}, MainBurst: {"primary", "company", "act_primary"},
	RiserAir: {"riser", "company", "act_riser"}, LowFlow: {"secondary", "company", "act_secondary"},
	HomeAir: {"air", "company", "act_air"}, Blocked: {"blocked", "user", "act_blocked"},
	ValveClosed: {"valve", "company", "act_valve"}, Unopened: {"valve", "company", "act_open"},
	ForArrears: {"valve", "user", "act_open"}, HomeLeak: {"riser", "company", "act_leak"}, WeakHome: {"envelope", "user", "act_envelope"},
}

var otherWork = map[string]string{
	"fee": "act_fee", "service": "act_service", "facility": "act_facility", "illegal": "act_illegal", "connect": "act_connect",
	"leak_road": "act_leak_road", "leak_network": "act_leak_road", "leak_burst": "act_leak_road", "measure_unpaid": "act_fee",
}

// finding: what the company finds out, and whose it is.
func (w *Winter) finding(r dice, c Call, a *Conduct) {
	fix, ok := repairs[c.Fault]
	if !ok {
		fix = repair{"secondary", "company", "act_facility"}
	}
	a.Cause, a.Segment = fix.cause, fix.segment
	did := fix.did
	for prefix, list := range otherWork {
		if strings.HasPrefix(c.Category, prefix) {
			did = list
		}
	}
	a.Measures = pick(r, words(did))
	if strings.HasPrefix(c.Category, "measure_") && c.Category != "measure_unpaid" {
		a.Measures = pick(r, words("act_measure")) + "；" + a.Measures
	}
	if c.Fault == WeakHome && r.chance(500) {
		a.Cause, a.Segment = "edge", "company"
	}
	m := w.Community(c.Household)
	if (a.Cause == "riser" || a.Cause == "secondary") && m.Developer != "" {
		a.Segment = "developer"
	} else if a.Cause == "secondary" && m.Management == Resold {
		a.Segment = "property"
	}
	a.Rooms = pick(r, words("rooms"))
}

// outcome: the temperatures before and after, and what the company writes.
func (w *Winter) outcome(r dice, c Call, a *Conduct) {
	a.Measured = isCold(c.Category) && w.visits(c)
	a.Truth = "true"
	if a.Measured {
		at := c.At.Add(max(a.ArriveAfter, a.ReturnAfter))
		before := int(w.Indoor(c.Household, at)) - depths[c.Fault]*ownFault(c.Fault)*r.between(70, 100)/100 + r.bell(3)
		if c.HasSaid {
			before = (before + 2*int(c.Said)) / 3
		}
		before = min(max(before, 60), 218)
		after := before + r.between(0, 4)
		if a.Cured {
			after = max(before+r.between(6, 30), r.between(180, 212))
		} else if a.Claims {
			after = min(max(before, 178)+r.between(0, 6), 184) // as the company writes it down
		}
		a.Before, a.After = celsius.Tenths(before), celsius.Tenths(min(after, 240))
		switch {
		case before >= 180:
			a.Truth = "untrue"
		case before >= 170:
			a.Truth = "partly"
		}
	}
	if a.Claims {
		a.Answer = pick(r, words("answer_solved"))
	} else {
		a.Answer = pick(r, words("answer_unsolved"))
	}
}

// isCold reports whether a category is about a cold home.
func isCold(category string) bool {
	for _, m := range matters {
		if m.category == category {
			return m.cold
		}
	}
	return false
}

// AbsentNote is what is written when nobody was home.
func (w *Winter) AbsentNote(c Call) string {
	return pick(roll(w.Seed, "absent "+c.Key), words("absent"))
}

package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
)

// mineView is a resident's home: who heats it, what the rules are, what is owed, what was measured, and every matter with
// the dates that were promised.
type mineView struct {
	who   resident.Who
	homes []resident.Binding // held
	asked []resident.Binding // waiting or refused
	own   resident.Binding   // the one that is shown; its id is empty when none is bound

	home      place.Home
	company   place.Company
	name      string // of the company
	rules     *citypack.Rules
	season    citypack.Season
	inSeason  bool
	standard  citypack.At[citypack.Degree]
	standards bool
	bill      fee.Bill
	billed    bool
	readings  []measure.Measurement
	refund    ownRefund
	stops     []outage.Announcement
	told      []bulletin.Bulletin // for the home
	matters   []cases.Mine
	questions []notice.Mine
	doors     map[string]string      // four digits by case
	comes     map[string]staff.Badge // who comes, by case
}

func (v mineView) href(more string) string { return at("/c/{city}/m"+more, v.who.City) }

// mayAct reports whether the resident may do more than look.
func (v mineView) mayAct() bool { return v.own.ID != "" && v.own.Scope == resident.MayAct }

// mayOpen reports whether a matter's own page is open to the resident: whoever may only look at a home gets no receipt of
// what others reported.
func (v mineView) mayOpen(m cases.Mine) bool { return m.Token != "" && (m.Caller || v.mayAct()) }

// late reports whether somebody is late with a matter.
func late(m cases.Mine) bool {
	return m.Open && slices.ContainsFunc(m.Promises, func(p cases.Promise) bool { return p.Late && p.Stopped.IsZero() })
}

// progress is a matter as the receipt's page says it.
func (v mineView) progress(m cases.Mine) progressView {
	return progressView{Progress: m.Progress, city: v.who.City, rules: v.rules}
}

// kind is what a matter is about.
func (v mineView) kind(ctx context.Context, m cases.Mine) string {
	if c, ok := v.rules.Pack.Category(m.Category); ok {
		return c.Name.In(httpx.Lang(ctx))
	}
	return m.Category
}

// seasonDays are a season's first and last day.
func seasonDays(s citypack.Season) string {
	return s.Start.Date().String() + " – " + s.End.Add(-time.Second).Date().String()
}

// reaches reports whether a stop reaches a home.
func reaches(a outage.Announcement, h place.Home) bool {
	return slices.ContainsFunc(a.Scope, func(s outage.Scope) bool {
		switch {
		case s.Community != "":
			return s.Community == h.Community && (s.Building == "" || place.BuildingNo(s.Building) == place.BuildingNo(h.Building))
		case s.Station != "":
			return s.Station == h.Station && (s.Zone == "" || s.Zone == h.Zone)
		}
		return false
	})
}

// citizenActor reads what belongs to a home that the resident has proved to be theirs.
func citizenActor() actor.Actor { return actor.SystemFor("citizen", actor.Public) }

// myHome shows the home that was chosen, else the first.
func (w *Web) myHome(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	v, err := w.mineView(r, who, r.URL.Query().Get("home"))
	if err != nil {
		return err
	}
	return w.showCitizen(rw, r, Page{Title: text.Msg("hall.home"), Body: mineBody(v), Back: at("/c/{city}/m", who.City)})
}

func (w *Web) mineView(r *http.Request, who resident.Who, account string) (mineView, error) {
	v := mineView{who: who, doors: map[string]string{}, comes: map[string]staff.Badge{}}
	all, err := w.Residents.Homes(r.Context(), who.Actor, who.City)
	if err != nil {
		return v, err
	}
	var accounts []string
	for _, b := range all {
		if b.State != resident.Held {
			v.asked = append(v.asked, b)
			continue
		}
		v.homes = append(v.homes, b)
		accounts = append(accounts, b.Account)
		if v.own.ID == "" || b.Account == account {
			v.own = b
		}
	}
	if account != "" && v.own.Account != account {
		return v, fault.New(fault.NotFound, "resident.not_yours")
	}
	if v.rules, err = w.Rules.Rules(r.Context(), who.City); err != nil {
		return v, err
	}
	if v.matters, err = w.Cases.MineOf(r.Context(), who.City, who.Person, accounts); err != nil {
		return v, err
	}
	if w.Notices != nil {
		if v.questions, err = w.Notices.MineOf(r.Context(), who.City, who.Person); err != nil {
			return v, err
		}
	}
	v.digits(w)
	if v.own.ID != "" {
		if err := w.furnish(r, &v); err != nil {
			return v, err
		}
	}
	return v, w.visitors(r, &v)
}

// digits reckons by what the resident knows whoever stands at the door today.
func (v *mineView) digits(w *Web) {
	today := w.o.Now().Date()
	for _, m := range v.matters {
		if m.Open && v.mayOpen(m) && atTheDoor(m.Status) {
			v.doors[m.ID] = w.Residents.Digits(v.who.City, "case:"+m.ID, today)
		}
	}
}

// atTheDoor reports whether somebody of the company may stand at the door for a case.
func atTheDoor(s cases.Status) bool {
	return s == cases.Signed || s == cases.Handling || s == cases.Rework
}

// furnish gathers what is known about the home; what nobody knows stays absent.
func (w *Web) furnish(r *http.Request, v *mineView) error {
	ctx, city, as, now := r.Context(), v.who.City, citizenActor(), w.o.Now()
	h, err := w.Places.Household(ctx, as, city, v.own.Account)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	v.home = place.Home{
		Account: v.own.Account, Community: h.Community, CommunityName: h.CommunityName, District: h.District, Building: h.Building, Unit: h.Unit, Room: h.Room,
		AreaM2: h.AreaM2, HeatStatus: h.HeatStatus, Station: h.Station, Zone: h.Zone, Company: h.Company, Area: h.Area,
	}
	if v.name, err = w.publicName(r, h.Company); err != nil {
		return err
	}
	companies, err := w.Places.Companies(ctx, as, city)
	if err != nil {
		return err
	}
	for _, c := range companies {
		if c.Code == h.Company {
			v.company = c
		}
	}
	v.season, v.inSeason = v.rules.Pack.SeasonFor(now.Date(), h.District, v.rules.Declared)
	v.standard, v.standards = v.rules.Pack.Standard("bedroom", now)
	if err := w.money(r, v); err != nil {
		return err
	}
	return w.warmth(r, v)
}

// money is what is owed and what comes back.
func (w *Web) money(r *http.Request, v *mineView) error {
	ctx, city, as := r.Context(), v.who.City, citizenActor()
	season := citypack.SeasonLabel(w.o.Now().Date())
	if w.Fees != nil {
		b, err := w.Fees.Bill(ctx, as, city, v.own.Account, season)
		if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
			return err
		}
		v.bill, v.billed = b, err == nil && b.Amount != nil
	}
	if w.Settle == nil {
		return nil
	}
	claim, err := w.Settle.Claim(ctx, as, city, season, v.own.Account)
	switch {
	case err == nil:
		v.refund = ownRefund{View: claim, there: true, season: season, waits: claim.Status != "computed"}
	case !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid):
		return err
	}
	return nil
}

// warmth is what was measured and where heat is stopped.
func (w *Web) warmth(r *http.Request, v *mineView) error {
	ctx, city, as := r.Context(), v.who.City, citizenActor()
	if w.Measure != nil {
		log, err := w.Measure.Log(ctx, as, city, v.own.Account, citypack.SeasonLabel(w.o.Now().Date()))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		v.readings = log.Measurements
	}
	if err := w.news(r, v); err != nil || w.Outages == nil {
		return err
	}
	all, err := w.Outages.Announcements(ctx, city)
	if err != nil {
		return err
	}
	for _, a := range all {
		if reaches(a, v.home) {
			v.stops = append(v.stops, a)
		}
	}
	return nil
}

// openTest asks for a test of a home: with its open matter where there is one, else with a new one.
func (w *Web) openTest(r *http.Request, who resident.Who, v wishView, in wishInput) (cases.Opened, error) {
	if err := turn(w.reports, r); err != nil {
		return cases.Opened{}, err
	}
	var c fault.Check
	c.That(len(in.When) > 0, "when", "citizen.choose")
	if err := c.Err(); err != nil {
		return cases.Opened{}, err
	}
	times := v.said(in.When)
	mine, err := w.Cases.MineOf(r.Context(), who.City, who.Person, []string{v.own.Account})
	if err != nil {
		return cases.Opened{}, err
	}
	for _, m := range mine {
		if m.Open && m.Account == v.own.Account && m.Token != "" {
			word := text.T(text.ZH, "hall.test_word", "times", times)
			return w.wishOf(r, m, strings.TrimSpace(word+"\n"+in.Text))
		}
	}
	return w.newTest(r, who, v, in, times)
}

// said are the chosen times in words; what is not among the choices is left out.
func (v wishView) said(chosen []string) string {
	var out []string
	for _, o := range v.times() {
		if slices.Contains(chosen, o.Value) {
			out = append(out, o.Text)
		}
	}
	return strings.Join(out, "，")
}

// wishOf asks for the test within an open matter, with the times as a word.
func (w *Web) wishOf(r *http.Request, m cases.Mine, word string) (cases.Opened, error) {
	if w.Measure == nil {
		return cases.Opened{}, fault.New(fault.NotFound, "not_found")
	}
	city, proof := httpx.City(r.Context()), cases.Proof{Token: m.Token}
	key := formKey(r)
	if _, err := w.Measure.RequestOwn(r.Context(), visitor(), measure.Asking{City: city, Proof: proof, Key: key}); err != nil && !fault.Is(err, fault.Conflict) {
		return cases.Opened{}, err
	}
	if key != "" {
		key += "-word"
	}
	_, err := w.Cases.RemindOwn(r.Context(), visitor(), cases.Word{City: city, Proof: proof, Text: word, Key: key})
	return cases.Opened{Case: cases.Case{Token: m.Token}}, err
}

// newTest opens a matter whose test is asked for at once.
func (w *Web) newTest(r *http.Request, who resident.Who, v wishView, in wishInput, times string) (cases.Opened, error) {
	phone, err := w.Residents.Phone(r.Context(), who.Actor, who.City)
	if err != nil {
		return cases.Opened{}, err
	}
	rules, err := w.Rules.Rules(r.Context(), who.City)
	if err != nil {
		return cases.Opened{}, err
	}
	o := cases.Opening{
		City: who.City, Door: citypack.DoorWeb, Channel: cases.Web, Account: v.own.Account, Address: homeWords(text.ZH, v.own), Caller: cases.Party{Phone: phone},
		Details: cases.Details{Available: times, Since: text.T(text.ZH, "citizen.since.today")}, TestRequest: "yes", Text: in.Text, Key: formKey(r),
	}
	if o.Text == "" {
		o.Text = text.T(text.ZH, "hall.test_text")
	}
	for _, c := range rules.Pack.Categories {
		if c.Kind == citypack.KindQuality && !c.Hidden {
			o.Category = categoryUnder(rules.Pack, c.Code, in.Text)
			break
		}
	}
	return w.Cases.Open(r.Context(), who.Actor, o)
}

// homeWords is a home in words, as people say it and as the register reads it.
func homeWords(l text.Lang, b resident.Binding) string {
	if b.Community == "" {
		return b.Address()
	}
	var out strings.Builder
	out.WriteString(b.Community)
	for _, part := range []struct{ key, no string }{{"hall.at.building", b.Building}, {"hall.at.unit", b.Unit}, {"hall.at.room", b.Room}} {
		if part.no != "" {
			out.WriteString(text.T(l, part.key, "no", part.no))
		}
	}
	return out.String()
}

// running leaves of a matter's promises those that are still to be kept.
func running(p progressView) progressView {
	p.Promises = slices.DeleteFunc(slices.Clone(p.Promises), func(one cases.Promise) bool { return !one.Stopped.IsZero() })
	return p
}

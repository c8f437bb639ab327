package web

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// seatView is the seat's screen: the form, and what the program knows while it is being filled in.
type seatView struct {
	city     int
	by       actor.Actor
	now      civil.Instant
	names    *caseNames
	in       seatInput
	form     ui.Form
	peak     bool
	category *citypack.Category // chosen, or guessed from the words
	guesses  []*citypack.Category
	urgency  citypack.Urgency
	answer   *territory.Answer // nil: nothing to go by yet
	station  string            // its name
	homes    []place.Household // known under the caller's telephone, or at the address
	near     cases.Neighbours
	articles []knowledge.View
	stops    []outage.Outage
	here     *outage.View // the stop at this address
	done     cases.Case   // the matter of the call before
	how      string       // saved, reminded, reopened
	real     string       // the number that the caller's field stands for
	phone    *phoneView   // the telephone; nil without a switch
}

// seatView gathers everything for the state of the form.
func (w *Web) seatView(r *http.Request, in seatInput, f ui.Form) (*seatView, error) {
	v := &seatView{city: httpx.City(r.Context()), by: by(r), now: w.o.Now(), in: in, form: f}
	v.in.City, v.in.Door = v.city, seatDoor(in.Channel)
	var err error
	if v.real, err = w.seatCaller(r, in); err != nil {
		return nil, err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return nil, err
	}
	v.peak = v.names.rules.Peak && v.in.Door == citypack.DoorSeat
	if v.peak {
		v.in.Door = citypack.DoorPeak
	}
	v.sort()
	for _, look := range []func(context.Context, *seatView) error{w.seatPlace, w.seatHomes, w.seatNear, w.seatKnows, w.seatStops} {
		if err := look(r.Context(), v); err != nil && !fault.Is(err, fault.Denied) {
			return nil, err
		}
	}
	return v, nil
}

// sort finds the category: the one chosen, else the best that the words speak for.
func (v *seatView) sort() {
	p := v.names.rules.Pack
	for _, g := range p.Classify(v.in.Text) {
		if c, ok := p.Category(g.Code); ok && len(v.guesses) < 3 {
			v.guesses = append(v.guesses, c)
		}
	}
	if c, ok := p.Category(v.in.Category); ok {
		v.category = c
	} else if len(v.guesses) > 0 {
		v.category = v.guesses[0]
	}
	if v.category == nil {
		return
	}
	v.in.Nature = cmp.Or(v.in.Nature, v.category.Nature)
	v.urgency, _ = p.UrgencyOf(v.category, v.in.Text, v.in.Details.Care)
	if v.in.Urgency == citypack.Critical || v.in.Urgency == citypack.Urgent && v.urgency == citypack.Normal {
		v.urgency = v.in.Urgency
	}
}

// ready reports whether attribution can be asked yet: half a point is still being typed.
func ready(q territory.Query) bool { return q.Check() == nil }

// seatPlace asks which company is responsible.
func (w *Web) seatPlace(ctx context.Context, v *seatView) error {
	q := v.in.Query(v.now)
	if v.in.Address == "" && v.in.Community == "" && v.in.Account == "" {
		return nil
	}
	if !ready(q) {
		return nil
	}
	a, err := w.Territory.Attribute(ctx, v.by, v.city, q)
	if err != nil {
		return err
	}
	v.answer = &a
	if a.Station == "" {
		return nil
	}
	v.station = a.Station
	all, err := w.Places.Stations(ctx, v.by, v.city, a.Company)
	for _, s := range all {
		if s.Code == a.Station && s.Name != "" {
			v.station = s.Name
		}
	}
	return err
}

// seatHomes finds the households of the caller's telephone, else those at the address.
func (w *Web) seatHomes(ctx context.Context, v *seatView) (err error) {
	if v.in.Account != "" {
		return nil
	}
	if cases.IsPhone(v.real) {
		if v.homes, err = w.Places.ByPhone(ctx, v.by, v.city, v.real); err != nil || len(v.homes) > 0 {
			return err
		}
	}
	if a := v.answer; a != nil && a.Community != nil {
		at := place.Address{Community: a.Community.ID, Building: cmp.Or(v.in.Building, a.Building), Unit: cmp.Or(v.in.Unit, a.Unit), Room: cmp.Or(v.in.Room, a.Room)}
		if at.Building != "" && at.Room != "" {
			v.homes, err = w.Places.At(ctx, v.by, v.city, at)
		}
	}
	if len(v.homes) > mostHomes {
		v.homes = v.homes[:mostHomes]
	}
	return err
}

// mostHomes is how many households are offered.
const mostHomes = 4

func (w *Web) seatNear(ctx context.Context, v *seatView) (err error) {
	n := cases.Near{Phone: v.real, Account: v.in.Account}
	unit, room := v.in.Unit, v.in.Room
	if a := v.answer; a != nil && a.Community != nil {
		n.Community, n.Building = a.Community.ID, cmp.Or(v.in.Building, a.Building)
		unit, room = cmp.Or(unit, a.Unit), cmp.Or(room, a.Room)
	}
	if v.near, err = w.Cases.Nearby(ctx, v.by, v.city, n); err != nil {
		return err
	}
	v.near = sorted(v.near, unit, room)
	return nil
}

// sorted puts each earlier case into the nearest of the three groups only, a home being known by its room too.
func sorted(n cases.Neighbours, unit, room string) cases.Neighbours {
	var out cases.Neighbours
	seen := map[string]bool{}
	add := func(into *[]cases.Case, c cases.Case) {
		if !seen[c.ID] && len(*into) < mostNear {
			*into = append(*into, c)
		}
		seen[c.ID] = true
	}
	for _, c := range n.Caller {
		add(&out.Caller, c)
	}
	for _, c := range n.Home {
		add(&out.Home, c)
	}
	for _, c := range n.Building {
		if room != "" && c.Room == room && (unit == "" || c.Unit == "" || c.Unit == unit) {
			add(&out.Home, c)
		} else {
			add(&out.Building, c)
		}
	}
	return out
}

// mostNear is how many earlier cases of a group are shown.
const mostNear = 5

// seatKnows looks in the knowledge: for the words asked for, else for the category on the screen.
func (w *Web) seatKnows(ctx context.Context, v *seatView) (err error) {
	q := knowledge.Query{City: v.city, Text: strings.TrimSpace(v.in.Find)}
	if q.Text == "" && v.category != nil {
		q.Category = v.category.Code
	}
	if w.Knowledge == nil || len([]rune(q.Text)) < 2 && q.Category == "" {
		return nil
	}
	v.articles, err = w.Knowledge.Search(ctx, v.by, q)
	if len(v.articles) > mostArticles {
		v.articles = v.articles[:mostArticles]
	}
	return err
}

// mostArticles is how many articles are shown.
const mostArticles = 4

// seatStops lists the stops that are going on, the one at this address first of all.
func (w *Web) seatStops(ctx context.Context, v *seatView) error {
	if w.Outages == nil {
		return nil
	}
	f := outage.Filter{Open: true, Request: page.Request{Size: 5}}
	if v.answer != nil {
		f.Company = v.answer.Company
		if v.answer.Outage != nil {
			one, err := w.Outages.Get(ctx, v.by, v.city, v.answer.Outage.ID)
			if err != nil {
				return err
			}
			v.here = &one
		}
	}
	list, err := w.Outages.List(ctx, v.by, v.city, f)
	v.stops = slices.DeleteFunc(list.Items, func(o outage.Outage) bool { return v.here != nil && o.ID == v.here.ID })
	return err
}

func (v *seatView) page() Page {
	p := Page{Title: text.Msg("seat.title"), Nav: "seat", Body: seatBody(v), Fill: true}
	if v.phone != nil {
		p.Live = v.href("/phone/live")
	}
	return p
}

func (v *seatView) href(more string) string { return at("/c/{city}/seat"+more, v.city) }

// missing are the fields of the entry standard that are still empty, as input names.
func (v *seatView) missing() []string {
	if v.category == nil && v.in.Text == "" && v.in.Address == "" && v.in.Caller.Phone == "" {
		return nil
	}
	return v.in.MissingFields(v.names.rules.Pack, v.category)
}

// total is how many fields the entry standard asks for.
func (v *seatView) total() int {
	return len(v.names.rules.Pack.Required(v.category, string(v.in.Door)))
}

// fieldID is the id of the control of an entry field.
func fieldID(entry string) string {
	return "f-" + strings.ReplaceAll(cases.FieldName(entry), ".", "-")
}

// promised is a time limit that the caller is told.
type promised struct {
	Key string // sentence
	In  string // how long
	By  string // until when; empty: not known
}

// promises says by when the company must call, come and measure, counted from now.
func (v *seatView) promises(ctx context.Context) []promised {
	return v.names.promises(ctx, promising{v.category, v.urgency, v.now, v.county(), v.in.TestRequest == "yes"})
}

// donePromises are those of the case that was just taken in.
func (v *seatView) donePromises(ctx context.Context) []promised {
	c := v.done
	cat, ok := v.names.rules.Pack.Category(c.Category)
	if !ok || c.Company == "" || v.how != "saved" {
		return nil
	}
	return v.names.promises(ctx, promising{cat, c.Urgency, c.ReceivedAt, c.District, !c.TestAt.IsZero()})
}

// promising is what the time limits of a matter depend on.
type promising struct {
	category *citypack.Category
	urgency  citypack.Urgency
	at       civil.Instant
	county   string
	test     bool
}

// promiseKeys are the sentences of a time limit that a resident is told, with and without the hour at which it ends.
func promiseKeys(clock string) (key, open string) {
	switch clock {
	case citypack.ClockFirstContact:
		return "seat.promise.first_contact", "seat.promise.first_contact_open"
	case citypack.ClockArrive:
		return "seat.promise.arrive", "seat.promise.arrive_open"
	case citypack.ClockMeasure:
		return "seat.promise.measure", "seat.promise.measure_open"
	}
	return "", ""
}

func (n *caseNames) promises(ctx context.Context, p promising) []promised {
	if p.category == nil {
		return nil
	}
	var out []promised
	for _, c := range n.rules.Pack.Clocks(p.category, p.urgency) {
		key, open := promiseKeys(c.Code)
		if key == "" || c.Code == citypack.ClockMeasure && !p.test {
			continue
		}
		if limit, ok := n.rules.Limit(c.Code, p.category, p.urgency, p.at, p.county); ok {
			in, by := limitWords(n.rules, limit, p.at, httpx.Lang(ctx))
			if by == "" {
				key = open
			}
			out = append(out, promised{Key: key, In: in, By: by})
		}
	}
	return out
}

// limitWords says a limit that starts now: how long, and the hour at which it ends; empty while that cannot be computed.
func limitWords(r *citypack.Rules, limit citypack.LimitValue, now civil.Instant, l text.Lang) (in, by string) {
	if d, ok := limit.Elapsed(); ok {
		key := "seat.minutes"
		n := int(d.Minutes())
		if n%60 == 0 {
			key, n = "seat.hours", n/60
		}
		return text.T(l, key, "n", n), calendar.DueWords(l, now.Add(d))
	}
	c, shifts := limit.Calendar()
	due, err := r.Calendar.Due(calendar.Input{Limit: c, From: now, Shifts: shifts})
	if err != nil || due.Due.IsZero() {
		return c.Words().In(l), ""
	}
	return c.Words().In(l), calendar.DueWords(l, due.Due)
}

func (v *seatView) county() string {
	if v.answer != nil && v.answer.Community != nil {
		return v.answer.Community.DistrictCode
	}
	return ""
}

// fromRequest reports whether refund days of the city count from the request of a test.
func (v *seatView) fromRequest() bool {
	rule, ok := v.names.rules.Pack.RefundRuleOn(v.now.Date())
	return ok && rule.Counting != nil && rule.Counting.From == "test_request"
}

// ask is the question that would settle who is responsible.
func (v *seatView) ask(ctx context.Context) string {
	a := v.answer
	switch {
	case a == nil || a.Decision == territory.Assigned || a.Decision == territory.NotServed:
		return ""
	case a.Conflict:
		return ui.T(ctx, "seat.ask.conflict")
	case len(a.Candidates) == 0:
		return ui.T(ctx, "seat.ask.where")
	case v.sameName():
		return ui.T(ctx, "seat.ask.district", "name", a.Candidates[0].Community.Name, "districts", v.districts(ctx))
	case a.Community != nil && a.Building == "":
		return ui.T(ctx, "seat.ask.building", "name", a.Community.Name)
	}
	return ui.T(ctx, "seat.ask.which")
}

func (v *seatView) sameName() bool {
	c := v.answer.Candidates
	return len(c) > 1 && c[0].Community != nil && c[1].Community != nil && c[0].Community.ID != c[1].Community.ID && c[0].Community.Name == c[1].Community.Name
}

func (v *seatView) districts(ctx context.Context) string {
	var out []string
	for _, c := range v.answer.Candidates {
		if c.Community != nil && c.Community.District != "" && !slices.Contains(out, c.Community.District) {
			out = append(out, c.Community.District)
		}
	}
	return strings.Join(out, ui.T(ctx, "seat.or"))
}

// pick is the value of the key that chooses a candidate.
func pick(c territory.Candidate) string {
	id := ""
	if c.Community != nil {
		id = c.Community.ID
	}
	return id + "|" + c.Company
}

// candidate says where and who a candidate is.
func (v *seatView) candidate(ctx context.Context, c territory.Candidate) string {
	who := cmp.Or(v.names.org(ctx, c.Company), ui.T(ctx, "seat.nobody"))
	if c.Community == nil {
		return who
	}
	return c.Community.Name + "（" + c.Community.District + "）→ " + who
}

// tone is the look of the box that says who is responsible.
func (v *seatView) tone() string {
	switch v.answer.Decision {
	case territory.Assigned:
		return "good"
	case territory.NotServed:
		return "bad"
	case territory.Ambiguous, territory.Unknown:
	}
	return "warn"
}

// speaks reports whether somebody is there to whom the answer can be read out.
func (v *seatView) speaks() bool {
	return v.in.Channel != cases.Letter && v.in.Channel != cases.Leader && v.in.Channel != cases.Media
}

// dispatches reports whether the matter will go to the company by itself.
func (v *seatView) dispatches() bool {
	return v.answer != nil && v.category != nil && v.answer.MayAutoDispatch() && v.category.MayAutoDispatch()
}

func percent(f float64) string { return strconv.Itoa(int(f*100+0.5)) + "%" }

// houseFields are the fields of the form that a household fills in.
func houseFields(h place.Household) map[string]string {
	return map[string]string{
		"account": h.Account, "community": h.Community, "building": h.Building, "unit": h.Unit, "room": h.Room,
		"address": houseAddress(h),
	}
}

func houseAddress(h place.Household) string {
	out := h.CommunityName
	if h.Building != "" {
		out += h.Building + "号楼"
	}
	if h.Unit != "" {
		out += h.Unit + "单元"
	}
	return out + h.Room
}

// numbered are choices that a digit chooses while the cursor is in them (static/js/seat.js).
func numbered[T ~string](ctx context.Context, prefix string, values []T) []ui.Option {
	out := make([]ui.Option, 0, len(values))
	for n, v := range values {
		out = append(out, ui.Option{Value: string(v), Text: strconv.Itoa(n+1) + " " + ui.T(ctx, prefix+string(v))})
	}
	return out
}

// yesNo are the answers that Y, N and U give.
func yesNoOptions(ctx context.Context, values ...string) []ui.Option {
	letters := map[string]string{"yes": "Y", "no": "N", "unknown": "U"}
	out := make([]ui.Option, 0, len(values))
	for _, v := range values {
		out = append(out, ui.Option{Value: v, Text: letters[v] + " " + ui.T(ctx, "yes_no."+v)})
	}
	return out
}

// leafOptions are the categories that a matter may have, under those above them.
func (v *seatView) leafOptions(ctx context.Context) []ui.Option {
	l := httpx.Lang(ctx)
	var out []ui.Option
	for _, c := range v.names.rules.Pack.Leaves() {
		name := c.Name.In(l)
		if p := c.Parent(); p != nil {
			name = p.Name.In(l) + " / " + name
		}
		out = append(out, ui.Option{Value: c.Code, Text: name})
	}
	return out
}

// categoryValue is the category that the list shows.
func (v *seatView) categoryValue() string {
	if v.category != nil && (v.in.Category != "" || v.in.Text != "") {
		return v.category.Code
	}
	if v.peak {
		for _, c := range v.names.rules.Pack.Leaves() {
			if c.Kind == citypack.KindQuality {
				return c.Code
			}
		}
	}
	return ""
}

// mayReopen reports whether an earlier case may be taken up again.
func (v *seatView) mayReopen(c cases.Case) bool {
	return c.MayReopen(v.names.rules.Pack.Options(v.now), v.now) && v.by.May(actor.CaseReopen, c.On()) == nil
}

// answerText is what an article says to a citizen, in the reader's language.
func answerText(ctx context.Context, a knowledge.View) string {
	return cmp.Or(a.Answer[httpx.Lang(ctx)], a.Answer[text.ZH])
}

func hintText(ctx context.Context, a knowledge.View) string {
	return cmp.Or(a.Hint[httpx.Lang(ctx)], a.Hint[text.ZH])
}

// told is what is read out after saving.
func (v *seatView) told(ctx context.Context) string {
	c := v.done
	switch {
	case v.how == "reminded":
		return ui.T(ctx, "seat.told.reminded", "no", c.No)
	case v.how == "reopened":
		return ui.T(ctx, "seat.told.reopened", "no", c.No)
	case c.Status == cases.Answered:
		return ui.T(ctx, "seat.told.answered")
	case c.Company == "":
		return ui.T(ctx, "seat.told.centre", "no", c.No)
	}
	return ui.T(ctx, "seat.told.company", "no", c.No, "company", v.names.org(ctx, c.Company))
}

// say is the promise as a sentence to read out.
func (p promised) say(ctx context.Context) string {
	return ui.T(ctx, p.Key, "in", p.In, "by", p.By)
}

// seatChannels are the ways by which a matter reaches a seat; the others come in by themselves.
func seatChannels() []cases.Channel {
	return []cases.Channel{
		cases.Phone, cases.Counter, cases.Hotline, cases.CompanyIn, cases.WeChat, cases.Weibo,
		cases.Opinion, cases.Platform, cases.Patrol, cases.Mail, cases.Other,
	}
}

// firstKeyOf gives the first household its key.
func firstKeyOf(first bool) templ.Attributes {
	if !first {
		return nil
	}
	return templ.Attributes{"data-f": "F1", "aria-keyshortcuts": "F1"}
}

// answerKey gives the first article its key.
func answerKey(first bool) templ.Attributes {
	if !first {
		return nil
	}
	return templ.Attributes{"data-f": "F7", "aria-keyshortcuts": "F7"}
}

// stopUntil says when heat is expected back.
func stopUntil(ctx context.Context, at civil.Instant) string {
	if at.IsZero() {
		return ui.T(ctx, "seat.until_unknown")
	}
	return ui.T(ctx, "seat.until", "at", calendar.DueWords(httpx.Lang(ctx), at))
}

func stopTone(o outage.Outage, now civil.Instant) ui.Tone {
	if o.Overdue(now) {
		return ui.Red
	}
	return ui.Amber
}

// lastWords are the newest two words about a stop.
func lastWords(all []outage.Word) []outage.Word {
	return all[max(0, len(all)-2):]
}

// aboutOptions are the units whose staff a complaint can be about.
func (v *seatView) aboutOptions(ctx context.Context) []ui.Option {
	out := []ui.Option{{Key: "seat.about_none"}}
	for _, code := range slices.Sorted(maps.Keys(v.names.orgs)) {
		if o := v.names.orgs[code]; o.Active && o.Kind != staff.Partner {
			out = append(out, ui.Option{Value: code, Text: ui.Named(ctx, o.NameZH, o.NameEN)})
		}
	}
	return out
}

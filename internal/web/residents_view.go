package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/knowledge"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// homeView is the first page of residents.
type homeView struct {
	city        int
	stops, help bool
	refunds     bool
	live        int // stops that are going on
	hall        bool
	inside      bool // a resident is logged in
}

func (v homeView) href(more string) string { return at("/c/{city}/m"+more, v.city) }

// reportView is the resident's form.
type reportView struct {
	city   int
	now    civil.Instant
	form   ui.Form
	rules  *citypack.Rules
	places []ui.Option // estates that the address may mean: the second step

	own   resident.Binding // the home of a resident who is logged in
	phone string           // and their telephone
}

func (v reportView) page() Page {
	return Page{Title: text.Msg("citizen.report"), Body: reportBody(v), Back: at("/c/{city}/m", v.city), Photo: true}
}

// otherMatter is what does not fit the choices: the words decide.
const otherMatter = "other"

// matters are the choices of the first question: what is cold, what leaks, what was paid, and anything else.
func (v reportView) matters(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, c := range v.rules.Pack.Categories {
		switch c.Kind {
		case citypack.KindQuality, citypack.KindLeak, citypack.KindFee:
			if !c.Hidden {
				out = append(out, ui.Option{Value: c.Code, Text: c.Name.In(httpx.Lang(ctx))})
			}
		case citypack.KindFacility, citypack.KindMeasure, citypack.KindConnection, citypack.KindService, citypack.KindInquiry, citypack.KindIllegal, citypack.KindOpinion:
		}
	}
	return append(out, ui.Option{Value: otherMatter, Key: "citizen.other"})
}

// sinces are answers to "since when"; what is kept is what the seat would write down.
func sinces() []ui.Option {
	out := make([]ui.Option, 0, 4)
	for _, k := range []string{"citizen.since.today", "citizen.since.yesterday", "citizen.since.days", "citizen.since.long"} {
		out = append(out, ui.Option{Value: text.T(text.ZH, k), Key: k})
	}
	return out
}

// opening is the record that the form becomes; what is missing is said before anything else is looked at.
func (v reportView) opening(r *http.Request, in reportInput) (cases.Opening, error) {
	o := cases.Opening{
		City: v.city, Door: citypack.DoorWeb, Channel: cases.Web, Address: in.Address, Caller: cases.Party{Phone: in.Phone},
		Details: cases.Details{Since: in.Since}, TestRequest: in.Test, Text: in.Text, Key: formKey(r),
	}
	if v.own.ID != "" {
		o.Account = v.own.Account
	}
	if in.Place != "-" {
		o.Community = in.Place
	}
	var c fault.Check
	c.That(in.What != "", "what", "citizen.choose")
	if in.What != otherMatter {
		o.Category = categoryUnder(v.rules.Pack, in.What, in.Text)
	}
	if cat, ok := v.rules.Pack.Category(o.Category); ok {
		if cat.Kind == citypack.KindLeak {
			o.Details.Leak = "yes"
		}
		for _, f := range o.MissingFields(v.rules.Pack, cat) {
			c.Add(cases.FieldName(f), "field.required")
		}
	} else {
		c.That(in.Address != "", "address", "field.required")
		c.That(in.Phone != "", "caller.phone", "field.required")
		c.That(in.What != otherMatter || in.Text != "", "text", "field.required")
	}
	if c.OK() {
		c.Merge("", o.Check(v.rules.Pack, v.now))
	}
	return o, c.Err()
}

// progressView is a resident's own matter.
type progressView struct {
	cases.Progress
	city    int
	form    ui.Form
	rules   *citypack.Rules
	company string
	url     string
	fresh   bool // it was sent just now

	measured ownView // the measurements of the home
	refund   ownRefund

	claims []dispatch.Claim // visits that the company says it made
	beside cases.Alongside  // neighbours who wait too

	rating      callback.Standing // of the last closing
	mayComplain bool              // there is staff that the resident met
	mayObject   bool              // there is a measurement that one may object to
}

func (v progressView) page() Page {
	return Page{Title: text.Msg("citizen.progress", "no", v.No), Body: progressBody(v), Back: at("/c/{city}/m", v.city), Photo: v.Open}
}

func (v progressView) href(more string) string {
	return at("/c/{city}/m/r/", v.city) + v.Token + more
}

// standing says where the matter is, in fewer words than staff have.
func (v progressView) standing(ctx context.Context) string {
	switch v.Status {
	case cases.Reported, cases.Accepted, cases.Confirming, cases.Filed, cases.Returned:
		return ui.T(ctx, "citizen.standing.centre")
	case cases.Dispatched, cases.Signed, cases.Handling:
		return ui.T(ctx, "citizen.standing.company")
	case cases.FedBack, cases.Verified, cases.ToClose:
		return ui.T(ctx, "citizen.standing.checking")
	case cases.Rework, cases.Postponed, cases.Parked, cases.Closed, cases.Archived, cases.Answered, cases.Rejected, cases.Withdrawn, cases.Terminated, cases.Void:
	}
	return ui.T(ctx, "status."+string(v.Status))
}

// steps are what happened, without names of staff.
func (v progressView) steps(ctx context.Context) []ui.Step {
	var out []ui.Step
	orders, last := 0, 0
	for _, s := range v.Steps {
		title := firstKey(ctx, "", "step."+s.Act)
		if title == "" {
			continue
		}
		if s.Act == supervised { // one line for all of them: the last, with how many there were
			if orders++; orders > 1 {
				out = slices.Delete(out, last, last+1)
				title = ui.T(ctx, "citizen.step_times", "step", title, "n", orders)
			}
			last = len(out)
		}
		step := ui.Step{At: s.At.Minute(), Title: title}
		if s.Act == "case.appoint" {
			from, okFrom := instantOf(s.Body["from"])
			to, okTo := instantOf(s.Body["to"])
			if okFrom && okTo {
				step.Text = ui.T(ctx, "citizen.between", "from", from.MonthDayClock(), "to", to.Clock())
			}
		}
		out = append(out, step)
	}
	return out
}

// supervised is the act of a supervision order; a matter that is late for long has several.
const supervised = "case.supervise"

func instantOf(v any) (civil.Instant, bool) {
	s, ok := v.(string)
	if !ok {
		return 0, false
	}
	at, err := civil.ParseInstant(s)
	return at, err == nil
}

// keptPromise is a promise as the resident reads it.
type keptPromise struct {
	Name, Text string
	Look       string
}

func (v progressView) promised(ctx context.Context) []keptPromise {
	var out []keptPromise
	for _, p := range v.Promises {
		c, ok := v.rules.Pack.Clock(p.Code)
		if !ok {
			continue
		}
		k := keptPromise{Name: c.Name.In(httpx.Lang(ctx))}
		switch {
		case !p.Stopped.IsZero() && p.Late:
			k.Text, k.Look = ui.T(ctx, "citizen.promise.done_late", "at", p.Stopped.Minute()), "over"
		case !p.Stopped.IsZero():
			k.Text = ui.T(ctx, "citizen.promise.done", "at", p.Stopped.Minute())
		case p.Due.IsZero():
			k.Text = ui.T(ctx, "citizen.promise.open")
		case p.Late:
			k.Text, k.Look = ui.T(ctx, "citizen.promise.late", "by", calendar.DueWords(httpx.Lang(ctx), p.Due)), "over"
		default:
			k.Text = ui.T(ctx, "citizen.promise.by", "by", calendar.DueWords(httpx.Lang(ctx), p.Due))
		}
		out = append(out, k)
	}
	return out
}

// stopsView is the list of stops that everybody may know of.
type stopsView struct {
	city  int
	query string
	all   []outage.Announcement
	names map[string]string // of companies
	told  []bulletin.Bulletin
	lang  text.Lang
}

// fits reports whether a stop reaches a place of the name that was typed.
func (v stopsView) fits(a outage.Announcement) bool {
	if v.query == "" {
		return true
	}
	for _, s := range a.Scope {
		if strings.Contains(s.Name, v.query) || s.Name != "" && strings.Contains(v.query, s.Name) {
			return true
		}
	}
	return slices.ContainsFunc(a.Estates, func(name string) bool { return strings.Contains(name, v.query) || strings.Contains(v.query, name) })
}

// mostEstates is how many communities of a station a stop is named by.
const mostEstates = 6

// places says where a stop is. A station is named by the communities that it heats, since residents know no station.
func places(ctx context.Context, a outage.Announcement) string {
	var out []string
	for _, s := range a.Scope {
		parts := []string{s.Name}
		if s.Station != "" && s.Name == s.Station && len(a.Estates) > 0 { // no name but its code
			continue
		}
		if s.Zone != "" {
			parts = append(parts, s.Zone)
		}
		if s.Building != "" {
			parts = append(parts, ui.T(ctx, "citizen.building", "no", s.Building))
		}
		out = append(out, strings.Join(parts, " "))
	}
	some := a.Estates[:min(len(a.Estates), mostEstates)]
	out = append(out, some...)
	if rest := len(a.Estates) - len(some); rest > 0 {
		out = append(out, ui.T(ctx, "citizen.more_estates", "n", rest))
	}
	return strings.Join(out, ui.T(ctx, "web.and"))
}

// helpArticles are the articles that explain heating to residents.
func (w *Web) helpArticles(r *http.Request) ([]knowledge.View, error) {
	var out []knowledge.View
	for _, k := range []knowledge.Kind{knowledge.Guide, knowledge.Fault, knowledge.Law, knowledge.Fee} {
		some, err := w.Knowledge.Search(r.Context(), actor.SystemFor("citizen", actor.Public), knowledge.Query{City: httpx.City(r.Context()), Kind: k})
		if err != nil {
			return nil, err
		}
		for _, a := range some {
			if !a.Stale && cmp.Or(a.Answer[text.ZH], a.Answer[text.EN]) != "" {
				out = append(out, a)
			}
		}
	}
	return out, nil
}

// questionView is a question to a resident.
type questionView struct {
	notice.Asked
	city int
	now  civil.Instant
}

func questionPage(v questionView) Page {
	return Page{Title: text.Msg("citizen.question"), Body: questionBody(v), Back: at("/c/{city}/m", v.city)}
}

// open reports whether an answer is still taken.
func (v questionView) open() bool { return v.Answered.IsZero() && v.now.Before(v.Expires) }

// words is the question; one that this page does not know is shown as it was sent.
func (v questionView) words(ctx context.Context) string {
	no, at, from, to := v.Params["no"], v.Params["at"], v.Params["from"], v.Params["to"]
	switch v.Template {
	case "message.ask.visit":
		return ui.T(ctx, "citizen.ask.visit", "no", no, "at", at)
	case "message.ask.appointment":
		return ui.T(ctx, "citizen.ask.appointment", "no", no, "from", from, "to", to)
	case "message.ask.callback":
		return ui.T(ctx, "callbackpage.question", "no", no)
	case "message.measure.visit":
		return ui.T(ctx, "measurepage.own.said_absent", "at", at)
	case "message.measure.appointment":
		return ui.T(ctx, "measurepage.own.offered", "time", from+"–"+to)
	case "message.measure.cure":
		return ui.T(ctx, "measurepage.own.said_cured")
	}
	return v.Text
}

// choice says an answer in the words of its question.
func (v questionView) choice(ctx context.Context, answer string) string {
	switch v.Template + "/" + answer {
	case "message.ask.visit/yes":
		return ui.T(ctx, "citizen.ask.came")
	case "message.ask.visit/no":
		return ui.T(ctx, "citizen.ask.never_came")
	case "message.ask.appointment/yes":
		return ui.T(ctx, "citizen.ask.may_come")
	case "message.ask.appointment/no":
		return ui.T(ctx, "citizen.ask.may_not")
	case "message.ask.callback/" + callback.Pleased, "message.ask.callback/" + callback.Grudging, "message.ask.callback/" + callback.Unsolved:
		return ui.T(ctx, "callbackpage.answer_of."+answer)
	case "message.measure.visit/yes":
		return ui.T(ctx, "measurepage.own.true")
	case "message.measure.visit/no":
		return ui.T(ctx, "measurepage.own.untrue")
	case "message.measure.appointment/yes":
		return ui.T(ctx, "measurepage.own.suits")
	case "message.measure.appointment/no":
		return ui.T(ctx, "measurepage.own.not_suits")
	case "message.measure.cure/yes":
		return ui.T(ctx, "measurepage.own.warm_now")
	case "message.measure.cure/no":
		return ui.T(ctx, "measurepage.own.still_cold")
	}
	return firstKey(ctx, answer, "yes_no."+answer)
}

package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// rulesRoutes are the pages of a city's rules: its pack, its seasons, the peak's short form.
func (w *Web) rulesRoutes() []Route {
	if w.Rules == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/pack", may(actor.PackRead), w.packPage),
		get("/c/{city}/pack/refunds", may(actor.PackRead), w.refundRules),
		post("/c/{city}/pack/approve", may(actor.PackApprove), w.approveValue),
		post("/c/{city}/pack/withdraw", may(actor.PackApprove), w.withdrawApproval),
		get("/c/{city}/season", may(actor.PackRead, actor.PeakSwitch), w.seasonPage),
		post("/c/{city}/season", may(actor.SeasonDeclare), w.declareSeason),
		post("/c/{city}/season/peak", may(actor.PeakSwitch), w.switchPeak),
	}
}

// packView is the pack as its page shows it: every value with its source.
type packView struct {
	city   int
	pack   *citypack.Pack
	values []citypack.Value
	total  int
	query  packQuery
	next   int
	may    bool
}

// packQuery narrows the list of values.
type packQuery struct {
	Query string `form:"q"`
	Only  string `form:"only"` // provisional, approved
	From  int    `form:"from"`
}

// valuesAtOnce is how many values a page shows.
const valuesAtOnce = 100

func (q packQuery) fits(v citypack.Value, l text.Lang) bool {
	switch {
	case q.Only == "provisional" && !v.Provisional, q.Only == "approved" && v.Approval == nil:
		return false
	case q.Query == "":
		return true
	}
	return strings.Contains(strings.ToLower(v.Path+" "+v.Label(l)+" "+v.Text+" "+v.Say(l)+" "+v.Source.String()), strings.ToLower(q.Query))
}

// packPage shows every value of the city's pack with the law that it comes from, and which of them wait for the city's
// approval.
func (w *Web) packPage(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[packQuery](r)
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	rules, err := w.Rules.Rules(ctx, city)
	if err != nil {
		return err
	}
	all, err := w.Rules.ListValues(ctx, by(r), city)
	if err != nil {
		return err
	}
	v := packView{city: city, pack: rules.Pack, query: q, may: by(r).MayAny(actor.PackApprove, city)}
	for _, one := range all {
		if !q.fits(one, httpx.Lang(ctx)) {
			continue
		}
		v.total++
		if v.total > q.From && v.total <= q.From+valuesAtOnce {
			v.values = append(v.values, one)
		}
	}
	if v.total > q.From+valuesAtOnce {
		v.next = q.From + valuesAtOnce
	}
	return w.show(rw, r, Page{Title: text.Msg("rules.pack"), Nav: "pack", Body: packBody(v)})
}

type approvalInput struct {
	Path  string `form:"path"`
	Value string `form:"value"` // as it was read
	Note  string `form:"note"`
}

func (w *Web) approveValue(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[approvalInput](r)
	city := httpx.City(r.Context())
	if err == nil {
		err = w.Rules.Approve(r.Context(), by(r), citypack.Approving{City: city, Values: []citypack.Chosen{{Path: in.Path, Value: in.Value}}, Note: in.Note})
	}
	return w.after(rw, r, err, at("/c/{city}/pack?only=provisional", city), "rules.approved")
}

func (w *Web) withdrawApproval(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[approvalInput](r)
	city := httpx.City(r.Context())
	if err == nil {
		err = w.Rules.Withdraw(r.Context(), by(r), citypack.Withdrawal{City: city, Path: in.Path, Reason: in.Note})
	}
	return w.after(rw, r, err, at("/c/{city}/pack?only=approved", city), "rules.withdrawn")
}

// seasonView is what was declared about seasons, and the peak's switch.
type seasonView struct {
	city       int
	season     citypack.Season
	known      bool
	phase      citypack.Phase
	declared   []citypack.SeasonAct
	peak       citypack.Switch
	mayDeclare bool
	mayPeak    bool
}

// seasonPage shows the season, what the authority declared about it, and whether intake takes the peak's short form.
func (w *Web) seasonPage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.season(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, seasonPageOf(v, ui.Form{}))
}

func seasonPageOf(v seasonView, f ui.Form) Page {
	return Page{Title: text.Msg("rules.season"), Nav: "season", Body: seasonBody(v, f)}
}

func (w *Web) season(r *http.Request) (seasonView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	v := seasonView{city: city, mayDeclare: by(r).MayAny(actor.SeasonDeclare, city), mayPeak: by(r).MayAny(actor.PeakSwitch, city)}
	rules, err := w.Rules.Rules(ctx, city)
	if err != nil {
		return v, err
	}
	v.season, v.known = rules.Season(w.o.Now(), "")
	v.phase = rules.Phase(w.o.Now(), "")
	if by(r).MayAny(actor.PackRead, city) {
		if v.declared, err = w.Rules.ListSeasons(ctx, by(r), city); err != nil {
			return v, err
		}
	}
	v.peak, err = w.Rules.Peak(ctx, by(r), city)
	return v, err
}

func (w *Web) declareSeason(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[citypack.SeasonInput](r)
	if err == nil {
		in.City = httpx.City(r.Context())
		_, err = w.Rules.DeclareSeason(r.Context(), by(r), in)
	}
	if err != nil {
		v, lost := w.season(r)
		if lost != nil {
			return lost
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { return seasonPageOf(v, f) })
	}
	return w.done(rw, r, at("/c/{city}/season", in.City), text.Msg("rules.declared"))
}

func (w *Web) switchPeak(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[citypack.PeakInput](r)
	city := httpx.City(r.Context())
	if err == nil {
		in.City = city
		_, err = w.Rules.SetPeak(r.Context(), by(r), in)
	}
	return w.after(rw, r, err, at("/c/{city}/season", city), "rules.peak_set")
}

// moreValues is the address of the next values.
func (v packView) moreValues() string {
	q := filterValues("q", v.query.Query, "only", v.query.Only)
	q.Set("from", strconv.Itoa(v.next))
	return withQuery(at("/c/{city}/pack", v.city), q)
}

// versionOf is the version of the whole city's declaration for this season; 0 declares it.
func (v seasonView) versionOf() int64 {
	for _, d := range v.declared {
		if d.Season == v.season.Label && d.County == "" {
			return d.Version
		}
	}
	return 0
}

// filterValues makes a query of pairs, without those that are empty.
func filterValues(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// applies says why a value holds without the city's approval.
func (v packView) applies(one citypack.Value) string {
	if one.Confidence == citypack.Fictional {
		return "rules.state.fictional"
	}
	return "rules.state.applies"
}

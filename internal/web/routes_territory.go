package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// territoryRoutes are the versions of a city's areas, what differs between two, where callers go wrong, and what
// dispatchers taught.
func (w *Web) territoryRoutes() []Route {
	if w.Territory == nil || w.Rules == nil {
		return nil
	}
	read := may(actor.TerritoryRead)
	return []Route{
		get("/c/{city}/territory", read, w.versions),
		get("/c/{city}/territory/export", read, w.diffExport),
		get("/c/{city}/territory/doubts", read, w.doubts),
		get("/c/{city}/territory/doubts/export", read, w.doubtsExport),
		post("/c/{city}/territory/doubts/unmark", may(actor.KnowledgeWrite, actor.CaseDispatch), w.unmark),
		get("/c/{city}/territory/rules", read, w.learnt),
		post("/c/{city}/territory/rules/{id}/withdraw", may(actor.CaseDispatch), w.withdrawRule),
	}
}

// territoryTabs are the three pages in a row.
func territoryTabs(city int, now string) []ui.Link {
	var out []ui.Link
	for _, t := range []struct{ name, pattern string }{
		{"versions", "/c/{city}/territory"}, {"doubts", "/c/{city}/territory/doubts"}, {"rules", "/c/{city}/territory/rules"},
	} {
		out = append(out, ui.Link{Key: "territorypage.tab." + t.name, Href: at(t.pattern, city), Current: t.name == now})
	}
	return out
}

type diffQuery struct {
	From string `form:"from"`
	To   string `form:"to"`
}

type versionsView struct {
	city     int
	names    *caseNames
	versions []territory.Version // the oldest first
	now      string
	query    diffQuery
	diff     *territory.Diff
	wrong    ui.Form
	mayCases bool
}

// diffOf compares the versions of the address; without any, the last two. One that cannot be compared is the form's fault.
func (w *Web) diffOf(r *http.Request) (versionsView, error) {
	q, err := httpx.Bind[diffQuery](withoutFormat(r))
	if err != nil {
		return versionsView{}, err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	v := versionsView{city: city, query: q, mayCases: by(r).MayAny(actor.CaseRead, city)}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	if v.versions, err = w.Territory.Versions(ctx, by(r), city); err != nil {
		return v, err
	}
	if i := territory.InForce(v.versions, w.o.Now().Date()); i >= 0 {
		v.now = v.versions[i].Code
	}
	if n := len(v.versions); n > 1 && q.From == "" && q.To == "" {
		v.query = diffQuery{From: v.versions[n-2].Code, To: v.versions[n-1].Code}
	}
	if v.query.From == "" || v.query.To == "" {
		return v, nil
	}
	d, err := w.Territory.Diff(ctx, by(r), city, v.query.From, v.query.To)
	if fault.Is(err, fault.Invalid) {
		v.wrong = ui.FormOf(r, err)
		return v, nil
	}
	v.diff = &d
	return v, err
}

// versions lists the versions and compares two.
func (w *Web) versions(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.diffOf(r)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if v.wrong.Failed() {
		status = http.StatusUnprocessableEntity
	}
	return w.showAs(rw, r, status, ui.Staff, Page{Title: text.Msg("territorypage.title"), Nav: "territory", Body: versionsBody(v)})
}

func (w *Web) diffExport(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.diffOf(r)
	if err != nil {
		return err
	}
	if v.diff == nil {
		return fault.New(fault.Invalid, "territorypage.nothing_to_compare")
	}
	columns := []string{"territorypage.community", "territorypage.building", "territorypage.district", "territorypage.from", "territorypage.to", "territorypage.area_from", "territorypage.area_to", "territorypage.why", "territorypage.confirmed", "territorypage.open_cases"}
	ctx := r.Context()
	return w.sendSheet(rw, r, "territory-changes", columns, func(out sheet.Writer) error {
		for _, h := range v.diff.Communities {
			err := out.Row(h.Name, h.Building, v.names.district(h.District), v.names.served(ctx, h.From), v.names.served(ctx, h.To), h.FromArea, h.ToArea,
				ui.Say(ctx, h.Reason), ui.T(ctx, confirmedKey(h)), h.OpenCases)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func confirmedKey(h territory.Handed) string {
	if h.Confirmed {
		return "territorypage.confirmed.yes"
	}
	return "territorypage.confirmed.no"
}

type doubtsView struct {
	city   int
	names  *caseNames
	kind   territory.DoubtKind
	list   []territory.Doubt
	unmark bool
}

func (w *Web) doubtsView(r *http.Request) (doubtsView, error) {
	q, err := httpx.Bind[struct {
		Kind territory.DoubtKind `form:"kind"`
	}](withoutFormat(r))
	if err != nil {
		return doubtsView{}, err
	}
	city := httpx.City(r.Context())
	v := doubtsView{city: city, kind: q.Kind, unmark: by(r).MayAny(actor.KnowledgeWrite, city) || by(r).MayAny(actor.CaseDispatch, city)}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	v.list, err = w.Territory.Doubts(r.Context(), by(r), city, q.Kind)
	return v, err
}

// doubts lists where callers and seats go wrong, with the question that tells the communities apart.
func (w *Web) doubts(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.doubtsView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("territorypage.tab.doubts"), Nav: "territory", Body: doubtsBody(v)})
}

func (w *Web) doubtsExport(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.doubtsView(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	columns := []string{"territorypage.doubt", "territorypage.doubt_name", "territorypage.doubt_places", "territorypage.neighbours", "territorypage.ask"}
	return w.sendSheet(rw, r, "confusable", columns, func(out sheet.Writer) error {
		for _, d := range v.list {
			var places []string
			for _, p := range d.Communities {
				places = append(places, p.District+" "+p.Name+" "+v.names.served(ctx, p.Company))
			}
			err := out.Row(ui.T(ctx, "doubt."+string(d.Kind)), d.Name, strings.Join(places, "; "), v.neighbours(ctx, d), ui.T(ctx, "territorypage.ask."+string(d.Kind)))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (v doubtsView) neighbours(ctx context.Context, d territory.Doubt) string {
	all := make([]string, len(d.Neighbours))
	for i, c := range d.Neighbours {
		all[i] = v.names.org(ctx, c)
	}
	return strings.Join(all, ui.T(ctx, "web.and"))
}

// doubtKinds are the choices of the filter.
func doubtKinds() []ui.Option {
	return wordOptions("doubt."+each, []territory.DoubtKind{territory.DoubtSharedName, territory.DoubtOtherName, territory.DoubtBorder, territory.DoubtMarked})
}

// unmark takes back that two communities are confused.
func (w *Web) unmark(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	back := at("/c/{city}/territory/doubts", city)
	err := w.Territory.UnmarkConfusable(r.Context(), by(r), city, territory.Pair{A: r.PostFormValue("a"), B: r.PostFormValue("b")})
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("territorypage.unmarked"))
}

type learntView struct {
	city     int
	names    *caseNames
	filter   territory.RuleFilter
	list     page.Of[territory.KnownRule]
	places   map[string]string // id → name
	withdraw bool
}

// learnt lists what dispatchers' choices taught.
func (w *Web) learnt(rw http.ResponseWriter, r *http.Request) error {
	f, err := httpx.Bind[territory.RuleFilter](r)
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	v := learntView{city: city, filter: f, places: map[string]string{}, withdraw: by(r).MayAny(actor.CaseDispatch, city)}
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	if v.list, err = w.Territory.Rules(ctx, by(r), city, f); err != nil {
		return err
	}
	for _, k := range v.list.Items {
		if k.Community == "" || v.places[k.Community] != "" {
			continue
		}
		c, err := w.Territory.ServedBy(ctx, by(r), city, k.Community)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		v.places[k.Community] = c.Name
	}
	return w.show(rw, r, Page{Title: text.Msg("territorypage.tab.rules"), Nav: "territory", Body: learntBody(v)})
}

// where is the condition of a rule in words.
func (v learntView) where(ctx context.Context, k territory.KnownRule) string {
	var all []string
	for _, part := range []string{v.places[k.Community], k.Building, k.Road + k.Number} {
		if part != "" {
			all = append(all, part)
		}
	}
	if k.Text != "" {
		all = append(all, ui.T(ctx, "territorypage.rule_text", "text", k.Text))
	}
	return strings.Join(all, " ")
}

// withdrawRule takes a rule out of use.
func (w *Web) withdrawRule(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	back := at("/c/{city}/territory/rules", city)
	in, err := httpx.Bind[struct {
		Version int64 `form:"version"`
	}](r)
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	if _, err := w.Territory.WithdrawRule(r.Context(), by(r), city, r.PathValue("id"), in.Version); err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("territorypage.withdrawn"))
}

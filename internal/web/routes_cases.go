package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// casesRoutes are the dispatchers' list of cases and what belongs to the whole of it.
func (w *Web) casesRoutes() []Route {
	if w.Cases == nil || w.Dispatch == nil || w.Rules == nil {
		return nil
	}
	read := may(actor.CaseRead)
	return []Route{
		get("/c/{city}/cases", read, w.caseList),
		get("/c/{city}/cases/live", read, w.caseLive),
		get("/c/{city}/cases/map", read, w.caseMap),
		get("/c/{city}/cases/export", may(actor.CaseExport), w.caseExport),
		post("/c/{city}/cases/batch", may(actor.CaseSign, actor.CaseDispatch, actor.CaseUrge, actor.CaseLink, actor.CaseAccept), w.caseBatch),
	}
}

// caseQuery is the address of a list: what it is narrowed to, and which case is open beside it.
type caseQuery struct {
	cases.Filter
	Open string `form:"open"`
}

// caseQueryOf reads the address. Without a word about it the list shows what is open, nearest deadline first.
func caseQueryOf(r *http.Request) (caseQuery, error) {
	q, err := httpx.Bind[caseQuery](r)
	if err != nil {
		return q, err
	}
	q.Status = slices.DeleteFunc(q.Status, func(s cases.Status) bool { return s == "" })
	open := !slices.ContainsFunc(q.Status, func(s cases.Status) bool { return !s.IsOpen() })
	switch {
	case q.State == "all", q.State == "" && !open:
		q.State = ""
	case q.State == "" && q.Query == "":
		q.State = "open"
	}
	switch {
	case q.Sort == "new":
		q.Sort = ""
	case q.Sort == "":
		q.Sort = "due"
	}
	return q, nil
}

// consoleView is the list as its page shows it.
type consoleView struct {
	query    caseQuery
	names    *caseNames
	page     page.Of[cases.Case]
	total    cases.Total
	loads    []cases.Load
	side     *caseView
	url      *url.URL
	by       actor.Actor
	city     int
	wrong    ui.Form // what is wrong with the filter
	batch    bool    // rows can be ticked
	export   bool
	hasAreas bool
}

// caseList is the dispatchers' console; with htmx only the drawer of the case that was chosen, or the list alone.
func (w *Web) caseList(rw http.ResponseWriter, r *http.Request) error {
	q, err := caseQueryOf(r)
	if err == nil {
		err = q.Check()
	}
	bad := err
	if bad != nil {
		if !fault.Is(bad, fault.Invalid) {
			return bad
		}
		q = caseQuery{Filter: cases.Filter{State: "open", Sort: "due"}, Open: q.Open}
	}
	v := consoleView{query: q, by: by(r), city: httpx.City(r.Context()), url: r.URL, wrong: ui.FormOf(r, bad)}
	v.hasAreas = w.Territory != nil && v.by.MayAny(actor.TerritoryRead, v.city)
	if err := w.fillSide(r, &v); err != nil {
		return err
	}
	p := Page{Title: text.Msg("casework.title"), Nav: "cases", Live: v.liveURL(), Fill: true}
	if target := r.Header.Get("HX-Target"); isPart(r) && target == "side" {
		if v.side == nil {
			if err := w.fillLoads(r, &v); err != nil {
				return err
			}
		}
		p.Body = caseSide(v)
		return w.show(rw, r, p)
	}
	if err := w.fillList(r, &v); err != nil {
		return err
	}
	status := http.StatusOK
	if bad != nil {
		status = http.StatusUnprocessableEntity
	}
	p.Body = console(v)
	return w.showAs(rw, r, status, ui.Staff, p)
}

func (w *Web) fillSide(r *http.Request, v *consoleView) error {
	var err error
	if v.query.Open == "" {
		v.names, err = w.caseNames(r)
		return err
	}
	one, err := w.caseView(r, v.query.Open)
	if err != nil {
		return err
	}
	one.back = v.listURL()
	v.side, v.names = &one, one.names
	return nil
}

func (w *Web) fillLoads(r *http.Request, v *consoleView) error {
	var err error
	v.loads, err = w.Cases.Loads(r.Context(), v.by, v.city)
	return err
}

func (w *Web) fillList(r *http.Request, v *consoleView) error {
	var err error
	if v.page, err = w.Cases.List(r.Context(), v.by, v.city, v.query.Filter); err != nil {
		return err
	}
	if v.total, err = w.Cases.Count(r.Context(), v.by, v.city, v.query.Filter); err != nil {
		return err
	}
	v.export = v.by.MayAny(actor.CaseExport, v.city)
	v.batch = len(v.batchActs()) > 0
	return w.fillLoads(r, v)
}

// listURL is the list without a case beside it.
func (v consoleView) listURL() string {
	q := v.url.Query()
	q.Del("open")
	return withQuery(at("/c/{city}/cases", v.city), q)
}

// openURL is the list with a case beside it.
func (v consoleView) openURL(id string) string {
	q := v.url.Query()
	q.Set("open", id)
	return withQuery(at("/c/{city}/cases", v.city), q)
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// sameFilter is another address with the list's filter.
func (v consoleView) sameFilter(pattern string, extra ...string) string {
	q := v.url.Query()
	for _, k := range []string{"open", "after", "size"} {
		q.Del(k)
	}
	for i := 0; i+1 < len(extra); i += 2 {
		q.Set(extra[i], extra[i+1])
	}
	return withQuery(at(pattern, v.city), q)
}

func (v consoleView) liveURL() string { return v.sameFilter("/c/{city}/cases/live") }

// stats are the figures above the list; each leads to the cases that it counts.
func (v consoleView) stats() []ui.Stat {
	sum := func(of func(cases.Load) int64, status ...cases.Status) int64 {
		var n int64
		for _, l := range v.loads {
			if len(status) == 0 || slices.Contains(status, l.Status) {
				n += of(l)
			}
		}
		return n
	}
	count := func(l cases.Load) int64 { return l.N }
	one := func(icon, key string, tone ui.Tone, n int64, q url.Values) ui.Stat {
		href := withQuery(at("/c/{city}/cases", v.city), q)
		return ui.Stat{Icon: icon, Key: key, Tone: tone, Value: decimal(n), Href: href, Current: sameQuery(v.url.Query(), q)}
	}
	byStatus := func(icon, key string, s ...cases.Status) ui.Stat {
		words := make([]string, len(s))
		for i, x := range s {
			words[i] = string(x)
		}
		return one(icon, key, "", sum(count, s...), url.Values{"status": words})
	}
	near, over := ui.Tone(""), ui.Tone("")
	nearN, overN := sum(func(l cases.Load) int64 { return l.Near }), sum(func(l cases.Load) int64 { return l.Overdue })
	if nearN > 0 {
		near = ui.Amber
	}
	if overN > 0 {
		over = ui.Red
	}
	return []ui.Stat{
		byStatus("inbox", "casework.stat.accept", cases.Reported, cases.Accepted, cases.Confirming),
		byStatus("send", "casework.stat.dispatch", cases.Filed, cases.Returned),
		byStatus("pencil", "casework.stat.sign", cases.Dispatched),
		byStatus("wrench", "casework.stat.handle", cases.Signed, cases.Handling, cases.Rework),
		byStatus("badge-check", "casework.stat.verify", cases.FedBack),
		byStatus("phone-call", "casework.stat.callback", cases.Verified),
		one("clock", "casework.stat.near", near, nearN, url.Values{"late": {"near"}}),
		one("alarm-clock", "casework.stat.over", over, overN, url.Values{"late": {"overdue"}}),
		one("siren", "casework.stat.supervised", "", sum(func(l cases.Load) int64 { return l.Supervised }), url.Values{"flag": {"supervised"}}),
	}
}

// sameQuery reports whether the address shows this filter and nothing else.
func sameQuery(a, b url.Values) bool {
	a = cloneQuery(a)
	for _, k := range []string{"open", "after", "size"} {
		a.Del(k)
	}
	return a.Encode() == b.Encode()
}

func cloneQuery(q url.Values) url.Values {
	out := url.Values{}
	for k, all := range q {
		for _, one := range all {
			if one != "" {
				out.Add(k, one)
			}
		}
	}
	return out
}

// burden is what one company has open, for the table beside the map.
type burden struct {
	code                       string
	open, unsigned, near, over int64
}

func (v consoleView) burdens() []burden {
	by := map[string]*burden{}
	var order []string
	for _, l := range v.loads {
		b := by[l.Company]
		if b == nil {
			b = &burden{code: l.Company}
			by[l.Company], order = b, append(order, l.Company)
		}
		b.open, b.near, b.over = b.open+l.N, b.near+l.Near, b.over+l.Overdue
		if l.Status == cases.Dispatched {
			b.unsigned += l.N
		}
	}
	out := make([]burden, 0, len(order))
	for _, code := range order {
		out = append(out, *by[code])
	}
	slices.SortStableFunc(out, func(a, b burden) int { return int(b.over*1e6+b.open) - int(a.over*1e6+a.open) })
	return out
}

// batchActs are what can be done to many cases at once by the reader.
func (v consoleView) batchActs() []ui.Option {
	var out []ui.Option
	for _, a := range []struct {
		do string
		p  actor.Permission
	}{{"dispatch", actor.CaseDispatch}, {"answer", actor.CaseAccept}, {"remind", actor.CaseUrge}, {"sign", actor.CaseSign}, {"link", actor.CaseLink}} {
		if v.by.MayAny(a.p, v.city) {
			out = append(out, ui.Option{Value: a.do, Key: "casework.batch." + a.do})
		}
	}
	return out
}

// listBack is the list that an act on many cases came from.
func (w *Web) listBack(r *http.Request) string {
	list := at("/c/{city}/cases", httpx.City(r.Context()))
	if from, ok := safeNext(refererPath(r)); ok && w.isList(r, from) {
		return from
	}
	return list
}

// caseMap is the areas of the version in force with the listed cases as points, or the area of one case.
func (w *Web) caseMap(rw http.ResponseWriter, r *http.Request) error {
	q, err := caseQueryOf(r)
	if err != nil {
		return err
	}
	names, err := w.caseNames(r)
	if err != nil {
		return err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	var chosen cases.Case
	if q.Open != "" {
		if chosen, err = w.Cases.Get(ctx, by(r), city, q.Open); err != nil {
			return err
		}
	}
	features, err := w.areaFeatures(r, names, chosen)
	if err != nil {
		return err
	}
	list := page.Of[cases.Case]{Items: []cases.Case{chosen}}
	if q.Open == "" {
		q.Size = page.MaxSize
		if list, err = w.Cases.List(ctx, by(r), city, q.Filter); err != nil {
			return err
		}
	}
	for _, c := range list.Items {
		if c.Lng != nil && c.Lat != nil {
			features = append(features, casePoint(ctx, names, c))
		}
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(map[string]any{"type": "FeatureCollection", "features": features}); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "application/geo+json")
	rw.Header().Set("Cache-Control", "private, no-cache")
	_, _ = rw.Write(b.Bytes()) // the client is gone: nobody to tell
	return nil
}

type feature struct {
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
	Geometry   any            `json:"geometry"`
}

func (w *Web) areaFeatures(r *http.Request, names *caseNames, chosen cases.Case) ([]feature, error) {
	out := []feature{}
	city := httpx.City(r.Context())
	if w.Territory == nil || !by(r).MayAny(actor.TerritoryRead, city) {
		return out, nil
	}
	areas, err := w.Territory.Areas(r.Context(), by(r), city, "")
	if fault.Is(err, fault.NotFound) { // no version has been imported yet
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	labels := labelled(areas)
	for _, a := range areas {
		if len(a.GeoJSON) == 0 || string(a.GeoJSON) == "null" {
			continue
		}
		p := map[string]any{"fill": names.fill(a.Company), "note": a.Name + " " + names.org(r.Context(), a.Company)}
		switch {
		case chosen.Area != "" && a.Code == chosen.Area:
			p["chosen"], p["name"] = true, a.Name
		case chosen.ID == "" && labels[a.Company] == a.Code:
			p["name"] = names.short(r.Context(), a.Company)
		}
		out = append(out, feature{"Feature", p, a.GeoJSON})
	}
	return out, nil
}

// labelled chooses the widest area of each company to bear its name, since names on every area would hide the map.
func labelled(areas []territory.DrawnArea) map[string]string {
	out, widest, n := map[string]string{}, map[string]float64{}, map[string]int{}
	for _, a := range areas {
		n[a.Company]++
		if w := width(a.GeoJSON); w > widest[a.Company] {
			out[a.Company], widest[a.Company] = a.Code, w
		}
	}
	for company, count := range n {
		if count < 2 { // a lone boiler room has no place for its name
			delete(out, company)
		}
	}
	return out
}

// width is how far a MultiPolygon reaches from west to east.
func width(outline json.RawMessage) float64 {
	var g struct {
		Coordinates [][][][]float64 `json:"coordinates"`
	}
	if json.Unmarshal(outline, &g) != nil {
		return 0
	}
	west, east := 180.0, -180.0
	for _, polygon := range g.Coordinates {
		for _, ring := range polygon {
			for _, at := range ring {
				if len(at) > 0 {
					west, east = min(west, at[0]), max(east, at[0])
				}
			}
		}
	}
	return max(0, east-west)
}

func casePoint(ctx context.Context, names *caseNames, c cases.Case) feature {
	p := map[string]any{
		"note": c.No + " " + names.category(ctx, c.Category) + " " + ui.T(ctx, "status."+string(c.Status)),
		"fill": names.fill(c.Company), "radius": 5, "href": at("/c/{city}/cases", c.City) + "?open=" + url.QueryEscape(c.ID),
	}
	return feature{"Feature", p, map[string]any{"type": "Point", "coordinates": []float64{*c.Lng, *c.Lat}}}
}

// caseExport sends every case of the filter as a table.
func (w *Web) caseExport(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[struct {
		caseQuery
		Format sheet.Format `form:"format"`
	}](r)
	if err != nil {
		return err
	}
	q, err := caseQueryOf(withoutFormat(r))
	if err == nil {
		err = q.Check()
	}
	if err != nil {
		return err
	}
	names, err := w.caseNames(r)
	if err != nil {
		return err
	}
	format := sheet.CSV
	if in.Format == sheet.XLSX {
		format = sheet.XLSX
	}
	if err := httpx.Long(rw); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", format.MediaType())
	rw.Header().Set("Content-Disposition", `attachment; filename="cases-`+w.o.Now().Date().String()+`.`+string(format)+`"`)
	return w.writeExport(rw, r, q.Filter, names, format)
}

func withoutFormat(r *http.Request) *http.Request {
	q := r.URL.Query()
	q.Del("format")
	out := r.Clone(r.Context())
	out.URL.RawQuery = q.Encode()
	return out
}

func (w *Web) writeExport(rw http.ResponseWriter, r *http.Request, f cases.Filter, names *caseNames, format sheet.Format) error {
	ctx := r.Context()
	keys := []string{
		"no", "status", "urgency", "category", "nature", "channel", "received", "address", "company", "district", "dispatched", "signed",
		"arrived", "fed_back", "closed", "due", "late", "solved", "satisfied", "urges", "returns", "reworks", "reopens", "text", "doc_no", "doc_due",
	}
	header := make([]string, len(keys))
	for i, k := range keys {
		header[i] = ui.T(ctx, "casework.col."+k)
	}
	out, err := sheet.NewWriter(rw, format, header...)
	if err != nil {
		return err
	}
	word := func(key, v string) string {
		if v == "" {
			return ""
		}
		return firstKey(ctx, v, key)
	}
	err = w.Cases.Export(ctx, by(r), httpx.City(ctx), f, func(c cases.Case) error {
		late := ""
		if c.Late {
			late = ui.T(ctx, "yes_no.yes")
		}
		return out.Row(c.No, word("status."+string(c.Status), string(c.Status)), word("urgency."+string(c.Urgency), string(c.Urgency)), names.category(ctx, c.Category),
			word("nature."+string(c.Nature), string(c.Nature)), word("channel."+string(c.Channel), string(c.Channel)), c.ReceivedAt.Minute(), c.Address, names.org(ctx, c.Company),
			names.district(c.District), c.DispatchedAt.Minute(), c.SignedAt.Minute(), c.ArrivedAt.Minute(), c.FedBackAt.Minute(), c.ClosedAt.Minute(),
			c.DueAt.Minute(), late, word("solved."+c.Solved, c.Solved), word("yes_no."+c.Satisfied, c.Satisfied), c.Urges, c.Returns, c.Reworks, c.Reopens, c.Text, c.DocNo, c.DocDue.Minute())
	})
	if err != nil {
		return err
	}
	return out.Close()
}

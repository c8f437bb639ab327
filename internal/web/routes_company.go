package web

import (
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// companyRoutes are the pages of a company's own desk.
func (w *Web) companyRoutes() []Route {
	if w.Cases == nil || w.Dispatch == nil || w.Rules == nil {
		return nil
	}
	own := may(actor.CaseSign, actor.CaseAssign, actor.CaseTake)
	return []Route{
		get("/c/{city}/company", own, w.companyPage),
		get("/c/{city}/company/print", own, w.companyPrint),
		post("/c/{city}/company/sign", may(actor.CaseSign), w.companySign),
	}
}

// deskTab is one pile on a company's desk. Its name on the screen is "company.tab.<name>".
type deskTab struct {
	name   string
	filter cases.Filter
}

// deskTabs are the piles in the order of the work.
func deskTabs() []deskTab {
	open := func(f cases.Filter) cases.Filter {
		f.State, f.Sort = "open", "due"
		return f
	}
	return []deskTab{
		{"unsigned", open(cases.Filter{Status: []cases.Status{cases.Dispatched}})},
		{"work", open(cases.Filter{Status: []cases.Status{cases.Signed, cases.Handling, cases.Rework}})},
		{"overdue", open(cases.Filter{Late: "overdue"})},
		{"near", open(cases.Filter{Late: "near"})},
		{"supervised", open(cases.Filter{Flag: "supervised"})},
		{"urged", open(cases.Filter{Flag: "urged"})},
		{"waiting", open(cases.Filter{Status: []cases.Status{cases.Returned, cases.Postponed, cases.Parked}})},
		{"done", open(cases.Filter{Status: []cases.Status{cases.FedBack, cases.Verified, cases.ToClose}})},
	}
}

// deskView is a company's desk as its page shows it.
type deskView struct {
	names   *caseNames
	city    int
	tab     deskTab
	tabs    []deskTab
	totals  []cases.Total
	page    page.Of[cases.Case]
	orders  []dispatch.Waiting
	inbox   []notice.Notice
	after   string // where this page of the list begins
	maySign bool
}

type deskQuery struct {
	Tab  string `form:"tab"`
	Seen string `form:"seen"` // the state of the list that the page shows
	page.Request
}

func (w *Web) desk(r *http.Request, size int) (deskView, error) {
	q, err := httpx.Bind[deskQuery](r)
	if err != nil {
		return deskView{}, err
	}
	ctx, city := r.Context(), httpx.City(r.Context())
	v := deskView{city: city, tabs: deskTabs(), after: q.After, maySign: by(r).MayAny(actor.CaseSign, city)}
	v.tab = v.tabs[0]
	for _, t := range v.tabs {
		if t.name == q.Tab {
			v.tab = t
		}
		n, err := w.Cases.Count(ctx, by(r), city, t.filter)
		if err != nil {
			return v, err
		}
		v.totals = append(v.totals, n)
	}
	if q.Tab == "" && v.totals[0].N == 0 {
		v.tab = v.tabs[1]
	}
	if v.names, err = w.caseNames(r); err != nil {
		return v, err
	}
	f := v.tab.filter
	f.Request = page.Request{Size: size, After: q.After}
	if v.page, err = w.Cases.List(ctx, by(r), city, f); err != nil {
		return v, err
	}
	if v.orders, err = w.Dispatch.Waiting(ctx, by(r), city, dispatch.Supervision); err != nil {
		return v, err
	}
	if w.Notices != nil {
		in, err := w.Notices.Inbox(ctx, by(r), city, page.Request{Size: 10})
		if err != nil {
			return v, err
		}
		v.inbox = in.Items
	}
	return v, nil
}

// companyPage is the company's desk: its own cases by deadline, its supervision orders, what the centre told it.
func (w *Web) companyPage(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.desk(r, page.DefaultSize)
	if err != nil {
		return err
	}
	p := Page{Title: text.Msg("company.title"), Nav: "company", Live: liveURL(v.city, ""), Body: companyDesk(v)}
	if seen := r.URL.Query().Get("seen"); isPart(r) && seen != "" {
		p.Body = deskChanged(v, seen != v.mark())
	}
	return w.show(rw, r, p)
}

// companyPrint is the list of the day on paper, for a crew that goes out.
func (w *Web) companyPrint(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.desk(r, page.MaxSize)
	if err != nil {
		return err
	}
	return w.showAs(rw, r, http.StatusOK, ui.Paper, Page{Title: text.Msg("company.print_title", "tab", text.Msg("company.tab."+v.tab.name)), Body: companyPaper(v)})
}

// companySign signs everything that was ticked.
func (w *Web) companySign(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	back := at("/c/{city}/company", city)
	in, err := httpx.Bind[dispatch.Batch](r)
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	in.City, in.Do, in.Key = city, "sign", formKey(r)
	all, err := w.Dispatch.Batch(r.Context(), by(r), in)
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	done := 0
	for _, o := range all {
		if o.Err == nil {
			done++
		}
	}
	if done == 0 {
		return w.refused(rw, r, all[0].Err, back)
	}
	return w.done(rw, r, back, text.Msg("company.signed", "n", done, "of", len(all)))
}

package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// queueRoutes are the work lists: cases to verify, residents to call back, requests to decide.
func (w *Web) queueRoutes() []Route {
	if w.Cases == nil || w.Dispatch == nil || w.Rules == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/verify", may(actor.CaseVerify), w.queue(queue{
			name: "verify", title: "casework.queue.verify", empty: "casework.queue.verify.none", act: "verify", status: []cases.Status{cases.FedBack},
		})),
		get("/c/{city}/callbacks", may(actor.CaseCallBack), w.queue(queue{
			name: "callbacks", title: "casework.queue.callback", empty: "casework.queue.callback.none", act: "callback", status: []cases.Status{cases.Verified},
		})),
		get("/c/{city}/requests", may(actor.CaseDispatch, actor.CaseDesignate, actor.CaseExtend, actor.CasePark, actor.CaseSupervise, actor.CaseDecideAppeal), w.requests),
	}
}

// queue is a kind of work list.
type queue struct {
	name, title, empty, act string
	status                  []cases.Status
}

// queueView is a work list with the case at hand.
type queueView struct {
	queue
	city  int
	page  page.Of[cases.Case]
	total cases.Total
	at    *caseView
	act   caseAct
	form  ui.Form
	after string // the case after the one at hand
	open  string // that the reader asked for
}

// gone reports whether the case that the reader has before them left the list meanwhile.
func (q queueView) gone() bool {
	return q.open != "" && !slices.ContainsFunc(q.page.Items, func(c cases.Case) bool { return c.ID == q.open })
}

// listURL is where the page asks for its list again.
func (q queueView) listURL() string {
	if q.at == nil {
		return q.href("")
	}
	return q.href(q.at.Case.ID)
}

func (q queueView) href(id string) string {
	return withQuery(at("/c/{city}/"+q.name, q.city), url.Values{"open": {id}})
}

type queueQuery struct {
	Open string `form:"open"`
	page.Request
}

// queue shows the cases of a work list one after another, those whose limit ends first before the others.
func (w *Web) queue(kind queue) handler {
	act := namedAct(kind.act)
	return func(rw http.ResponseWriter, r *http.Request) error {
		in, err := httpx.Bind[queueQuery](r)
		if err != nil {
			return err
		}
		q := queueView{queue: kind, city: httpx.City(r.Context()), act: act}
		f := cases.Filter{Status: kind.status, State: "open", Sort: "due", Request: in.Request}
		if q.page, err = w.Cases.List(r.Context(), by(r), q.city, f); err != nil {
			return err
		}
		if q.total, err = w.Cases.Count(r.Context(), by(r), q.city, f); err != nil {
			return err
		}
		q.open = in.Open
		p := Page{Title: text.Msg(kind.title), Nav: kind.name, Live: liveURL(q.city, ""), Fill: true}
		if isPart(r) && r.Header.Get("HX-Target") == "queue" {
			p.Body = queueList(q, true)
			return w.show(rw, r, p)
		}
		if err := w.takeFrom(r, &q, in.Open); err != nil {
			return err
		}
		if q.at != nil {
			q.open = q.at.Case.ID
		}
		p.Body = queuePage(q)
		return w.show(rw, r, p)
	}
}

// takeFrom opens the case that was asked for while it is still in the list, or else the first.
func (w *Web) takeFrom(r *http.Request, q *queueView, open string) error {
	all := q.page.Items
	if len(all) == 0 {
		return nil
	}
	i := max(0, slices.IndexFunc(all, func(c cases.Case) bool { return c.ID == open }))
	if i+1 < len(all) {
		q.after = all[i+1].ID
	}
	v, err := w.caseView(r, all[i].ID)
	if fault.Is(err, fault.NotFound) { // it left the reader's sight just now
		return nil
	}
	q.at = &v
	return err
}

func namedAct(name string) caseAct {
	all := caseActs()
	return all[slices.IndexFunc(all, func(a caseAct) bool { return a.name == name })]
}

// requestsView is what waits for a decision.
type requestsView struct {
	all, shown []dispatch.Waiting
	kind       dispatch.RequestKind
	names      *caseNames
	by         actor.Actor
	city       int
}

// requestKinds are the kinds in the order of their hurry: a return has minutes.
func requestKinds() []dispatch.RequestKind {
	return []dispatch.RequestKind{dispatch.AskReturn, dispatch.AskExtension, dispatch.AskPostpone, dispatch.AskPark, dispatch.AskDispute, dispatch.AskAppeal, dispatch.Supervision}
}

// requests lists what units asked for, those with the least time first.
func (w *Web) requests(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[struct {
		Kind dispatch.RequestKind `form:"kind"`
	}](r)
	if err != nil {
		return err
	}
	v := requestsView{kind: in.Kind, by: by(r), city: httpx.City(r.Context())}
	if v.all, err = w.Dispatch.Waiting(r.Context(), v.by, v.city, ""); err != nil {
		return err
	}
	if v.names, err = w.caseNames(r); err != nil {
		return err
	}
	kinds := requestKinds()
	slices.SortStableFunc(v.all, func(a, b dispatch.Waiting) int {
		return cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind))
	})
	for _, q := range v.all {
		if v.kind == "" || v.kind == q.Kind {
			v.shown = append(v.shown, q)
		}
	}
	p := Page{Title: text.Msg("casework.waiting"), Nav: "requests", Live: liveURL(v.city, ""), Body: requestsPage(v)}
	if isPart(r) && r.Header.Get("HX-Target") == "waiting" {
		p.Body = requestsList(v)
	}
	return w.show(rw, r, p)
}

// selfURL is the page's own address.
func (v requestsView) selfURL() string {
	path := at("/c/{city}/requests", v.city)
	if v.kind == "" {
		return path
	}
	return withQuery(path, url.Values{"kind": {string(v.kind)}})
}

// tabs are the kinds of which something waits.
func (v requestsView) tabs() []ui.Link {
	path := at("/c/{city}/requests", v.city)
	out := []ui.Link{{Key: "ui.all", Href: path, Current: v.kind == "", Count: len(v.all)}}
	for _, k := range requestKinds() {
		n := 0
		for _, q := range v.all {
			if q.Kind == k {
				n++
			}
		}
		if n > 0 || v.kind == k {
			out = append(out, ui.Link{Key: "request." + string(k), Href: path + "?kind=" + url.QueryEscape(string(k)), Current: v.kind == k, Count: n})
		}
	}
	return out
}

// since says for how long a request waits.
func (v requestsView) since(ctx context.Context, q dispatch.Waiting) string {
	return ui.Span(ctx, ui.Now(ctx).Sub(q.AskedAt))
}

// decides reports whether the reader may decide a request.
func (v requestsView) decides(q dispatch.Waiting) bool {
	one := caseView{View: cases.View{Case: q.File, Allowed: q.File.Allowed(v.by)}, by: v.by}
	return one.decides(q.Request)
}

func truth(b bool) string { return strconv.FormatBool(b) }

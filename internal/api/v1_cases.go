package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
)

// none are the parameters of a question that has none beside its address.
type none struct{}

// caseView is everything about one case: what cases knows, who had it, what was asked for, and why its clocks end when
// they do.
type caseView struct {
	cases.View
	Held
	Why map[string][]said `json:"explain"` // by the id of the clock
}

// Held are the units that had a case, and what they asked for.
type Held dispatch.View

// outcome is what became of one case of a batch.
type outcome struct {
	ID    string         `json:"id"`
	Case  *cases.Case    `json:"case,omitempty"`
	Error *httpx.Problem `json:"error,omitempty"`
}

// since asks for what changed from an instant on.
type since struct {
	Since civil.Instant `form:"since"`
}

func (v *v1) caseOperations() {
	read := []actor.Permission{actor.CaseRead}
	const at, one = "/cities/{city}/cases", "/cities/{city}/cases/{case}"
	actWith(v, Operation{Name: "open_case", Method: http.MethodPost, Path: at, Permissions: []actor.Permission{actor.CaseOpen}, tag: "cases", status: http.StatusCreated},
		func(in *cases.Opening) *[]blob.Stored { return &in.Photos }, v.openCase)
	ask(v, Operation{Name: "list_cases", Method: http.MethodGet, Path: at, Permissions: read, tag: "cases"},
		func(ctx context.Context, c caller, f cases.Filter) (page.Of[cases.Case], error) {
			return full(v.Cases.List(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "count_cases", Method: http.MethodGet, Path: at + "/count", Permissions: read, tag: "cases"},
		func(ctx context.Context, c caller, f cases.Filter) (cases.Total, error) {
			return v.Cases.Count(ctx, c.by, c.city, f)
		})
	ask(v, Operation{Name: "nearby_cases", Method: http.MethodGet, Path: at + "/nearby", Permissions: read, tag: "cases"},
		func(ctx context.Context, c caller, n cases.Near) (cases.Neighbours, error) {
			out, err := v.Cases.Nearby(ctx, c.by, c.city, n)
			return cases.Neighbours{Caller: whole(out.Caller).Items, Home: whole(out.Home).Items, Building: whole(out.Building).Items}, err
		})
	ask(v, Operation{Name: "changed_cases", Method: http.MethodGet, Path: at + "/changes", Permissions: read, tag: "cases"}, v.changedCases)
	v.exportCases(Operation{Name: "export_cases", Method: http.MethodGet, Path: at + "/export", Permissions: []actor.Permission{actor.CaseExport}, tag: "cases"})
	act(v, Operation{Name: "batch_cases", Method: http.MethodPost, Path: at + "/batch", Permissions: []actor.Permission{actor.CaseSign, actor.CaseDispatch, actor.CaseUrge}, tag: "cases"}, v.batchCases)
	ask(v, Operation{Name: "waiting_requests", Method: http.MethodGet, Path: "/cities/{city}/requests", Permissions: read, tag: "cases"},
		func(ctx context.Context, c caller, q struct {
			Kind dispatch.RequestKind `form:"kind"`
		},
		) (page.Of[dispatch.Waiting], error) {
			list, err := v.Dispatch.Waiting(ctx, c.by, c.city, q.Kind)
			return whole(list), err
		})
	ask(v, Operation{Name: "show_case", Method: http.MethodGet, Path: one, Permissions: read, tag: "cases"},
		func(ctx context.Context, c caller, _ none) (cases.Case, error) {
			return v.Cases.ByNo(ctx, c.by, c.city, c.param("case"))
		})
	ask(v, Operation{Name: "view_case", Method: http.MethodGet, Path: one + "/view", Permissions: read, tag: "cases"}, v.viewCase)
}

// whole is a list that is never cut.
func whole[T any](list []T) page.Of[T] {
	if list == nil {
		list = []T{}
	}
	return page.Of[T]{Items: list}
}

// full is a page whose list stands there even when it is empty.
func full[T any](p page.Of[T], err error) (page.Of[T], error) {
	p.Items = whole(p.Items).Items
	return p, err
}

func (v *v1) openCase(ctx context.Context, c caller, in cases.Opening) (cases.Opened, error) {
	in.City, in.Door, in.Key = c.city, citypack.DoorAPI, c.key()
	out, err := v.Cases.Open(ctx, c.by, in)
	out.Case = out.Case.For(c.by)
	return out, err
}

func (v *v1) changedCases(ctx context.Context, c caller, q since) (page.Of[cases.Case], error) {
	if q.Since.IsZero() {
		q.Since = v.o.Now().Add(-24 * time.Hour)
	}
	list, err := v.Cases.Changes(ctx, c.by, c.city, q.Since)
	return whole(list), err
}

func (v *v1) batchCases(ctx context.Context, c caller, in dispatch.Batch) (page.Of[outcome], error) {
	in.City, in.Key = c.city, c.key()
	list, err := v.Dispatch.Batch(ctx, c.by, in)
	out := make([]outcome, len(list))
	for i, one := range list {
		out[i] = outcome{ID: one.ID}
		if one.Case != nil {
			seen := one.Case.For(c.by)
			out[i].Case = &seen
		}
		if one.Err != nil {
			p := httpx.NewProblem(one.Err, httpx.Lang(ctx), httpx.RequestID(ctx))
			out[i].Error = &p
		}
	}
	return whole(out), err
}

func (v *v1) viewCase(ctx context.Context, c caller, _ none) (caseView, error) {
	id, err := v.caseID(ctx, c)
	if err != nil {
		return caseView{}, err
	}
	out := caseView{Why: map[string][]said{}}
	if out.View, err = v.Cases.View(ctx, c.by, c.city, id); err != nil {
		return caseView{}, err
	}
	held, err := v.Dispatch.Of(ctx, c.by, c.city, id)
	if err != nil {
		return caseView{}, err
	}
	out.Held = Held(held)
	out.View.Deeds, out.View.Links, out.View.Linked = whole(out.View.Deeds).Items, whole(out.View.Links).Items, whole(out.View.Linked).Items
	out.View.Photos, out.View.Allowed = whole(out.View.Photos).Items, whole(out.View.Allowed).Items
	out.Dispatches, out.Requests = whole(out.Dispatches).Items, whole(out.Requests).Items
	rules, err := v.Rules.Rules(ctx, c.city)
	for _, k := range out.Clocks {
		out.Why[k.ID] = sentences(k, rules, out.Entries)
	}
	return out, err
}

// sentences say in both languages why a clock ends when it does.
func sentences(k clock.Clock, rules *citypack.Rules, entries []clock.Entry) []said {
	out := []said{}
	for _, s := range k.Explain(rules, entries) {
		out = append(out, said{s.Message.In(text.ZH), s.Message.In(text.EN), s.Article})
	}
	return out
}

// exportCases streams every case of a filter as JSON Lines: all of them, without a cap.
func (v *v1) exportCases(o Operation) {
	doc := huma.Operation{Parameters: v.about.parameters(typeOf[cases.Filter]())}
	v.about.answer(&doc, typeOf[cases.Case](), http.StatusOK)
	doc.Responses["200"].Content = map[string]*huma.MediaType{"application/jsonl": {Schema: v.about.all.Schema(typeOf[cases.Case](), true, "")}}
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		f, err := httpx.Bind[cases.Filter](c.r)
		if err != nil {
			return err
		}
		file := &begun{w: w}
		to := json.NewEncoder(file)
		if err := v.Cases.Export(c.r.Context(), c.by, c.city, f, func(one cases.Case) error { return to.Encode(one) }); err != nil {
			if file.yes {
				v.brokenOff(c, err)
			}
			return err
		}
		_, err = file.Write(nil) // a list of nothing is a file too
		return err
	})
}

package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
)

// callbackOperations are sample calls, the rates of residents' words with every row behind them, appeals and fixed figures.
func (v *v1) callbackOperations() {
	if v.Callbacks == nil {
		return
	}
	const at = "/cities/{city}/satisfaction"
	read, decide := []actor.Permission{actor.StatsRead, actor.CaseAppeal, actor.CaseDecideAppeal}, []actor.Permission{actor.CaseDecideAppeal}
	v.sampleOperations()
	ask(v, Operation{Name: "satisfaction_rates", Method: http.MethodGet, Path: at, Permissions: read, tag: "satisfaction"},
		func(ctx context.Context, c caller, q callback.Query) (callback.Rates, error) {
			q.City = c.city
			out, err := v.Callbacks.Rates(ctx, c.by, q)
			out.Groups = whole(out.Groups).Items
			return out, err
		})
	ask(v, Operation{Name: "list_outcomes", Method: http.MethodGet, Path: at + "/outcomes", Permissions: read, tag: "satisfaction"},
		func(ctx context.Context, c caller, q callback.Query) (page.Of[callback.Outcome], error) {
			q.City = c.city
			return full(v.Callbacks.Outcomes(ctx, c.by, q))
		})
	v.exportOutcomes(Operation{Name: "export_outcomes", Method: http.MethodGet, Path: at + "/outcomes/export", Permissions: read, tag: "satisfaction"})
	ask(v, Operation{Name: "show_outcome", Method: http.MethodGet, Path: at + "/outcomes/{outcome}", Permissions: read, tag: "satisfaction"},
		func(ctx context.Context, c caller, _ none) (callback.Outcome, error) {
			return v.Callbacks.Outcome(ctx, c.by, c.city, c.param("outcome"))
		})
	ask(v, Operation{Name: "list_appeals", Method: http.MethodGet, Path: at + "/appeals", Permissions: read, tag: "satisfaction"},
		func(ctx context.Context, c caller, f callback.AppealFilter) (page.Of[callback.AppealView], error) {
			return full(v.Callbacks.Appeals(ctx, c.by, c.city, f))
		})
	act(v, Operation{Name: "appeal_outcome", Method: http.MethodPost, Path: at + "/appeals", Permissions: []actor.Permission{actor.CaseAppeal}, tag: "satisfaction", status: http.StatusCreated},
		func(ctx context.Context, c caller, in callback.Appealing) (callback.Appeal, error) {
			in.City, in.Key = c.city, c.key()
			return v.Callbacks.Appeal(ctx, c.by, in)
		})
	act(v, Operation{Name: "decide_outcome_appeal", Method: http.MethodPost, Path: at + "/appeals/{appeal}", Permissions: decide, tag: "satisfaction"},
		func(ctx context.Context, c caller, in callback.Deciding) (callback.Appeal, error) {
			in.City, in.ID = c.city, c.param("appeal")
			return v.Callbacks.Decide(ctx, c.by, in)
		})
	ask(v, Operation{Name: "list_fixed_figures", Method: http.MethodGet, Path: at + "/fixed", Permissions: read, tag: "satisfaction"},
		func(ctx context.Context, c caller, _ none) (page.Of[callback.Period], error) {
			list, err := v.Callbacks.Periods(ctx, c.by, c.city)
			return whole(list), err
		})
	act(v, Operation{Name: "fix_figures", Method: http.MethodPost, Path: at + "/fixed", Permissions: decide, tag: "satisfaction", status: http.StatusCreated},
		func(ctx context.Context, c caller, in callback.Freezing) (callback.Period, error) {
			in.City = c.city
			return v.Callbacks.Freeze(ctx, c.by, in)
		})
}

func (v *v1) sampleOperations() {
	const at, one = "/cities/{city}/samples", "/cities/{city}/samples/{sample}"
	call := []actor.Permission{actor.CaseCallBack}
	ask(v, Operation{Name: "list_samples", Method: http.MethodGet, Path: at, Permissions: call, tag: "satisfaction"},
		func(ctx context.Context, c caller, f callback.SampleFilter) (page.Of[callback.SampleView], error) {
			return full(v.Callbacks.Samples(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "list_draws", Method: http.MethodGet, Path: at + "/draws", Permissions: call, tag: "satisfaction"},
		func(ctx context.Context, c caller, _ none) (page.Of[callback.Draw], error) {
			list, err := v.Callbacks.Draws(ctx, c.by, c.city)
			return whole(list), err
		})
	ask(v, Operation{Name: "show_sample", Method: http.MethodGet, Path: one, Permissions: call, tag: "satisfaction"},
		func(ctx context.Context, c caller, _ none) (callback.SampleView, error) {
			return v.Callbacks.Sample(ctx, c.by, c.city, c.param("sample"))
		})
	act(v, Operation{Name: "call_sample", Method: http.MethodPost, Path: one, Permissions: call, tag: "satisfaction"},
		func(ctx context.Context, c caller, in callback.Calling) (callback.SampleView, error) {
			in.City, in.ID, in.Key = c.city, c.param("sample"), c.key()
			return v.Callbacks.Call(ctx, c.by, in)
		})
}

// exportOutcomes streams every row behind a number as JSON Lines: all of them, without a cap.
func (v *v1) exportOutcomes(o Operation) {
	doc := huma.Operation{Parameters: v.about.parameters(typeOf[callback.Query]())}
	v.about.answer(&doc, typeOf[callback.Outcome](), http.StatusOK)
	doc.Responses["200"].Content = map[string]*huma.MediaType{"application/jsonl": {Schema: v.about.all.Schema(typeOf[callback.Outcome](), true, "")}}
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		q, err := httpx.Bind[callback.Query](c.r)
		if err != nil {
			return err
		}
		q.City = c.city
		file := &begun{w: w}
		to := json.NewEncoder(file)
		if err := v.Callbacks.Export(c.r.Context(), c.by, q, func(one callback.Outcome) error { return to.Encode(one) }); err != nil {
			if file.yes {
				v.brokenOff(c, err)
			}
			return err
		}
		_, err = file.Write(nil) // a list of nothing is a file too
		return err
	})
}

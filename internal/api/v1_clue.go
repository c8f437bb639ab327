package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
)

// clueOperations are the queue of what people write outside, for staff's own programs.
func (v *v1) clueOperations() {
	if v.Clues == nil {
		return
	}
	const at, one = "/cities/{city}/clues", "/cities/{city}/clues/{clue}"
	read, decide := []actor.Permission{actor.ClueRead}, []actor.Permission{actor.ClueDecide}
	ask(v, Operation{Name: "list_clues", Method: http.MethodGet, Path: at, Permissions: read, tag: "clues"},
		func(ctx context.Context, c caller, f clue.Filter) (page.Of[clue.Clue], error) {
			return full(v.Clues.List(ctx, c.by, c.city, f))
		})
	v.exportClues(Operation{Name: "export_clues", Method: http.MethodGet, Path: at + "/export", Permissions: read, tag: "clues"})
	ask(v, Operation{Name: "count_clues", Method: http.MethodGet, Path: at + "/count", Permissions: read, tag: "clues"},
		func(ctx context.Context, c caller, _ none) (clue.Loads, error) {
			return v.Clues.Loads(ctx, c.by, c.city)
		})
	ask(v, Operation{Name: "clue_statistics", Method: http.MethodGet, Path: at + "/statistics", Permissions: read, tag: "clues"},
		func(ctx context.Context, c caller, p clue.Period) (page.Of[clue.ByChannel], error) {
			list, err := v.Clues.Statistics(ctx, c.by, c.city, p)
			return whole(list), err
		})
	ask(v, Operation{Name: "show_clue", Method: http.MethodGet, Path: one, Permissions: read, tag: "clues"},
		func(ctx context.Context, c caller, _ none) (clue.View, error) {
			view, err := v.Clues.Get(ctx, c.by, c.city, c.param("clue"))
			if view.File != nil {
				shown := view.File.For(c.by)
				view.File = &shown
			}
			view.Replies, view.Group = whole(view.Replies).Items, whole(view.Group).Items
			return view, err
		})
	act(v, Operation{Name: "correct_clue", Method: http.MethodPost, Path: one + "/correct", Permissions: decide, tag: "clues"},
		func(ctx context.Context, c caller, in clue.Correcting) (clue.Clue, error) {
			in.City, in.ID, in.Key = c.city, c.param("clue"), c.key()
			return v.Clues.Correct(ctx, c.by, in)
		})
	act(v, Operation{Name: "confirm_clue", Method: http.MethodPost, Path: one + "/confirm", Permissions: decide, tag: "clues"},
		func(ctx context.Context, c caller, in clue.Confirming) (clue.Confirmation, error) {
			in.City, in.ID, in.Key = c.city, c.param("clue"), c.key()
			out, err := v.Clues.Confirm(ctx, c.by, in)
			out.Case = out.Case.For(c.by)
			return out, err
		})
	act(v, Operation{Name: "decide_clue", Method: http.MethodPost, Path: one + "/decide", Permissions: decide, tag: "clues"},
		func(ctx context.Context, c caller, in clue.Deciding) (clue.Clue, error) {
			in.City, in.ID, in.Key = c.city, c.param("clue"), c.key()
			return v.Clues.Decide(ctx, c.by, in)
		})
	act(v, Operation{Name: "answer_clue", Method: http.MethodPost, Path: one + "/answer", Permissions: decide, tag: "clues"},
		func(ctx context.Context, c caller, in clue.Answering) (page.Of[channel.Reply], error) {
			in.City, in.ID = c.city, c.param("clue")
			list, err := v.Clues.Answer(ctx, c.by, in)
			return whole(list), err
		})
}

// exportClues streams every clue of a filter as JSON Lines: all of them, without a cap.
func (v *v1) exportClues(o Operation) {
	doc := huma.Operation{Parameters: v.about.parameters(typeOf[clue.Filter]())}
	v.about.answer(&doc, typeOf[clue.Clue](), http.StatusOK)
	doc.Responses["200"].Content = map[string]*huma.MediaType{"application/jsonl": {Schema: v.about.all.Schema(typeOf[clue.Clue](), true, "")}}
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		f, err := httpx.Bind[clue.Filter](c.r)
		if err != nil {
			return err
		}
		file := &begun{w: w}
		to := json.NewEncoder(file)
		if err := v.Clues.Export(c.r.Context(), c.by, c.city, f, func(one clue.Clue) error { return to.Encode(one) }); err != nil {
			if file.yes {
				v.brokenOff(c, err)
			}
			return err
		}
		_, err = file.Write(nil) // a list of nothing is a file too
		return err
	})
}

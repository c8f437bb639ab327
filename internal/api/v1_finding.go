package api

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/paper"
)

// findingOperations are objections to what was measured, and the papers that settle them.
func (v *v1) findingOperations() {
	read, decide := []actor.Permission{actor.FindingRead}, []actor.Permission{actor.FindingDecide}
	const all, one = "/cities/{city}/findings", "/cities/{city}/findings/{finding}"
	ask(v, Operation{Name: "list_findings", Method: http.MethodGet, Path: all, Permissions: read, tag: "findings"},
		func(ctx context.Context, c caller, f finding.Filter) (page.Of[finding.Finding], error) {
			return full(v.Findings.List(ctx, c.by, c.city, f))
		})
	ask(v, Operation{Name: "show_finding", Method: http.MethodGet, Path: one, Permissions: read, tag: "findings"},
		func(ctx context.Context, c caller, _ none) (finding.View, error) {
			return v.Findings.Get(ctx, c.by, c.city, c.param("finding"))
		})
	act(v, Operation{Name: "file_objection", Method: http.MethodPost, Path: all, Permissions: []actor.Permission{actor.FindingFile}, tag: "findings", status: http.StatusCreated},
		func(ctx context.Context, c caller, in finding.Filing) (finding.View, error) {
			in.City, in.Key = c.city, c.key()
			return v.Findings.File(ctx, c.by, in)
		})
	act(v, Operation{Name: "step_finding", Method: http.MethodPost, Path: one + "/step", Permissions: []actor.Permission{actor.FindingDecide, actor.FindingFile}, tag: "findings"},
		func(ctx context.Context, c caller, in finding.Stepping) (finding.View, error) {
			in.City, in.ID, in.Key = c.city, c.param("finding"), c.key()
			return v.Findings.Step(ctx, c.by, in)
		})
	act(v, Operation{Name: "answer_finding", Method: http.MethodPost, Path: one + "/answer", Permissions: []actor.Permission{actor.FindingAnswer}, tag: "findings"},
		func(ctx context.Context, c caller, in finding.Act) (finding.View, error) {
			in.City, in.ID, in.Key = c.city, c.param("finding"), c.key()
			return v.Findings.Answer(ctx, c.by, in)
		})
	act(v, Operation{Name: "decide_finding", Method: http.MethodPost, Path: one + "/decide", Permissions: decide, tag: "findings"},
		func(ctx context.Context, c caller, in finding.Deciding) (finding.View, error) {
			in.City, in.ID, in.Key = c.city, c.param("finding"), c.key()
			return v.Findings.Decide(ctx, c.by, in)
		})
	v.printFinding(Operation{Name: "print_finding", Method: http.MethodGet, Path: one + "/paper", Permissions: read, tag: "findings"})
}

// printFinding gives the issued paper as PDF.
func (v *v1) printFinding(o Operation) {
	var doc huma.Operation
	v.about.answer(&doc, typeOf[none](), http.StatusOK)
	doc.Responses["200"].Content = map[string]*huma.MediaType{"application/pdf": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		d, err := v.Findings.Sheet(c.r.Context(), c.by, c.city, c.param("finding"), httpx.Lang(c.r.Context()))
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := new(paper.Press).Print(&out, d); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/pdf")
		_, _ = w.Write(out.Bytes()) // the client is gone: nobody to tell
		return nil
	})
}

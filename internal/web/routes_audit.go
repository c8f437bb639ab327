package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// auditRoutes are the pages of what was done, by whom and when.
func (w *Web) auditRoutes() []Route {
	if w.Audit == nil {
		return nil
	}
	return []Route{get("/c/{city}/audit", may(actor.AuditRead), w.audit)}
}

type auditView struct {
	City   int
	Filter audit.Filter
	List   page.Of[audit.Entry]
	People bool // the reader may look people up
}

func (w *Web) audit(rw http.ResponseWriter, r *http.Request) error {
	f, err := httpx.Bind[audit.Filter](r)
	if err != nil {
		return err
	}
	v := auditView{City: httpx.City(r.Context()), Filter: f}
	if v.List, err = w.Audit.List(r.Context(), by(r), v.City, f); err != nil {
		return err
	}
	v.People = w.open(by(r), "/c/{city}/people", v.City)
	return w.show(rw, r, Page{Title: text.Msg("nav.audit"), Nav: "audit", Body: auditBody(v)})
}

// actOptions are the acts the catalogue has words for.
func actOptions() []ui.Option {
	var out []ui.Option
	for _, k := range text.Keys() {
		if act, ok := strings.CutPrefix(k, "act."); ok {
			out = append(out, ui.Option{Value: act, Key: k})
		}
	}
	return slices.Clip(out)
}

// actName is the word for an act; the act itself where there is none.
func actName(ctx context.Context, act string) string {
	if text.Has("act." + act) {
		return ui.T(ctx, "act."+act)
	}
	return act
}

// subjectName is the word for the sort of a subject and the start of its id.
func subjectName(ctx context.Context, subject string) string {
	kind, id, _ := strings.Cut(subject, ":")
	if len(id) > 13 {
		id = "…" + id[len(id)-6:]
	}
	if key := "web.audit.subject." + kind; text.Has(key) {
		kind = ui.T(ctx, key)
	}
	return kind + " " + id
}

// doorName is the way an act came in.
func doorName(ctx context.Context, d actor.Door) string {
	if key := "web.audit.door." + string(d); text.Has(key) {
		return ui.T(ctx, key)
	}
	return string(d)
}

// facts is the hashed content of an entry, in lines.
func facts(body string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(body), "", "  ") != nil {
		return body
	}
	return b.String()
}

// who is who acted, with the id where there is no name; a part of the program is said as "web.audit.by.<part>".
func who(ctx context.Context, e audit.Entry) string {
	name := e.ActorName
	if name == "" {
		name = e.Actor
	}
	if key := "web.audit.by." + name; text.Has(key) {
		return ui.T(ctx, key)
	}
	return name
}

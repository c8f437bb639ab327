package web

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
)

// liveSettle gathers changes that come together into one message.
const liveSettle = 2 * time.Second

// liveRoutes are the streams of work lists and case pages. A stream only says that something changed; the page then asks
// for the part that it may show, so that no stream knows more than its page.
func (w *Web) liveRoutes() []Route {
	if w.Cases == nil || w.Dispatch == nil || w.Rules == nil {
		return nil
	}
	return []Route{
		get("/c/{city}/live", may(actor.CaseRead), w.pageLive),
		get("/c/{city}/cases/{case}/changed", may(actor.CaseRead), w.caseChanged),
	}
}

// liveURL is the stream of a page: of one case, or of every case that the reader may see.
func liveURL(city int, id string) string {
	at := at("/c/{city}/live", city)
	if id != "" {
		at += "?case=" + id
	}
	return at
}

// pageLive says "changed" once when it begins, since something may have changed while the page travelled, and then
// whenever a case changed that the reader may see.
func (w *Web) pageLive(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[struct {
		Case string `form:"case"`
	}](r)
	if err != nil {
		return err
	}
	ctx, who := r.Context(), by(r)
	changes, leave := w.live.join(ctx, w, httpx.City(ctx))
	defer leave()
	events, err := httpx.StartEvents(rw)
	if err != nil {
		return err
	}
	settle, beat, end := time.NewTicker(liveSettle), time.NewTicker(liveBeat), time.NewTimer(liveLife)
	defer settle.Stop()
	defer beat.Stop()
	defer end.Stop()
	pending := true
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-httpx.Stopping(ctx):
			return nil
		case <-end.C:
			return nil
		case <-beat.C:
			if events.Comment("") != nil {
				return nil // gone
			}
		case all, ok := <-changes:
			if !ok {
				return nil
			}
			pending = pending || concerns(who, in.Case, all.changes)
		case <-settle.C:
			if !pending {
				continue
			}
			pending = false
			if events.Send("", "changed", "-", w.o.Machine()) != nil {
				return nil
			}
		}
	}
}

// concerns reports whether one of the changes is the reader's business.
func concerns(who actor.Actor, id string, all []caseChange) bool {
	for _, c := range all {
		if (id == "" || c.ID == id) && who.May(actor.CaseRead, c.On()) == nil {
			return true
		}
	}
	return false
}

// caseChanged is the bar above a case that somebody else has changed since the page was drawn; the page itself stays, with
// whatever is half filled in.
func (w *Web) caseChanged(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[struct {
		Seen int64 `form:"seen"`
	}](r)
	if err != nil {
		return err
	}
	v, err := w.caseView(r, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("casework.case_title", "no", v.Case.No), Nav: "cases", Body: changedBar(v, in.Seen)})
}

// changedURL is where a page asks for the bar.
func (v caseView) changedURL() string {
	return v.href("changed") + "?seen=" + strconv.FormatInt(v.Case.Version, 10)
}

// markOf tells two states of a list apart.
func markOf(list []cases.Case, figures ...int64) string {
	h := fnv.New64a()
	for _, c := range list {
		fmt.Fprint(h, c.ID, c.Version, ";") // a hash never fails
	}
	fmt.Fprint(h, figures)
	return strconv.FormatUint(h.Sum64(), 36)
}

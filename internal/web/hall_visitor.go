package web

import (
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/staff"
)

// visitors names who comes: whoever handles the matter, and on the day of a test its tester. They are named to nobody but the
// resident that has the code at the door.
func (w *Web) visitors(r *http.Request, v *mineView) error {
	today := w.o.Now().Date()
	for _, m := range v.matters {
		if v.doors[m.ID] == "" {
			continue
		}
		who := m.Worker
		for _, t := range v.readings {
			if t.Case == m.ID && t.Worker != "" && t.From.Date() == today && t.TestedAt.IsZero() {
				who = t.Worker
			}
		}
		if who == "" {
			continue
		}
		b, err := w.Staff.Badge(r.Context(), v.who.City, who)
		if fault.Is(err, fault.NotFound) {
			continue // left the company since
		}
		if err != nil {
			return err
		}
		v.comes[m.ID] = b
	}
	return nil
}

// visitorPhoto shows the picture of whoever comes to the resident's own door.
func (w *Web) visitorPhoto(rw http.ResponseWriter, r *http.Request, who resident.Who) error {
	v, err := w.mineView(r, who, r.URL.Query().Get("home"))
	if err != nil {
		return err
	}
	b, ok := v.comes[chi.URLParam(r, "case")]
	if !ok || b.Portrait == "" {
		return fault.New(fault.NotFound, "not_found")
	}
	return w.sendPicture(rw, r, who.City, b.Portrait, b)
}

// sendPicture gives the picture of a badge.
func (w *Web) sendPicture(rw http.ResponseWriter, r *http.Request, city int, id string, b staff.Badge) error {
	one, body, err := w.Blobs.Open(r.Context(), city, id, func(owner string) error {
		if !b.Shows(owner, id) {
			return fault.New(fault.NotFound, "not_found")
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // read-only
	rw.Header().Set("Content-Type", one.MediaType)
	rw.Header().Set("Content-Disposition", "inline")
	rw.Header().Set("Cache-Control", "no-store")
	_, err = io.Copy(rw, body)
	return err
}

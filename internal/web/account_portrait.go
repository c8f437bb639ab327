package web

import (
	"mime/multipart"
	"net/http"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// ownPortrait shows people the picture on their own badge.
func (w *Web) ownPortrait(rw http.ResponseWriter, r *http.Request) error {
	p, err := w.Staff.Person(r.Context(), by(r), by(r).ID)
	if err != nil {
		return err
	}
	if p.Portrait == "" {
		return fault.New(fault.NotFound, "not_found")
	}
	return w.sendPicture(rw, r, p.City, p.Portrait, staff.Badge{ID: p.ID, Portrait: p.Portrait})
}

// setPortrait puts a picture on one's own badge, or takes it off when none is sent.
func (w *Web) setPortrait(rw http.ResponseWriter, r *http.Request) error {
	err := w.keepPortrait(r)
	if err == nil {
		return w.done(rw, r, "/account", text.Msg("web.portrait.kept"))
	}
	v, gone := w.accountView(r)
	if gone != nil {
		return gone
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
		v.Picture = f
		return accountPage(v)
	})
}

func (w *Web) keepPortrait(r *http.Request) error {
	in, err := httpx.Bind[struct {
		Photo []*multipart.FileHeader `form:"photo"`
		Drop  bool                    `form:"drop"`
	}](r)
	if err != nil {
		return err
	}
	p, err := w.Staff.Person(r.Context(), by(r), by(r).ID)
	if err != nil {
		return err
	}
	if in.Drop {
		return w.Staff.SetPortrait(r.Context(), by(r), p.ID, nil)
	}
	var c fault.Check
	if !c.That(len(in.Photo) == 1 && in.Photo[0].Size > 0, "photo", "field.required") {
		return c.Err()
	}
	f, err := in.Photo[0].Open()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read-only
	kept, err := w.Blobs.Keep(r.Context(), blob.Upload{City: p.City, Purpose: blob.Photo, Name: in.Photo[0].Filename, Reader: f})
	if err != nil {
		if c.Merge("photo", err) {
			return c.Err()
		}
		return err
	}
	return w.Staff.SetPortrait(r.Context(), by(r), p.ID, &kept)
}

// badged reports whether somebody comes to people's homes.
func badged(p staff.Person) bool {
	return p.City != 0 && slices.ContainsFunc(p.Grants, func(g staff.Grant) bool {
		return g.Role.Has(actor.CaseTake) || g.Role.Has(actor.MeasureTest)
	})
}

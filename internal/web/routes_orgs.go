package web

import (
	"net/http"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// orgRoutes are the pages of organisations and of the keys of other programs.
func (w *Web) orgRoutes() []Route {
	return []Route{
		get("/c/{city}/orgs", may(actor.StaffManage), w.orgs),
		get("/c/{city}/orgs/new", may(actor.StaffManage), w.newOrg),
		post("/c/{city}/orgs", may(actor.StaffManage), w.createOrg),
		get("/c/{city}/orgs/{org}", may(actor.StaffManage), w.org),
		post("/c/{city}/orgs/{org}", may(actor.StaffManage), w.editOrg),
		get("/c/{city}/keys", may(actor.KeyManage), w.keys),
		post("/c/{city}/keys", may(actor.KeyManage), w.createKey),
		post("/c/{city}/keys/{key}/revoke", may(actor.KeyManage), w.revokeKey),
	}
}

func kindOptions() []ui.Option {
	var out []ui.Option
	for _, k := range staff.OrgKinds() {
		out = append(out, ui.Option{Value: string(k), Key: "org_kind." + string(k)})
	}
	return out
}

type orgsInput struct {
	Kind staff.OrgKind `form:"kind"`
}

type orgsView struct {
	City int
	Kind staff.OrgKind
	All  orgs
}

func (w *Web) orgs(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[orgsInput](r)
	if err != nil {
		return err
	}
	v := orgsView{City: httpx.City(r.Context()), Kind: in.Kind}
	if v.All, err = w.Staff.Organisations(r.Context(), by(r), v.City, in.Kind); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("nav.orgs"), Nav: "orgs", Body: orgsBody(v)})
}

// orgView is one organisation, or with Version 0 a new one.
type orgView struct {
	City int
	Org  staff.Organisation
	Form ui.Form
}

func orgPage(v orgView) Page {
	title := text.Msg("web.orgs.new")
	if v.Org.Version > 0 {
		title = text.Msg("web.orgs.one", "name", v.Org.NameZH)
	}
	return Page{Title: title, Nav: "orgs", Body: orgBody(v)}
}

func (w *Web) newOrg(rw http.ResponseWriter, r *http.Request) error {
	return w.show(rw, r, orgPage(orgView{City: httpx.City(r.Context()), Org: staff.Organisation{Kind: staff.Company, Active: true}}))
}

func (w *Web) createOrg(rw http.ResponseWriter, r *http.Request) error {
	return w.saveOrg(rw, r, staff.Organisation{Kind: staff.Company, Active: true})
}

// findOrg is the organisation of the address.
func (w *Web) findOrg(r *http.Request) (staff.Organisation, error) {
	all, err := w.orgsOf(r.Context(), by(r), httpx.City(r.Context()))
	for _, o := range all {
		if o.Code == param(r, "org") {
			return o, nil
		}
	}
	if err == nil {
		err = fault.New(fault.NotFound, "not_found")
	}
	return staff.Organisation{}, err
}

func (w *Web) org(rw http.ResponseWriter, r *http.Request) error {
	o, err := w.findOrg(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, orgPage(orgView{City: o.City, Org: o}))
}

func (w *Web) editOrg(rw http.ResponseWriter, r *http.Request) error {
	o, err := w.findOrg(r)
	if err != nil {
		return err
	}
	return w.saveOrg(rw, r, o)
}

func (w *Web) saveOrg(rw http.ResponseWriter, r *http.Request, o staff.Organisation) error {
	city := httpx.City(r.Context())
	in, err := httpx.Bind[staff.OrgInput](r)
	if err == nil {
		in.City = city
		if o.Version > 0 {
			in.Code = o.Code
		} else {
			in.Version = 0
		}
		_, err = w.Staff.SaveOrganisation(r.Context(), by(r), in)
	}
	if err != nil {
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page { return orgPage(orgView{City: city, Org: o, Form: f}) })
	}
	return w.done(rw, r, at("/c/{city}/orgs", city), text.Msg("web.saved"))
}

type keysView struct {
	City int
	List page.Of[staff.Key]
	Orgs orgs
	Form ui.Form
	New  *staff.IssuedKey // shown this once
	Now  civil.Instant
}

func (w *Web) keysView(r *http.Request, q page.Request) (keysView, error) {
	v := keysView{City: httpx.City(r.Context()), Now: civil.At(w.o.Machine())}
	var err error
	if v.List, err = w.Staff.Keys(r.Context(), by(r), v.City, q); err != nil {
		return v, err
	}
	v.Orgs, err = w.orgsOf(r.Context(), by(r), v.City)
	return v, err
}

func keysPage(v keysView) Page {
	return Page{Title: text.Msg("nav.keys"), Nav: "keys", Body: keysBody(v)}
}

func (w *Web) keys(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[page.Request](r)
	if err != nil {
		return err
	}
	v, err := w.keysView(r, q)
	if err != nil {
		return err
	}
	return w.show(rw, r, keysPage(v))
}

// keyInput is a new key: what it is for, whose it is, what it may do, until when (the end of that day).
type keyInput struct {
	Name  string     `form:"name"`
	Org   string     `form:"org"`
	Until civil.Date `form:"expires_at"`
	grantInput
}

func (w *Web) createKey(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	in, err := httpx.Bind[keyInput](r)
	var made staff.IssuedKey
	if err == nil {
		k := staff.NewKey{City: city, Name: in.Name, Org: in.Org}
		if in.Role != "" {
			k.Grants = []actor.Grant{in.grant(city)}
		}
		if !in.Until.IsZero() {
			k.Expires = in.Until.End()
		}
		made, err = w.Staff.CreateKey(r.Context(), by(r), k)
	}
	v, failed := w.keysView(r, page.Request{})
	if failed != nil {
		return failed
	}
	if err != nil {
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.Form = f
			return keysPage(v)
		})
	}
	v.New = &made
	rw.Header().Set("Cache-Control", "no-store")
	return w.show(rw, r, keysPage(v))
}

func (w *Web) revokeKey(rw http.ResponseWriter, r *http.Request) error {
	err := w.Staff.RevokeKey(r.Context(), by(r), param(r, "key"))
	return w.after(rw, r, err, at("/c/{city}/keys", httpx.City(r.Context())), "web.keys.revoked")
}

// keyState is how a key stands at a moment of machine time.
func keyState(k staff.Key, now civil.Instant) (tone ui.Tone, key string) {
	switch {
	case !k.Revoked.IsZero():
		return ui.Grey, "web.keys.state_revoked"
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return ui.Grey, "web.keys.state_expired"
	case !k.Expires.IsZero() && k.Expires.Sub(now) < 30*24*time.Hour:
		return ui.Amber, "web.keys.state_soon"
	}
	return ui.Teal, "web.keys.state_on"
}

package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// peopleRoutes are the pages where managers keep the people of a city.
func (w *Web) peopleRoutes() []Route {
	manage := may(actor.StaffManage)
	return []Route{
		get("/c/{city}/people", manage, w.people),
		get("/c/{city}/people/new", manage, w.newPerson),
		post("/c/{city}/people", manage, w.createPerson),
		get("/c/{city}/people/{person}", manage, w.person),
		post("/c/{city}/people/{person}", manage, w.editPerson),
		post("/c/{city}/people/{person}/grants", manage, w.grant),
		post("/c/{city}/people/{person}/grants/{grant}/revoke", manage, w.revoke),
		post("/c/{city}/people/{person}/disable", manage, w.disable),
		post("/c/{city}/people/{person}/enable", manage, w.enable),
		post("/c/{city}/people/{person}/password", manage, w.resetPassword),
		post("/c/{city}/people/{person}/totp/off", manage, w.liftTOTP),
		post("/c/{city}/people/{person}/sessions/{session}/end", manage, w.endSession),
		post("/c/{city}/people/{person}/sessions/end", manage, w.endSessions),
	}
}

// param is a part of the address.
func param(r *http.Request, name string) string { return chi.URLParam(r, name) }

// orgs are the organisations of a city, for lists of choices and names.
type orgs []staff.Organisation

func (w *Web) orgsOf(ctx context.Context, a actor.Actor, city int) (orgs, error) {
	all, err := w.Staff.Organisations(ctx, a, city, "")
	return all, err
}

// name is what an organisation is called; its code when it is not known.
func (o orgs) name(ctx context.Context, code string) string {
	for _, one := range o {
		if one.Code == code {
			return ui.Named(ctx, one.NameZH, one.NameEN)
		}
	}
	return code
}

// options are the organisations to choose from: those in use, and the one chosen before.
func (o orgs) options(ctx context.Context, keep string) []ui.Option {
	var out []ui.Option
	for _, one := range o {
		if one.Active || one.Code == keep {
			out = append(out, ui.Option{Value: one.Code, Text: ui.Named(ctx, one.NameZH, one.NameEN)})
		}
	}
	return out
}

// companies are the heating companies among them.
func (o orgs) companies() orgs {
	return slices.DeleteFunc(slices.Clone(o), func(one staff.Organisation) bool { return one.Kind != staff.Company })
}

func roleOptions(more ...actor.Role) []ui.Option {
	var out []ui.Option
	for _, r := range append(actor.Roles(), more...) {
		out = append(out, ui.Option{Value: string(r), Key: "role." + string(r)})
	}
	return out
}

// grantInput is a role with its places, as forms send it: companies are ticked, other places typed as codes.
type grantInput struct {
	Role       actor.Role `form:"role"`
	Companies  []string   `form:"companies"`
	Districts  string     `form:"districts"`
	Areas      string     `form:"areas"`
	Stations   string     `form:"stations"`
	Everywhere bool       `form:"everywhere"` // every city of the installation
}

func (g grantInput) grant(city int) actor.Grant {
	out := actor.Grant{Role: g.Role, City: city, Companies: g.Companies, Districts: listed(g.Districts), Areas: listed(g.Areas), Stations: listed(g.Stations)}
	if g.Everywhere {
		out.City = 0
	}
	return out
}

// listed reads codes that are set apart by spaces, commas or lines.
func listed(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n,，、;；\u3000", r) })
}

type peopleView struct {
	City   int
	Filter staff.Filter
	List   page.Of[staff.Person]
	Orgs   orgs
}

func (w *Web) people(rw http.ResponseWriter, r *http.Request) error {
	f, err := httpx.Bind[staff.Filter](r)
	if err != nil {
		return err
	}
	v := peopleView{City: httpx.City(r.Context()), Filter: f}
	if v.List, err = w.Staff.People(r.Context(), by(r), v.City, f); err != nil {
		return err
	}
	if v.Orgs, err = w.orgsOf(r.Context(), by(r), v.City); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("web.people.title"), Nav: "people", Body: peopleBody(v)})
}

type newPersonView struct {
	City       int
	Orgs       orgs
	Everywhere bool // the manager may give rights in every city
	Form       ui.Form
}

// newPersonInput is a person with their first role.
type newPersonInput struct {
	staff.NewPerson
	grantInput
}

func (w *Web) newPersonView(r *http.Request) (newPersonView, error) {
	city := httpx.City(r.Context())
	all, err := w.orgsOf(r.Context(), by(r), city)
	return newPersonView{City: city, Orgs: all, Everywhere: by(r).May(actor.StaffManage, actor.On{}) == nil}, err
}

func newPersonPage(v newPersonView) Page {
	return Page{Title: text.Msg("web.people.new"), Nav: "people", Body: newPersonBody(v)}
}

func (w *Web) newPerson(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.newPersonView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, newPersonPage(v))
}

func (w *Web) createPerson(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	in, err := httpx.Bind[newPersonInput](r)
	var p staff.Person
	if err == nil {
		in.City = city
		if in.Role != "" {
			in.Grants = []actor.Grant{in.grant(city)}
		}
		p, err = w.Staff.CreatePerson(r.Context(), by(r), in.NewPerson)
	}
	if err != nil {
		v, failed := w.newPersonView(r)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.Form = f
			return newPersonPage(v)
		})
	}
	return w.done(rw, r, personPath(city, p.ID), text.Msg("web.people.created", "name", p.Name))
}

func personPath(city int, id string) string { return at("/c/{city}/people/", city) + id }

// personView is a member of staff as managers see them. The forms that came back with messages are kept.
type personView struct {
	City       int
	Person     staff.Person
	Sessions   []staff.Session
	Orgs       orgs
	Self       bool // one's own page: rights are another manager's matter
	Everywhere bool
	MayAudit   bool
	Edit       ui.Form
	Grant      ui.Form
	Password   ui.Form
}

func (w *Web) personView(r *http.Request) (personView, error) {
	v := personView{City: httpx.City(r.Context()), Self: by(r).ID == param(r, "person"), Everywhere: by(r).May(actor.StaffManage, actor.On{}) == nil}
	v.MayAudit = w.open(by(r), "/c/{city}/audit", v.City)
	var err error
	if v.Person, err = w.Staff.Person(r.Context(), by(r), param(r, "person")); err != nil {
		return v, err
	}
	if v.Sessions, err = w.Staff.Sessions(r.Context(), by(r), v.Person.ID); err != nil {
		return v, err
	}
	v.Orgs, err = w.orgsOf(r.Context(), by(r), v.City)
	return v, err
}

func personPage(v personView) Page {
	return Page{Title: text.Msg("web.people.one", "name", v.Person.Name), Nav: "people", Body: personBody(v)}
}

func (w *Web) person(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.personView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, personPage(v))
}

// personAgain shows the person's page after one of its forms was refused.
func (w *Web) personAgain(rw http.ResponseWriter, r *http.Request, err error, put func(*personView, ui.Form)) error {
	v, failed := w.personView(r)
	if failed != nil {
		return failed
	}
	return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
		put(&v, f)
		return personPage(v)
	})
}

func (w *Web) editPerson(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[staff.Edit](r)
	if err == nil {
		in.Person = param(r, "person")
		_, err = w.Staff.EditPerson(r.Context(), by(r), in)
	}
	if err != nil {
		return w.personAgain(rw, r, err, func(v *personView, f ui.Form) { v.Edit = f })
	}
	return w.done(rw, r, w.thisPerson(r), text.Msg("web.saved"))
}

func (w *Web) thisPerson(r *http.Request) string {
	return personPath(httpx.City(r.Context()), param(r, "person"))
}

func (w *Web) grant(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[grantInput](r)
	if err == nil {
		g := in.grant(httpx.City(r.Context()))
		_, err = w.Staff.Grant(r.Context(), by(r), staff.NewGrant{
			Person: param(r, "person"), City: g.City, Role: g.Role, Companies: g.Companies, Districts: g.Districts, Areas: g.Areas, Stations: g.Stations,
		})
	}
	if err != nil {
		return w.personAgain(rw, r, err, func(v *personView, f ui.Form) { v.Grant = f })
	}
	return w.done(rw, r, w.thisPerson(r), text.Msg("web.people.granted"))
}

func (w *Web) revoke(rw http.ResponseWriter, r *http.Request) error {
	_, err := w.Staff.Revoke(r.Context(), by(r), param(r, "person"), param(r, "grant"))
	return w.after(rw, r, err, w.thisPerson(r), "web.people.revoked")
}

// after ends an act that had no form: it worked, or it is said why not.
func (w *Web) after(rw http.ResponseWriter, r *http.Request, err error, address, key string) error {
	if err != nil {
		return w.refused(rw, r, err, address)
	}
	return w.done(rw, r, address, text.Msg(key))
}

func (w *Web) disable(rw http.ResponseWriter, r *http.Request) error {
	_, err := w.Staff.Disable(r.Context(), by(r), param(r, "person"))
	return w.after(rw, r, err, w.thisPerson(r), "web.people.disabled")
}

func (w *Web) enable(rw http.ResponseWriter, r *http.Request) error {
	_, err := w.Staff.Enable(r.Context(), by(r), param(r, "person"))
	return w.after(rw, r, err, w.thisPerson(r), "web.people.enabled")
}

func (w *Web) resetPassword(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[staff.PasswordChange](r)
	if err == nil {
		in.Person, in.Address = param(r, "person"), httpx.Address(r.Context())
		err = w.Staff.SetPassword(r.Context(), by(r), in)
	}
	if err != nil {
		return w.personAgain(rw, r, err, func(v *personView, f ui.Form) { v.Password = f })
	}
	return w.done(rw, r, w.thisPerson(r), text.Msg("web.people.password_set"))
}

func (w *Web) liftTOTP(rw http.ResponseWriter, r *http.Request) error {
	err := w.Staff.DisableTOTP(r.Context(), by(r), param(r, "person"), "", httpx.Address(r.Context()))
	return w.after(rw, r, err, w.thisPerson(r), "web.totp.is_off")
}

func (w *Web) endSession(rw http.ResponseWriter, r *http.Request) error {
	err := w.Staff.EndSession(r.Context(), by(r), param(r, "person"), param(r, "session"))
	return w.after(rw, r, err, w.thisPerson(r), "web.sessions.ended")
}

func (w *Web) endSessions(rw http.ResponseWriter, r *http.Request) error {
	err := w.Staff.EndSessions(r.Context(), by(r), param(r, "person"), "")
	return w.after(rw, r, err, w.thisPerson(r), "web.sessions.ended")
}

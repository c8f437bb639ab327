package web

import (
	"net/http"
	"net/url"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bulletin"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// bulletinRoutes are the pages of bulletins to many (群发公告).
func (w *Web) bulletinRoutes() []Route {
	if w.Bulletins == nil || w.Places == nil || w.Territory == nil {
		return nil
	}
	write := may(actor.NoticeWrite)
	return []Route{
		get("/c/{city}/bulletins", write, w.bulletins),
		get("/c/{city}/bulletins/new", write, w.newBulletin),
		post("/c/{city}/bulletins", write, w.writeBulletin),
		get("/c/{city}/bulletins/{bulletin}", write, w.bulletin),
		post("/c/{city}/bulletins/{bulletin}", write, w.decideBulletin),
	}
}

type bulletinsView struct {
	city  int
	query bulletin.Filter
	list  page.Of[bulletin.Bulletin]
}

// bulletins lists the bulletins of the city, the newest first.
func (w *Web) bulletins(rw http.ResponseWriter, r *http.Request) error {
	q, err := httpx.Bind[bulletin.Filter](r)
	if err != nil {
		return err
	}
	v := bulletinsView{city: httpx.City(r.Context()), query: q}
	if v.list, err = w.Bulletins.List(r.Context(), by(r), v.city, q); err != nil {
		return err
	}
	return w.show(rw, r, Page{Title: text.Msg("bulletinpage.title"), Nav: "bulletins", Body: bulletinsBody(v)})
}

// bulletinForm is a bulletin as it is typed; where names a building, an estate, a station or an area.
type bulletinForm struct {
	Kind    bulletin.Kind `form:"kind"`
	Where   string        `form:"where"`
	TextZH  string        `form:"text_zh"`
	TextEN  string        `form:"text_en"`
	Send    bool          `form:"send"`
	Starts  civil.Instant `form:"from_at"`
	Until   civil.Instant `form:"until_at"`
	Preview bool          `form:"preview"`
}

type bulletinFormView struct {
	city    int
	in      bulletinForm
	form    ui.Form
	preview *bulletin.Preview
}

func bulletinFormPage(v bulletinFormView) Page {
	return Page{Title: text.Msg("bulletinpage.new"), Nav: "bulletins", Body: newBulletinBody(v)}
}

func (w *Web) newBulletin(rw http.ResponseWriter, r *http.Request) error {
	return w.show(rw, r, bulletinFormPage(bulletinFormView{city: httpx.City(r.Context()), in: bulletinForm{Kind: bulletin.Stop, Send: true}}))
}

// writeBulletin shows what a bulletin would do, or keeps it for the second person.
func (w *Web) writeBulletin(rw http.ResponseWriter, r *http.Request) error {
	v := bulletinFormView{city: httpx.City(r.Context())}
	in, err := httpx.Bind[bulletinForm](r)
	v.in = in
	if err == nil {
		var out bulletin.Input
		if out, err = w.placed(r, in); err == nil && in.Preview {
			var p bulletin.Preview
			if p, err = w.Bulletins.Preview(r.Context(), by(r), out); err == nil {
				v.preview, v.form = &p, ui.FormOf(r, nil)
				return w.show(rw, r, bulletinFormPage(v))
			}
		} else if err == nil {
			var b bulletin.Bulletin
			if b, err = w.Bulletins.Write(r.Context(), by(r), out); err == nil {
				return w.done(rw, r, bulletinPath(b.City, b.ID), text.Msg("bulletinpage.written", "no", b.No))
			}
		}
	}
	return w.again(rw, r, whereOf(err), ui.Staff, func(f ui.Form) Page {
		v.form = f
		return bulletinFormPage(v)
	})
}

// whereOf puts what is wrong with a place at the one field that names it.
func whereOf(err error) error {
	if !fault.Is(err, fault.Invalid) {
		return err
	}
	var c fault.Check
	for _, f := range fault.Of(err).Fields {
		name := f.Name
		switch name {
		case "community", "building", "station", "area", "reach":
			name = "where"
		}
		var pairs []any
		for k, p := range f.Params {
			pairs = append(pairs, k, p)
		}
		c.Add(name, f.Key, pairs...)
	}
	return c.Err()
}

// placed finds the place that was typed: an area or a station by name or code, an estate, or a building of it.
func (w *Web) placed(r *http.Request, in bulletinForm) (bulletin.Input, error) {
	out := bulletin.Input{
		City: httpx.City(r.Context()), Key: formKey(r), Kind: in.Kind, TextZH: in.TextZH, TextEN: in.TextEN, Send: in.Send, Starts: in.Starts, Until: in.Until,
	}
	var c fault.Check
	if !c.That(len(words(in.Where)) > 0, "where", "field.required") {
		return out, c.Err()
	}
	areas, err := w.Territory.Areas(r.Context(), by(r), out.City, "")
	if err != nil {
		return out, err
	}
	for _, a := range areas {
		if a.Code == in.Where || a.Name == in.Where {
			out.Reach, out.Area = bulletin.Area, a.Code
			return out, nil
		}
	}
	all, key, err := w.placesOfLine(r, "", in.Where)
	if err != nil {
		return out, err
	}
	if c.That(key == "", "where", key, "line", in.Where) {
		c.That(len(all) == 1, "where", "bulletinpage.one_place")
	}
	if err := c.Err(); err != nil {
		return out, err
	}
	switch p := all[0]; {
	case p.Station != "":
		out.Reach, out.Station = bulletin.Station, p.Station
	case p.Building != "":
		out.Reach, out.Community, out.Building = bulletin.Building, p.Community, p.Building
	default:
		out.Reach, out.Community = bulletin.Community, p.Community
	}
	return out, nil
}

type bulletinView struct {
	bulletin.Preview
	city int
	form ui.Form
	acts []bulletin.Event
	own  bool
}

func (w *Web) bulletinView(r *http.Request) (bulletinView, error) {
	v := bulletinView{city: httpx.City(r.Context())}
	var err error
	if v.Preview, err = w.Bulletins.Get(r.Context(), by(r), v.city, param(r, "bulletin")); err != nil {
		return v, err
	}
	v.own = v.WrittenBy == by(r).ID
	for _, s := range bulletin.Lifecycle.From(v.State) {
		may := s.By != "" && by(r).May(actor.Permission(s.By), actor.On{City: v.city}) == nil
		if may && (s.Event != bulletin.Approve || !v.own) {
			v.acts = append(v.acts, s.Event)
		}
	}
	return v, nil
}

func bulletinPageOf(v bulletinView) Page {
	return Page{Title: text.Msg("bulletinpage.one", "no", v.No), Nav: "bulletins", Body: bulletinBody(v)}
}

// bulletin shows one bulletin with how far it has come.
func (w *Web) bulletin(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.bulletinView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, bulletinPageOf(v))
}

// decideBulletin lets a bulletin go out, refuses it or takes it back.
func (w *Web) decideBulletin(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[bulletin.Decision](r)
	in.City, in.ID = httpx.City(r.Context()), param(r, "bulletin")
	if err == nil {
		_, err = w.Bulletins.Decide(r.Context(), by(r), in)
	}
	if err != nil {
		v, failed := w.bulletinView(r)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return bulletinPageOf(v)
		})
	}
	return w.done(rw, r, bulletinPath(in.City, in.ID), text.Msg("bulletinpage.done"))
}

func bulletinPath(city int, id string) string {
	return at("/c/{city}/bulletins/", city) + url.PathEscape(id)
}

func bulletinTone(s bulletin.State) ui.Tone {
	switch s {
	case bulletin.Waiting:
		return ui.Amber
	case bulletin.Sending:
		return ui.Blue
	case bulletin.Told:
		return ui.Green
	case bulletin.Refused, bulletin.Withdrawn:
	}
	return ui.Grey
}

func bulletinKindTone(k bulletin.Kind) ui.Tone {
	switch k {
	case bulletin.Leak, bulletin.Fault, bulletin.Stop:
		return ui.Amber
	case bulletin.FirstSupply, bulletin.Filling, bulletin.Advice:
	}
	return ui.Blue
}

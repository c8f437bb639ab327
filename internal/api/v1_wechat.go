package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/wechat"
)

// sessionHeader carries a session's new token, which the client sends from then on: it changes daily.
const sessionHeader = "Rehu-Session"

// phoneAsk asks for a code.
type phoneAsk struct {
	Phone string `json:"phone"`
}

// mineOperations are what a resident's app does: the mini program of WeChat, with a session of the resident's own.
func (a *API) mineOperations(r chi.Router, v *v1) {
	if a.WeChat == nil || a.Residents == nil {
		return
	}
	r.Group(func(r chi.Router) {
		r.Use(a.errors.Limit(a.readers, httpx.ByAddress))
		of := *v
		of.adapter = humachi.NewAdapter(r)
		of.entranceOperations()
		of.ownOperations()
	})
}

// entrance is an operation that needs no session: it is the way to one.
func entrance[In, Out any](v *v1, name, path string, fn func(ctx context.Context, c caller, in In) (Out, error)) {
	act(v, Operation{Name: name, Method: http.MethodPost, Path: "/cities/{city}/mine" + path, Open: true, tag: "mine"}, fn)
}

func (v *v1) entranceOperations() {
	entrance(v, "enter_mine", "/enter", func(ctx context.Context, c caller, in wechat.Code) (wechat.Login, error) {
		in.City = c.city
		return v.WeChat.Enter(ctx, in, c.r.UserAgent())
	})
	entrance(v, "ask_code_mine", "/codes", func(ctx context.Context, c caller, in phoneAsk) (resident.Asked, error) {
		return v.Residents.RequestCode(ctx, c.by, resident.Ask{City: c.city, Phone: in.Phone, Lang: c.lang(), Address: httpx.Address(ctx)})
	})
	entrance(v, "bind_mine", "/bind", func(ctx context.Context, c caller, in wechat.Binding) (wechat.Login, error) {
		in.City, in.Lang, in.Address = c.city, c.lang(), httpx.Address(ctx)
		return v.WeChat.Bind(ctx, in, c.r.UserAgent())
	})
}

// lang is the reader's language.
func (c caller) lang() text.Lang { return httpx.Lang(c.r.Context()) }

func (v *v1) ownOperations() {
	const at, one = "/cities/{city}/mine/cases", "/cities/{city}/mine/cases/{token}"
	ask(v, Operation{Name: "show_mine", Method: http.MethodGet, Path: "/cities/{city}/mine", Resident: true, tag: "mine"},
		func(ctx context.Context, c caller, _ none) (wechat.Me, error) { return v.WeChat.Me(ctx, c.by, c.city) })
	ask(v, Operation{Name: "list_mine", Method: http.MethodGet, Path: at, Resident: true, tag: "mine"},
		func(ctx context.Context, c caller, _ none) (page.Of[wechat.Own], error) {
			list, err := v.WeChat.Mine(ctx, c.by, c.city, c.lang())
			return whole(list), err
		})
	ask(v, Operation{Name: "look_mine", Method: http.MethodGet, Path: one, Resident: true, tag: "mine"},
		func(ctx context.Context, c caller, _ none) (wechat.Own, error) {
			return v.WeChat.Look(ctx, c.by, c.city, c.param("token"), c.lang())
		})
	act(v, Operation{Name: "report_mine", Method: http.MethodPost, Path: at, Resident: true, tag: "mine", status: http.StatusCreated},
		func(ctx context.Context, c caller, in wechat.Reporting) (wechat.Reported, error) {
			in.City, in.Lang, in.Key = c.city, c.lang(), c.key()
			return v.WeChat.Report(ctx, c.by, in)
		})
	act(v, Operation{Name: "remind_mine", Method: http.MethodPost, Path: one + "/remind", Resident: true, tag: "mine"},
		func(ctx context.Context, c caller, in wechat.OwnWord) (wechat.Own, error) {
			return v.WeChat.Remind(ctx, c.by, c.word(in))
		})
	act(v, Operation{Name: "reopen_mine", Method: http.MethodPost, Path: one + "/reopen", Resident: true, tag: "mine"},
		func(ctx context.Context, c caller, in wechat.OwnWord) (wechat.Own, error) {
			return v.WeChat.Reopen(ctx, c.by, c.word(in))
		})
	act(v, Operation{Name: "rate_mine", Method: http.MethodPost, Path: one + "/rate", Resident: true, tag: "mine"},
		func(ctx context.Context, c caller, in wechat.Rating) (wechat.Own, error) {
			in.City, in.Token, in.Lang, in.Key = c.city, c.param("token"), c.lang(), c.key()
			return v.WeChat.Rate(ctx, c.by, in)
		})
	act(v, Operation{Name: "consent_mine", Method: http.MethodPost, Path: "/cities/{city}/mine/consents", Resident: true, tag: "mine"},
		func(ctx context.Context, c caller, in wechat.ConsentInput) (page.Of[wechat.Allowed], error) {
			in.City = c.city
			list, err := v.WeChat.Consent(ctx, c.by, in)
			return whole(list), err
		})
	v.ownPhotos(Operation{Name: "add_photos_mine", Method: http.MethodPost, Path: one + "/photos", Resident: true, tag: "mine", status: http.StatusCreated})
}

func (c caller) word(in wechat.OwnWord) wechat.OwnWord {
	in.City, in.Token, in.Lang, in.Key = c.city, c.param("token"), c.lang(), c.key()
	return in
}

// ownPhotos takes photographs in that belong to a resident's case; whose it is is asked before a byte is kept.
func (v *v1) ownPhotos(o Operation) {
	doc := huma.Operation{RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{"multipart/form-data": photoForm(nil)}}}
	v.about.answer(&doc, typeOf[wechat.Own](), o.status)
	v.mount(o, doc, func(w http.ResponseWriter, c caller) error {
		if err := v.WeChat.MayAttach(c.r.Context(), c.by, c.city, c.param("token")); err != nil {
			return err
		}
		in, err := decode(v, w, c, func(in *wechat.OwnWord) *[]blob.Stored { return &in.Photos })
		if err != nil {
			return err
		}
		out, err := v.WeChat.Attach(c.r.Context(), c.by, c.word(in))
		if err != nil {
			return err
		}
		return write(w, o.status, out)
	})
}

// theirs finds the resident whose session came with a request; 401 when it does not hold.
func (v *v1) theirs(w http.ResponseWriter, c caller) (caller, error) {
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return c, httpx.NotLoggedIn()
	}
	who, ok, err := v.Residents.Authenticate(c.r.Context(), c.city, strings.TrimSpace(token))
	if err != nil {
		return c, err
	}
	if !ok {
		return c, httpx.NotLoggedIn()
	}
	if who.Renewed != "" {
		w.Header().Set(sessionHeader, who.Renewed)
	}
	c.by = who.Actor
	c.by.Door = actor.API
	return c, nil
}

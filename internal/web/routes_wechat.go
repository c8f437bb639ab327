package web

import (
	"errors"
	"io"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/wechat"
)

// wechatRoutes are the address that WeChat pushes to and the page of a login link.
func (w *Web) wechatRoutes() []Route {
	if w.WeChat == nil {
		return nil
	}
	all := []Route{
		get("/c/{city}/hooks/wechat/{account}", signed, w.wechatVerify),
		post("/c/{city}/hooks/wechat/{account}", signed, w.wechatPush),
		post("/c/{city}/channels/menu", mayInAll(actor.ChannelManage), w.setWeChatMenu),
		get("/c/{city}/m/w/{ticket}", public, w.wechatDoor),
		post("/c/{city}/m/w/{ticket}", public, w.wechatEnter),
	}
	return append(all, w.wxPhoneRoutes()...)
}

// setWeChatMenu gives WeChat the menu that stands in the settings of the official account.
func (w *Web) setWeChatMenu(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	back := at("/c/{city}/channels", city)
	if err := w.WeChat.SetMenu(r.Context(), by(r), city); err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("channelpage.done.menu"))
}

func wechatQuery(r *http.Request) wechat.Query {
	q := r.URL.Query()
	return wechat.Query{
		Signature: q.Get("signature"), Timestamp: q.Get("timestamp"), Nonce: q.Get("nonce"), Echo: q.Get("echostr"),
		EncryptType: q.Get("encrypt_type"), MsgSig: q.Get("msg_signature"),
	}
}

// wechatVerify answers WeChat when the address is set up. The signature is its permission.
func (w *Web) wechatVerify(rw http.ResponseWriter, r *http.Request) error {
	echo, err := w.WeChat.Verify(r.Context(), httpx.City(r.Context()), param(r, "account"), wechatQuery(r))
	if err != nil {
		return err
	}
	return plainWords(rw, []byte(echo))
}

// wechatPush takes a message and gives the passive answer.
func (w *Web) wechatPush(rw http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, wechat.MaxBody))
	if err != nil {
		if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return httpx.TooLarge(tooBig.Limit)
		}
		return httpx.Malformed(err)
	}
	said, err := w.WeChat.Receive(r.Context(), httpx.City(r.Context()), param(r, "account"), wechatQuery(r), body)
	if err != nil {
		return err
	}
	return plainWords(rw, said)
}

// plainWords answers WeChat; what it sent itself is never shown as a page.
func plainWords(rw http.ResponseWriter, b []byte) error {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	_, _ = rw.Write(b) // WeChat is gone: it pushes again
	return nil
}

// wechatDoor is where a login link leads. Looking at it does not use it up: WeChat looks at links before anybody taps them.
func (w *Web) wechatDoor(rw http.ResponseWriter, r *http.Request) error {
	rw.Header().Set("Referrer-Policy", "no-referrer")
	rw.Header().Set("Cache-Control", "no-store")
	err := w.WeChat.Holds(r.Context(), httpx.City(r.Context()), param(r, "ticket"))
	return w.showCitizen(rw, r, Page{Title: text.Msg("wechatpage.enter"), Body: wechatDoor(err == nil), Back: residentPath(r, "")})
}

// wechatEnter uses the link up and logs in to the service hall.
func (w *Web) wechatEnter(rw http.ResponseWriter, r *http.Request) error {
	city := httpx.City(r.Context())
	t, err := w.WeChat.EnterByTicket(r.Context(), city, param(r, "ticket"), r.UserAgent())
	if err != nil {
		return err
	}
	w.EnterHall(rw, city, t)
	return w.to(rw, r, residentPath(r, "/home"))
}

package web

import (
	"io"
	"net/http"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// channelRoutes are the accounts of the city at outside parties, how they do, and what waits for a person.
func (w *Web) channelRoutes() []Route {
	if w.Channels == nil {
		return nil
	}
	read, reply := mayInAll(actor.ChannelRead), mayInAll(actor.ChannelReply)
	return []Route{
		get("/c/{city}/channels", read, w.channels),
		post("/c/{city}/channels", mayInAll(actor.ChannelManage), w.setChannel),
		post("/c/{city}/channels/switch", mayInAll(actor.ChannelManage), w.switchChannel),
		post("/c/{city}/channels/messages/{message}/replay", reply, w.replayMessage),
		post("/c/{city}/channels/replies/{reply}/{do}", reply, w.moveReply),
		get("/c/{city}/hooks/weibo/{account}", signed, w.weiboHook),
		post("/c/{city}/hooks/weibo/{account}", signed, w.weiboHook),
	}
}

// channelsView is the page of channels.
type channelsView struct {
	city     int
	accounts []channel.Health
	failed   []channel.Message
	waiting  []channel.Reply
	kinds    []cases.Channel
	manage   bool
	menu     bool // the menu of the official account can be set
	reply    bool
	form     ui.Form
}

func (w *Web) channelsView(r *http.Request) (v channelsView, err error) {
	ctx, who := r.Context(), by(r)
	v.city, v.kinds = httpx.City(ctx), w.Channels.Channels()
	v.manage = mayInAll(actor.ChannelManage).allows(who, v.city) == nil
	v.menu = v.manage && w.WeChat != nil
	v.reply = mayInAll(actor.ChannelReply).allows(who, v.city) == nil
	if v.accounts, err = w.Channels.Health(ctx, who, v.city); err != nil {
		return v, err
	}
	failed, err := w.Channels.Messages(ctx, who, v.city, channel.Filter{State: channel.Failed})
	if err != nil {
		return v, err
	}
	v.failed = failed.Items
	for _, s := range []channel.State{channel.Held, channel.Failed} {
		some, err := w.Channels.Replies(ctx, who, v.city, channel.Filter{State: s})
		if err != nil {
			return v, err
		}
		v.waiting = append(v.waiting, some.Items...)
	}
	return v, nil
}

func channelsPage(v channelsView) Page {
	return Page{Title: text.Msg("channelpage.title"), Nav: "channels", Body: channelsBody(v)}
}

// channels shows every account with its health and what waits.
func (w *Web) channels(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.channelsView(r)
	if err != nil {
		return err
	}
	return w.show(rw, r, channelsPage(v))
}

// accountForm is an account as it is set up on the page: a feed's address stands with it.
type accountForm struct {
	channel.AccountInput
	URL      string `form:"url"`
	Encoding string `form:"encoding"`
	Items    string `form:"items"`
	Format   string `form:"format"`
}

// setChannel sets an account up.
func (w *Web) setChannel(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[accountForm](r)
	if err == nil {
		in.City, in.Enabled = httpx.City(r.Context()), true
		in.Settings = map[string]string{}
		for k, v := range map[string]string{"url": in.URL, "format": in.Format, "items": in.Items, "encoding": in.Encoding} {
			if v != "" {
				in.Settings[k] = v
			}
		}
		_, err = w.Channels.SetAccount(r.Context(), by(r), in.AccountInput)
	}
	if err != nil {
		v, failed := w.channelsView(r)
		if failed != nil {
			return failed
		}
		return w.again(rw, r, err, ui.Staff, func(f ui.Form) Page {
			v.form = f
			return channelsPage(v)
		})
	}
	return w.done(rw, r, at("/c/{city}/channels", in.City), text.Msg("channelpage.done.account"))
}

// switchChannel turns an account on or off.
func (w *Web) switchChannel(rw http.ResponseWriter, r *http.Request) error {
	back := at("/c/{city}/channels", httpx.City(r.Context()))
	in, err := httpx.Bind[channel.Switching](r)
	if err == nil {
		in.City = httpx.City(r.Context())
		_, err = w.Channels.Switch(r.Context(), by(r), in)
	}
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("channelpage.done.account"))
}

// replayMessage lets a message that could not be handed on be tried again.
func (w *Web) replayMessage(rw http.ResponseWriter, r *http.Request) error {
	return w.channelAct(rw, r, param(r, "message"), func(in channel.ByHand) error {
		_, err := w.Channels.ReplayMessage(r.Context(), by(r), in)
		return err
	})
}

// moveReply sends an answer again, or notes that it was told by other means.
func (w *Web) moveReply(rw http.ResponseWriter, r *http.Request) error {
	return w.channelAct(rw, r, param(r, "reply"), func(in channel.ByHand) error {
		var err error
		switch channel.Move(param(r, "do")) {
		case channel.Replay:
			_, err = w.Channels.ReplayReply(r.Context(), by(r), in)
		case channel.Tell:
			_, err = w.Channels.TellReply(r.Context(), by(r), in)
		case channel.Take, channel.Fail, channel.Hold:
			err = fault.New(fault.NotFound, "not_found")
		default:
			err = fault.New(fault.NotFound, "not_found")
		}
		return err
	})
}

func (w *Web) channelAct(rw http.ResponseWriter, r *http.Request, id string, act func(channel.ByHand) error) error {
	back := at("/c/{city}/channels", httpx.City(r.Context()))
	in, err := httpx.Bind[channel.ByHand](r)
	if err == nil {
		in.City, in.ID = httpx.City(r.Context()), id
		err = act(in)
	}
	if err != nil {
		return w.refused(rw, r, err, back)
	}
	return w.done(rw, r, back, text.Msg("channelpage.done.act"))
}

// weiboHook takes what Weibo pushes, and answers its question whether this address is ours (GET with echostr). The
// signature is the permission, and works once.
func (w *Web) weiboHook(rw http.ResponseWriter, r *http.Request) error {
	const most = 256 << 10
	ctx, city, q := r.Context(), httpx.City(r.Context()), r.URL.Query()
	a, err := w.Channels.Access(ctx, city, cases.Weibo, param(r, "account"))
	if err != nil {
		return err
	}
	proof := clue.WeiboProof(a.Credential["app_secret"], q.Get("timestamp"), q.Get("nonce"), q.Get("signature"))
	if a.Credential["app_secret"] == "" {
		return fault.New(fault.Denied, "channel.bad_signature")
	}
	if err := w.Channels.Prove(ctx, a.Account, proof); err != nil {
		return err
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(rw, q.Get("echostr")) // Weibo is gone: nobody to tell
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, most))
	if err != nil {
		return httpx.Malformed(err)
	}
	in, says, err := clue.WeiboPushed(city, a.Name, body)
	if err == nil && says {
		_, _, err = w.Channels.Record(ctx, in)
	}
	return err
}

func channelTone(h channel.Health) ui.Tone {
	switch {
	case !h.Enabled:
		return ui.Grey
	case h.OK():
		return ui.Green
	case h.Failures > 2 || !h.Ready:
		return ui.Red
	}
	return ui.Amber
}

// stateKey says in a word how an account does.
func channelState(h channel.Health) string {
	switch {
	case !h.Enabled:
		return "channelpage.off"
	case !h.Ready:
		return "channelpage.not_ready"
	case h.Failures > 0:
		return "channelpage.failing"
	case h.Today.Failed > 0:
		return "channelpage.waiting"
	}
	return "channelpage.fine"
}

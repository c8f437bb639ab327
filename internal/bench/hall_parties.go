package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/mail/mailfake"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/wechat"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
)

// platformCode is 12345's name at the centre.
const platformCode = "hot12345"

// parties are those outside by whom matters come: played in the process of the visitors, as they are elsewhere in life.
// They sign and encrypt what they send as the real ones do.
type parties struct {
	wx    *wechatfake.Server
	out   *demo.Outside
	hot   *platformfake.Platform
	phone telephone
	turns sync.Mutex // 12345 says one thing after another
	stops []func()
}

func (p *parties) close() {
	for _, stop := range p.stops {
		stop()
	}
}

// stand lets a party answer at an address of its own.
func (p *parties) stand(ctx context.Context, h http.Handler) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(l) }() // ends with the hall
	p.stops = append(p.stops, func() { _ = s.Close() })
	return "http://" + l.Addr().String(), nil
}

// play opens the parties and writes into the order where they stand and what opens them.
func (h *hall) play(ctx context.Context, o *hallOrder) (err error) {
	p := &h.parties
	o.Credentials = map[string]string{}
	if p.wx, err = demo.NewWeChat(time.Now); err != nil {
		return err
	}
	at, err := p.stand(ctx, p.wx)
	if err != nil {
		return err
	}
	for _, app := range []wechat.App{wechat.Official, wechat.Mini} {
		o.Credentials[demo.WeChatCredential(app)] = demo.Credential(p.wx, app, at)
	}
	mux := http.NewServeMux()
	if o.Outside, err = p.stand(ctx, mux); err != nil {
		return err
	}
	if p.out, err = demo.NewOutside(o.Outside, rand.Text(), rand.Text(), filepath.Join(o.Dir, "post.pem"), time.Now()); err != nil {
		return err
	}
	p.stops = append(p.stops, func() { _ = p.out.Post.Close() })
	mux.Handle("/2/", p.out.Weibo)
	mux.Handle("/feed.json", p.out.Feed)
	maps.Copy(o.Credentials, p.out.Credentials())
	o.PlatformKey = rand.Text()
	late := &lateHandler{}
	if o.Platform, err = p.stand(ctx, late); err != nil {
		return err
	}
	h.openPlatform = func() {
		p.hot = platformfake.New(platformfake.Options{
			Signer: notice.Signer{Account: platformCode, Secret: o.PlatformKey, Machine: time.Now}, Base: cityPath("/hooks/exchange/" + platformCode),
			Post: platformfake.Over(h.url, h.c), Now: h.cityNow, Prefix: "BQ",
		})
		late.set(p.hot)
		p.wx.PointTo(demo.OfficialID, h.url+cityPath("/hooks/wechat/"+string(wechat.Official)))
	}
	return h.hang(ctx, o)
}

// lateHandler answers "not yet" until there is somebody to ask.
type lateHandler struct {
	mu   sync.Mutex
	next http.Handler
}

func (l *lateHandler) set(h http.Handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = h
}

// ServeHTTP implements http.Handler.
func (l *lateHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	next := l.next
	l.mu.Unlock()
	if next == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	next.ServeHTTP(w, r)
}

// join sets up at the server the accounts of the parties outside.
func (h *hallServer) join(ctx context.Context) error {
	o := h.order
	elsewhere, err := demo.NewWeChat(h.app.Machine) // the one that answers is played beside the visitors, and points itself
	if err != nil {
		return err
	}
	if err := demo.JoinWeChat(ctx, h.app, elsewhere, h.out.URL); err != nil {
		return err
	}
	if _, _, err := demo.SetOutside(ctx, h.app, o.Outside); err != nil {
		return err
	}
	_, err = h.app.Exchange.SavePlatform(ctx, actor.SystemFor("bench", actor.Command), exchange.PlatformInput{
		City: sim.Code, Code: platformCode, Name: "12345", Kind: exchange.Hotline, URL: o.Platform, Account: platformCode, Secret: o.PlatformKey,
		ReturnMinutes: 120, GapMinutes: 5, Active: true,
	})
	return err
}

// fetch reads what waits at the parties that are asked instead of telling.
func (h *hallServer) fetch(ctx context.Context) error {
	all, err := db.Read(ctx, h.app.DB, func(tx *db.Tx) ([]channel.Account, error) { return h.app.Channels.AccountsIn(ctx, tx, sim.Code) })
	if err != nil {
		return err
	}
	var errs error
	for _, a := range all {
		if a.Channel != cases.WeChat {
			errs = errors.Join(errs, h.app.Channels.PollNow(ctx, a))
		}
	}
	return errs
}

// repeats reports whether a matter is sent twice, as parties do whose answer got lost.
func (m matter) repeats() bool { return m.n/10%2 == 0 }

// byWeChat is a conversation with the official account. Its last message is pushed again where it repeats.
func (h *hall) byWeChat(ctx context.Context, m matter) (string, error) {
	who := fmt.Sprintf("oBenchTalks%06d", m.n)
	for _, said := range []string{m.text, m.address, m.phone, "1"} {
		push := h.wx.Compose(demo.OfficialID, who, h.wx.Text(said))
		times := 1
		if m.repeats() {
			times = 2
		}
		for range times {
			if _, err := h.wx.Deliver(ctx, push); err != nil {
				return "", err
			}
		}
	}
	return "", nil
}

// byWeibo is a private message, which Weibo pushes and also gives to whoever asks: it is one all the same.
func (h *hall) byWeibo(ctx context.Context, m matter) (string, error) {
	d := h.out.Weibo.Direct(int64(5000+m.n), "用户"+m.mark, m.address+"，"+m.text, civil.At(time.Now()))
	times := 1
	if m.repeats() {
		times = 2
	}
	for i := range times {
		status, err := h.out.Weibo.Push(ctx, h.url+cityPath("/hooks/weibo/demo"), d, time.Now(), fmt.Sprint("bench", m.mark, i))
		if err != nil {
			return "", err
		}
		if status != http.StatusOK {
			return "", fmt.Errorf("the push of Weibo was answered with %d", status)
		}
	}
	return "", nil
}

// byPlatform is a ticket of 12345, sent again where it repeats.
func (h *hall) byPlatform(ctx context.Context, m matter) (string, error) {
	h.turns.Lock()
	defer h.turns.Unlock()
	no := h.hot.Open(exchange.Details{Text: m.text, ReceivedAt: h.cityNow(), Address: m.address, Category: "cold_home", Caller: cases.Party{Phone: m.phone}})
	if err := h.hot.Flush(ctx); err != nil || !m.repeats() {
		return "", err
	}
	t, ok := h.hot.Ticket(exchange.Theirs, no)
	if !ok || len(t.Said) == 0 {
		return "", fmt.Errorf("12345 does not know its ticket %s", no)
	}
	_, err := h.hot.Send(ctx, t.Said[0])
	return "", err
}

// byMail puts a letter into the city's box, which is read by and by; where it repeats the letter comes twice.
func (h *hall) byMail(_ context.Context, m matter) (string, error) {
	l := mailfake.Written{
		From: "user" + m.mark + "@example.cn", Name: "用户" + m.mark, To: demo.Mailbox, Subject: "暖气不热", ID: m.mark + ".bench@example.cn", At: h.cityNow().Time(),
		Text: m.text + "\r\n" + m.address,
	}
	times := 1
	if m.repeats() {
		times = 2
	}
	for range times {
		if err := h.out.Post.Deliver(demo.Mailbox, l.Raw()); err != nil {
			return "", err
		}
	}
	return "", nil
}

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"net/http" //nolint:depguard // serves the other side of the exchange, a fake
	"path"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/text"
)

// hotline is one of the demonstration's platforms, 12345 or the city's own: its people and its program, in this process.
type hotline struct {
	app  *app.App
	fake *platformfake.Platform
	side profile
	n    int // tickets that it opened
}

// profile is what differs between the platforms: all speak the same contract.
type profile struct {
	code, name, prefix string // name: catalogue key
	kind               exchange.Kind
	returnMinutes      int
	seat               string
	complaints         []string
	every              time.Duration // between two of its tickets, at the ordinary rate of calls
	first              int           // tickets that are under way when people begin to look
}

func profiles() []profile {
	return []profile{
		{
			code: hotlineCode, name: "channel.12345", prefix: "NC", kind: exchange.Hotline, returnMinutes: 120, seat: "供热驻场", every: hotlineRate, first: 6,
			complaints: complaints,
		},
		{
			code: cityCode, name: "demodesk.city_platform", prefix: "CG", kind: exchange.City, returnMinutes: 60, seat: "城区平台驻场", every: 3 * hotlineRate, first: 2,
			complaints: sightings,
		},
	}
}

const (
	hotlineCode = "hot12345"
	cityCode    = "city_run"
	hotlineRate = time.Minute // between two of its tickets, at the ordinary rate of calls
	hotlineTurn = 5 * time.Second
	adoptDays   = 3
)

// complaints are what callers tell 12345.
var complaints = []string{
	"家里暖气片不热，室温只有15度，家中有老人，请尽快处理。", "暖气管道漏水，楼道里都是水，请马上派人。", "供热公司说来修一直没人来，请督促办理。", "客厅地暖一半热一半凉，请上门检查。",
}

// sightings are what the inspectors of the city's 城市运行管理服务平台 report.
var sightings = []string{
	"巡查发现道路供热井盖冒热气、路面有积水，请核查处置。", "供热管道抢修后路面未恢复，影响通行，请尽快恢复。", "小区换热站夜间噪声大，多户居民反映，请处理。",
}

// exchangeWith12345 lets 12345 and the city's own platform live beside the city until ctx ends: what is told there becomes
// tickets, our replies are called back, and what the centre passes on is handled there.
func exchangeWith12345(ctx context.Context, a *app.App, o Options) error {
	if o.Speed <= 0 || a.Exchange == nil {
		return nil
	}
	all, ctx := errgroup.WithContext(ctx) // one that cannot begin ends the other, so that it is told at once
	for _, p := range profiles() {
		all.Go(func() error { return (&hotline{app: a, side: p}).live(ctx, o) })
	}
	return all.Wait()
}

// live is the platform's day.
func (h *hotline) live(ctx context.Context, o Options) error {
	a := h.app
	stop, err := h.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if o.Met != nil && h.side.code == hotlineCode {
		o.Met.Store(h.fake)
	}
	tick := time.NewTicker(hotlineTurn)
	defer tick.Stop()
	next := a.Machine()
	for {
		if !a.Machine().Before(next) {
			if err := h.ring(ctx); err != nil {
				return err
			}
			next = next.Add(time.Duration(float64(h.side.every) / o.Speed))
		}
		h.fake.Work()
		if err := h.fake.Flush(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "demo: a platform could not send", "platform", h.side.code, "error", err)
		}
		if err := h.fake.Collect(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "demo: a platform could not fetch files", "platform", h.side.code, "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// open starts the platform's program and joins both sides.
func (h *hotline) open(ctx context.Context) (stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("platform %s of the demonstration: %w", h.side.code, err)
	}
	key := h.app.Ring.Fingerprint() + "-" + h.side.code // both sides live in this process
	signer := notice.Signer{Account: h.side.code, Secret: key, Machine: h.app.Machine}
	base := "/c/" + strconv.Itoa(sim.Code) + "/hooks/exchange/" + h.side.code
	h.fake = platformfake.New(platformfake.Options{Signer: signer, Base: base, Post: h.post, Now: h.app.DB.Now, Prefix: h.side.prefix})
	server := &http.Server{Handler: h.fake, ReadHeaderTimeout: hotlineTurn}
	go func() { _ = server.Serve(l) }() // it ends with the listener
	stop = func() { _ = server.Close() }
	in := exchange.PlatformInput{
		City: sim.Code, Code: h.side.code, Name: text.T(text.ZH, h.side.name), Kind: h.side.kind, URL: "http://" + l.Addr().String(), Account: h.side.code,
		Secret: key, ReturnMinutes: h.side.returnMinutes, GapMinutes: 5, Active: true,
	}
	known, err := h.app.Exchange.Platforms(ctx, owner, sim.Code)
	if err != nil {
		stop()
		return nil, err
	}
	for _, p := range known {
		if p.Code == h.side.code {
			in.Version = p.Version
		}
	}
	if _, err := h.app.Exchange.SavePlatform(ctx, owner, in); err != nil {
		stop()
		return nil, fmt.Errorf("join platform %s of the demonstration: %w", h.side.code, err)
	}
	for d := range adoptDays {
		if err := h.fake.Adopt(ctx, h.app.DB.Now().Date().AddDays(-d)); err != nil {
			stop()
			return nil, err
		}
	}
	if err := h.begin(ctx); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// post hands what the platform sends to the use cases, as the handlers of its addresses do.
func (h *hotline) post(ctx context.Context, address string, in notice.Signed) (int, []byte, error) {
	var out any
	var err error
	switch path.Base(address) {
	case "messages":
		out, err = h.app.Exchange.Take(ctx, sim.Code, h.side.code, in)
	case "files":
		return h.file(ctx, in)
	case "resend":
		out, err = h.app.Exchange.Resend(ctx, sim.Code, h.side.code, in)
	default:
		out, err = h.app.Exchange.Ledger(ctx, sim.Code, h.side.code, in)
	}
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return 0, nil, err
		}
		return httpx.Status(fault.KindOf(err)), []byte(err.Error()), nil
	}
	b, err := json.Marshal(out)
	return http.StatusOK, b, err
}

// file hands the platform a file that we named to it.
func (h *hotline) file(ctx context.Context, in notice.Signed) (int, []byte, error) {
	f, err := h.app.Exchange.GiveFile(ctx, sim.Code, h.side.code, in)
	if err != nil {
		return httpx.Status(fault.KindOf(err)), []byte(err.Error()), nil
	}
	defer func() { _ = f.Body.Close() }() // read-only
	b, err := io.ReadAll(f.Body)
	return http.StatusOK, b, err
}

// begin has a few tickets under way when people begin to look, one case passed on, and companies' own calls reported.
func (h *hotline) begin(ctx context.Context) error {
	if len(h.fake.Tickets()) > 0 {
		return nil
	}
	for range h.side.first {
		if err := h.ring(ctx); err != nil {
			return err
		}
	}
	if err := h.fake.Flush(ctx); err != nil {
		return err
	}
	if h.side.code != hotlineCode {
		return nil
	}
	return errors.Join(h.passOn(ctx), h.companies(ctx))
}

// recent are cases of the city that lend their places to new calls.
func (h *hotline) recent(ctx context.Context, f cases.Filter) ([]cases.Case, error) {
	f.Request = page.Request{Size: page.MaxSize}
	list, err := h.app.Cases.List(ctx, owner, sim.Code, f)
	return list.Items, err
}

// ring is somebody who calls 12345 instead of the centre.
func (h *hotline) ring(ctx context.Context) error {
	list, err := h.recent(ctx, cases.Filter{})
	if err != nil || len(list) == 0 {
		return err
	}
	at := list[(h.n*7)%len(list)]
	now := h.app.DB.Now()
	no := h.fake.Open(exchange.Details{
		Text: h.side.complaints[h.n%len(h.side.complaints)], ReceivedAt: now.Add(-3 * time.Minute), Address: at.Address, ReplyBy: now.Add(24 * time.Hour),
		Caller: cases.Party{Phone: fmt.Sprintf("1390350%04d", h.n%10000)}, Seat: h.side.seat,
	})
	if h.n%3 == 0 {
		raw, err := snapshot(h.n)
		if err != nil {
			return err
		}
		h.fake.Say(exchange.Theirs, no, exchange.Message{
			Event: exchange.Note, Text: text.T(text.ZH, "demodesk.photo_note"), Attachments: []exchange.Attachment{h.fake.Attach(fmt.Sprintf("IMG_%04d.png", h.n), "image/png", raw)},
		})
	}
	h.n++
	return nil
}

// passOn gives one open question to 12345.
func (h *hotline) passOn(ctx context.Context) error {
	list, err := h.recent(ctx, cases.Filter{State: "open"})
	if err != nil || len(list) == 0 {
		return err
	}
	_, err = h.app.Exchange.HandOver(ctx, owner, exchange.Handing{City: sim.Code, Case: list[0].ID, Platform: hotlineCode, Key: "demo/" + list[0].ID})
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// companies report what their own lines were told; one leaves numbers out.
func (h *hotline) companies(ctx context.Context) error {
	list, err := h.recent(ctx, cases.Filter{State: "open", Status: []cases.Status{cases.Dispatched, cases.Signed, cases.Handling}})
	if err != nil {
		return err
	}
	now := h.app.DB.Now()
	for i, c := range list[:min(len(list), 8)] {
		in := exchange.Calls{City: sim.Code, Company: c.Company, Calls: []exchange.Call{{
			No: fmt.Sprintf("%s%04d", civil.DateOf(now.Time()), 2*i+1), ToldAt: now.Add(-time.Duration(20*i+5) * time.Minute), Address: c.Address, Text: complaints[i%len(complaints)],
		}}}
		if _, err := h.app.Exchange.ReportCalls(ctx, owner, in); err != nil {
			return err
		}
	}
	return nil
}

// snapshot is a picture that a caller sent to the platform: what it shows is left to the reader's mind.
func snapshot(n int) ([]byte, error) {
	const w, h = 160, 120
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{R: uint8(90 + x/2), G: uint8(100 + y/2), B: uint8(120 + n%100), A: 255}) //nolint:gosec // small numbers
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

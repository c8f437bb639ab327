package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http" //nolint:depguard // serves the other side of the exchange, a fake
	"strconv"
	"strings"
	"time"

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

// hotline is the demonstration's own 12345: its people and its program, in this process.
type hotline struct {
	app  *app.App
	fake *platformfake.Platform
	n    int // tickets that it opened
}

const (
	hotlineCode = "hot12345"
	hotlineRate = time.Minute // between two of its tickets, at the ordinary rate of calls
	hotlineTurn = 5 * time.Second
	adoptDays   = 3
)

// complaints are what callers tell 12345.
var complaints = []string{
	"家里暖气片不热，室温只有15度，家中有老人，请尽快处理。", "暖气管道漏水，楼道里都是水，请马上派人。", "供热公司说来修一直没人来，请督促办理。", "客厅地暖一半热一半凉，请上门检查。",
}

// exchangeWith12345 lets a 12345 platform live beside the city until ctx ends: residents who ring there become tickets, our
// replies are called back, and what the centre passes on is handled there.
func exchangeWith12345(ctx context.Context, a *app.App, o Options) error {
	if o.Speed <= 0 || a.Exchange == nil {
		return nil
	}
	h := &hotline{app: a}
	stop, err := h.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if o.Met != nil {
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
			next = next.Add(time.Duration(float64(hotlineRate) / o.Speed))
		}
		h.fake.Work()
		if err := h.fake.Flush(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "demo: 12345 could not send", "error", err)
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
		return nil, fmt.Errorf("12345 of the demonstration: %w", err)
	}
	key := h.app.Ring.Fingerprint() + "-12345" // both sides live in this process
	signer := notice.Signer{Account: hotlineCode, Secret: key, Machine: h.app.Machine}
	base := "/c/" + strconv.Itoa(sim.Code) + "/hooks/exchange/" + hotlineCode
	h.fake = platformfake.New(platformfake.Options{Signer: signer, Base: base, Post: h.post, Now: h.app.DB.Now, Prefix: "NC"})
	server := &http.Server{Handler: h.fake, ReadHeaderTimeout: hotlineTurn}
	go func() { _ = server.Serve(l) }() // it ends with the listener
	stop = func() { _ = server.Close() }
	in := exchange.PlatformInput{
		City: sim.Code, Code: hotlineCode, Name: text.T(text.ZH, "channel.12345"), Kind: exchange.Hotline, URL: "http://" + l.Addr().String(), Account: hotlineCode,
		Secret: key, ReturnMinutes: 120, GapMinutes: 5, Active: true,
	}
	known, err := h.app.Exchange.Platforms(ctx, owner, sim.Code)
	if err != nil {
		stop()
		return nil, err
	}
	for _, p := range known {
		if p.Code == hotlineCode {
			in.Version = p.Version
		}
	}
	if _, err := h.app.Exchange.SavePlatform(ctx, owner, in); err != nil {
		stop()
		return nil, fmt.Errorf("join 12345 of the demonstration: %w", err)
	}
	for d := range adoptDays {
		if err := h.fake.Adopt(ctx, h.app.DB.Now().Date().AddDays(-d)); err != nil {
			stop()
			return nil, err
		}
	}
	return stop, h.begin(ctx)
}

// post hands what the platform sends to the use cases, as the handlers of its addresses do.
func (h *hotline) post(ctx context.Context, path string, in notice.Signed) (int, []byte, error) {
	var out any
	var err error
	switch what := path[strings.LastIndex(path, "/")+1:]; what {
	case "messages":
		out, err = h.app.Exchange.Take(ctx, sim.Code, hotlineCode, in)
	case "resend":
		out, err = h.app.Exchange.Resend(ctx, sim.Code, hotlineCode, in)
	default:
		out, err = h.app.Exchange.Ledger(ctx, sim.Code, hotlineCode, in)
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

// begin has a few tickets under way when people begin to look, one case passed on, and companies' own calls reported.
func (h *hotline) begin(ctx context.Context) error {
	if len(h.fake.Tickets()) > 0 {
		return nil
	}
	const first = 6
	for range first {
		if err := h.ring(ctx); err != nil {
			return err
		}
	}
	if err := h.fake.Flush(ctx); err != nil {
		return err
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
	h.fake.Open(exchange.Details{
		Text: complaints[h.n%len(complaints)], ReceivedAt: now.Add(-3 * time.Minute), Address: at.Address, ReplyBy: now.Add(24 * time.Hour),
		Caller: cases.Party{Phone: fmt.Sprintf("1390350%04d", h.n%10000)},
	})
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

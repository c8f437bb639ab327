package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/call/ctifake"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/secret"
)

// telephone is the switch with the one seat that answers it.
type telephone struct {
	exchange *ctifake.Switch
	turns    sync.Mutex // a seat has one call at a time
}

// extension is where that seat sits.
const extension = "8001"

// hang puts up the switch and writes into the order where it stands.
func (h *hall) hang(ctx context.Context, o *hallOrder) (err error) {
	o.CTI = config.CTI{Account: "rehu", Secret: rand.Text()}
	h.phone.exchange = ctifake.New(ctifake.Options{
		Signer: notice.Signer{Account: o.CTI.Account, Secret: o.CTI.Secret, Machine: time.Now}, Client: h.c,
		Now: func() civil.Instant { return h.cityNow() }, // known when the server stands
	})
	o.CTI.URL, err = h.stand(ctx, h.phone.exchange)
	return err
}

// sit logs the seat in at its telephone.
func (h *hall) sit(ctx context.Context) error {
	h.phone.exchange.Aim(h.url+cityPath("/hooks/cti"), h.url+cityPath("/hooks/ivr"))
	_, err := h.press(ctx, "/sit", url.Values{"do": {string(call.LogIn)}, "seat": {extension}, "_key": {"bench"}})
	return err
}

// theCall finds the call at hand on the seat's screen.
var theCall = regexp.MustCompile(`name="call" value="([^"]+)"`)

// byTelephone is somebody who rings: the seat sees the call, answers it, takes down what is said, and ends it. The switch
// reports everything twice where the matter repeats.
func (h *hall) byTelephone(ctx context.Context, m matter) (string, error) {
	h.phone.turns.Lock()
	defer h.phone.turns.Unlock()
	h.phone.exchange.Break(ctifake.Faults{Twice: m.repeats()})
	if _, err := h.phone.exchange.Dial(ctx, m.phone, extension); err != nil {
		return "", err
	}
	screen, err := h.press(ctx, "", nil)
	if err != nil {
		return "", err
	}
	at := theCall.FindStringSubmatch(screen)
	if at == nil {
		return "", errors.New("no call is on the seat's screen")
	}
	order := func(v call.Verb) error {
		_, err := h.press(ctx, "", url.Values{"do": {string(v)}, "call": {at[1]}, "_key": {"bench-" + m.mark}})
		return err
	}
	if err := order(call.DoAnswer); err != nil {
		return "", err
	}
	id, err := h.takeDown(ctx, h.seats[0], m, url.Values{"_call": {at[1]}, "caller.phone": {secret.MaskPhone(m.phone)}})
	if err != nil {
		return "", err
	}
	if err := order(call.DoHangUp); err != nil {
		return "", err
	}
	_, err = h.press(ctx, "/sit", url.Values{"do": {string(call.GoReady)}, "_key": {"bench-" + m.mark}})
	return id, err
}

// press presses a key of the seat's telephone, or without a form looks at it, and gives what it shows then.
func (h *hall) press(ctx context.Context, path string, form url.Values) (string, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, h.url+cityPath("/seat/phone"+path), strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("HX-Request", "true")
	_, shown, err := h.do(req, h.seats[0], http.StatusOK)
	return shown, err
}

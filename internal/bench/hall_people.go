package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/staff"
)

// hallDay is when the hall opens: three days into the season, so that there are cases to look at.
var hallDay = civil.On(civil.NewDate(2025, 11, 18), 8, 0)

// visitor is somebody with a session and an address of their own.
type visitor struct {
	Cookie  string `json:"cookie"`
	Address string `json:"address"`
	Account string `json:"account,omitempty"`
}

func newVisitor(n int, cookie string) visitor {
	return visitor{Cookie: cookie, Address: fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)}
}

// admitSeats logs the seats in, several sessions to a person, as a person has on several screens.
func (h *hallServer) admitSeats(ctx context.Context) error {
	var seats []staff.Credentials
	for _, l := range h.out.Info.Logins {
		if l.Role == string(actor.RoleSeat) {
			seats = append(seats, staff.Credentials{Login: l.User, Password: l.Password, Agent: "rehu bench"})
		}
	}
	for i := range h.order.Hall.Seats {
		in := seats[i%len(seats)]
		t, err := h.app.Staff.Login(ctx, in)
		if err != nil {
			return err
		}
		h.out.Seats = append(h.out.Seats, newVisitor(1+i, "rehu_session="+t.Token))
	}
	return nil
}

// admitResidents binds a home to each resident and logs them in with an id of WeChat, which needs no message.
func (h *hallServer) admitResidents(ctx context.Context) error {
	by := actor.SystemFor("bench", actor.Command)
	for i, home := range h.city.Households {
		if len(h.out.Residents) == h.order.Hall.Residents {
			return nil
		}
		phone := secret.NormalPhone(home.Phone)
		if !secret.IsMobile(phone) {
			continue
		}
		b, err := h.app.Residents.TakeConsent(ctx, by, resident.ConsentInput{City: sim.Code, Account: home.Account, Phone: phone, Role: resident.Member, Reason: "bench"})
		if err != nil {
			continue // somebody lives there already, or the telephone is another's
		}
		id := fmt.Sprintf("oBench%08d", i)
		err = db.Do(ctx, h.app.DB, func(tx *db.Tx) error {
			return h.app.Residents.LinkIdentityIn(ctx, tx, by, resident.Link{City: sim.Code, Person: b.Person, Channel: resident.WeChat, External: id})
		})
		if err != nil {
			return err
		}
		t, err := h.app.Residents.EnterBy(ctx, by, sim.Code, resident.WeChat, id, "rehu bench")
		if err != nil {
			return err
		}
		v := newVisitor(1<<16+i, fmt.Sprintf("rehu_hall_%d=%s", sim.Code, t.Token))
		v.Account = home.Account
		h.out.Residents = append(h.out.Residents, v)
	}
	if len(h.out.Residents) < h.order.Hall.Residents {
		return fmt.Errorf("only %d of %d residents have a home of their own: more households are needed", len(h.out.Residents), h.order.Hall.Residents)
	}
	return nil
}

func newClient(seats int) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: seats + 200, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends a form as somebody and gives the header of the answer, which must have the wanted status.
func (h *hall) ask(ctx context.Context, v visitor, method, path string, form url.Values, want int) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, h.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	head, _, err := h.do(req, v, want)
	return head, err
}

func (h *hall) do(req *http.Request, v visitor, want int) (http.Header, string, error) {
	if v.Cookie != "" {
		req.Header.Set("Cookie", v.Cookie)
	}
	req.Header.Set("X-Forwarded-For", v.Address)
	got, err := h.c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err == nil && got.StatusCode != want {
		err = fmt.Errorf("%s %s answered %d: %.300s", req.Method, req.URL.Path, got.StatusCode, body)
	}
	return got.Header, string(body), err
}

// cityPath is an address of the hall's city.
func cityPath(more string) string { return fmt.Sprintf("/c/%d%s", sim.Code, more) }

// seatLook is what a seat opens between calls: its screen, the list, and a case.
func (h *hall) seatLook(ctx context.Context, v visitor, n int) {
	name, path := "seat_list", cityPath("/cases")
	switch n % 3 {
	case 1:
		name, path = "seat_screen", cityPath("/seat")
	case 2:
		if id := h.lastCase(); id != "" {
			name, path = "seat_case", cityPath("/cases/"+id)
		}
	}
	h.look(ctx, v, name, path)
}

// residentLook is what a resident opens: the own home, and the first page of the hall.
func (h *hall) residentLook(ctx context.Context, v visitor, n int) {
	if n%3 == 2 {
		h.look(ctx, v, "resident_hall", cityPath("/m"))
		return
	}
	h.look(ctx, v, "resident_home", cityPath("/m/home?home="+url.QueryEscape(v.Account)))
}

func (h *hall) look(ctx context.Context, v visitor, name, path string) {
	at := time.Now()
	_, err := h.ask(ctx, v, http.MethodGet, path, nil, http.StatusOK)
	h.note(name, at, err)
}

func (h *hall) lastCase() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range slices.Backward(h.acked) {
		if a.id != "" {
			return a.id
		}
	}
	return ""
}

// ear is the open stream of a seat: when it first heard of a new case.
type ear struct {
	mu    sync.Mutex
	heard map[string]time.Time
}

// listen opens every seat's stream before anything happens.
func (h *hall) listen(ctx context.Context) error {
	for _, v := range h.seats {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+cityPath("/cases/live"), nil)
		if err != nil {
			return err
		}
		req.Header.Set("Cookie", v.Cookie)
		req.Header.Set("X-Forwarded-For", v.Address)
		got, err := h.c.Do(req)
		if err != nil {
			return err
		}
		if got.StatusCode != http.StatusOK {
			_ = got.Body.Close()
			return fmt.Errorf("the stream of a seat answered %d", got.StatusCode)
		}
		e := &ear{heard: map[string]time.Time{}}
		h.ears = append(h.ears, e)
		go e.listen(got.Body)
	}
	return nil
}

// listen reads the names of new cases until the stream ends.
func (e *ear) listen(body io.ReadCloser) {
	defer body.Close()
	in := bufio.NewScanner(body)
	in.Buffer(nil, 1<<20)
	event := ""
	for in.Scan() {
		if name, ok := strings.CutPrefix(in.Text(), "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(in.Text(), "data: ")
		var ids []string
		if !ok || event != "new" || json.Unmarshal([]byte(data), &ids) != nil {
			continue
		}
		now := time.Now()
		e.mu.Lock()
		for _, id := range ids {
			if _, known := e.heard[id]; !known {
				e.heard[id] = now
			}
		}
		e.mu.Unlock()
	}
}

// latencies are how long each case whose id is known took to each seat once it is measured, and how many did not come.
func (h *hall) latencies() (all []took, missed int) {
	h.mu.Lock()
	acked, from := h.acked, h.from
	h.mu.Unlock()
	for _, e := range h.ears {
		e.mu.Lock()
		for _, a := range acked {
			if a.id == "" || a.sent.Before(from) {
				continue
			}
			if at, ok := e.heard[a.id]; ok {
				all = append(all, at.Sub(a.sent))
			} else {
				missed++
			}
		}
		e.mu.Unlock()
	}
	return all, missed
}

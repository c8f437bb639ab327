package web

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// phoneRoutes are the telephone on the seat's screen. Without a switch there is none and the screen is as it was.
func (w *Web) phoneRoutes() []Route {
	if w.Calls == nil || w.Cases == nil || w.Rules == nil || w.Territory == nil || w.Places == nil {
		return nil
	}
	take := may(actor.CallTake)
	return []Route{
		get("/c/{city}/seat/phone", take, w.phone),
		get("/c/{city}/seat/phone/live", take, w.phoneLive),
		post("/c/{city}/seat/phone", take, w.phoneCommand),
		post("/c/{city}/seat/phone/sit", take, w.phoneSit),
		post("/c/{city}/seat/phone/note", take, w.phoneNote),
		post("/c/{city}/hooks/cti", signed, w.ctiHook),
		post("/c/{city}/hooks/ivr", signed, w.ivrHook),
	}
}

// phoneView is the telephone of a seat: its state, the call that it has, and who that is.
type phoneView struct {
	city      int
	desk      call.Desk
	homes     []phoneHome
	open      *cases.Case // the caller's last open case
	earlier   int         // cases of the caller that are shown below
	companies []ui.Option
	wrong     string
}

// phoneHome is a household of the caller with the stop that it lies in.
type phoneHome struct {
	place.Household
	stop *outage.Outage
}

// phoneView is nil where there is no telephone, or for somebody who may not use it.
func (w *Web) phoneView(r *http.Request) (*phoneView, error) {
	ctx, city := r.Context(), httpx.City(r.Context())
	if w.Calls == nil || !w.Calls.Connected() || !by(r).MayAny(actor.CallTake, city) {
		return nil, nil //nolint:nilnil // no telephone is no error
	}
	v := &phoneView{city: city}
	var err error
	if v.desk, err = w.Calls.Desk(ctx, by(r), city); err != nil || v.desk.Call == nil {
		return v, err
	}
	names, err := w.caseNames(r)
	if err != nil {
		return nil, err
	}
	v.companies = names.companyOptions(ctx)
	return v, w.phoneWho(ctx, by(r), v)
}

// phoneWho looks up who rings: households under the number, a stop there, the last open case.
func (w *Web) phoneWho(ctx context.Context, who actor.Actor, v *phoneView) error {
	c := v.desk.Call
	number, err := w.Calls.Caller(ctx, who, v.city, c.ID, c.Masked)
	if err != nil || !cases.IsPhone(number) {
		return err
	}
	homes, err := w.Places.ByPhone(ctx, who, v.city, number)
	if err != nil && !fault.Is(err, fault.Denied) {
		return err
	}
	for _, h := range homes[:min(len(homes), mostHomes)] {
		one := phoneHome{Household: h}
		if one.stop, err = w.phoneStop(ctx, who, v.city, h); err != nil {
			return err
		}
		v.homes = append(v.homes, one)
	}
	near, err := w.Cases.Nearby(ctx, who, v.city, cases.Near{Phone: number})
	if err != nil {
		return err
	}
	v.earlier = len(near.Caller)
	for i := range near.Caller {
		if near.Caller[i].Open {
			v.open = &near.Caller[i]
			break
		}
	}
	return nil
}

// phoneStop is the stop of heat at a household; nil for none.
func (w *Web) phoneStop(ctx context.Context, who actor.Actor, city int, h place.Household) (*outage.Outage, error) {
	if w.Outages == nil {
		return nil, nil //nolint:nilnil // no stop is no error
	}
	live := w.Outages.LiveAt(city, h.Community, h.Building, h.Station)
	if live == nil {
		return nil, nil //nolint:nilnil // no stop is no error
	}
	o, err := w.Outages.Get(ctx, who, city, live.ID)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied) {
		return nil, nil //nolint:nilnil // lifted a moment ago, or not for this reader
	}
	return &o.Outage, err
}

func (v *phoneView) href(more string) string { return at("/c/{city}/seat/phone"+more, v.city) }

// may lists what the seat may ask for now.
func (v *phoneView) may() []call.Verb {
	if v.desk.Call == nil {
		return nil
	}
	return call.MayDo(v.desk.Call.State)
}

// fill is what the form takes over of the call: the masked number, and the household where there is only one.
func (v *phoneView) fill() map[string]string {
	out := map[string]string{"_call": v.desk.Call.ID, "caller.phone": v.desk.Call.Masked}
	if len(v.homes) == 1 {
		maps.Copy(out, houseFields(v.homes[0].Household))
	}
	return out
}

// phoneKeys are the keys of the telephone.
func phoneKey(v call.Verb) string {
	return map[call.Verb]string{
		call.DoAnswer: "a", call.DoHold: "h", call.DoResume: "h", call.DoTransfer: "t", call.DoConference: "j", call.DoHangUp: "g",
	}[v]
}

func phoneTone(s call.SeatState) ui.Tone {
	switch s {
	case call.Ready:
		return ui.Green
	case call.Busy:
		return ui.Teal
	case call.Wrap:
		return ui.Amber
	case call.Break, call.Offline:
	}
	return ui.Grey
}

// phone is the telephone alone, for when something happened to it.
func (w *Web) phone(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.phoneView(r)
	if err != nil {
		return err
	}
	if v == nil {
		return fault.New(fault.NotFound, "call.no_switch")
	}
	return w.phoneShow(rw, r, v, http.StatusOK)
}

func (w *Web) phoneShow(rw http.ResponseWriter, r *http.Request, v *phoneView, status int) error {
	return w.showAs(rw, r, status, ui.Staff, Page{Title: text.Msg("seat.title"), Nav: "seat", Body: phoneBox(v)})
}

// phoneAfter shows the telephone after an act: with htmx in its place, else the screen again.
func (w *Web) phoneAfter(rw http.ResponseWriter, r *http.Request, wrong error) error {
	kind := fault.KindOf(wrong)
	if wrong != nil && kind != fault.Conflict && kind != fault.Invalid && kind != fault.Down {
		return wrong
	}
	if !isPart(r) {
		back := at("/c/{city}/seat", httpx.City(r.Context()))
		if wrong != nil {
			return w.refused(rw, r, wrong, back)
		}
		return w.to(rw, r, back)
	}
	v, err := w.phoneView(r)
	if err != nil {
		return err
	}
	if v == nil {
		return fault.New(fault.NotFound, "call.no_switch")
	}
	status := http.StatusOK
	if wrong != nil {
		status = http.StatusUnprocessableEntity
		v.wrong = ui.FormOf(r, wrong).Says(r.Context(), firstField(wrong))
	}
	return w.phoneShow(rw, r, v, status)
}

func firstField(err error) string {
	if f := fault.Of(err); len(f.Fields) > 0 {
		return f.Fields[0].Name
	}
	return ""
}

// phoneCommand asks the switch for something.
func (w *Web) phoneCommand(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[call.Order](r)
	if err == nil {
		in.City, in.Key = httpx.City(r.Context()), formKey(r)+"/"+string(in.Do)
		err = w.Calls.Command(r.Context(), by(r), in)
	}
	return w.phoneAfter(rw, r, err)
}

// phoneSit logs in and out, makes ready, pauses.
func (w *Web) phoneSit(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[call.Sitting](r)
	if err == nil {
		in.City, in.Key = httpx.City(r.Context()), formKey(r)+"/"+string(in.Do)
		_, err = w.Calls.Sit(r.Context(), by(r), in)
	}
	return w.phoneAfter(rw, r, err)
}

// phoneNote keeps that a call needed no case.
func (w *Web) phoneNote(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[struct {
		Call string `form:"call"`
		Note string `form:"note"`
	}](r)
	if err == nil {
		_, err = w.Calls.Bind(r.Context(), by(r), call.Binding{City: httpx.City(r.Context()), Call: in.Call, Outcome: call.Noted, Note: in.Note})
	}
	return w.phoneAfter(rw, r, err)
}

// seatCaller is the number that the caller's field stands for: while a call is at hand its mask is shown in its place.
func (w *Web) seatCaller(r *http.Request, in seatInput) (string, error) {
	if w.Calls == nil || in.Call == "" {
		return in.Caller.Phone, nil
	}
	return w.Calls.Caller(r.Context(), by(r), httpx.City(r.Context()), in.Call, in.Caller.Phone)
}

// seatOpen opens the case, bound to the call that is at hand.
func (w *Web) seatOpen(r *http.Request, in seatInput) (cases.Opened, error) {
	if w.Calls == nil {
		return w.Cases.Open(r.Context(), by(r), in.Opening)
	}
	return w.Calls.Open(r.Context(), by(r), call.Taking{Opening: in.Opening, Call: in.Call})
}

// seatBound binds the call at hand to a case that was there already.
func (w *Web) seatBound(r *http.Request, in seatInput, c cases.Case, how string) error {
	if w.Calls == nil || in.Call == "" {
		return nil
	}
	_, err := w.Calls.Bind(r.Context(), by(r), call.Binding{City: c.City, Call: in.Call, Case: c.ID, Outcome: call.Outcome(how)})
	return err
}

// How often a city is asked which telephones changed: whoever rings must be on the screen within a second.
const phonePoll = 300 * time.Millisecond

// phoneFeeds asks each city which telephones changed, for every seat that listens.
type phoneFeeds struct {
	mu     sync.Mutex
	cities map[int]*phoneFeed
}

type phoneFeed struct {
	subs map[chan struct{}]string // whose telephone
	stop context.CancelFunc
}

// join gives a channel that says when a telephone changed, until leave is called.
func (f *phoneFeeds) join(ctx context.Context, w *Web, city int, person string) (changed <-chan struct{}, leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cities == nil {
		f.cities = map[int]*phoneFeed{}
	}
	feed := f.cities[city]
	if feed == nil {
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // it goes on for those who come later
		feed = &phoneFeed{subs: map[chan struct{}]string{}, stop: stop}
		f.cities[city] = feed
		go f.run(ctx, w, city, feed)
	}
	c := make(chan struct{}, 1)
	feed.subs[c] = person
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if delete(feed.subs, c); len(feed.subs) == 0 && f.cities[city] == feed {
			feed.stop()
			delete(f.cities, city)
		}
	}
}

// run polls until nobody listens. A change is made at the time of its transaction and seen when that commits, so the time
// asked for overlaps and what was told is not told again.
func (f *phoneFeeds) run(ctx context.Context, w *Web, city int, feed *phoneFeed) {
	tick := time.NewTicker(phonePoll)
	defer tick.Stop()
	told := map[string]int64{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := w.Calls.Changed(ctx, city, w.o.Now().Add(-liveOverlap))
		if err != nil {
			if ctx.Err() == nil {
				w.o.Log.WarnContext(ctx, "ask which telephones changed", "city", city, "error", err)
			}
			continue
		}
		f.tell(feed, told, now)
		told = now
	}
}

func (f *phoneFeeds) tell(feed *phoneFeed, told, now map[string]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c, person := range feed.subs {
		if sum, ok := now[person]; !ok || told[person] == sum {
			continue
		}
		select {
		case c <- struct{}{}:
		default: // it has been told and will look
		}
	}
}

// phoneLive says "changed" when it begins and whenever the reader's telephone changed; the page then asks for it.
func (w *Web) phoneLive(rw http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	changed, leave := w.phones.join(ctx, w, httpx.City(ctx), by(r).ID)
	defer leave()
	events, err := httpx.StartEvents(rw)
	if err != nil {
		return err
	}
	beat, end := time.NewTicker(liveBeat), time.NewTimer(liveLife)
	defer beat.Stop()
	defer end.Stop()
	for say := true; ; {
		if say && events.Send("", "changed", "-", w.o.Machine()) != nil {
			return nil // gone
		}
		say = false
		select {
		case <-ctx.Done():
			return nil
		case <-httpx.Stopping(ctx):
			return nil
		case <-end.C:
			return nil
		case <-beat.C:
			if events.Comment("") != nil {
				return nil
			}
		case <-changed:
			say = true
		}
	}
}

// clockWords is a length of time as a clock shows it: 3:07.
func clockWords(ms int64) string {
	s := ms / 1000
	out := strconv.FormatInt(s%60, 10)
	if len(out) < 2 {
		out = "0" + out
	}
	return strconv.FormatInt(s/60, 10) + ":" + out
}

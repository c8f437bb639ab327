package web

import (
	"bytes"
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
	queue     call.Figures
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
	if v.desk, err = w.Calls.Desk(ctx, by(r), city); err != nil {
		return v, err
	}
	if v.queue, err = w.Calls.Queue(ctx, city); err != nil || v.desk.Call == nil {
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

// How often a city is asked which telephones changed: whoever rings must be on the screen within a second. The figures of
// the queue are told at most once a second, and are counted anew at least every half minute.
const (
	phonePoll = 300 * time.Millisecond
	queuePace = time.Second
	queueBeat = 30 * time.Second
)

// phoneFeeds asks each city which telephones changed and how the queue stands, for every screen that listens.
type phoneFeeds struct {
	mu     sync.Mutex
	cities map[int]*phoneFeed
}

// phoneSub is a screen that listens.
type phoneSub struct {
	person  string             // whose telephone; empty: only the queue
	changed chan struct{}      // the telephone did
	queue   chan *call.Figures // how it stands now
}

type phoneFeed struct {
	subs map[*phoneSub]bool
	last *call.Figures // for those who come later
	stop context.CancelFunc
}

// join listens until leave is called. Whoever comes gets the figures that were told last at once.
func (f *phoneFeeds) join(ctx context.Context, w *Web, city int, person string) (sub *phoneSub, leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cities == nil {
		f.cities = map[int]*phoneFeed{}
	}
	feed := f.cities[city]
	if feed == nil {
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // it goes on for those who come later
		feed = &phoneFeed{subs: map[*phoneSub]bool{}, stop: stop}
		f.cities[city] = feed
		go f.run(ctx, w, city, feed)
	}
	sub = &phoneSub{person: person, changed: make(chan struct{}, 1), queue: make(chan *call.Figures, 1)}
	if feed.last != nil {
		sub.queue <- feed.last
	}
	feed.subs[sub] = true
	return sub, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if delete(feed.subs, sub); len(feed.subs) == 0 && f.cities[city] == feed {
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
	told, q := map[string]int64{}, queueWatch{w: w, city: city}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := w.Calls.Changed(ctx, city, w.o.Now().Add(-liveOverlap))
		var queue *call.Figures
		if err == nil {
			q.stale = q.stale || !maps.Equal(told, now)
			queue, err = q.look(ctx)
		}
		if err != nil {
			if ctx.Err() == nil {
				w.o.Log.WarnContext(ctx, "ask which telephones changed", "city", city, "error", err)
			}
			continue
		}
		f.tell(feed, told, now)
		f.tellQueue(feed, queue)
		told = now
	}
}

// queueWatch counts the queue of a city when something happened to a call or a seat, and lets the longest wait grow between.
type queueWatch struct {
	w       *Web
	city    int
	stale   bool
	counted time.Time
	told    time.Time
	last    *call.Figures
}

// look gives the figures when there is something new to tell; nil when there is not.
func (q *queueWatch) look(ctx context.Context) (*call.Figures, error) {
	now := q.w.o.Machine()
	if now.Sub(q.told) < queuePace {
		return nil, nil //nolint:nilnil // told a moment ago
	}
	if q.last == nil || q.stale || now.Sub(q.counted) >= queueBeat {
		f, err := q.w.Calls.Queue(ctx, q.city)
		if err != nil {
			return nil, err
		}
		q.stale, q.counted = false, now
		if q.last != nil && sameQueue(*q.last, f) {
			return nil, nil //nolint:nilnil // it stands as it stood
		}
		q.last, q.told = &f, now
		return &f, nil
	}
	if q.last.Waiting == 0 {
		return nil, nil //nolint:nilnil // nobody waits
	}
	f, at := *q.last, q.w.o.Now()
	f.Longest += at.Sub(f.At).Milliseconds()
	f.At = at
	q.last, q.told = &f, now
	return &f, nil
}

// sameQueue reports whether a screen would show the same.
func sameQueue(a, b call.Figures) bool {
	a.Longest, b.Longest = a.Longest/1000, b.Longest/1000
	return a.Day == b.Day && a.Goal == b.Goal && a.Waiting == b.Waiting && a.Longest == b.Longest && a.Talking == b.Talking &&
		a.Ready == b.Ready && a.Busy == b.Busy && a.Wrap == b.Wrap && a.Break == b.Break
}

func (f *phoneFeeds) tell(feed *phoneFeed, told, now map[string]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for sub := range feed.subs {
		if sum, ok := now[sub.person]; sub.person == "" || !ok || told[sub.person] == sum {
			continue
		}
		select {
		case sub.changed <- struct{}{}:
		default: // it has been told and will look
		}
	}
}

// tellQueue puts the newest figures before every screen; one that has not looked yet finds the newest only.
func (f *phoneFeeds) tellQueue(feed *phoneFeed, queue *call.Figures) {
	if queue == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	feed.last = queue
	for sub := range feed.subs {
		select {
		case <-sub.queue:
		default:
		}
		sub.queue <- queue // only here, under the lock: there is room
	}
}

// phoneLive says "changed" when it begins and whenever the reader's telephone changed; the page then asks for it. How the
// queue stands comes with it, as the line of the screen that shows it.
func (w *Web) phoneLive(rw http.ResponseWriter, r *http.Request) error {
	return w.phoneStream(rw, r, by(r).ID, func(e *httpx.Events, f call.Figures) error {
		var b bytes.Buffer
		if err := phoneQueue(f).Render(r.Context(), &b); err != nil {
			return err
		}
		return e.Send("", "queue", b.String(), w.o.Machine())
	})
}

// callsLive says "changed" whenever the queue stands otherwise; the page then asks for it.
func (w *Web) callsLive(rw http.ResponseWriter, r *http.Request) error {
	return w.phoneStream(rw, r, "", func(e *httpx.Events, _ call.Figures) error { return e.Send("", "changed", "-", w.o.Machine()) })
}

// phoneStream lets a screen listen until it goes, the program stops, or it must ask again whether it still may.
func (w *Web) phoneStream(rw http.ResponseWriter, r *http.Request, person string, tell func(*httpx.Events, call.Figures) error) error {
	ctx := r.Context()
	sub, leave := w.phones.join(ctx, w, httpx.City(ctx), person)
	defer leave()
	events, err := httpx.StartEvents(rw)
	if err != nil {
		return err
	}
	beat, end := time.NewTicker(liveBeat), time.NewTimer(liveLife)
	defer beat.Stop()
	defer end.Stop()
	for say := person != ""; ; {
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
		case <-sub.changed:
			say = true
		case f := <-sub.queue:
			if tell(events, *f) != nil {
				return nil
			}
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

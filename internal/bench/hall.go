package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
)

// Hall says how busy the hall is. The zero value of a field takes the number that the product promises for.
type Hall struct {
	Minutes    float64
	Seats      int
	Residents  int
	Rate       int // intakes an hour over all doors
	Households int
	Seed       uint64
	// Server gives the handler that `rehu serve` would serve: the doors stand after this package.
	Server func(*app.App) (http.Handler, error)
}

func (h Hall) withDefaults() Hall {
	set := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	set(&h.Seats, 200)
	set(&h.Residents, 2000)
	set(&h.Rate, 1600)
	set(&h.Households, max(3000, h.Residents+h.Residents/2))
	if h.Minutes <= 0 {
		h.Minutes = 3
	}
	h.Seed = max(h.Seed, 1)
	return h
}

// How often a seat looks at its list or a case, and a resident at the own home, and how long the last change may take to
// reach every seat before it counts as missed.
const (
	seatLooks     = 10 * time.Second
	residentLooks = 60 * time.Second
	lastChange    = 10 * time.Second
)

// hall is a running installation with everybody who is connected.
type hall struct {
	Hall
	o    Options
	app  *app.App
	info demo.Info
	url  string
	c    *http.Client
	city *sim.City

	seats, residents []visitor
	ears             []*ear
	marks            map[string][]took // door or kind of page → how long each answer took

	mu    sync.Mutex
	wrong map[string]int // errors of a door or kind of page
	first error          // the first that went wrong, to be shown
	acked []intaken
}

// intaken is a matter that a door has acknowledged.
type intaken struct {
	door, mark string
	id         string    // of the case where the door tells it
	sent       time.Time // before the request left
}

type took = time.Duration

// hallBench lets a whole hall work for some minutes: seats with open streams, residents who look, and matters that come in
// by every door over real HTTP. It reports how long each door took, how long a new case took to reach every seat, counted
// from the moment its request left, and what was lost or doubled.
func hallBench(ctx context.Context, o Options, out func(Line) error) error {
	h := &hall{Hall: o.Hall.withDefaults(), o: o, marks: map[string][]took{}, wrong: map[string]int{}}
	if h.Server == nil {
		return errors.New("the hall needs a server")
	}
	dir, err := os.MkdirTemp(o.Dir, "rehu-hall-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cfg := config.Config{Data: dir, Database: o.URL, TrustedProxies: []string{"127.0.0.1/32"}}.WithDefaults()
	if h.app, err = app.New(ctx, cfg, app.Options{Fast: o.Fast, Alone: true, Seed: h.Seed}); err != nil {
		return err
	}
	defer h.app.Close()
	if err := h.prepare(ctx); err != nil {
		return err
	}
	stop, err := h.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if err := h.work(ctx); err != nil {
		return err
	}
	return h.report(ctx, out)
}

// prepare makes the city and lets seats and residents log in.
func (h *hall) prepare(ctx context.Context) (err error) {
	h.city = sim.NewCity(h.Seed, h.Households)
	if h.info, err = demo.Prepare(ctx, h.app, demo.Options{Seed: h.Seed, Households: h.Households, At: hallDay}); err != nil {
		return fmt.Errorf("prepare the city: %w", err)
	}
	if err := h.admitSeats(ctx); err != nil {
		return fmt.Errorf("log the seats in: %w", err)
	}
	if err := h.admitResidents(ctx); err != nil {
		return fmt.Errorf("log the residents in: %w", err)
	}
	return nil
}

// serve opens the doors on this machine, with the background work of a server beside them.
func (h *hall) serve(ctx context.Context) (stop func(), err error) {
	next, err := h.Server(h.app)
	if err != nil {
		return nil, err
	}
	l, err := listenHere(ctx)
	if err != nil {
		return nil, err
	}
	h.url = "http://" + l.Addr().String()
	h.c = newClient(h.Seats)
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { _ = httpx.Serve(ctx, l, next, time.Second) }) // what fails shows in every answer
	all.Go(func() { h.app.Run(ctx) })
	return func() { cancel(); all.Wait() }, nil
}

// work lets everybody do what they came for until the time is over.
func (h *hall) work(ctx context.Context) error {
	streams, hangUp := context.WithCancel(ctx)
	defer hangUp()
	if err := h.listen(streams); err != nil {
		return fmt.Errorf("open the streams: %w", err)
	}
	last := time.Duration(h.Minutes * float64(time.Minute))
	busy, done := context.WithTimeout(ctx, last)
	defer done()
	var all sync.WaitGroup
	h.pace(busy, &all, h.seats, seatLooks, h.seatLook)
	h.pace(busy, &all, h.residents, residentLooks, h.residentLook)
	h.takeIn(ctx, &all, last)
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	h.await(ctx)
	return nil
}

// await gives the last change time to reach every seat.
func (h *hall) await(ctx context.Context) {
	end := time.Now().Add(lastChange)
	for time.Now().Before(end) && ctx.Err() == nil {
		if _, missed := h.latencies(); missed == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// pace lets each visitor look once in a while, all of them spread over that while.
func (h *hall) pace(ctx context.Context, all *sync.WaitGroup, who []visitor, every time.Duration, look func(context.Context, visitor, int)) {
	for i, v := range who {
		all.Go(func() {
			wait := time.NewTimer(every * time.Duration(i) / time.Duration(len(who)))
			defer wait.Stop()
			for n := 0; ; n++ {
				select {
				case <-ctx.Done():
					return
				case <-wait.C:
				}
				look(context.WithoutCancel(ctx), v, n)
				wait.Reset(every)
			}
		})
	}
}

// takeIn sends the matters, door by door, as evenly as the rate says; at least one by each door.
func (h *hall) takeIn(ctx context.Context, all *sync.WaitGroup, last time.Duration) {
	doors := h.doors()
	n := max(int(float64(h.Rate)*last.Hours()), len(doors))
	start := time.Now()
	for i := range n {
		if wait := time.Until(start.Add(last * time.Duration(i) / time.Duration(n))); wait > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
		h.o.tell(i, n)
		d := doors[i%len(doors)]
		all.Go(func() { h.send(ctx, d, i) })
	}
}

// send lets one matter in and keeps what its door acknowledged.
func (h *hall) send(ctx context.Context, d door, i int) {
	m := h.matter(i)
	sent := time.Now()
	id, err := d.send(ctx, m)
	h.note("door_"+d.name, time.Since(sent), err)
	if err == nil {
		h.mu.Lock()
		h.acked = append(h.acked, intaken{door: d.name, mark: m.mark, id: id, sent: sent})
		h.mu.Unlock()
	}
}

func (h *hall) note(name string, t took, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.marks[name] = append(h.marks[name], t)
	if err != nil {
		h.wrong[name]++
		if h.first == nil {
			h.first = fmt.Errorf("%s: %w", name, err)
		}
	}
}

// found counts how often each mark stands in a case.
func (h *hall) found(ctx context.Context) (map[string]int, error) {
	owner := actor.SystemFor("bench", actor.Command)
	out := map[string]int{}
	f := cases.Filter{Since: hallDay, Request: page.Request{Size: page.MaxSize}}
	for {
		list, err := h.app.Cases.List(ctx, owner, sim.Code, f)
		if err != nil {
			return nil, err
		}
		for _, c := range list.Items {
			if _, mark, ok := strings.Cut(c.Text, markWord); ok && len(mark) >= markLen {
				out[mark[:markLen]]++
			}
		}
		if f.After = list.Next; f.After == "" {
			return out, nil
		}
	}
}

// report gives a line for each door and kind of page, one for the live updates, and one for the whole.
func (h *hall) report(ctx context.Context, out func(Line) error) error {
	found, err := h.found(ctx)
	if err != nil {
		return err
	}
	lost, doubled := 0, 0
	for _, a := range h.acked {
		switch n := found[a.mark]; {
		case n == 0:
			lost++
		case n > 1:
			doubled++
		}
	}
	names := make([]string, 0, len(h.marks))
	for name := range h.marks {
		names = append(names, name)
	}
	slices.Sort(names)
	var doors []took
	for _, name := range names {
		if strings.HasPrefix(name, "door_") {
			doors = append(doors, h.marks[name]...)
		}
		if err := out(h.line("hall_"+name, h.marks[name], h.wrong[name])); err != nil {
			return err
		}
	}
	live, missed := h.latencies()
	if err := out(h.line("hall_live", live, missed)); err != nil {
		return err
	}
	whole := h.line("hall", doors, 0)
	for _, n := range h.wrong {
		whole.Errors += n
	}
	whole.Lost, whole.Doubled = &lost, &doubled
	return errors.Join(out(whole), h.first)
}

func (h *hall) line(name string, all []took, wrong int) Line {
	slices.Sort(all)
	l := line(name, h.app.DB, len(all), 0, 0, 0)
	l.Errors = wrong
	if len(all) == 0 {
		return l
	}
	var sum time.Duration
	for _, t := range all {
		sum += t
	}
	at := func(percent int) float64 {
		return float64(all[min(len(all)-1, len(all)*percent/100)].Microseconds()) / 1000
	}
	l.OursNS = sum.Nanoseconds() / int64(len(all))
	l.P50MS, l.P95MS, l.P99MS, l.MaxMS = at(50), at(95), at(99), float64(all[len(all)-1].Microseconds())/1000
	return l
}

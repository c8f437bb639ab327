package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/demo"
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
	WarmUp     time.Duration // before anything is measured
	Profile    string        // file for a profile of the server's processor time
	// Start makes the command of a process that calls ServeHall with its standard input and output.
	Start func(context.Context) (*exec.Cmd, error)
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

// hall is everybody who is connected to a running installation.
type hall struct {
	Hall
	parties
	o       Options
	info    demo.Info
	url     string
	engine  string
	c       *http.Client
	city    *sim.City
	cityNow func() civil.Instant

	openPlatform func()
	tell         func(hallAsk, *hallTold) error
	used, got    hallTold

	seats, residents []visitor
	ears             []*ear
	marks            map[string][]took // door or kind of page → how long each answer took

	mu    sync.Mutex
	wrong map[string]int // errors of a door or kind of page
	first error          // the first that went wrong, to be shown
	acked []intaken
	from  time.Time // from when on it is measured
	asked int       // requests since
	load  [2]string // of the machine when it was first measured, and at the end
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
// from the moment its request left, and what was lost or doubled. The server is a process of its own.
func hallBench(ctx context.Context, o Options, out func(Line) error) error {
	h := &hall{Hall: o.Hall.withDefaults(), o: o, marks: map[string][]took{}, wrong: map[string]int{}}
	if h.Start == nil {
		return errors.New("the hall needs a server")
	}
	dir, err := os.MkdirTemp(o.Dir, "rehu-hall-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer h.close()
	h.city, h.c = sim.NewCity(h.Seed, h.Households), newClient(h.Seats)
	stop, err := h.begin(ctx, dir)
	if err != nil {
		return err
	}
	if err := errors.Join(h.work(ctx), h.tell(hallAsk{Do: "used"}, &h.used), h.find(ctx)); err != nil {
		return errors.Join(err, stop())
	}
	return errors.Join(h.report(out), stop())
}

// begin starts the server's process and waits until the city stands.
func (h *hall) begin(ctx context.Context, dir string) (stop func() error, err error) {
	order := hallOrder{
		Hall: hallSize{h.Seats, h.Residents, h.Households, h.Seed, h.Profile}, URL: h.o.URL, Dir: dir, Fast: h.o.Fast,
	}
	if err := h.play(ctx, &order); err != nil {
		return nil, err
	}
	cmd, err := h.Start(ctx)
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	stop = func() error { _ = in.Close(); return cmd.Wait() }
	ask, hear := json.NewEncoder(in), json.NewDecoder(said)
	var ready hallReady
	if err := errors.Join(ask.Encode(order), hear.Decode(&ready)); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the server: %w", err), stop())
	}
	h.tell = func(q hallAsk, got *hallTold) error {
		if err := errors.Join(ask.Encode(q), hear.Decode(got)); err != nil {
			return fmt.Errorf("ask the server: %w", err)
		}
		if got.Wrong != "" {
			return fmt.Errorf("the server: %s", got.Wrong)
		}
		return nil
	}
	h.url, h.info, h.seats, h.residents, h.engine = ready.URL, ready.Info, ready.Seats, ready.Residents, ready.Engine
	behind := time.Since(ready.Now.Time())
	h.cityNow = func() civil.Instant { return civil.At(time.Now().Add(-behind)) }
	h.openPlatform()
	return stop, nil
}

// work lets everybody do what they came for until the time is over.
func (h *hall) work(ctx context.Context) error {
	streams, hangUp := context.WithCancel(ctx)
	defer hangUp()
	if err := h.listen(streams); err != nil {
		return fmt.Errorf("open the streams: %w", err)
	}
	if err := h.sit(ctx); err != nil {
		return fmt.Errorf("log a seat in at the telephone: %w", err)
	}
	last := h.WarmUp + time.Duration(h.Minutes*float64(time.Minute))
	h.from = time.Now().Add(h.WarmUp)
	busy, done := context.WithTimeout(ctx, last)
	defer done()
	var all sync.WaitGroup
	h.pace(busy, &all, h.seats, seatLooks, h.seatLook)
	h.pace(busy, &all, h.residents, residentLooks, h.residentLook)
	var began hallTold
	var failed error
	all.Go(func() {
		select {
		case <-busy.Done():
		case <-time.After(h.WarmUp):
		}
		failed = h.tell(hallAsk{Do: "measure"}, &began)
		h.load[0] = load()
	})
	h.takeIn(ctx, &all, last)
	all.Wait()
	h.load[1] = load()
	if failed != nil {
		return failed
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	h.await(ctx)
	return nil
}

// find asks what became of the matters, again while some are on their way from a box to the queue of clues.
func (h *hall) find(ctx context.Context) error {
	end := time.Now().Add(lastChange)
	for {
		h.got = hallTold{}
		if err := h.tell(hallAsk{Do: "found"}, &h.got); err != nil {
			return err
		}
		lost := slices.ContainsFunc(h.acked, func(a intaken) bool { return h.got.Found[a.mark] == 0 })
		if !lost || ctx.Err() != nil || time.Now().After(end) {
			return ctx.Err()
		}
		time.Sleep(500 * time.Millisecond)
	}
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
	if !d.late || err != nil {
		h.note("door_"+d.name, sent, err)
	}
	if err == nil {
		h.mu.Lock()
		h.acked = append(h.acked, intaken{door: d.name, mark: m.mark, id: id, sent: sent})
		h.mu.Unlock()
	}
}

// note keeps how long something took that began at a moment; while it warms up only what went wrong is kept.
func (h *hall) note(name string, at time.Time, err error) {
	t := time.Since(at)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.wrong[name]++
		if h.first == nil {
			h.first = fmt.Errorf("%s: %w", name, err)
		}
	}
	if at.Before(h.from) {
		return
	}
	h.asked++
	h.marks[name] = append(h.marks[name], t)
}

// report gives a line for each door and kind of page, one for the live updates, and one for the whole.
func (h *hall) report(out func(Line) error) error {
	lost, doubled, sent := map[string]int{}, map[string]int{}, map[string]int{}
	for _, a := range h.acked {
		sent[a.door]++
		switch n := h.got.Found[a.mark]; {
		case n == 0:
			lost[a.door]++
		case n > 1:
			doubled[a.door]++
		}
	}
	names := slices.Sorted(maps.Keys(h.marks))
	for _, d := range h.doors() {
		if name := "door_" + d.name; sent[d.name] > 0 && !slices.Contains(names, name) {
			names = append(names, name) // all of it while it warmed up
		}
	}
	var doors []took
	for _, name := range names {
		l := h.line("hall_"+name, h.marks[name], h.wrong[name])
		if d, ok := strings.CutPrefix(name, "door_"); ok {
			doors = append(doors, h.marks[name]...)
			none, twice := lost[d], doubled[d]
			l.Sent, l.Lost, l.Doubled = sent[d], &none, &twice
		}
		if err := out(l); err != nil {
			return err
		}
	}
	live, missed := h.latencies()
	if err := out(h.line("hall_live", live, missed)); err != nil {
		return err
	}
	return errors.Join(out(h.whole(doors, lost, doubled)), h.first)
}

// whole is the line of everything: what was lost, and what the server used.
func (h *hall) whole(doors []took, lost, doubled map[string]int) Line {
	whole := h.line("hall", doors, 0)
	sum := func(m map[string]int) (n int) {
		for _, one := range m {
			n += one
		}
		return n
	}
	none, twice := sum(lost), sum(doubled)
	whole.Errors, whole.Sent, whole.Lost, whole.Doubled = sum(h.wrong), len(h.acked), &none, &twice
	whole.Requests, whole.WarmUpS, whole.Rate, whole.Load = h.asked, h.WarmUp.Seconds(), h.Rate, strings.Join(h.load[:], " ")
	if h.asked > 0 {
		whole.CPUMS = float64(h.used.CPU.Milliseconds()*100/int64(h.asked)) / 100
	}
	whole.CPUPercent = float64(int(1000*h.used.CPU.Seconds()/(h.Minutes*60))) / 10
	return whole
}

func (h *hall) line(name string, all []took, wrong int) Line {
	slices.Sort(all)
	l := Line{Bench: name, Engine: h.engine, N: len(all), RSSMB: h.used.RSSMB, Errors: wrong, Few: len(all) < enough}
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

// enough is how many samples a hundredth part needs; of fewer, p99 is the largest.
const enough = 100

// load is how much work waited on the machine in the last minute, empty where the system does not tell.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}

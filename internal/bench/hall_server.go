package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/demo"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sim"
)

// hallOrder is what the process with the visitors tells the process of the server when it begins. It goes by standard
// input, since it holds what opens the outside parties.
type hallOrder struct {
	Hall        hallSize          `json:"hall"`
	URL         string            `json:"url"`
	Dir         string            `json:"dir"`
	Fast        bool              `json:"fast"`
	Credentials map[string]string `json:"credentials"`
	Outside     string            `json:"outside"`  // where Weibo answers
	Platform    string            `json:"platform"` // where 12345 answers
	PlatformKey string            `json:"platform_key"`
	CTI         config.CTI        `json:"cti"`
}

// hallSize is the part of Hall that the server needs.
type hallSize struct {
	Seats, Residents, Households int
	Seed                         uint64
	Profile                      string
}

// hallReady is the server's answer: where it stands and who may come in.
type hallReady struct {
	URL       string        `json:"url"`
	Info      demo.Info     `json:"info"`
	Seats     []visitor     `json:"seats"`
	Residents []visitor     `json:"residents"`
	Now       civil.Instant `json:"now"` // the city's clock
	Engine    string        `json:"engine"`
}

// hallAsk is a question to the server while it serves; hallTold its answer.
type hallAsk struct {
	Do string `json:"do"` // measure: reckon from now on; used: what was used since; found: what became of the matters
}

type hallTold struct {
	CPU   time.Duration  `json:"cpu,omitempty"` // user and system time since "measure"
	RSSMB float64        `json:"rss_mb,omitempty"`
	Found map[string]int `json:"found,omitempty"` // how often each mark stands in a case or a clue
	Wrong string         `json:"wrong,omitempty"`
}

// hallServer is the process of the server.
type hallServer struct {
	order  hallOrder
	serve  func(*app.App) (http.Handler, error)
	app    *app.App
	city   *sim.City
	out    hallReady
	cpu    time.Duration
	cancel func() // of the profile
}

// ServeHall prepares a city, lets in as many seats and residents as it is told to, serves until its standard input ends, and
// answers questions about itself meanwhile. The visitors live in another process, so that what is measured is the server.
func ServeHall(ctx context.Context, serve func(*app.App) (http.Handler, error), in io.Reader, out io.Writer) error {
	h := &hallServer{serve: serve, cancel: func() {}}
	read, write := json.NewDecoder(in), json.NewEncoder(out)
	if err := read.Decode(&h.order); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	o := h.order
	cfg := config.Config{Data: o.Dir, Database: o.URL, TrustedProxies: []string{"127.0.0.1/32"}, Credentials: o.Credentials, CTI: o.CTI}.WithDefaults()
	var err error
	if h.app, err = app.New(ctx, cfg, app.Options{Fast: o.Fast, Alone: true, Seed: o.Hall.Seed}); err != nil {
		return err
	}
	defer h.app.Close()
	if err := h.prepare(ctx); err != nil {
		return err
	}
	stop, err := h.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if err := h.join(ctx); err != nil {
		return fmt.Errorf("join the parties outside: %w", err)
	}
	h.out.Now, h.out.Engine = h.app.DB.Now(), string(h.app.DB.Engine())
	if err := write.Encode(h.out); err != nil {
		return err
	}
	defer h.cancel()
	for {
		var q hallAsk
		switch err := read.Decode(&q); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read a question: %w", err)
		}
		if err := write.Encode(h.answer(ctx, q)); err != nil {
			return err
		}
	}
}

// prepare makes the city and lets seats and residents log in.
func (h *hallServer) prepare(ctx context.Context) (err error) {
	s := h.order.Hall
	h.city = sim.NewCity(s.Seed, s.Households)
	if h.out.Info, err = demo.Prepare(ctx, h.app, demo.Options{Seed: s.Seed, Households: s.Households, At: hallDay}); err != nil {
		return fmt.Errorf("prepare the city: %w", err)
	}
	if err := h.app.DB.Relax(ctx); err != nil {
		return err
	}
	if err := h.admitSeats(ctx); err != nil {
		return fmt.Errorf("log the seats in: %w", err)
	}
	if err := h.admitResidents(ctx); err != nil {
		return fmt.Errorf("log the residents in: %w", err)
	}
	return nil
}

// open opens the doors on this machine, with the background work of a server beside them.
func (h *hallServer) open(ctx context.Context) (stop func(), err error) {
	next, err := h.serve(h.app)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h.out.URL = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { _ = httpx.Serve(ctx, l, next, time.Second) }) // what fails shows in every answer
	all.Go(func() { h.app.Run(ctx) })
	return func() { cancel(); all.Wait() }, nil
}

func (h *hallServer) answer(ctx context.Context, q hallAsk) hallTold {
	var t hallTold
	var err error
	switch q.Do {
	case "measure":
		h.cpu = cpuTime()
		err = h.profile()
	case "used":
		h.cancel()
		t.CPU, t.RSSMB = cpuTime()-h.cpu, rss()
	case "found":
		t.Found, err = h.found(ctx)
	default:
		err = fmt.Errorf("no question %q", q.Do)
	}
	if err != nil {
		t.Wrong = err.Error()
	}
	return t
}

// profile keeps a profile of the processor from now until "used" where a file is named.
func (h *hallServer) profile() error {
	if h.order.Hall.Profile == "" {
		return nil
	}
	f, err := os.Create(h.order.Hall.Profile)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	h.cancel = sync.OnceFunc(func() { pprof.StopCPUProfile(); _ = f.Close() })
	return nil
}

// found counts how often each mark stands in a case or a clue, after everything that waits outside was fetched.
func (h *hallServer) found(ctx context.Context) (map[string]int, error) {
	if err := h.fetch(ctx); err != nil {
		return nil, err
	}
	owner := actor.SystemFor("bench", actor.Command)
	out := map[string]int{}
	count := func(said string) {
		if _, mark, ok := strings.Cut(said, markWord); ok && len(mark) >= markLen {
			out[mark[:markLen]]++
		}
	}
	f := cases.Filter{Since: hallDay, Request: page.Request{Size: page.MaxSize}}
	for more := true; more; more = f.After != "" {
		list, err := h.app.Cases.List(ctx, owner, sim.Code, f)
		if err != nil {
			return nil, err
		}
		for _, c := range list.Items {
			count(c.Text)
		}
		f.After = list.Next
	}
	g := clue.Filter{Request: page.Request{Size: page.MaxSize}}
	for more := true; more; more = g.After != "" {
		list, err := h.app.Clues.List(ctx, owner, sim.Code, g)
		if err != nil {
			return nil, err
		}
		for _, c := range list.Items {
			if c.Case == "" { // what became a case is counted there
				count(c.Text)
			}
		}
		g.After = list.Next
	}
	return out, nil
}

// cpuTime is the user and system time of this process, 0 where the system does not tell.
func cpuTime() time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ is 100 everywhere
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(b), ") ") // the name before may hold anything
	f := strings.Fields(after)
	const user, system = 11, 12
	if len(f) <= system {
		return 0
	}
	var sum int64
	for _, s := range f[user : system+1] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0
		}
		sum += n
	}
	return time.Duration(sum) * tick
}

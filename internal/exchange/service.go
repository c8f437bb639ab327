package exchange

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http" //nolint:depguard // Options takes a client
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outward"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Options are what the service stands on. Jobs, Tell, Client, IsCompany and Companies may be left out.
type Options struct {
	DB       *db.DB
	Ring     *secret.Ring
	Cases    *cases.Service
	Dispatch *dispatch.Service
	Blobs    *blob.Service
	Jobs     *jobs.Runner
	Machine  func() time.Time
	Log      *slog.Logger
	Client   *http.Client // nil: one with a timeout of ten seconds
	// Tell puts a word into the inbox of the centre's dispatchers: the other side said something, or a message is refused.
	Tell func(ctx context.Context, tx *db.Tx, t Ticket, p Platform, what, ref string) error
	// IsCompany reports whether a code names a heating company of the city.
	IsCompany func(ctx context.Context, tx *db.Tx, city int, code string) (bool, error)
	// Companies lists the heating companies of a city, so that those who report nothing are seen.
	Companies func(ctx context.Context, city int) ([]string, error)
}

// Service offers the use cases.
type Service struct {
	o       Options
	outside *http.Client // for files at addresses that are not the platform's own
}

// New makes the service and, where there is a runner, registers its jobs.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Cases == nil || o.Dispatch == nil || o.Machine == nil {
		return nil, errors.New("exchange: a database, a keyring, cases, dispatch and machine time are needed")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: callTime, CheckRedirect: noRedirect}
	}
	s := &Service{o: o, outside: outward.Client(nil, fileTime)}
	if o.Jobs != nil {
		s.register(o.Jobs)
	}
	return s, nil
}

type (
	sending   struct{ Ticket string }
	acting    struct{ Message string }
	sweeping  struct{}
	comparing struct{}
	repairing struct{ Platform, Day, OpenedBy, No string }
)

// Kind names the job that hands over what we said about a ticket.
func (sending) Kind() string { return "exchange.send" }

// Kind names the job that does to a case what a platform's message means.
func (acting) Kind() string { return "exchange.act" }

// Kind names the job that looks for tickets whose messages wait or miss something.
func (sweeping) Kind() string { return "exchange.sweep" }

// Kind names the job that compares the lists of both sides.
func (comparing) Kind() string { return "exchange.compare" }

// Kind names the job that mends a difference.
func (repairing) Kind() string { return "exchange.repair" }

func (s *Service) register(r *jobs.Runner) {
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, a sending) error { return s.deliver(ctx, j.City, a.Ticket) })
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, a acting) error { return s.act(ctx, j.City, a.Message) })
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, _ sweeping) error { return s.sweep(ctx, j.City) })
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, _ comparing) error { return s.compareAll(ctx, j.City) })
	jobs.Handle(r, s.repair)
	jobs.Handle(r, func(ctx context.Context, j jobs.Job, a fetching) error { return s.fetchOne(ctx, j.City, a.File) })
	r.Every(sweepEvery, sweeping{})
	r.Every(time.Hour, comparing{})
}

// sweepEvery is how often waiting messages and gaps are looked for; what is new is sent at once.
const sweepEvery = 30 * time.Second

// system is the program acting for a platform.
func system(p Platform) actor.Actor {
	return actor.Actor{
		ID: "platform:" + p.Code, Name: p.Name, Kind: actor.System, Org: p.Code, Door: actor.API,
		Grants: []actor.Grant{{Role: actor.RoleSystem, City: p.City}},
	}
}

// PlatformInput is the input of SavePlatform.
type PlatformInput struct {
	City          int    `json:"-" form:"-"`
	Code          string `json:"-" form:"code"`
	Name          string `json:"name" form:"name"`
	Kind          Kind   `json:"kind" form:"kind"`
	URL           string `json:"url" form:"url"`
	Account       string `json:"account" form:"account"`
	Secret        string `json:"secret" form:"secret"` // shared key of the signatures; empty: stays
	ReturnMinutes int    `json:"return_minutes" form:"return_minutes"`
	GapMinutes    int    `json:"gap_minutes" form:"gap_minutes"` // 0: ten
	Active        bool   `json:"active" form:"active"`
	Version       int64  `json:"version" form:"version"` // 0: a new one
}

var codeShape = regexp.MustCompile(`^[a-z][a-z0-9_-]{1,31}$`)

const leastSecret = 16

func (in PlatformInput) check() error {
	var c fault.Check
	c.That(codeShape.MatchString(in.Code), "code", "exchange.bad_code")
	c.That(in.Name != "" && utf8.RuneCountInString(in.Name) <= 100, "name", "field.required")
	among(&c, "kind", string(in.Kind), words(Kinds())...)
	c.That(goodURL(in.URL), "url", "exchange.bad_url")
	c.That(in.Account != "" && len(in.Account) <= 100, "account", "field.required")
	c.That(in.Secret != "" || in.Version > 0, "secret", "field.required")
	c.That(in.Secret == "" || len(in.Secret) >= leastSecret, "secret", "exchange.short_secret", "min", leastSecret)
	c.That(in.ReturnMinutes >= 0 && in.ReturnMinutes <= 7*24*60, "return_minutes", "field.out_of_range", "min", 0, "max", 7*24*60)
	c.That(in.GapMinutes >= 0 && in.GapMinutes <= 24*60, "gap_minutes", "field.out_of_range", "min", 0, "max", 24*60)
	return c.Err()
}

// goodURL takes an https address, and a plain one inside the offices' own network, which many such platforms stand in.
func goodURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && (ip.IsPrivate() || ip.IsLoopback()))
}

// defaultGap is how many minutes a message waits for one before it, unless the platform's settings say otherwise.
const defaultGap = 10

// SavePlatform adds a platform, or changes the version that the manager saw. A new secret replaces the old one at once.
func (s *Service) SavePlatform(ctx context.Context, by actor.Actor, in PlatformInput) (Platform, error) {
	for _, t := range []*string{&in.Code, &in.Name, &in.URL, &in.Account, &in.Secret} {
		*t = strings.TrimSpace(*t)
	}
	in.URL = strings.TrimRight(in.URL, "/")
	if err := by.May(actor.KeyManage, actor.On{City: in.City}); err != nil {
		return Platform{}, err
	}
	if err := in.check(); err != nil {
		return Platform{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Platform, error) {
		p := Platform{City: in.City, Code: in.Code, Created: tx.Now}
		if in.Version > 0 {
			var err error
			if p, err = platformIn(ctx, tx, in.City, in.Code); err != nil {
				return p, err
			}
		}
		p.Name, p.Kind, p.URL, p.Account, p.Active = in.Name, in.Kind, in.URL, in.Account, in.Active
		p.ReturnMinutes, p.GapMinutes = in.ReturnMinutes, cmp.Or(in.GapMinutes, defaultGap)
		if in.Secret != "" {
			p.Sealed = s.o.Ring.Wrap([]byte(in.Secret), boundTo(p))
		}
		p.Version = in.Version + 1
		act := audit.Act{Subject: "platform:" + p.Code, Act: "platform.save", Body: map[string]any{"code": p.Code, "url": p.URL, "active": p.Active, "new_secret": in.Secret != ""}}
		if err := audit.Record(ctx, tx, by, in.City, act); err != nil {
			return p, err
		}
		if in.Version > 0 {
			return p, savePlatform(ctx, tx, p, in.Version)
		}
		err := db.Insert(ctx, tx, "exchange_platform", p)
		if db.IsUnique(err) {
			return p, fault.New(fault.Conflict, "exchange.code_taken", "code", in.Code)
		}
		return p, err
	})
}

// boundTo is what a platform's secret is for, so that it opens for no other.
func boundTo(p Platform) string { return "exchange/" + p.Code }

// signer is the platform's secret at work.
func (s *Service) signer(p Platform) (notice.Signer, error) {
	key, err := s.o.Ring.Unwrap(p.Sealed, boundTo(p))
	return notice.Signer{Account: p.Account, Secret: string(key), Machine: s.o.Machine}, err
}

// Health is a platform with what waits on it.
type Health struct {
	Platform
	Queued  int64 `json:"queued"`  // messages of ours that wait to go out
	Refused int64 `json:"refused"` // that it does not take: staff decide
	Held    int64 `json:"held"`    // of theirs that wait for one before them
	Open    int64 `json:"open"`    // tickets under way
	Differ  int64 `json:"differ"`  // open differences of the lists
}

// Platforms lists the platforms of a city and how they are.
func (s *Service) Platforms(ctx context.Context, by actor.Actor, city int) ([]Health, error) {
	if !by.MayAny(actor.ExchangeRead, city) {
		return nil, by.May(actor.ExchangeRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Health, error) {
		all, err := platformsIn(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		counts, err := countsOf(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		out := make([]Health, len(all))
		for i, p := range all {
			out[i] = Health{Platform: p}
			for _, n := range counts {
				if n.Platform == p.Code {
					out[i].add(n)
				}
			}
		}
		return out, nil
	})
}

func (h *Health) add(n count) {
	switch n.What {
	case "queued":
		h.Queued = n.N
	case "refused":
		h.Refused += n.N
	case "held":
		h.Held = n.N
	case "open":
		h.Open = n.N
	case "differ":
		h.Differ = n.N
	}
}

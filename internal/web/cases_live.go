package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/a-h/templ"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// How often a city is asked what changed, how long a change may take from its time to its commit, how often a quiet
// stream says that it lives, how seldom the figures above a list are counted, and how long a stream lasts before the
// browser must ask again, and show that it still may.
const (
	livePoll    = 250 * time.Millisecond
	liveOverlap = 5 * time.Second
	liveBeat    = 20 * time.Second
	liveFigures = 5 * time.Second
	liveLife    = 15 * time.Minute
	liveBuffer  = 16
)

// caseChange is a case that changed; fresh when it is new or came into its status just now.
type caseChange struct {
	cases.Case
	fresh bool
}

// caseFeeds asks each city four times a second what changed, for every browser that looks at its cases, and rests while none does.
type caseFeeds struct {
	mu     sync.Mutex
	cities map[int]*caseFeed
}

type caseFeed struct {
	subs map[chan *liveBatch]bool
	stop context.CancelFunc
}

// join gives a channel of changes until leave is called. A reader who does not keep up finds it closed.
func (f *caseFeeds) join(ctx context.Context, w *Web, city int) (changes <-chan *liveBatch, leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cities == nil {
		f.cities = map[int]*caseFeed{}
	}
	feed := f.cities[city]
	if feed == nil {
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // it goes on for those who come later
		feed = &caseFeed{subs: map[chan *liveBatch]bool{}, stop: stop}
		f.cities[city] = feed
		go f.run(ctx, w, city, feed)
	}
	c := make(chan *liveBatch, liveBuffer)
	feed.subs[c] = true
	return c, func() { f.leave(city, feed, c) }
}

func (f *caseFeeds) leave(city int, feed *caseFeed, c chan *liveBatch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(feed.subs, c)
	if len(feed.subs) == 0 && f.cities[city] == feed {
		feed.stop()
		delete(f.cities, city)
	}
}

// run polls until nobody listens.
func (f *caseFeeds) run(ctx context.Context, w *Web, city int, feed *caseFeed) {
	p := &casePoll{w: w, city: city, from: w.o.Now(), seen: map[string]int64{}, was: map[string]cases.Status{}}
	p.began = p.from
	tick := time.NewTicker(livePoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if all := p.next(ctx); len(all) > 0 {
			f.tell(feed, &liveBatch{changes: all})
		}
	}
}

func (f *caseFeeds) tell(feed *caseFeed, all *liveBatch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range feed.subs {
		select {
		case c <- all:
		default: // too slow: the stream ends and the browser comes back to a fresh page
			delete(feed.subs, c)
			close(c)
		}
	}
}

// casePoll is where the polling of one city stands.
type casePoll struct {
	w     *Web
	city  int
	began civil.Instant
	from  civil.Instant
	seen  map[string]int64        // version told last
	was   map[string]cases.Status // status told last
}

// next lists what changed since it was asked last. A case is changed at the time of its transaction and seen when that
// commits, so the time asked for overlaps and what was told is not told again.
func (p *casePoll) next(ctx context.Context) []caseChange {
	now := p.w.o.Now()
	var out []caseChange
	from := p.from
	for {
		rows, err := p.w.Cases.Changes(ctx, actor.SystemFor("live", actor.Page), p.city, from)
		if err != nil {
			if ctx.Err() == nil {
				p.w.o.Log.WarnContext(ctx, "ask what changed", "city", p.city, "error", err)
			}
			return out
		}
		for _, c := range rows {
			if p.seen[c.ID] >= c.Version {
				continue
			}
			out = append(out, caseChange{Case: c, fresh: p.fresh(c)})
			p.seen[c.ID], p.was[c.ID] = c.Version, c.Status
		}
		if len(rows) < changesAtOnce {
			break
		}
		if last := rows[len(rows)-1].UpdatedAt; last > from {
			from = last
		} else {
			from++
		}
	}
	p.from = max(p.began, now.Add(-liveOverlap))
	p.forget()
	return out
}

// changesAtOnce is how many cases one question about changes gives.
const changesAtOnce = 200

// fresh reports whether a case is new or has just come into its status.
func (p *casePoll) fresh(c cases.Case) bool {
	if c.RecordedAt >= p.began && p.seen[c.ID] == 0 {
		return true
	}
	if was, ok := p.was[c.ID]; ok {
		return was != c.Status
	}
	at := c.UpdatedAt
	return at == c.DispatchedAt || at == c.SignedAt || at == c.FedBackAt || at == c.ClosedAt
}

// forget keeps the memory of a long day small.
func (p *casePoll) forget() {
	if len(p.seen) > 20000 {
		p.seen, p.was = map[string]int64{}, map[string]cases.Status{}
		p.began = p.w.o.Now()
		p.from = p.began
	}
}

// caseLive streams what changes in a list to its page: rows that are shown, the ids of new ones, and the figures above.
func (w *Web) caseLive(rw http.ResponseWriter, r *http.Request) error {
	q, err := caseQueryOf(r)
	if err == nil {
		err = q.Check()
	}
	if err != nil {
		return err
	}
	names, err := w.caseNames(r)
	if err != nil {
		return err
	}
	v := consoleView{query: q, names: names, by: by(r), city: httpx.City(r.Context()), url: r.URL}
	v.batch = len(v.batchActs()) > 0
	part := r.Clone(r.Context())
	part.Header.Set("HX-Request", "true") // a stream is no page: it takes no message meant for one
	ctx := ui.With(r.Context(), w.view(rw, part, Page{}))
	changes, leave := w.live.join(r.Context(), w, v.city)
	defer leave()
	events, err := httpx.StartEvents(rw)
	if err != nil {
		return err
	}
	s := &caseStream{w: w, r: r.WithContext(ctx), v: v, events: events}
	return s.run(changes)
}

// caseStream is one browser that listens.
type caseStream struct {
	w       *Web
	r       *http.Request
	v       consoleView
	events  *httpx.Events
	counted time.Time
}

func (s *caseStream) run(changes <-chan *liveBatch) error {
	ctx := s.r.Context()
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	end := time.NewTimer(liveLife)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-httpx.Stopping(ctx):
			return nil
		case <-end.C:
			return nil
		case <-beat.C:
			if s.events.Comment("") != nil {
				return nil // gone
			}
		case all, ok := <-changes:
			if !ok || s.tell(all) != nil {
				return nil
			}
		}
	}
}

// tell sends what the reader may see of some changes.
func (s *caseStream) tell(all *liveBatch) error {
	ctx := s.r.Context()
	now := s.w.o.Machine()
	var rows bytes.Buffer
	var fresh []string
	var last civil.Instant
	for _, c := range all.changes {
		last = max(last, c.UpdatedAt)
		if s.v.by.May(actor.CaseRead, c.On()) != nil {
			continue
		}
		if err := s.put(ctx, &rows, liveRow(s.v, c.Case)); err != nil {
			return err
		}
		if c.fresh {
			fresh = append(fresh, c.ID)
		}
	}
	if rows.Len() == 0 {
		return nil
	}
	id := strconv.FormatInt(int64(last), 10)
	if err := s.events.Send(id, "row", rows.String(), now); err != nil {
		return err
	}
	if err := s.tellFresh(ctx, id, fresh, all); err != nil {
		return err
	}
	if now.Sub(s.counted) < liveFigures {
		return nil
	}
	s.counted = now
	return s.tellFigures(ctx, id, all)
}

// tellFresh names the new cases that the list's filter would show.
func (s *caseStream) tellFresh(ctx context.Context, id string, fresh []string, all *liveBatch) error {
	if len(fresh) == 0 {
		return nil
	}
	f := s.v.query.Filter
	f.IDs, f.After, f.Size = fresh, "", len(fresh)
	data, err := sharedAnswer(all, liveKey("fresh", s.v.by, s.v.city, f), func() (string, error) {
		found, err := s.w.Cases.List(context.WithoutCancel(ctx), s.v.by, s.v.city, f)
		if err != nil || len(found.Items) == 0 {
			return "", err
		}
		ids := make([]string, len(found.Items))
		for i, c := range found.Items {
			ids[i] = c.ID
		}
		data, err := json.Marshal(ids)
		return string(data), err
	})
	if err != nil || data == "" {
		return err
	}
	return s.events.Send(id, "new", data, s.w.o.Machine())
}

func (s *caseStream) tellFigures(ctx context.Context, id string, all *liveBatch) error {
	v := s.v
	var err error
	v.loads, err = sharedAnswer(all, liveKey("figures", v.by, v.city, cases.Filter{}), func() ([]cases.Load, error) {
		return s.w.Cases.Loads(context.WithoutCancel(ctx), v.by, v.city)
	})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := s.put(ctx, &b, ui.Stats(ui.T(ctx, "casework.stats"), v.stats())); err != nil {
		return err
	}
	return s.events.Send(id, "figures", b.String(), s.w.o.Machine())
}

func (s *caseStream) put(ctx context.Context, b *bytes.Buffer, c templ.Component) error {
	fresh := *ui.Of(ctx)
	fresh.Now = s.w.o.Now()
	return c.Render(ui.With(ctx, &fresh), b)
}

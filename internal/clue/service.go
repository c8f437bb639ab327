package clue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/territory"
)

// Options set up a Service.
type Options struct {
	DB        *db.DB
	Channels  *channel.Service
	Cases     *cases.Service
	Rules     func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	Attribute func(ctx context.Context, tx *db.Tx, city int, q territory.Query) (territory.Answer, error)
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Channels == nil || o.Cases == nil || o.Rules == nil || o.Attribute == nil {
		return nil, errors.New("clue: a database, channels, cases, rules and attribution are needed")
	}
	return &Service{o: o}, nil
}

var machine = actor.SystemFor("clue", actor.Job)

// Extra words that adapters give with a message.
const (
	// ExtraRepost is the channel's id of the post that this one passes on.
	ExtraRepost = "repost_of"
	// ExtraTitle is the headline of an article.
	ExtraTitle = "title"
)

// Take makes a clue of a message: the Taker of every channel that the city listens to. A message gives one clue, however
// often it is handed on.
func (s *Service) Take(ctx context.Context, tx *db.Tx, m channel.Heard) error {
	if _, known, err := byMessage(ctx, tx, m.City, m.ID); err != nil || known {
		return err
	}
	r, err := s.o.Rules(ctx, tx, m.City)
	if err != nil {
		return err
	}
	said := m.Said
	if title := m.Extra[ExtraTitle]; title != "" {
		said = title + "。" + said
	}
	where, err := s.o.Attribute(ctx, tx, m.City, query(said, m.Lng, m.Lat))
	if err != nil {
		return err
	}
	read := Classify(r.Pack, Said{Text: said, Where: where})
	c := draft(m, read)
	c.ID = tx.NewID()
	c.Group, c.ChangedAt = c.ID, tx.Now
	if err := s.join(ctx, tx, m, &c); err != nil {
		return err
	}
	if err := insert(ctx, tx, c); err != nil {
		return err
	}
	if err := s.o.Channels.LinkIn(ctx, tx, m.City, m.ID, c.ID, ""); err != nil {
		return err
	}
	act := audit.Act{Subject: c.Subject(), Act: "clue.take", Body: map[string]any{
		"channel": c.Channel, "guess": c.Guess, "urgency": c.Urgency, "group": c.Group, "text": audit.Fingerprint(c.Subject(), said),
	}}
	return audit.Record(ctx, tx, machine, m.City, act)
}

func draft(m channel.Heard, r Reading) Clue {
	c := Clue{
		City: m.City, Message: m.ID, Channel: m.Channel, Account: m.Account, Form: m.Form, At: m.At, ReceivedAt: m.ReceivedAt, Person: m.Person,
		Sender: m.Sender, Text: m.Text, Link: m.Link, Guess: r.Guess, Category: r.Category, Urgency: r.Urgency, Rank: r.rank(),
		Temperature: r.Temperature, Care: r.Care, Why: r.Why, State: Undecided, Version: 1,
	}
	if title := m.Extra[ExtraTitle]; title != "" && title != m.Text {
		c.Text = "【" + title + "】" + m.Text
	}
	c.stand(r.Where)
	return c
}

// stand puts a clue where attribution says; where it knows no community, nowhere.
func (c *Clue) stand(at territory.Answer) {
	if p := at.Community; p != nil {
		c.Community, c.Place, c.District = p.ID, p.Name, p.DistrictCode
		c.Building, c.Unit, c.Room, c.Company = at.Building, at.Unit, at.Room, at.Company
	}
}

// How far back copies are looked for, and how close in time two authors of one building must be.
const (
	copySpan   = 14 * 24 * time.Hour
	authorSpan = 24 * time.Hour
	placeSpan  = time.Hour
)

// join puts a clue into the group it belongs to. Only the first of a group is compared with, so that the cost of a copy
// does not grow with the number of copies.
func (s *Service) join(ctx context.Context, tx *db.Tx, m channel.Heard, c *Clue) error {
	first, why, err := leader(ctx, tx, m, *c)
	if err != nil {
		return err
	}
	if first.ID == "" {
		return insertKeys(ctx, tx, *c, keys(c.Text))
	}
	c.Group, c.Grouped = first.Group, why
	return countCopy(ctx, tx, c.City, first.Group)
}

func leader(ctx context.Context, tx *db.Tx, m channel.Heard, c Clue) (Clue, Grouped, error) {
	if of := m.Extra[ExtraRepost]; of != "" {
		one, ok, err := byExternal(ctx, tx, m.City, string(m.Channel), m.Account, of)
		if err != nil || ok {
			return one, Repost, err
		}
	}
	some, err := sharing(ctx, tx, c, keys(c.Text), c.At.Add(-copySpan))
	if err != nil {
		return Clue{}, "", err
	}
	for _, one := range some {
		if near(one.Text, c.Text) {
			return one, Copy, nil
		}
	}
	if c.Community == "" || c.Guess != Heating {
		return Clue{}, "", nil
	}
	if m.SenderID != "" {
		one, ok, err := byAuthor(ctx, tx, c, c.At.Add(-authorSpan))
		if err != nil || ok {
			return one, SameHand, err
		}
	}
	if c.Building == "" {
		return Clue{}, "", nil
	}
	one, ok, err := byPlace(ctx, tx, c, c.At.Add(-placeSpan))
	if err != nil || !ok {
		return Clue{}, "", err
	}
	return one, SamePlace, nil
}

// List shows clues. Those of one state stand in the order of the queue, what is urgent first and the oldest of it first;
// a list over all states stands newest first.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Clue], error) {
	if err := may(by, actor.ClueRead, city); err != nil {
		return page.Of[Clue]{}, err
	}
	if err := f.Check(); err != nil {
		return page.Of[Clue]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Clue], error) {
		rows, err := list(ctx, tx, city, f)
		if err != nil {
			return page.Of[Clue]{}, err
		}
		return page.Cut(rows, f.Request, func(c Clue) []any { return cursorOf(f, c) }), nil
	})
}

// Next is the clue that stands behind one in the queue; behind the last the first stands again. False: nothing else waits.
func (s *Service) Next(ctx context.Context, by actor.Actor, city int, id string, f Filter) (Clue, bool, error) {
	if err := may(by, actor.ClueRead, city); err != nil {
		return Clue{}, false, err
	}
	f.State, f.Owed, f.Request = Undecided, false, page.Request{Size: 2}
	if err := f.Check(); err != nil {
		return Clue{}, false, err
	}
	var out Clue
	found, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (bool, error) {
		at, err := find(ctx, tx, city, id)
		if err != nil {
			return false, err
		}
		behind := f
		behind.After = page.Encode(cursorOf(f, at)...)
		for _, q := range []Filter{behind, f} {
			rows, err := list(ctx, tx, city, q)
			if err != nil {
				return false, err
			}
			for _, c := range rows {
				if c.ID != id {
					out = c
					return true, nil
				}
			}
		}
		return false, nil
	})
	return out, found, err
}

// Changed is a clue as somebody who looks at the queue must know it.
type Changed struct {
	ID      string        `db:"id" json:"id"`
	Version int64         `db:"version" json:"version"`
	Copies  int           `db:"copies" json:"copies"`
	At      civil.Instant `db:"changed_at" json:"changed_at"`
}

// Changes lists what changed at or after a moment, the first one first, some at a time.
func (s *Service) Changes(ctx context.Context, by actor.Actor, city int, since civil.Instant) ([]Changed, error) {
	if err := may(by, actor.ClueRead, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Changed, error) { return changes(ctx, tx, city, since) })
}

// Export gives every clue of a filter to each, a page at a time, masked as the list is.
func (s *Service) Export(ctx context.Context, by actor.Actor, city int, f Filter, each func(Clue) error) error {
	f.Request = page.Request{Size: page.MaxSize}
	for {
		some, err := s.List(ctx, by, city, f)
		if err != nil {
			return err
		}
		for _, c := range some.Items {
			if err := each(c); err != nil {
				return err
			}
		}
		if some.Next == "" {
			return nil
		}
		f.After = some.Next
	}
}

// Loads is how many clues are in each state, and how many authors wait for a word.
type Loads struct {
	ByState map[State]int `json:"by_state"`
	Owed    int           `json:"owed"`
}

// Loads counts the queue.
func (s *Service) Loads(ctx context.Context, by actor.Actor, city int) (Loads, error) {
	if err := may(by, actor.ClueRead, city); err != nil {
		return Loads{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Loads, error) { return loads(ctx, tx, city) })
}

// View is a clue with everything that stands around it.
type View struct {
	Clue
	Words       channel.Message `json:"words"`
	Replies     []channel.Reply `json:"replies"`
	Group       []Clue          `json:"others"`         // the others of its group
	File        *cases.Case     `json:"file,omitempty"` // its case, where the reader may see it
	Offer       string          `json:"offer,omitempty"`
	Corrections []Correction    `json:"corrections,omitempty"` // what people read otherwise than the program, the first one first
}

// Waiting counts the others of the group that are undecided, and those whose authors wait for a word, as far as they are
// listed.
func (v View) Waiting() (undecided, owed int) {
	for _, o := range v.Group {
		if o.State == Undecided {
			undecided++
		}
		if o.Owed() {
			owed++
		}
	}
	return undecided, owed
}

// Get shows one clue.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (View, error) {
	if err := may(by, actor.ClueRead, city); err != nil {
		return View{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) { return s.view(ctx, tx, by, city, id) })
}

func (s *Service) view(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string) (v View, err error) {
	if v.Clue, err = find(ctx, tx, city, id); err != nil {
		return v, err
	}
	words, err := s.o.Channels.MessagesOf(ctx, tx, city, id, "")
	if err != nil {
		return v, err
	}
	if len(words) > 0 {
		v.Words = words[0]
	}
	if v.Replies, err = s.o.Channels.RepliesOf(ctx, tx, city, id, ""); err != nil {
		return v, err
	}
	if v.Group, err = others(ctx, tx, v.Clue); err != nil {
		return v, err
	}
	if v.Corrections, err = corrections(ctx, tx, city, id); err != nil {
		return v, err
	}
	if v.Case == "" {
		return v, nil
	}
	file, err := s.o.Cases.GetIn(ctx, tx, by, city, v.Case)
	if fault.Is(err, fault.NotFound) {
		return v, nil
	}
	if err == nil {
		v.File = &file
		if v.Owed() && !file.Open {
			v.Offer = file.Answer
		}
	}
	return v, err
}

// may asks for a permission over the whole city: what stands in the queue belongs to no company yet.
func may(by actor.Actor, p actor.Permission, city int) error {
	if err := by.May(p, actor.On{City: city}); err != nil {
		return err
	}
	if !by.ScopeOf(p, city).All {
		return fault.New(fault.Denied, "denied.scope")
	}
	return nil
}

// Closed notes that a case was closed, in its transaction: whoever wrote the words that it was made of is owed an answer.
func (s *Service) Closed(ctx context.Context, tx *db.Tx, c cases.Case) error {
	if err := offer(ctx, tx, c.City, c.ID); err != nil {
		return fmt.Errorf("offer an answer: %w", err)
	}
	return nil
}

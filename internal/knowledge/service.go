package knowledge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/text"
)

// Options set up a Service.
type Options struct {
	DB      *db.DB
	Rules   func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	Notices *notice.Service // tells owners of flags; nil = the list of flags alone
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Rules == nil {
		return nil, errors.New("knowledge: a database and the rules of the cities are needed")
	}
	return &Service{o: o}, nil
}

// mayRead asks whether somebody may read in a city; knowledge is the same for all its companies.
func mayRead(by actor.Actor, city int) error {
	if by.MayAny(actor.KnowledgeRead, city) {
		return nil
	}
	return by.May(actor.KnowledgeRead, actor.On{City: city})
}

func subject(article string) string { return "article:" + article }

func note(ctx context.Context, tx *db.Tx, by actor.Actor, v Version, act string, body any) error {
	return audit.Record(ctx, tx, by, v.City, audit.Act{Subject: subject(v.Article), Act: "knowledge." + act, Body: body})
}

// DraftInput is what somebody writes: a new article, a new version of one, or a change of a version that is still a draft.
type DraftInput struct {
	City     int        `json:"city" form:"city"`
	Article  string     `json:"article" form:"article"` // empty: a new article
	No       int        `json:"no" form:"no"`           // 0: a new version
	Version  int64      `json:"version" form:"version"` // of the draft that was seen
	Kind     Kind       `json:"kind" form:"kind"`       // of a new article
	ReviewOn civil.Date `json:"review_on" form:"review_on"`
	Texts
	Key string `json:"-" form:"-"` // idempotency key
}

// Write keeps a draft.
func (s *Service) Write(ctx context.Context, by actor.Actor, in DraftInput) (Version, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Version, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Version, error) {
			return s.WriteIn(ctx, tx, by, in)
		})
	})
}

// WriteIn is Write in the caller's transaction.
func (s *Service) WriteIn(ctx context.Context, tx *db.Tx, by actor.Actor, in DraftInput) (Version, error) {
	if err := by.May(actor.KnowledgeWrite, actor.On{City: in.City}); err != nil {
		return Version{}, err
	}
	var c fault.Check
	in.Texts.check(&c)
	c.That(in.Article != "" || slices.Contains(Kinds(), in.Kind), "kind", "field.required")
	c.That(in.ReviewOn.IsZero() || in.ReviewOn.After(tx.Now.Date()), "review_on", "knowledge.review_past")
	if err := c.Err(); err != nil {
		return Version{}, err
	}
	v, err := draftFor(ctx, tx, by, in)
	if err != nil {
		return Version{}, err
	}
	v.Texts, v.ReviewOn, v.Search = in.Texts, in.ReviewOn, searchText(in.Texts)
	if in.No == 0 {
		err = insertVersion(ctx, tx, v)
	} else {
		v, err = changeDraft(ctx, tx, v, in.Version)
	}
	if err != nil {
		return Version{}, err
	}
	return v, note(ctx, tx, by, v, "write", map[string]any{"no": v.No, "title": v.TitleZH})
}

// draftFor finds the draft that is to be changed, or begins one.
func draftFor(ctx context.Context, tx *db.Tx, by actor.Actor, in DraftInput) (Version, error) {
	if in.No > 0 {
		v, err := findVersion(ctx, tx, in.City, in.Article, in.No)
		if err == nil && v.State != Draft {
			return v, fault.New(fault.Conflict, "knowledge.not_a_draft")
		}
		v.Author = by.ID
		return v, err
	}
	a := Article{City: in.City, ID: tx.NewID(), Kind: in.Kind, Owner: by.ID, Created: tx.Now, LastNo: 1, Version: 1}
	if in.Article == "" {
		if err := insertArticle(ctx, tx, a); err != nil {
			return Version{}, err
		}
	} else {
		var err error
		if a, err = nextNo(ctx, tx, in.City, in.Article); err != nil {
			return Version{}, err
		}
	}
	return Version{
		City: in.City, Article: a.ID, No: a.LastNo, Kind: a.Kind, State: Draft, Author: by.ID, Created: tx.Now, Version: 1,
	}, nil
}

// MoveInput names a version as it was seen and what to do with it.
type MoveInput struct {
	City      int           `json:"city" form:"city"`
	Article   string        `json:"article" form:"article"`
	No        int           `json:"no" form:"no"`
	Version   int64         `json:"version" form:"version"`
	Event     Event         `json:"event" form:"event"`
	Reason    string        `json:"reason" form:"reason"`             // of sending back, withdrawing and discarding
	Effective civil.Instant `json:"effective_at" form:"effective_at"` // of approving; empty is now
}

// Move submits, approves, sends back, withdraws or discards a version. Approving takes another person than the author;
// withdrawing ends every published version of the article, so that no older one comes back.
func (s *Service) Move(ctx context.Context, by actor.Actor, in MoveInput) (Version, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Version, error) { return s.MoveIn(ctx, tx, by, in) })
}

// MoveIn is Move in the caller's transaction.
func (s *Service) MoveIn(ctx context.Context, tx *db.Tx, by actor.Actor, in MoveInput) (Version, error) {
	if err := by.May(actor.KnowledgeWrite, actor.On{City: in.City}); err != nil {
		return Version{}, err
	}
	v, err := findVersion(ctx, tx, in.City, in.Article, in.No)
	if err != nil {
		return v, err
	}
	step, err := Lifecycle.Next(v.State, in.Event)
	if err != nil {
		return v, err
	}
	in.Reason = strings.TrimSpace(in.Reason)
	if err := checkMove(tx.Now, by, v, in); err != nil {
		return v, err
	}
	v.State, v.Reason = step.To, in.Reason
	switch in.Event {
	case Approve:
		v.Reviewer, v.Decided, v.Effective = by.ID, tx.Now, max(in.Effective, tx.Now)
	case Withdraw:
		v.Reviewer, v.Decided = by.ID, tx.Now
		err = withdrawOthers(ctx, tx, v)
	case Submit, SendBack, Discard:
	}
	if err != nil {
		return v, err
	}
	if v, err = changeState(ctx, tx, v, in.Version); err != nil {
		return v, err
	}
	return v, note(ctx, tx, by, v, string(in.Event), map[string]any{"no": v.No, "reason": in.Reason})
}

func checkMove(now civil.Instant, by actor.Actor, v Version, in MoveInput) error {
	var c fault.Check
	switch in.Event {
	case Approve:
		if v.Author == by.ID {
			return fault.New(fault.Denied, "knowledge.not_oneself")
		}
		c.That(v.ReviewOn.IsZero() || v.ReviewOn.After(max(in.Effective, now).Date()), "effective_at", "knowledge.review_past")
	case SendBack, Withdraw, Discard:
		c.That(in.Reason != "", "reason", "field.required")
	case Submit:
	}
	c.That(len([]rune(in.Reason)) <= 300, "reason", "field.too_long", "max", 300)
	return c.Err()
}

// View is a version as it is read: values filled in.
type View struct {
	Version
	Answer map[text.Lang]string `json:"answer"`
	Hint   map[text.Lang]string `json:"hint"`
	Stale  bool                 `json:"stale"`
	Live   bool                 `json:"live"`
}

func (s *Service) view(ctx context.Context, tx *db.Tx, versions []Version) ([]View, error) {
	if len(versions) == 0 {
		return nil, nil
	}
	rules, err := s.o.Rules(ctx, tx, versions[0].City)
	if err != nil {
		return nil, err
	}
	out := make([]View, len(versions))
	for i, v := range versions {
		said := func(zh, en string) map[text.Lang]string {
			return map[text.Lang]string{text.ZH: fill(rules, text.ZH, tx.Now, zh), text.EN: fill(rules, text.EN, tx.Now, en)}
		}
		out[i] = View{Version: v, Answer: said(v.AnswerZH, v.AnswerEN), Hint: said(v.HintZH, v.HintEN), Stale: v.Stale(tx.Now)}
	}
	return out, nil
}

// Read shows a version; no 0 is the one in force.
func (s *Service) Read(ctx context.Context, by actor.Actor, city int, article string, no int) (View, error) {
	if err := mayRead(by, city); err != nil {
		return View{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		live, ok, err := findLive(ctx, tx, city, article)
		if err != nil {
			return View{}, err
		}
		v := live
		if no > 0 {
			if v, err = findVersion(ctx, tx, city, article, no); err != nil {
				return View{}, err
			}
		} else if !ok {
			return View{}, fault.New(fault.NotFound, "not_found")
		}
		if v.Effective.IsZero() && !by.MayAny(actor.KnowledgeWrite, city) {
			return View{}, fault.New(fault.NotFound, "not_found")
		}
		views, err := s.view(ctx, tx, []Version{v})
		if err != nil {
			return View{}, err
		}
		views[0].Live = ok && live.No == v.No
		return views[0], nil
	})
}

// Use gives the version in force inside the transaction of the case that is answered with it; NotFound when there is none.
func (s *Service) Use(ctx context.Context, tx *db.Tx, city int, article string) (Version, error) {
	v, ok, err := findLive(ctx, tx, city, article)
	if err == nil && !ok {
		return v, fault.New(fault.NotFound, "not_found")
	}
	return v, err
}

// List shows versions of any state to those who write, newest article first.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Version], error) {
	if err := by.May(actor.KnowledgeWrite, actor.On{City: city}); err != nil {
		return page.Of[Version]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Version], error) {
		rows, err := list(ctx, tx, city, f)
		if err != nil {
			return page.Of[Version]{}, err
		}
		return page.Cut(rows, f.Request, func(v Version) []any { return []any{v.Article, v.No} }), nil
	})
}

// Query is what a seat looks for.
type Query struct {
	City     int    `json:"city" form:"city"`
	Text     string `json:"q" form:"q"`               // two characters or pinyin initials are enough; empty lists by kind or category
	Kind     Kind   `json:"kind" form:"kind"`         //
	Category string `json:"category" form:"category"` // of the case on the screen
	Final    bool   `json:"final" form:"final"`       // asked for, not just typed: a search in vain is noted
}

// most bounds a search; an article that is not among the first fifty is looked for with another word.
const most = 50

// Search finds versions in force, the best first.
func (s *Service) Search(ctx context.Context, by actor.Actor, q Query) ([]View, error) {
	if err := mayRead(by, q.City); err != nil {
		return nil, err
	}
	terms := strings.Fields(fold(q.Text))
	if len(terms) > 5 {
		terms = terms[:5]
	}
	found, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]View, error) {
		categories, err := s.categories(ctx, tx, q)
		if err != nil {
			return nil, err
		}
		versions, err := search(ctx, tx, q, categories, terms)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(versions, func(a, b Version) int { return rank(a, terms) - rank(b, terms) })
		return s.view(ctx, tx, versions[:min(most, len(versions))])
	})
	if err != nil || len(found) > 0 || !q.Final || len(terms) == 0 {
		return found, err
	}
	return nil, db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return countMiss(ctx, tx, q.City, strings.Join(terms, " ")) })
}

// categories are the one of the query and the one above it.
func (s *Service) categories(ctx context.Context, tx *db.Tx, q Query) ([]string, error) {
	if q.Category == "" {
		return nil, nil
	}
	rules, err := s.o.Rules(ctx, tx, q.City)
	if err != nil {
		return nil, err
	}
	out := []string{q.Category}
	if c, ok := rules.Pack.Category(q.Category); ok && c.Parent() != nil {
		out = append(out, c.Parent().Code)
	}
	return out, nil
}

// Miss is something that was looked for in vain.
type Miss struct {
	Query string `db:"query" json:"query"`
	Times int    `db:"times" json:"times"`
}

// Misses lists what was looked for in vain on a day, the most frequent first, for those who write.
func (s *Service) Misses(ctx context.Context, by actor.Actor, city int, day civil.Date) ([]Miss, error) {
	if err := by.May(actor.KnowledgeWrite, actor.On{City: city}); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Miss, error) { return misses(ctx, tx, city, day) })
}

func wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

package territory

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

func noteRule(ctx context.Context, tx *db.Tx, by actor.Actor, k KnownRule, act string) error {
	return audit.Record(ctx, tx, by, k.City, audit.Act{Subject: "territory_rule:" + k.ID, Act: act, Body: map[string]any{
		"text": k.Text, "community": k.Community, "building": k.Building, "road": k.Road, "number": k.Number, "company": k.Company, "area": k.Area,
	}})
}

// Learn keeps a dispatcher's choice as a rule, inside the transaction of the dispatch. The same choice twice is one rule.
// The index follows within moments.
func (s *Service) Learn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, r Rule) (KnownRule, error) {
	if err := r.check(); err != nil {
		return KnownRule{}, err
	}
	if !by.MayAny(actor.CaseDispatch, city) {
		return KnownRule{}, by.May(actor.CaseDispatch, actor.On{City: city})
	}
	district, err := mustExist(ctx, tx, city, r.Company, r.Community)
	if err != nil {
		return KnownRule{}, err
	}
	if r.Community != "" {
		if err := by.May(actor.CaseDispatch, actor.On{City: city, District: district, Company: r.Company}); err != nil {
			return KnownRule{}, err
		}
	}
	if k, known, err := sameRule(ctx, tx, city, r); err != nil || known {
		return k, err
	}
	k := KnownRule{
		City: city, ID: tx.NewID(), Text: r.Text, Community: r.Community, Building: r.Building, Road: r.Road, Number: r.Number, Company: r.Company,
		Area: r.Area, Author: by.ID, AuthorName: by.Name, Created: tx.Now, Version: 1,
	}
	if err := db.Insert(ctx, tx, "territory_rule", &k); err != nil {
		return KnownRule{}, fmt.Errorf("learn a rule: %w", err)
	}
	if err := s.bumpSoon(ctx, tx, city); err != nil {
		return KnownRule{}, err
	}
	return k, noteRule(ctx, tx, by, k, "territory.learn")
}

// Rules lists what was learnt, the newest first.
func (s *Service) Rules(ctx context.Context, by actor.Actor, city int, f RuleFilter) (page.Of[KnownRule], error) {
	if err := mayRead(by, city); err != nil {
		return page.Of[KnownRule]{}, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (page.Of[KnownRule], error) { return rulesOf(ctx, tx, city, f) })
}

// WithdrawRule takes the version of a rule that was seen out of use; it stays on record.
func (s *Service) WithdrawRule(ctx context.Context, by actor.Actor, city int, id string, version int64) (KnownRule, error) {
	if !by.MayAny(actor.CaseDispatch, city) {
		return KnownRule{}, by.May(actor.CaseDispatch, actor.On{City: city})
	}
	return db.Write(ctx, s.db, func(tx *db.Tx) (KnownRule, error) {
		err := db.Guarded(ctx, tx, `UPDATE territory_rule SET withdrawn_at = $4, withdrawn_by = $5, version = version + 1
			WHERE city_id = $1 AND id = $2 AND version = $3 AND withdrawn_at IS NULL`, city, id, version, tx.Now, by.ID)
		if err != nil {
			if _, missing := findRule(ctx, tx, city, id); fault.Is(missing, fault.NotFound) {
				return KnownRule{}, missing
			}
			return KnownRule{}, err
		}
		k, err := findRule(ctx, tx, city, id)
		if err != nil {
			return k, err
		}
		if err := s.bumpSoon(ctx, tx, city); err != nil {
			return k, err
		}
		return k, noteRule(ctx, tx, by, k, "territory.withdraw")
	})
}

// mayWarn: whoever dispatches or keeps the knowledge base.
func mayWarn(by actor.Actor, city int) error {
	if by.MayAny(actor.KnowledgeWrite, city) || by.MayAny(actor.CaseDispatch, city) {
		return nil
	}
	return by.May(actor.CaseDispatch, actor.On{City: city})
}

// MarkConfusable notes that two communities are taken for each other.
func (s *Service) MarkConfusable(ctx context.Context, by actor.Actor, city int, p Pair, note string) error {
	if err := mayWarn(by, city); err != nil {
		return err
	}
	a, b := min(p.A, p.B), max(p.A, p.B)
	var c fault.Check
	c.That(a != "" && a != b, "b", "territory.two_communities")
	c.That(len([]rune(note)) <= 500, "note", "field.too_long", "max", 500)
	if err := c.Err(); err != nil {
		return err
	}
	return db.Do(ctx, s.db, func(tx *db.Tx) error {
		for _, id := range []string{a, b} {
			if err := communityExists(ctx, tx, city, id); err != nil {
				return err
			}
		}
		_, err := db.Exec(ctx, tx, `INSERT INTO confusable (city_id, a, b, note, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (city_id, a, b) DO UPDATE SET note = excluded.note`, city, a, b, strings.TrimSpace(note), tx.Now, by.ID)
		if err != nil {
			return fmt.Errorf("mark confusable communities: %w", err)
		}
		return s.noteConfusable(ctx, tx, by, Confusable{City: city, A: a, B: b}, "territory.confusable")
	})
}

// UnmarkConfusable takes such a note back.
func (s *Service) UnmarkConfusable(ctx context.Context, by actor.Actor, city int, p Pair) error {
	if err := mayWarn(by, city); err != nil {
		return err
	}
	a, b := min(p.A, p.B), max(p.A, p.B)
	return db.Do(ctx, s.db, func(tx *db.Tx) error {
		n, err := db.Exec(ctx, tx, `DELETE FROM confusable WHERE city_id = $1 AND a = $2 AND b = $3`, city, a, b)
		if err != nil {
			return fmt.Errorf("unmark confusable communities: %w", err)
		}
		if n == 0 {
			return nil
		}
		return s.noteConfusable(ctx, tx, by, Confusable{City: city, A: a, B: b}, "territory.not_confusable")
	})
}

func (s *Service) noteConfusable(ctx context.Context, tx *db.Tx, by actor.Actor, c Confusable, act string) error {
	if err := s.BumpIn(ctx, tx, c.City); err != nil { // rare, and whoever says it looks at once whether it holds
		return err
	}
	return audit.Record(ctx, tx, by, c.City, audit.Act{Subject: "confusable:" + c.A, Act: act, Body: map[string]any{"a": c.A, "b": c.B}})
}

// Doubts lists where callers and seats go wrong: names that two communities share, other names that are somebody's name,
// communities near another company's ground, and those marked as confusable.
func (s *Service) Doubts(ctx context.Context, by actor.Actor, city int, kind DoubtKind) ([]Doubt, error) {
	if err := mayRead(by, city); err != nil {
		return nil, err
	}
	x, err := s.cache.index(ctx, nil, city, s.db.Now().Date())
	if err != nil {
		return nil, err
	}
	return x.Doubts(kind, s.db.Now().Date()), nil
}

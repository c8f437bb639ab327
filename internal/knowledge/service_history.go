package knowledge

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
)

// Past is a version of an article with the names of who wrote and who approved it.
type Past struct {
	Version
	AuthorName   string `json:"author_name"`
	ReviewerName string `json:"reviewer_name,omitempty"`
	Live         bool   `json:"live"`
}

// History lists the versions of an article, the newest first. Those who only read do not see what is still being written.
func (s *Service) History(ctx context.Context, by actor.Actor, city int, article string) ([]Past, error) {
	if err := mayRead(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Past, error) {
		all, err := versionsOf(ctx, tx, city, article)
		if err != nil {
			return nil, err
		}
		if !by.MayAny(actor.KnowledgeWrite, city) {
			all = slices.DeleteFunc(all, func(v Version) bool { return v.Effective.IsZero() })
		}
		if len(all) == 0 {
			return nil, fault.New(fault.NotFound, "not_found")
		}
		live, ok, err := findLive(ctx, tx, city, article)
		if err != nil {
			return nil, err
		}
		var ids []string
		for _, v := range all {
			ids = append(ids, v.Author, v.Reviewer)
		}
		names, err := staff.NamesOf(ctx, tx, ids)
		if err != nil {
			return nil, err
		}
		out := make([]Past, len(all))
		for i, v := range all {
			out[i] = Past{Version: v, AuthorName: names[v.Author], ReviewerName: names[v.Reviewer], Live: ok && v.No == live.No}
		}
		return out, nil
	})
}

// Value is a value of the city's rules that an article may name, and what it says today.
type Value struct {
	Ref  string               `json:"ref"`
	Says map[text.Lang]string `json:"says"`
}

// Values lists what an article may name, for those who write.
func (s *Service) Values(ctx context.Context, by actor.Actor, city int) ([]Value, error) {
	if err := by.May(actor.KnowledgeWrite, actor.On{City: city}); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Value, error) {
		rules, err := s.o.Rules(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		var out []Value
		for _, ref := range Refs() {
			says := map[text.Lang]string{}
			for _, l := range []text.Lang{text.ZH, text.EN} {
				says[l] = fill(rules, l, tx.Now, "{"+ref+"}")
			}
			out = append(out, Value{ref, says})
		}
		return out, nil
	})
}

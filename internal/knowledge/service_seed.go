package knowledge

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

//go:embed seed/*.yaml
var seedFiles embed.FS

// Seed is an article that comes with the program.
type Seed struct {
	Code  string `yaml:"code"`
	Kind  Kind   `yaml:"kind"`
	Texts `yaml:",inline"`
}

// Seeds lists the articles that come with the program.
func Seeds() ([]Seed, error) {
	names, err := fs.Glob(seedFiles, "seed/*.yaml")
	if err != nil {
		return nil, err
	}
	var all []Seed
	for _, name := range names {
		b, err := seedFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var list []Seed
		if err := yaml.UnmarshalWithOptions(b, &list, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// Plant adds the articles that come with the program and are not in the city yet; it tells how many. They are published
// at once only where the installation itself plants them for a demonstration; else they are drafts that two people of the
// city review.
func (s *Service) Plant(ctx context.Context, by actor.Actor, city int, publish bool) (int, error) {
	if err := by.May(actor.KnowledgeWrite, actor.On{City: city}); err != nil {
		return 0, err
	}
	if publish && by.Kind != actor.System {
		return 0, fault.New(fault.Denied, "knowledge.not_oneself")
	}
	seeds, err := Seeds()
	if err != nil {
		return 0, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (int, error) {
		n := 0
		for _, seed := range seeds {
			have, err := hasCode(ctx, tx, city, seed.Code)
			if err != nil {
				return n, err
			}
			if have {
				continue
			}
			if err := plant(ctx, tx, by, city, seed, publish); err != nil {
				return n, fmt.Errorf("plant %s: %w", seed.Code, err)
			}
			n++
		}
		return n, nil
	})
}

func plant(ctx context.Context, tx *db.Tx, by actor.Actor, city int, seed Seed, publish bool) error {
	a := Article{City: city, ID: tx.NewID(), Code: seed.Code, Kind: seed.Kind, Owner: by.ID, LastNo: 1, Created: tx.Now, Version: 1}
	v := Version{
		City: city, Article: a.ID, No: 1, Kind: seed.Kind, Texts: seed.Texts, Search: searchText(seed.Texts), State: Draft, Author: by.ID,
		ReviewOn: tx.Now.Date().AddMonths(12), Created: tx.Now, Version: 1,
	}
	if publish {
		v.State, v.Effective, v.Decided, v.Reviewer = Published, tx.Now, tx.Now, by.ID
	}
	if err := insertArticle(ctx, tx, a); err != nil {
		return err
	}
	if err := insertVersion(ctx, tx, v); err != nil {
		return err
	}
	return note(ctx, tx, by, v, "plant", map[string]any{"code": seed.Code, "published": publish})
}

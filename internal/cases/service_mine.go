package cases

import (
	"cmp"
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/db"
)

// Mine is a case as it stands among a resident's own.
type Mine struct {
	Progress
	Account string // household it is about, empty where nobody took it down
	Caller  bool   // they reported it themselves
	Worker  string // who is to come, an id of staff; empty: nobody was named
}

// mostMine is how many cases a resident sees in one list: a winter's of one home, by far.
const mostMine = 30

// MineOf lists the cases that a resident reported and those about their homes, newest first. The caller has proved who they
// are and which homes are theirs. What somebody else asked to keep secret stays theirs alone.
func (s *Service) MineOf(ctx context.Context, city int, person string, accounts []string) ([]Mine, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Mine, error) {
		all, err := ofCaller(ctx, tx, city, person, mostMine)
		if err != nil {
			return nil, err
		}
		for _, account := range accounts {
			some, err := ofAccount(ctx, tx, city, account, mostMine)
			if err != nil {
				return nil, err
			}
			for _, c := range some {
				if !c.Secret && !slices.ContainsFunc(all, func(o Case) bool { return o.ID == c.ID }) {
					all = append(all, c)
				}
			}
		}
		slices.SortFunc(all, func(a, b Case) int { return cmp.Compare(b.Seq, a.Seq) })
		var out []Mine
		for _, c := range all[:min(len(all), mostMine)] {
			p, err := s.progress(ctx, tx, c)
			if err != nil {
				return nil, err
			}
			out = append(out, Mine{Progress: p, Account: c.Account, Caller: c.CallerID == person, Worker: c.Worker})
		}
		return out, nil
	})
}

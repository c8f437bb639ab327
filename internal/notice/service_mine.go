package notice

import (
	"context"

	"github.com/rehu-heat/rehu/internal/db"
)

// Mine is a question that waits for a resident's word, with the token of its page.
type Mine struct {
	Asked
	Token string
}

// MineOf lists the questions that a resident may still answer. The caller has proved who they are.
func (s *Service) MineOf(ctx context.Context, city int, person string) ([]Mine, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Mine, error) {
		open, err := openQuestions(ctx, tx, city, person)
		if err != nil {
			return nil, err
		}
		var out []Mine
		for _, q := range open {
			n, err := find(ctx, tx, city, q.Notice)
			if err != nil {
				return nil, err
			}
			out = append(out, Mine{Asked{Question: q, Text: n.Text, Template: n.Template, Params: n.Params}, token(s.o.Ring, city, q.ID)})
		}
		return out, nil
	})
}

package notice

import (
	"context"
	"math/big"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Cost is what messages of one channel, class and price came to.
type Cost struct {
	Channel  Channel `db:"channel" json:"channel"`
	Class    Class   `db:"class" json:"class"`
	Price    string  `db:"price" json:"price,omitempty"` // yuan for a part; empty = unknown
	Messages int     `db:"messages" json:"messages"`
	Parts    int     `db:"parts" json:"parts"`
	Sum      string  `db:"-" json:"sum,omitempty"` // yuan, exact; empty where the price is unknown
}

// Costs adds up what the messages cost that left in the days from one to another, both counted.
func (s *Service) Costs(ctx context.Context, by actor.Actor, city int, from, to civil.Date) ([]Cost, error) {
	if err := mayList(by, city); err != nil {
		return nil, err
	}
	var c fault.Check
	c.That(!from.IsZero(), "from", "field.required")
	c.That(!to.IsZero(), "to", "field.required")
	if c.Err() == nil {
		c.That(!to.Before(from), "to", "case.to_before_from")
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	out, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Cost, error) { return costs(ctx, tx, city, from.Start(), to.End()) })
	for i := range out {
		out[i].Sum = times(out[i].Price, out[i].Parts)
	}
	return out, err
}

// times multiplies a price, an exact decimal, without rounding.
func times(price string, parts int) string {
	p, ok := new(big.Rat).SetString(price)
	if !ok {
		return ""
	}
	p.Mul(p, big.NewRat(int64(parts), 1))
	n, exact := p.FloatPrec()
	if !exact {
		n = 6
	}
	return p.FloatString(max(2, n))
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fee"
	homes "github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

const (
	settleCity   = 990100
	settleSeason = "2025-2026"
	million      = 1_000_000
	settlePart   = 1000 // claims of a transaction, on both sides
)

// settlement measures a season's settlement of very many claims of thirty cold days each, while somebody else keeps writing:
// ns are for one claim, the p99 column is how long the other writer waited.
func settlement(ctx context.Context, o Options, out func(Line) error) error {
	n := o.N
	if n == 0 {
		n = million
	}
	p, err := open(ctx, o, nil)
	if err != nil {
		return err
	}
	defer p.close()
	p.db.SetClock(func() civil.Instant { return civil.On(civil.NewDate(2026, 4, 1), 9, 0) })
	s, err := coldCity(ctx, p.db, n, o)
	if err != nil {
		return err
	}
	if err := analyze(ctx, p.db); err != nil {
		return err
	}
	watch := seat(ctx, p.db)
	start := time.Now()
	x, err := s.Settle(ctx, actor.SystemFor("bench", actor.Command), settle.RunInput{
		City: settleCity, Season: settleSeason, Progress: func(done, total int64) { o.tell(int(done), int(total)) },
	})
	ours := time.Since(start)
	waited, seatErr := watch()
	if err := errors.Join(err, seatErr); err != nil {
		return err
	}
	if x.Claims != int64(n) {
		return fmt.Errorf("%d of %d claims were settled", x.Claims, n)
	}
	start = time.Now()
	if err := byHand(ctx, p.db, x.ID); err != nil {
		return err
	}
	raw := time.Since(start)
	return out(line("settle", p.db, n, ours.Nanoseconds()/int64(n), raw.Nanoseconds()/int64(n), float64(waited.Microseconds())/1000))
}

// frozen is a city of cold homes, with what else is needed to give its refunds away.
type frozen struct {
	*settle.Service
	ring   *secret.Ring
	places *homes.Service
	fees   *fee.Service
}

// coldCity makes a city with so many claims: one is reckoned as a measurement makes it, the others are copies of its row.
func coldCity(ctx context.Context, d *db.DB, n int, o Options) (*frozen, error) {
	ring, err := secret.ParseRing("bench:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		return nil, err
	}
	set, err := citypack.Load(packs.FS)
	if err != nil {
		return nil, err
	}
	pack, err := set.City(settleCity)
	if err != nil {
		return nil, err
	}
	rules := func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return &citypack.Rules{Pack: pack}, nil }
	places := homes.New(d, ring)
	lists := register.New(register.Options{DB: d, Ring: ring, Places: places, Territories: territory.NewService(d, places, time.Now)})
	_, err = lists.Import(ctx, actor.SystemFor("bench", actor.Command), register.Request{City: settleCity, Kind: homes.Households},
		strings.NewReader("account,building,unit,room,area_m2,price_class\nH0,1,1,101,98.50,resident\n"))
	if err != nil {
		return nil, fmt.Errorf("make a household: %w", err)
	}
	fees := fee.New(fee.Options{DB: d, Places: places, Rules: rules})
	s, err := settle.New(settle.Options{
		DB: d, Ring: ring, Places: places, Rules: rules, Fees: fees, Batch: settlePart,
		Events: func(context.Context, *db.Tx, int, string) ([]refund.Event, error) { return thirtyDays(), nil },
	})
	if err != nil {
		return nil, err
	}
	err = db.Do(ctx, d, func(tx *db.Tx) error {
		return s.RefreshIn(ctx, tx, actor.SystemFor("bench", actor.Job), settleCity, "H0")
	})
	if err != nil {
		return nil, fmt.Errorf("make a claim: %w", err)
	}
	return &frozen{s, ring, places, fees}, copyClaims(ctx, d, n, o)
}

// thirtyDays are the events of a home that was too cold for thirty days.
func thirtyDays() []refund.Event {
	first := civil.NewDate(2026, 1, 1)
	read := func(c celsius.Tenths) []refund.Reading { return []refund.Reading{{Room: "客厅", TempC: c}} }
	return []refund.Event{
		{Type: refund.Requested, At: civil.On(first, 9, 0)},
		{Type: refund.Tested, At: civil.On(first, 15, 0), By: refund.ByCompany, Readings: read(170), Record: "r1"},
		{Type: refund.Retested, At: civil.On(first.AddDays(30), 15, 0), By: refund.ByCompany, Readings: read(205), Record: "r2"},
	}
}

func copyClaims(ctx context.Context, d *db.DB, n int, o Options) error {
	for from := 1; from < n; from += settlePart {
		err := db.Do(ctx, d, func(tx *db.Tx) error {
			seed, err := db.One[settle.Claim](ctx, tx, `SELECT `+db.Columns[settle.Claim]("")+` FROM refund_claim WHERE city_id = $1 AND season = $2 AND account = 'H0'`, settleCity, settleSeason)
			if err != nil {
				return err
			}
			rows := make([]settle.Claim, 0, settlePart)
			for i := from; i < min(n, from+settlePart); i++ {
				c := seed
				c.Account, c.State = fmt.Sprintf("K%08d", i), settle.Confirmed
				rows = append(rows, c)
			}
			return db.InsertAll(ctx, tx, "refund_claim", rows)
		})
		if err != nil {
			return fmt.Errorf("copy claims: %w", err)
		}
		o.tell(from, n)
	}
	return nil
}

// seat is somebody at a desk who keeps writing one short transaction after the other, and notes how long each took.
func seat(ctx context.Context, d *db.DB) (stop func() (p99 time.Duration, err error)) {
	ctx, cancel := context.WithCancel(ctx)
	var took []time.Duration
	var failed error
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil && failed == nil {
			start := time.Now()
			err := db.Do(ctx, d, func(tx *db.Tx) error {
				_, err := db.Next(ctx, tx, settleCity, "bench")
				return err
			})
			if err != nil && ctx.Err() == nil {
				failed = err
			}
			if ctx.Err() == nil {
				took = append(took, time.Since(start))
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return func() (time.Duration, error) {
		cancel()
		done.Wait()
		if len(took) == 0 {
			return 0, failed
		}
		slices.Sort(took)
		return took[len(took)*99/100], failed
	}
}

// byHand reads the same claims and writes the same lines under another number, without assessing anything.
func byHand(ctx context.Context, d *db.DB, like string) error {
	columns := []string{"city_id", "settlement", "account", "company", "status", "confirmed", "counted", "amount_fen", "refused_fen", "prior_fen", "payable_fen", "open_fen"}
	after := ""
	for {
		read := func(tx *db.Tx) ([][]any, error) {
			var rows [][]any
			err := db.EachRow(ctx, tx, func(r []any) error {
				rows = append(rows, []any{settleCity, "by hand", r[0], r[1], "computed", true, 30, 72000, 0, 0, 72000, 0})
				return nil
			}, `SELECT account, company, state, facts, basis, basis_mark, claimed_at, version FROM refund_claim
				WHERE city_id = $1 AND season = $2 AND account > $3 ORDER BY account LIMIT $4`, settleCity, settleSeason, after, settlePart)
			return rows, err
		}
		rows, err := db.Read(ctx, d, read)
		if err != nil || len(rows) == 0 {
			return err
		}
		if b, ok := rows[len(rows)-1][2].([]byte); ok {
			after = string(b)
		} else {
			after, _ = rows[len(rows)-1][2].(string)
		}
		err = db.Do(ctx, d, func(tx *db.Tx) error { return db.InsertRows(ctx, tx, "settle_line", columns, rows) })
		if err != nil {
			return fmt.Errorf("write lines like those of %s by hand: %w", like, err)
		}
	}
}

package stats_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/stats"
)

// benchCases is the size at which a page of figures must stay under 100 ms: a season of a big city.
const benchCases = 1_000_000

// BenchmarkFigures measures the board, a month's rates and the counting of a day with a million cases. Filling the
// database takes minutes, so it runs only when asked for by name:
//
//	go test ./internal/stats -run '^$' -bench Figures -benchtime 20x
func BenchmarkFigures(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			if name == "postgres" && dbtest.Quick() {
				return
			}
			d := open(b)
			fill(b, d)
			s := stats.New(d, nil)
			began := time.Now()
			if _, err := s.Count(ctx, city); err != nil {
				b.Fatal(err)
			}
			b.Logf("counting every day: %s", time.Since(began))
			b.Run("board", func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Board(ctx, regulator, city); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("month", func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Rates(ctx, regulator, stats.Query{City: city, From: today.AddDays(-30), To: today}); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("count", func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Count(ctx, city); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// fill keeps a million cases of 120 days, the last 20,000 of them open, each of those with four limits.
func fill(b *testing.B, d *db.DB) {
	b.Helper()
	const batch, days, open = 5000, 120, 20_000
	const apart = days * 24 * time.Hour / benchCases
	now := dbtest.Start
	sums := map[tally]int64{}
	for from := 0; from < benchCases; from += batch {
		list := make([]cases.Case, batch)
		for i := range list {
			list[i] = benchCase(from+i, now.Add(-time.Duration(benchCases-from-i)*apart), from+i >= benchCases-open)
		}
		at := now
		if from < benchCases-open {
			at = list[0].ReceivedAt
		}
		d.SetClock(func() civil.Instant { return at })
		for _, c := range putCases(b, d, list) {
			c.N = 0
			sums[c]++
		}
		if from >= benchCases-open {
			benchClocks(b, d, list)
		}
	}
	d.SetClock(func() civil.Instant { return now })
	var folded []tally
	for c, n := range sums {
		c.ID, c.N, c.Folded = d.NewID(), n, true
		folded = append(folded, c)
		c.ID, c.Day = d.NewID(), "" // and over all days
		folded = append(folded, c)
	}
	err := db.Do(ctx, d, func(tx *db.Tx) error {
		if err := db.InsertAll(ctx, tx, "case_tally", folded); err != nil {
			return err
		}
		_, err := db.Exec(ctx, tx, `ANALYZE`)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d cases, %d rows of tally", benchCases, len(folded))
}

func benchCase(n int, at civil.Instant, open bool) cases.Case {
	c := cases.Case{
		Seq: int64(n + 1), ReceivedAt: at, DispatchedAt: at, Status: cases.Archived, Solved: "yes",
		Company: fmt.Sprintf("C%d", n%6), District: fmt.Sprintf("D%d", n%10), Category: fmt.Sprintf("K%d", n%8),
		Text: "家里暖气不热，只有十五度，老人在家，请尽快派人上门", Address: "丽华苑3号楼2单元601",
	}
	if open {
		c.Status, c.Solved = []cases.Status{cases.Dispatched, cases.Signed, cases.Handling, cases.FedBack}[n%4], ""
		c.DueAt = dbtest.Start.Add(time.Duration(n%20-8) * time.Hour)
		c.DueSort = int64(c.DueAt)
	}
	return c
}

func benchClocks(b *testing.B, d *db.DB, list []cases.Case) {
	b.Helper()
	var rows []clockRow
	err := db.Do(ctx, d, func(tx *db.Tx) error {
		rows = rows[:0]
		for _, c := range list {
			for _, code := range []string{"sign", "arrive", "feedback", "resident"} {
				rows = append(rows, clockRow{
					City: city, ID: tx.NewID(), Subject: c.Subject(), Code: code, Party: "unit", Org: c.Company, Unit: "hour", Amount: 2, State: "running",
					Started: c.ReceivedAt, From: c.ReceivedAt, Stepped: c.ReceivedAt, Due: c.DueAt, Version: 1,
				})
			}
		}
		return db.InsertAll(ctx, tx, "clock", rows)
	})
	if err != nil {
		b.Fatal(err)
	}
}

package bundle_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/settle"
)

// BenchmarkVerify checks the file of a settled season; households per second is what an auditor waits for.
func BenchmarkVerify(b *testing.B) {
	k := newPurse(b, dbtest.SQLite(b))
	k.cold("H1", 10, 30, 170, true)
	const households = 2000
	err := db.Do(context.Background(), k.d, func(tx *db.Tx) error {
		columns := db.Columns[settle.Claim]("")
		for i := 1; i < households; i++ {
			_, err := db.Exec(context.Background(), tx, `INSERT INTO refund_claim (`+columns+`) SELECT `+strings.Replace(columns, "account", "'K' || $3", 1)+`
				FROM refund_claim WHERE city_id = $1 AND season = $2 AND account = 'H1'`, city, winter, i)
			if err != nil {
				return err
			}
		}
		return nil
	})
	k.fatal(err)
	k.settled("")
	file := k.file()
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if r, err := bundle.Verify(strings.NewReader(file), bundle.Verification{}); err != nil || r.Claims != households {
			b.Fatal(r.Claims, err)
		}
	}
	b.ReportMetric(float64(households*b.N)/b.Elapsed().Seconds(), "households/s")
}

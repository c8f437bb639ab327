package db_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

// TestMigrationsKeepWhatWasKept: an installation of an earlier version has meter readings and refunds that were paid; afterwards
// each reading stands as a record of its own, and each refund is marked that may have been paid late, and no other.
func TestMigrationsKeepWhatWasKept(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) db.Options{
		"sqlite": func(t *testing.T) db.Options { return db.Options{File: filepath.Join(t.TempDir(), "old.db")} },
		"postgres": func(t *testing.T) db.Options {
			if dbtest.Quick() {
				return db.Options{File: filepath.Join(t.TempDir(), "old.db")}
			}
			return db.Options{URL: dbtest.EmptyPostgresURL(t)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			d, err := db.Open(ctx, open(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			if err := d.MigrateTo(ctx, 352); err != nil {
				t.Fatal(err)
			}
			if err := db.Do(ctx, d, old); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			type reading struct {
				Account string `db:"account"`
				On      string `db:"read_on"`
				Value   string `db:"value"`
				Ended   string `db:"ended"`
			}
			kept, err := db.Read(ctx, d, func(tx *db.Tx) ([]reading, error) {
				return db.List[reading](ctx, tx, `SELECT account, read_on, value, ended FROM meter_record WHERE city_id = $1 ORDER BY account, read_on`, 990100)
			})
			want := []reading{{"A1", "2025-11-02", "100", ""}, {"A1", "2025-12-01", "450.5", ""}, {"A2", "2025-11-02", "7", ""}}
			if diff := cmp.Diff(want, kept); err != nil || diff != "" {
				t.Errorf("readings afterwards (%v):\n%s", err, diff)
			}
			type order struct {
				Account string `db:"account"`
				Late    bool   `db:"paid_late"`
				Fen     int64  `db:"late_fen"`
			}
			orders, err := db.Read(ctx, d, func(tx *db.Tx) ([]order, error) {
				return db.List[order](ctx, tx, `SELECT account, paid_late, late_fen FROM payout WHERE city_id = $1 ORDER BY account`, 990100)
			})
			if diff := cmp.Diff([]order{{"A1", true, 0}, {"A2", false, 0}, {"A3", false, 0}}, orders); err != nil || diff != "" {
				t.Errorf("orders to pay afterwards (%v):\n%s", err, diff)
			}
		})
	}
}

// old is what an installation kept before: three readings, and one refund paid, one owed, one paid under a rule without a day.
func old(tx *db.Tx) error {
	ctx := context.Background()
	for _, r := range [][3]string{{"A1", "2025-11-02", "100"}, {"A1", "2025-12-01", "450.5"}, {"A2", "2025-11-02", "7"}} {
		_, err := db.Exec(ctx, tx, `INSERT INTO meter_reading (city_id, account, meter, season, read_on, kind, value, unit, kept_by, kept_at, version)
			VALUES ($1, $2, 'M-' || $2, '2025-2026', $3, 'monthly', $4, 'kwh', 'x', 1, 1)`, 990100, r[0], r[1], r[2])
		if err != nil {
			return err
		}
	}
	for _, p := range []struct {
		account, state string
		payBy          any
	}{{"A1", "paid", "2026-05-15"}, {"A2", "due", "2026-05-15"}, {"A3", "paid", nil}} {
		_, err := db.Exec(ctx, tx, `INSERT INTO payout (city_id, settlement, account, season, company, bearer, amount_fen, set_off_fen, method, payee, person, name, bank,
				bank_account, state, batch, reason, bank_ref, pay_by, paid_at, excused, invoice, invoice_no, notified_at, notice, told_by, created_at, version)
			VALUES ($1, 's', $2, '2025-2026', 'C1', '', 100, 0, 'bank', 'payer', '', '', '', '', $3, '', '', '', $4, 1, '', 'open', '', NULL, '', '', 1, 1)`,
			990100, p.account, p.state, p.payBy)
		if err != nil {
			return err
		}
	}
	return nil
}

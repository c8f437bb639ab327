package settle_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

// BenchmarkBillsWithCredits reads the bills of a settlement's portion whose homes all have a credit of the season before: all
// at once as a settlement does, and home by home. ns/op is for the whole portion.
func BenchmarkBillsWithCredits(b *testing.B) {
	const homes = 1000
	d := dbtest.SQLite(b)
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		b.Fatal(err)
	}
	set, err := citypack.Load(packs.FS)
	if err != nil {
		b.Fatal(err)
	}
	pack, err := set.City(city)
	if err != nil {
		b.Fatal(err)
	}
	places := place.New(d, ring)
	lists := register.New(register.Options{DB: d, Ring: ring, Places: places, Territories: territory.NewService(d, places, time.Now)})
	var rows strings.Builder
	accounts := make([]string, homes)
	for i := range accounts {
		accounts[i] = fmt.Sprintf("K%05d", i)
		fmt.Fprintf(&rows, "%s,1,1,%d,98.50,resident\n", accounts[i], i)
	}
	_, err = lists.Import(ctx, actor.SystemFor("bench", actor.Command), register.Request{City: city, Kind: place.Households}, strings.NewReader("account,building,unit,room,area_m2,price_class\n"+rows.String()))
	if err != nil {
		b.Fatal(err)
	}
	fees := fee.New(fee.Options{
		DB: d, Places: places, Rules: func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return &citypack.Rules{Pack: pack}, nil },
		Credits: func(_ context.Context, _ *db.Tx, _ int, accounts []string) ([]fee.Credit, error) {
			out := make([]fee.Credit, len(accounts))
			for i, a := range accounts {
				out[i] = fee.Credit{Account: a, Ref: "1-" + a, Season: season, Amount: yuan("10.00")}
			}
			return out, nil
		},
	})
	for name, part := range map[string]int{"at once": homes, "home by home": 1} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				err := db.Do(ctx, d, func(tx *db.Tx) error {
					for i := 0; i < homes; i += part {
						if got, err := fees.BillsIn(ctx, tx, city, nextSeason, accounts[i:i+part]); err != nil || len(got) != part {
							return fmt.Errorf("%d bills: %w", len(got), err)
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package register_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
)

// BenchmarkImportHouseholds imports a list of 20,000 households into an empty register, then again with every row changed.
// The longest wait of another writer is reported, since an import must never hold the database for long.
func BenchmarkImportHouseholds(b *testing.B) {
	const n = 20_000
	for b.Loop() {
		b.StopTimer()
		d := dbtest.SQLite(b)
		s := benchService(b, d)
		load := func(kind place.Kind, content io.Reader) {
			if _, err := s.Import(context.Background(), actor.SystemFor("bench", actor.Command), register.Request{City: city, Kind: kind}, content); err != nil {
				b.Fatal(err)
			}
		}
		load(place.Companies, strings.NewReader(companies))
		load(place.Communities, strings.NewReader(communities))
		first, second := manyHouseholds(n, "80"), manyHouseholds(n, "81")
		b.StartTimer()
		longest := watch(d, func() {
			load(place.Households, strings.NewReader(first))
			load(place.Households, strings.NewReader(second))
		})
		b.ReportMetric(float64(longest.Milliseconds()), "longest-wait-ms")
	}
}

func benchService(b *testing.B, d *db.DB) *register.Service {
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		b.Fatal(err)
	}
	places := place.New(d, ring)
	return register.New(register.Options{DB: d, Ring: ring, Places: places, Territories: territory.NewService(d, places, time.Now)})
}

func manyHouseholds(n int, m2 string) string {
	var b strings.Builder
	b.WriteString("account,community,district,building,unit,room,holder,phone,area_m2,use_type,price_class,heat_status,paid,station,zone,riser\n")
	for i := range n {
		fmt.Fprintf(&b, "H%08d,阳光花园,,%d,%d,%d01,张%d,138%08d,%s,居民,居民,用热,是,S1,低区,R%d\n", i, i%90, i%4, 1+i%20, i, i, m2, i%4)
	}
	return b.String()
}

// watch gives the longest that another writer waited while fn ran.
func watch(d *db.DB, fn func()) time.Duration {
	done, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		for {
			select {
			case <-done:
				longest <- most
				return
			case <-time.After(2 * time.Millisecond):
				from := time.Now()
				if err := db.Do(context.Background(), d, func(*db.Tx) error { return nil }); err == nil {
					most = max(most, time.Since(from))
				}
			}
		}
	}()
	fn()
	close(done)
	return <-longest
}

package dispatch_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
)

func TestLoadsCountWhatOneMaySee(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.open(cold())
		w.open(cold(func(o *cases.Opening) { o.Address, o.Room = "向阳花园3号楼2单元602", "602" }))
		w.open(cold(func(o *cases.Opening) { o.Address = "幸福里3号楼2单元601" })) // two estates of that name: nobody is told
		all, err := w.cases.Loads(ctx, sender, city)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all { // when the nearest limit ends is the pack's business
			all[i].Near = 0
		}
		want := []cases.Load{{Status: cases.Filed, N: 1}, {Status: cases.Dispatched, Company: "C1", N: 2}}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("loads (-want +got):\n%s", diff)
		}
		if got, err := w.cases.Loads(ctx, south, city); err != nil || len(got) != 0 {
			t.Errorf("another company sees %+v, %v", got, err)
		}
		w.now.Advance(30 * 24 * time.Hour)
		mine, err := w.cases.Loads(ctx, north, city)
		if err != nil || len(mine) != 1 || mine[0].Overdue != 2 {
			t.Errorf("a month later: %+v, %v; want two overdue", mine, err)
		}
	})
}

package measure_test

import (
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/measure"
)

// A list is narrowed to an estate by part of its name, to what is owed by the end of a day, and to the appointments of a day.
func TestListsAreNarrowed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.asks()
		today := w.now.Now().Date()
		from := civil.On(today.AddDays(1), 10, 0)
		_, err := w.m.Propose(ctx, north, measure.Proposal{Act: measure.Act{City: city, ID: m.ID}, From: from, To: from.Add(time.Hour), Recording: "R-1"})
		must(t, err)
		for _, c := range []struct {
			name string
			f    measure.Filter
			n    int
		}{
			{"part of the estate's name", measure.Filter{Community: "向阳"}, 1},
			{"another estate", measure.Filter{Community: "明月"}, 0},
			{"a sign of the pattern is no pattern", measure.Filter{Community: "%"}, 0},
			{"the day of the appointment", measure.Filter{Day: today.AddDays(1)}, 1},
			{"the day before", measure.Filter{Day: today}, 0},
			{"owed by the end of the day", measure.Filter{Due: today.AddDays(1)}, 1},
			{"owed the day before", measure.Filter{Due: today}, 0},
			{"all of it together", measure.Filter{Community: "花园", Day: today.AddDays(1), Due: today.AddDays(1)}, 1},
		} {
			got, err := w.m.List(ctx, regulator, city, c.f)
			must(t, err)
			if len(got.Items) != c.n {
				t.Errorf("%s: %d, want %d", c.name, len(got.Items), c.n)
			}
		}
	})
}

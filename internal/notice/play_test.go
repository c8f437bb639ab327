package notice_test

import (
	"testing"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/notice"
)

// TestAPlayedGatewayNeverTakesARealOnesPlace sets one up with and without a real one.
func TestAPlayedGatewayNeverTakesARealOnesPlace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, genuine := range []bool{true, false} {
			w := newWorld(t, d, genuine)
			w.service.Play(notice.SMS, lossy{w: w})
			if w.service.Played(notice.SMS) == genuine || !w.service.CanSend(notice.SMS) {
				t.Errorf("genuine %v: played %v", genuine, w.service.Played(notice.SMS))
			}
		}
	})
}

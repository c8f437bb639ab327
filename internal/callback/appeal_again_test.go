package callback_test

import (
	"testing"

	"github.com/rehu-heat/rehu/internal/callback"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

// A refused appeal may be made once more for another reason, never for the same one and never a third time.
func TestARefusedAppealNeedsNewGrounds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.closedAs("1102", "yes", "no")
		q := w.today()
		q.Rate, q.Place = callback.Satisfied, callback.Miss
		in := callback.Appealing{City: city, Outcome: w.outcomes(q)[0].ID, Rate: callback.Satisfied, Words: "用户私改管道", Proof: "照片3张"}
		for _, step := range []struct {
			reason callback.Reason
			want   string // of the refusal; empty: it is taken
		}{{callback.User, ""}, {callback.User, "callback.same_grounds"}, {callback.Force, ""}, {callback.Repeat, "callback.appealed_twice"}} {
			in.Reason = step.reason
			a, err := w.backs.Appeal(ctx, north, in)
			if step.want != "" {
				if !fault.Is(err, fault.Conflict) {
					t.Errorf("appeal for %s: %v, want %s", step.reason, err, step.want)
				}
				continue
			}
			if err != nil {
				t.Fatalf("appeal for %s: %v", step.reason, err)
			}
			if _, err := w.backs.Decide(ctx, head, callback.Deciding{City: city, ID: a.ID, Version: a.Version, Note: "理由不足"}); err != nil {
				t.Fatal(err)
			}
		}
		if f := figure(w.rates(w.today()).All, callback.Satisfied); f.Appeals.Refused != 2 || f.Denominator != 1 {
			t.Errorf("beside the figure: %+v", f)
		}
	})
}

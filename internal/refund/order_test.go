package refund_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/refund"
)

// TestEventsInAnyOrder: the order in which events are handed over says nothing; forms come late, in pieces and backwards.
func TestEventsInAnyOrder(t *testing.T) {
	t.Parallel()
	stream := events(t, "12-20 09:00 request; 12-21 10:00 test 17.2; 12-24 10:00 cure_claimed; 12-25 10:00 retest 16.5; 01-04 09:00 retest 18.5;"+
		"01-20 09:00 request; 01-20 15:00 test 15.8; 02-04 10:00 retest 19")
	for _, id := range []string{"linyi-2017", "weifang-2021", "binzhou-2016", "heze-2017"} {
		p := plan(t, id)
		in := claim(t)
		in.Events = stream
		var s refund.Scratch
		want, err := p.Assess(&in, &s)
		if err != nil || want.Refund == 0 {
			t.Fatalf("%s: %+v, %v", id, want, err)
		}
		rapid.Check(t, func(t *rapid.T) {
			in.Events = rapid.Permutation(stream).Draw(t, "order")
			got, err := p.Assess(&in, &s)
			if diff := cmp.Diff([]any{want.Status, want.Refund, want.Counted, want.PayBy}, []any{got.Status, got.Refund, got.Counted, got.PayBy}); err != nil || diff != "" {
				t.Fatalf("%s: %v %s", id, err, diff)
			}
		})
	}
}

package callback_test

import (
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/callback"
)

// The draw is the same for whoever knows the root, whatever order the closings come in, and another root draws others.
func TestChoose(t *testing.T) {
	t.Parallel()
	var all []callback.Outcome
	for i := range 40 {
		all = append(all, callback.Outcome{ID: fmt.Sprintf("o%02d", i), Company: []string{"C1", "C1", "C1", "C2"}[i%4]})
	}
	all = append(all, callback.Outcome{ID: "alone", Company: "C3"})
	one := callback.Choose("root", 20, all)
	perCompany := map[string]int{}
	for _, p := range one {
		perCompany[p.Outcome.Company]++
		if p.Rank < 1 || p.Rank > p.Of || len(p.Score) != 64 {
			t.Errorf("%s: rank %d of %d, score %q", p.Outcome.ID, p.Rank, p.Of, p.Score)
		}
	}
	if diff := gocmp.Diff(map[string]int{"C1": 6, "C2": 2, "C3": 1}, perCompany); diff != "" {
		t.Errorf("drawn of each company (-want +got):\n%s", diff)
	}
	slices.Reverse(all)
	ids := func(picks []callback.Pick) (out []string) {
		for _, p := range picks {
			out = append(out, p.Outcome.ID)
		}
		return out
	}
	if diff := gocmp.Diff(ids(one), ids(callback.Choose("root", 20, all))); diff != "" {
		t.Errorf("the order of the closings changed the draw:\n%s", diff)
	}
	if slices.Equal(ids(one), ids(callback.Choose("another root", 20, all))) {
		t.Error("another root draws the same")
	}
	if n := len(callback.Choose("root", 100, all)); n != len(all) {
		t.Errorf("100 %% draws %d of %d", n, len(all))
	}
}

func TestPercentNeverRoundsUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n, of int64
		want  string
	}{{0, 0, ""}, {1999, 2000, "99.9%"}, {2000, 2000, "100.0%"}, {1, 3, "33.3%"}} {
		if got := (callback.Figure{Numerator: c.n, Denominator: c.of}).Percent(); got != c.want {
			t.Errorf("%d of %d: %q, want %q", c.n, c.of, got, c.want)
		}
	}
}

// figure finds a figure of a group.
func figure(g callback.Group, r callback.Rate) callback.Figure {
	i := slices.IndexFunc(g.Figures, func(f callback.Figure) bool { return f.Rate == r })
	return g.Figures[i]
}

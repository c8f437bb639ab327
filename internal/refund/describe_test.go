package refund_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/text"
)

// Every published rule can be put into words in both languages, and what its law leaves open is said to be open.
func TestEveryRuleInWords(t *testing.T) {
	t.Parallel()
	silent := map[string][]refund.Topic{}
	for id, r := range published {
		for _, s := range refund.Describe(&r) {
			if s.Silent {
				silent[id] = append(silent[id], s.Topic)
			}
			lines := append(slices.Clone(s.Lines), text.Msg("refundrule.topic."+string(s.Topic)))
			for _, line := range lines {
				for _, l := range []text.Lang{text.ZH, text.EN} {
					if said := line.In(l); said == "" || strings.Contains(said, "refundrule.") || strings.Contains(said, "refund.") {
						t.Errorf("%s, %s: %q is no sentence", id, s.Topic, said)
					}
				}
			}
		}
	}
	if len(published) < 37 {
		t.Errorf("%d rules were read, want all 37", len(published))
	}
	for id, want := range map[string][]refund.Topic{"nuancheng-2025": nil, "linyi-2017": nil, "weifang-2021": {refund.AboutDivisor}} {
		if diff := cmp.Diff(want, silent[id]); diff != "" {
			t.Errorf("what %s leaves open (-want +got):\n%s", id, diff)
		}
	}
}

// The words are those of the figures that the engine computes with.
func TestRuleWords(t *testing.T) {
	t.Parallel()
	r := &citypack.RefundRule{
		Base:     citypack.Base{Kind: citypack.BaseWholeFee, Scope: "dwelling"},
		Divisor:  &citypack.Divisor{Kind: "statutory_days", Days: 121},
		Rounding: "half_up",
		Cure:     &citypack.Cure{Hours: 24, From: "test"},
		Presumed: []citypack.Presumed{{If: []string{"company_late"}, Then: "percent", Percent: "50", Days: "that_day"}},
		Deadline: &citypack.PayDeadline{Kind: "after_season_end", Months: 2},
	}
	got := map[refund.Topic]string{}
	for _, s := range refund.Describe(r) {
		var lines []string
		for _, l := range s.Lines {
			lines = append(lines, l.In(text.EN))
		}
		got[s.Topic] = strings.Join(lines, "; ")
	}
	want := map[refund.Topic]string{
		refund.AboutStandard: "", // nothing said
		refund.AboutBase:     "the whole fee; by the dwelling",
		refund.AboutDivisor:  "the season's fee over the statutory 121 days; the total is rounded to the fen, half up, once",
		refund.AboutCounting: "",
		refund.AboutCure:     "cured within 24 hours, no day counts; running from the end of the test",
		refund.AboutPresumed: "the company does not test in time: a refund of 50 percent; for that day only",
		refund.AboutDeadline: "within 2 months of the season's end",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the rule in words (-want +got):\n%s", diff)
	}
}

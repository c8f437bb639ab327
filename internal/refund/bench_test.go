package refund_test

import (
	"testing"

	"github.com/rehu-heat/rehu/internal/refund"
)

// BenchmarkAssess computes a claim of 30 days in two spells, from its events, as settling does it.
func BenchmarkAssess(b *testing.B) {
	p := plan(b, "linyi-2017")
	in := claim(b)
	in.Events = events(b, "12-20 09:00 request; 12-21 10:00 test 17.2; 12-24 10:00 cure_claimed; 12-25 10:00 retest 16.5; 01-04 09:00 retest 18.5;"+
		"01-20 09:00 request; 01-20 15:00 test 15.8; 02-04 10:00 retest 19")
	var s refund.Scratch
	b.ReportAllocs()
	for b.Loop() {
		r, err := p.Assess(&in, &s)
		if err != nil || r.Counted != 30 {
			b.Fatal(r, err)
		}
	}
}

// BenchmarkAssessDays computes a claim of 30 established days in three spells.
func BenchmarkAssessDays(b *testing.B) {
	p := plan(b, "weifang-2021")
	in := claim(b)
	in.Daily = []refund.DayFact{{TempC: 172, Days: 12}, {TempC: 158, Days: 10}, {TempC: 176, Days: 8}}
	var s refund.Scratch
	b.ReportAllocs()
	for b.Loop() {
		if r, err := p.Assess(&in, &s); err != nil || r.Counted != 30 {
			b.Fatal(r, err)
		}
	}
}

package territory_test

import (
	"runtime"
	"testing"

	"github.com/rehu-heat/rehu/internal/territory"
)

func BenchmarkAttribute(b *testing.B) {
	s := territory.BenchSnapshot(20000, 2000, 1)
	x := territory.Build(s)
	lng, lat := 117.0, 36.0
	for _, c := range []struct {
		name string
		q    territory.Query
	}{
		{"text", territory.Query{Text: territory.BenchComplaint(s.Communities[777])}},
		{"text and point", territory.Query{Text: territory.BenchComplaint(s.Communities[777]), Lng: &lng, Lat: &lat}},
		{"nothing found", territory.Query{Text: territory.BenchComplaint(territory.Community{Name: "某处"})}},
		{"road", territory.Query{Text: "建设路上的管道漏水"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				x.Attribute(c.q)
			}
		})
	}
}

func BenchmarkSuggest(b *testing.B) {
	x := territory.Build(territory.BenchSnapshot(20000, 2000, 1))
	for _, typed := range []string{"y", "yg", "阳光", "花园", "yangguang", "家"} {
		b.Run(typed, func(b *testing.B) {
			for b.Loop() {
				x.Suggest(typed, 10)
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	s := territory.BenchSnapshot(20000, 2000, 1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := territory.Build(s)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		territory.Build(s)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "index-MB")
	runtime.KeepAlive(x)
}

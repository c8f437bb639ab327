package citypack_test

import (
	"testing"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/packs"
)

// embedded loads the packs of the program; a fault in one fails with its file, line and key.
func embedded(t *testing.T) *citypack.Set {
	t.Helper()
	s, err := citypack.Load(packs.FS)
	for _, p := range citypack.ProblemsOf(err) {
		t.Error(p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryPackLoads(t *testing.T) {
	t.Parallel()
	embedded(t)
}

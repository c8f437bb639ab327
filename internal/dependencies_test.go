package internal_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestDependenciesAreExplained: every direct dependency has its line in the decision on dependencies, and no line is left over.
func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/adr/0005-dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	direct := map[string]bool{}
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		direct[r.Mod.Path] = true
		if !strings.Contains(string(page), "| `"+r.Mod.Path+"` |") {
			t.Errorf("%s has no line in docs/adr/0005-dependencies.md", r.Mod.Path)
		}
	}
	for l := range strings.Lines(string(page)) {
		if rest, ok := strings.CutPrefix(l, "| `"); ok {
			if name, _, _ := strings.Cut(rest, "`"); !direct[name] {
				t.Errorf("docs/adr/0005-dependencies.md explains %s, which go.mod does not require", name)
			}
		}
	}
}

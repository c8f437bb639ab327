package internal_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/rehu-heat/rehu/"

// order is the architecture: words, platform, capabilities, delivery. A package imports only packages before it.
var order = []string{
	// words
	"fault", "civil", "money", "celsius", "text", "page", "flow", "actor", "calendar", "geo", "sim", "jsonl", "sheet",
	// platform
	"config", "db", "secret", "audit", "once", "jobs", "blob", "paper", "backup", "outward",
	// capabilities
	"citypack", "refund", "staff", "notice", "place", "resident", "weather", "basemap", "equipment", "fee", "territory", "register", "clock", "knowledge", "cases",
	"dispatch", "outage", "measure", "finding", "settle", "handover", "bulletin", "callback", "channel", "clue", "wechat", "mail", "webpush", "webhook", "exchange", "call",
	"staffing", "stats", "bundle",
	// delivery
	"httpx", "app", "demo", "bench", "web", "api", "cli",
}

func TestImportOrder(t *testing.T) {
	rank := make(map[string]int, len(order))
	for i, p := range order {
		rank[p] = i
	}
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		own, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		if _, ok := rank[own]; !ok {
			t.Errorf("%s: package %s stands nowhere in the order", path, own)
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			name := strings.Trim(i.Path.Value, `"`)
			rest, ours := strings.CutPrefix(name, module+"internal/")
			if !ours {
				continue
			}
			other, _, _ := strings.Cut(rest, "/")
			if other == own {
				continue
			}
			if r, ok := rank[other]; !ok || r >= rank[own] {
				t.Errorf("%s imports %s, which does not stand before %s", path, other, own)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

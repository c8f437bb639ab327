package internal_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/cli"
)

var (
	docLink    = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	docExample = regexp.MustCompile("(?s)\\*\\*([a-z]+)\\*\\* —.*?```(?:csv|json)\n(.*?)```")
	docCommand = regexp.MustCompile(`(?:^|[|&] |-u rehu |bin/)rehu ((?:[a-z-]+ )*[a-z-]+)((?: [^|;&)` + "`" + `]*)?)`)
	docFlag    = regexp.MustCompile(`--[a-z-]+`)
	docTarget  = regexp.MustCompile(`\bmake ([a-z-]+)`)
)

// documents are the pages written for people, by their name from the top folder.
func documents(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../docs/adr/*.md", "../packs/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if name != "../THIRD_PARTY.md" { // the licences of others
				out[strings.TrimPrefix(name, "../")] = string(b)
			}
		}
	}
	return out
}

// TestDocumentsLinkToWhatExists follows every relative link and looks for every target of make.
func TestDocumentsLinkToWhatExists(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range documents(t) {
		for _, m := range docLink.FindAllStringSubmatch(page, -1) {
			if strings.HasSuffix(m[1], ".png") { // made by the browser tests
				continue
			}
			if _, err := os.Stat(filepath.Join("..", filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
			}
		}
		for _, m := range codeOf(page) {
			for _, target := range docTarget.FindAllStringSubmatch(m, -1) {
				if !bytes.Contains(makefile, []byte("\n"+target[1]+":")) {
					t.Errorf("%s speaks of make %s, which the Makefile does not have", name, target[1])
				}
			}
		}
	}
}

// codeOf gives the blocks and spans of a page that are set as code.
func codeOf(page string) []string {
	var out []string
	for i, part := range strings.Split(page, "```") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		for j, span := range strings.Split(part, "`") {
			if j%2 == 1 {
				out = append(out, span)
			}
		}
	}
	return out
}

// rehu runs a command of the program inside the test.
func rehu(in string, args ...string) (status int, out string) {
	var b bytes.Buffer
	status = cli.Main(context.Background(), cli.Process{
		Args: append([]string{"--lang=en"}, args...), Environ: func() []string { return nil }, In: strings.NewReader(in), Out: &b, Err: &b, Version: "test",
	})
	return status, b.String()
}

// TestDocumentedCommandsExist: every command in the documentation is one, with every flag that is shown with it.
func TestDocumentedCommandsExist(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, page := range documents(t) {
		for _, code := range codeOf(page) {
			for line := range strings.Lines(code) {
				for _, m := range docCommand.FindAllStringSubmatch(strings.TrimSpace(line), -1) {
					checkCommand(t, name, strings.Fields(m[1]), docFlag.FindAllString(m[2], -1), seen)
				}
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d commands were found; this test has lost sight of them", len(seen))
	}
}

// checkCommand asks the command for its help, with as many of the words as are commands.
func checkCommand(t *testing.T, page string, words, flags []string, seen map[string]string) {
	t.Helper()
	var help string
	for n := len(words); n > 0 && help == ""; n-- {
		key := strings.Join(words[:n], " ")
		if _, ok := seen[key]; !ok {
			if status, out := rehu("", append(slices.Clone(words[:n]), "--help")...); status == 0 {
				seen[key] = out
			}
		}
		help = seen[key]
	}
	if help == "" {
		t.Errorf("%s: there is no command rehu %s", page, strings.Join(words, " "))
	}
	for _, f := range flags {
		if help != "" && !strings.Contains(help, f) {
			t.Errorf("%s: rehu %s has no flag %s", page, strings.Join(words, " "), f)
		}
	}
}

// TestGuideExamplesImport imports every example of the operators' guide, and a second time, which changes nothing. The
// Chinese guide shows the same examples.
func TestGuideExamplesImport(t *testing.T) {
	t.Parallel()
	pages, dir := documents(t), t.TempDir()
	data := filepath.Join(dir, "data")
	examples := docExample.FindAllStringSubmatch(pages["docs/operators-guide.md"], -1)
	var kinds []string
	for _, m := range examples {
		kinds = append(kinds, m[1])
		if !strings.Contains(pages["docs/operators-guide.zh-CN.md"], m[2]) {
			t.Errorf("the Chinese guide shows another example of %s", m[1])
		}
		importExample(t, dir, data, m[1], m[2])
	}
	want := []string{"companies", "areas", "communities", "buildings", "households", "duty", "fees", "meters", "cases", "clues", "holidays"}
	if !slices.Equal(kinds, want) {
		t.Errorf("the guide has examples of %v; want %v", kinds, want)
	}
}

func importExample(t *testing.T, dir, data, kind, body string) {
	t.Helper()
	file := filepath.Join(dir, kind+".csv")
	switch kind {
	case "areas":
		file = filepath.Join(dir, "areas.geojson")
	case "holidays":
		file = filepath.Join(dir, "2027.json")
	}
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", kind, "--city=140100", "--data=" + data, file}
	if kind == "areas" {
		args = append(args, "--version=2026-27", "--from=2026-11-01", "--source=并城管〔2026〕12号", "--crs=gcj02")
	}
	unchanged := regexp.MustCompile(`\b0 (added|taken over|new)|Nothing changed`)
	for again := range 2 {
		status, out := rehu("", args...)
		if status != 0 || unchanged.MatchString(out) != (again == 1) {
			t.Errorf("import %s, time %d: status %d, %s", kind, again+1, status, out)
		}
	}
}

package static_test

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/web/static"
)

func TestFilesAreKeptForEverAndPackedOnce(t *testing.T) {
	t.Parallel()
	at := static.Path("app.css")
	r := httptest.NewRequest("GET", at, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, r)
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	want, _ := static.Open("app.css")
	if err != nil || string(got) != string(want) {
		t.Errorf("the packed file differs: %v", err)
	}
	if c := w.Header().Get("Cache-Control"); !strings.Contains(c, "immutable") {
		t.Errorf("Cache-Control of %s: %q", at, c)
	}
	old := httptest.NewRecorder() // a page of the program before this one
	static.Handler().ServeHTTP(old, httptest.NewRequest("GET", "/static/000000000000/app.css", nil))
	if c := old.Header().Get("Cache-Control"); old.Code != 200 || strings.Contains(c, "immutable") {
		t.Errorf("an old address: %d, Cache-Control %q", old.Code, c)
	}
	gone := httptest.NewRecorder()
	static.Handler().ServeHTTP(gone, httptest.NewRequest("GET", "/static/"+strings.Split(at, "/")[2]+"/../static.go", nil))
	if gone.Code != 404 {
		t.Errorf("a file that is not served: %d", gone.Code)
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	staff := static.Size("app.css") + static.Size(static.HTMX) + static.Size(static.SSE) + static.Size(static.Icons)
	for _, js := range []string{"boot", "rows", "sla", "dialog", "toast", "form", "auto", "live"} {
		staff += static.Size("js/" + js + ".js")
	}
	if most := 45 << 10; staff > most {
		t.Errorf("staff's files are %d bytes packed, more than %d", staff, most)
	}
	if citizen, most := static.Size("m.css")+static.Size(static.Icons), 9<<10; citizen > most {
		t.Errorf("residents' files are %d bytes packed, more than %d", citizen, most)
	}
}

// Old kernels inside WeChat drop a whole rule they do not understand.
func TestResidentsStylesAreOld(t *testing.T) {
	t.Parallel()
	m, _ := static.Open("m.css")
	f, _ := static.Open("f.css")
	css := append(append([]byte{}, m...), f...)
	for _, no := range []string{"@layer", ":has(", "dvh", "@container", "inset:", "gap:", ":is(", ":where(", "clamp(", "color-mix", "&", "!important"} {
		if strings.Contains(string(css), no) {
			t.Errorf("m.css or f.css uses %q", no)
		}
	}
}

func TestScriptsAreSmallAndKeepToThePolicy(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("js/*.js")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	bad := regexp.MustCompile(`\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write|setAttribute\('style'|\b(alert|confirm|prompt)\(`)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n >= 150 {
			t.Errorf("%s has %d lines; one behaviour a file", f, n)
		}
		if m := bad.Find(b); m != nil {
			t.Errorf("%s uses %s", f, m)
		}
	}
}

func TestEveryIconThatPagesUseIsInTheSprite(t *testing.T) {
	t.Parallel()
	sprite, _ := static.Open(static.Icons)
	use := regexp.MustCompile(`(?:Icon|Act|Opener|LinkButton)\("([a-z0-9-]+)"`)
	for _, dir := range []string{"..", "../ui"} {
		files, err := filepath.Glob(dir + "/*.templ")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range use.FindAllStringSubmatch(string(b), -1) {
				if !strings.Contains(string(sprite), `id="`+m[1]+`"`) {
					t.Errorf("%s uses the icon %q, which vendor/icons.txt does not list", f, m[1])
				}
			}
		}
	}
}

// Scripts of the telephone run in kernels of Chrome 78: syntax that is too new would leave a worker with nothing.
func TestFieldScriptsAreOld(t *testing.T) {
	t.Parallel()
	young := regexp.MustCompile(`\w\?\.[a-zA-Z(\[]|\?\?|\|\|=|&&=|\.at\(|\.replaceAll\(|replaceChildren|structuredClone|findLast|hasOwn\(|randomUUID|^await |this\.#|\.toSorted|Promise\.any`)
	packed := 0
	for _, at := range append(static.FieldFiles(), static.Path("js/sw.js")) {
		name := strings.SplitN(at, "/", 4)[3]
		packed += static.Size(name)
		b, ok := static.Open(name)
		if !ok || !strings.HasSuffix(name, ".js") {
			continue
		}
		for i, line := range strings.Split(string(b), "\n") {
			if young.MatchString(line) && !strings.HasPrefix(strings.TrimSpace(line), "//") {
				t.Errorf("%s:%d is too new: %s", name, i+1, line)
			}
		}
	}
	if most := 31 << 10; packed > most {
		t.Errorf("the telephone's files are %d bytes packed, more than %d", packed, most)
	}
}

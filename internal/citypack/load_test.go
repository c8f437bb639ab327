package citypack_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/packs"
)

var update = flag.Bool("update", false, "write the golden files")

var loaded = sync.OnceValues(func() (*citypack.Set, error) { return citypack.Load(packs.FS) })

// embedded loads the packs of the program; a fault in one fails with its file, line and key.
func embedded(t *testing.T) *citypack.Set {
	t.Helper()
	s, err := loaded()
	for _, p := range citypack.ProblemsOf(err) {
		t.Error(p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func city(t *testing.T, code int) *citypack.Pack {
	t.Helper()
	p, err := embedded(t).City(code)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryPackLoads(t *testing.T) {
	t.Parallel()
	s := embedded(t)
	have := map[int]string{}
	for _, c := range s.Cities() {
		have[c.Code] = c.Name.ZH
	}
	for code, name := range map[int]string{
		140100: "太原", 370800: "济宁", 130100: "石家庄", 370700: "潍坊", 410400: "平顶山",
		110000: "北京", 371400: "德州", 990100: "暖城",
	} {
		if have[code] != name {
			t.Errorf("city %d is %q, want %q", code, have[code], name)
		}
	}
	for _, code := range []int{0, 370000, 123456} {
		if _, err := s.City(code); !fault.Is(err, fault.NotFound) {
			t.Errorf("City(%d): %v, want not found", code, err)
		}
	}
}

// TestFaultsNameFileLineAndKey keeps what a person who writes a pack gets to read: one faulty pack per file in testdata.
func TestFaultsNameFileLineAndKey(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d faulty packs: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, p := range embedded(t).CheckIn("packs/"+filepath.Base(name), b) {
				got.WriteString(p.In(text.EN) + "\n" + p.In(text.ZH) + "\n")
			}
			golden := strings.TrimSuffix(name, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.Len() == 0 {
				t.Error("no fault was found")
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadRefusesAFaultyPack(t *testing.T) {
	t.Parallel()
	_, err := citypack.Load(fstest.MapFS{"x.yaml": {Data: []byte("code: 1\n")}})
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("%v, want invalid", err)
	}
	if p := citypack.ProblemsOf(err); len(p) == 0 || p[0].File != "packs/x.yaml" || p[0].Line != 1 {
		t.Errorf("problems %v", p)
	}
}

func TestTheSameCityTwice(t *testing.T) {
	t.Parallel()
	one := &fstest.MapFile{Data: []byte("code: \"123400\"\nlevel: city\nname: {zh: 甲, en: A}\nedition: \"1\"\n")}
	_, err := citypack.Load(fstest.MapFS{"a.yaml": one, "b.yaml": one})
	p := citypack.ProblemsOf(err)
	if len(p) != 1 || p[0].File != "packs/b.yaml" || p[0].Key != "code" {
		t.Errorf("problems %v", p)
	}
}

// TestAFolderOverridesTheEmbeddedPack: a city that writes its own pack needs no new program.
func TestAFolderOverridesTheEmbeddedPack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own := `code: "370800"
level: city
parent: "370000"
name: {zh: 济宁, en: Jining}
edition: "2027-1"
laws:
  own: {title: {zh: 本市规定, en: Our rule}}
standard:
  bedroom: [{value: "20", source: {law: own}, confidence: primary}]
`
	if err := os.WriteFile(filepath.Join(dir, "jining.yaml"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	s := embedded(t)
	over, err := citypack.LoadDir(s, dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := over.City(370800)
	if err != nil {
		t.Fatal(err)
	}
	bedroom, _ := p.Standard("bedroom", noon(1, 15))
	living, _ := p.Standard("living_room", noon(1, 15))
	if p.Edition != "2027-1" || bedroom.Value != 200 || living.Value != 180 || bedroom.Source.Law != "本市规定" {
		t.Errorf("edition %s, bedroom %+v, living room %+v", p.Edition, bedroom, living)
	}
	if p, _ := s.City(370800); p.Edition == "2027-1" {
		t.Error("the embedded set has changed")
	}
}

func TestSchemaHasNoOpenEnds(t *testing.T) {
	t.Parallel()
	s := string(citypack.Schema())
	for _, want := range []string{`"https://json-schema.org/draft/2020-12/schema"`, `"first_days"`, `"counting"`, `"min_confidence"`} {
		if !strings.Contains(s, want) {
			t.Errorf("the schema lacks %s", want)
		}
	}
	if problems := citypack.Check("x.yaml", []byte("code: \"123400\"\nlevel: city\nname: {zh: 甲, en: A}\nedition: \"1\"\n")); len(problems) > 0 {
		t.Errorf("the smallest pack is refused: %v", problems)
	}
}

package internal_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/db"
)

var (
	declares    = regexp.MustCompile(`^-- rehu:table ([a-z_0-9]+) (tenant|reference|local)$`)
	creates     = regexp.MustCompile(`(?s)^CREATE TABLE ([a-z_0-9]+) \((.*)\)$`)
	indexes     = regexp.MustCompile(`(?s)^CREATE (UNIQUE )?INDEX ([a-z_0-9]+) ON ([a-z_0-9]+) \((.*?)\)(?: WHERE .*)?$`)
	columnType  = regexp.MustCompile(`^([a-z_0-9]+)\s+(INTEGER|BIGINT|TEXT|BOOLEAN|BYTEA|JSONB|DOUBLE PRECISION)\b`)
	keyIn       = regexp.MustCompile(`(?s)(PRIMARY KEY|UNIQUE|FOREIGN KEY)\s*\(([^)]*)\)(?:\s*REFERENCES ([a-z_0-9]+) \(([^)]*)\))?`)
	referenceIn = regexp.MustCompile(`REFERENCES ([a-z_0-9]+)`)
	forbiddenIn = regexp.MustCompile(`(?i)\b(TRIGGER|FUNCTION|PROCEDURE|VIEW|SERIAL|AUTOINCREMENT|CURRENT_TIMESTAMP|now\(\)|TIMESTAMP|TIMESTAMPTZ|DATE|REAL|FLOAT|NUMERIC|VARCHAR|JSON|SET NULL|PARTITION|create_distributed_table)\b`)
)

// migration is one schema file.
type migration struct {
	name     string
	declared map[string]string // table → kind, as its own line says
	up, down []string
}

func migrations(t *testing.T) []migration {
	t.Helper()
	names, err := fs.Glob(db.Migrations(), "*.sql")
	if err != nil || len(names) == 0 {
		if names, err = fs.Glob(db.Migrations(), "*/*.sql"); err != nil || len(names) == 0 {
			t.Fatalf("no migrations: %v", err)
		}
	}
	var out []migration
	for _, name := range names {
		b, err := fs.ReadFile(db.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		up, down, found := strings.Cut(string(b), "-- +goose Down")
		if !found || !strings.HasPrefix(up, "-- +goose Up") {
			t.Errorf("%s: needs a line \"-- +goose Up\" first and one \"-- +goose Down\"", name)
		}
		m := migration{name: name, declared: map[string]string{}, up: statements(up), down: statements(down)}
		for l := range strings.Lines(up) {
			if d := declares.FindStringSubmatch(strings.TrimSpace(l)); d != nil {
				m.declared[d[1]] = d[2]
			}
		}
		out = append(out, m)
	}
	return out
}

// statements splits a file at its semicolons, comments left out.
func statements(sql string) []string {
	var b strings.Builder
	for l := range strings.Lines(sql) {
		if i := strings.Index(l, "--"); i >= 0 {
			l = l[:i] + "\n"
		}
		b.WriteString(l)
	}
	var out []string
	for s := range strings.SplitSeq(b.String(), ";") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// tables gives the kind of every table.
func tables(t *testing.T) map[string]string {
	out := map[string]string{}
	for _, m := range migrations(t) {
		for name, kind := range m.declared {
			if _, twice := out[name]; twice {
				t.Errorf("%s: table %s is declared twice", m.name, name)
			}
			out[name] = kind
		}
	}
	return out
}

// TestSchemaRules holds every migration against docs/sql.md.
func TestSchemaRules(t *testing.T) {
	t.Parallel()
	kinds := tables(t)
	for _, m := range migrations(t) {
		for _, s := range m.up {
			for _, fault := range schemaFaults(s, m.declared, kinds) {
				t.Errorf("%s: %s\n\t%s", m.name, fault, firstLine(s))
			}
		}
		for name := range m.declared {
			if !slices.Contains(m.down, "DROP TABLE "+name) {
				t.Errorf("%s: the Down part does not drop %s", m.name, name)
			}
		}
	}
}

func firstLine(s string) string {
	l, _, _ := strings.Cut(s, "\n")
	return l
}

// schemaFaults lists what is wrong with one statement.
func schemaFaults(s string, declared, kinds map[string]string) []string {
	var out []string
	bare := regexp.MustCompile(`'[^']*'`).ReplaceAllString(s, "''")
	if word := forbiddenIn.FindString(bare); word != "" {
		out = append(out, "uses "+word)
	}
	if c := creates.FindStringSubmatch(s); c != nil {
		kind := declared[c[1]]
		if kind == "" {
			out = append(out, "no line \"-- rehu:table "+c[1]+" …\" before it")
		}
		return append(out, tableFaults(c[2], kind, kinds)...)
	}
	if x := indexes.FindStringSubmatch(s); x != nil {
		if kinds[x[3]] == "tenant" && !startsWithCity(x[4]) {
			out = append(out, "an index of a tenant table begins with city_id")
		}
		return out
	}
	if strings.HasPrefix(s, "ALTER TABLE ") {
		if strings.Contains(regexp.MustCompile(`\([^)]*\)`).ReplaceAllString(bare, ""), ",") {
			out = append(out, "one change per statement")
		}
		return out
	}
	if strings.HasPrefix(s, "UPDATE ") || strings.HasPrefix(s, "INSERT INTO ") || strings.HasPrefix(s, "DROP ") {
		return out
	}
	return append(out, "a statement this test does not know")
}

// tableFaults lists what is wrong with the columns and keys of a table.
func tableFaults(body, kind string, kinds map[string]string) []string {
	var out []string
	for _, k := range keyIn.FindAllStringSubmatch(body, -1) {
		if kind != "tenant" {
			continue
		}
		if !startsWithCity(k[2]) {
			out = append(out, k[1]+" ("+k[2]+") of a tenant table begins with city_id")
		}
		if k[3] != "" && kinds[k[3]] == "tenant" && !startsWithCity(k[4]) {
			out = append(out, "a reference to the tenant table "+k[3]+" begins with city_id")
		}
	}
	for _, r := range referenceIn.FindAllStringSubmatch(body, -1) {
		if kinds[r[1]] == "local" || (kind == "local" && kinds[r[1]] != "reference") {
			out = append(out, "local tables have no foreign keys: "+r[1])
		}
	}
	first := true
	for l := range strings.Lines(body) {
		l = strings.TrimSpace(l)
		switch {
		case l == "", strings.HasPrefix(l, "PRIMARY KEY"), strings.HasPrefix(l, "UNIQUE"), strings.HasPrefix(l, "FOREIGN KEY"),
			strings.HasPrefix(l, "CHECK"), strings.HasPrefix(l, "REFERENCES"):
			continue
		}
		if first && kind == "tenant" && !strings.HasPrefix(strings.Join(strings.Fields(l), " "), "city_id INTEGER NOT NULL") {
			out = append(out, "the first column of a tenant table is city_id INTEGER NOT NULL")
		}
		first = false
		if !columnType.MatchString(l) {
			out = append(out, "a column of a type outside the shared subset: "+l)
		}
		if strings.Contains(l, "PRIMARY KEY") && kind == "tenant" {
			out = append(out, "the key of a tenant table is (city_id, …)")
		}
	}
	return out
}

func startsWithCity(columns string) bool {
	first, _, _ := strings.Cut(columns, ",")
	return strings.TrimSpace(first) == "city_id"
}

// TestSchemaFaultsAreFound plants one breach of each rule.
func TestSchemaFaultsAreFound(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{"a": "tenant", "l": "local", "r": "reference"}
	for _, s := range []string{
		"CREATE TABLE undeclared (\n city_id INTEGER NOT NULL)",
		"CREATE TABLE a (\n id TEXT NOT NULL,\n city_id INTEGER NOT NULL)",
		"CREATE TABLE a (\n city_id INTEGER NOT NULL,\n id TEXT NOT NULL,\n PRIMARY KEY (id))",
		"CREATE TABLE a (\n city_id INTEGER NOT NULL,\n id TEXT NOT NULL PRIMARY KEY)",
		"CREATE TABLE a (\n city_id INTEGER NOT NULL,\n at TIMESTAMP)",
		"CREATE TABLE a (\n city_id INTEGER NOT NULL,\n area REAL)",
		"CREATE TABLE a (\n city_id INTEGER NOT NULL,\n x TEXT,\n FOREIGN KEY (city_id, x) REFERENCES a (x))",
		"CREATE TABLE a (\n city_id INTEGER NOT NULL,\n x TEXT REFERENCES l (id))",
		"CREATE TABLE a (\n city_id INTEGER NOT NULL,\n x TEXT,\n FOREIGN KEY (city_id, x) REFERENCES a (city_id, x) ON DELETE SET NULL)",
		"CREATE UNIQUE INDEX a_x ON a (x)",
		"CREATE TRIGGER x AFTER INSERT ON a",
		"ALTER TABLE a ADD COLUMN x TEXT, ADD COLUMN y TEXT",
		"GRANT ALL",
	} {
		if len(schemaFaults(s, map[string]string{"a": "tenant"}, kinds)) == 0 {
			t.Errorf("nothing wrong was found with: %s", s)
		}
	}
	for _, s := range []string{
		"CREATE TABLE a (\n city_id INTEGER NOT NULL,\n s TEXT NOT NULL CHECK (s IN ('date', 'now()')),\n PRIMARY KEY (city_id, s))",
		"CREATE INDEX a_x ON a (city_id, x) WHERE x <> ''",
		"ALTER TABLE a ADD COLUMN x TEXT NOT NULL DEFAULT ''",
	} {
		if f := schemaFaults(s, map[string]string{"a": "tenant"}, kinds); len(f) > 0 {
			t.Errorf("%v was found wrong with: %s", f, s)
		}
	}
}

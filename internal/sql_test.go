package internal_test

import (
	"fmt"
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// sqlExceptions are the queries that break a rule of docs/sql.md on purpose: the file, a part of the query, and why.
var sqlExceptions = []struct{ file, part, why string }{
	{"backup/write.go", "SELECT DISTINCT sha256 FROM blob", "a backup is of the whole installation"},
	{"territory/store_claim.go", "FROM claim_line l WHERE ‹where›", "linesWhere begins with the city"},
}

// outsideSQL are the packages whose SQL is not held against the rules.
var outsideSQL = map[string]string{
	"db": "is the place that may know which database it is",
}

var (
	isQuery     = regexp.MustCompile(`^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s`)
	quoted      = regexp.MustCompile(`'[^']*'`)
	mentions    = regexp.MustCompile(`\b(FROM|JOIN|UPDATE|INTO)\s+((?:[a-z_][a-z_0-9]*(?:\s+(?:AS\s+)?[a-z_][a-z_0-9]*)?)(?:\s*,\s*[a-z_][a-z_0-9]*(?:\s+(?:AS\s+)?[a-z_][a-z_0-9]*)?)*)`)
	forbiddenAt = regexp.MustCompile(`(?i)\b(now\(\)|CURRENT_(?:TIMESTAMP|DATE|TIME)|ILIKE|date_trunc|extract\(|interval\s+'|DISTINCT ON|LATERAL|FOR (?:NO KEY )?UPDATE|SKIP LOCKED|json_each|jsonb?_|strftime|datetime\(|greatest\(|least\(|random\(|gen_random_uuid|generate_series|MERGE INTO|ROLLUP|CUBE|REPLACE INTO|INSERT OR|RECURSIVE|GLOB|rowid)|= ?ANY\b|\?`)
	oldStyle    = regexp.MustCompile(`::[a-z]|VALUES\s*\(\s*\(\s*SELECT`)
	modifying   = regexp.MustCompile(`(?s)^\s*WITH\b.*\bAS\s*\(\s*(INSERT|UPDATE|DELETE)\b`)
)

// TestQueriesKeepToTheRules holds every SQL text of the program against docs/sql.md: the words that only one database
// knows, and the city in every query and join of a tenant table.
func TestQueriesKeepToTheRules(t *testing.T) {
	t.Parallel()
	kinds := tables(t)
	used := make([]bool, len(sqlExceptions))
	queries := 0
	for _, s := range sources(t) {
		if outsideSQL[s.pkg()] != "" {
			continue
		}
		texts(s, func(n ast.Node, text string) {
			if !isQuery.MatchString(text) || !strings.ContainsAny(text, "$=*") && !strings.Contains(text, "FROM") {
				return
			}
			queries++
			for _, fault := range queryFaults(text, kinds) {
				if !excused(s.path, text, used) {
					t.Errorf("%s: %s\n\t%s", s.line(n), fault, strings.Join(strings.Fields(text), " "))
				}
			}
		})
	}
	if queries < 50 {
		t.Errorf("only %d queries were found; this test has lost sight of them", queries)
	}
	for i, e := range sqlExceptions {
		if !used[i] {
			t.Errorf("%s: the exception %q (%s) is not needed", e.file, e.part, e.why)
		}
	}
}

func excused(path, query string, used []bool) bool {
	for i, e := range sqlExceptions {
		if e.file == path && strings.Contains(query, e.part) {
			used[i] = true
			return true
		}
	}
	return false
}

// queryFaults lists what is wrong with one query.
func queryFaults(query string, kinds map[string]string) []string {
	var out []string
	bare := quoted.ReplaceAllString(query, "''")
	for _, word := range []*regexp.Regexp{forbiddenAt, oldStyle} {
		if w := word.FindString(bare); w != "" {
			out = append(out, fmt.Sprintf("uses %q, which is not in the shared subset", w))
		}
	}
	if modifying.MatchString(bare) {
		out = append(out, "changes data inside WITH")
	}
	return append(out, cityFaults(bare, kinds)...)
}

// cityFaults names the tenant tables of a query that it does not tie to a city.
func cityFaults(query string, kinds map[string]string) []string {
	var out []string
	plain := 0
	for _, m := range mentions.FindAllStringSubmatch(query, -1) {
		for item := range strings.SplitSeq(m[2], ",") {
			words := strings.Fields(strings.ReplaceAll(item, " AS ", " "))
			switch {
			case kinds[words[0]] != "tenant":
			case len(words) == 1 || m[1] == "INTO":
				plain++
			case !regexp.MustCompile(`\b` + words[1] + `\.city_id\b`).MatchString(query):
				out = append(out, fmt.Sprintf("the table %s %s is not tied to a city", words[0], words[1]))
			}
		}
	}
	if have := len(regexp.MustCompile(`\bcity_id\b`).FindAllString(query, -1)); have < plain {
		out = append(out, fmt.Sprintf("%d tables of a city, but city_id only %d times", plain, have))
	}
	return out
}

// TestQueryFaultsAreFound plants one breach of each rule.
func TestQueryFaultsAreFound(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{"a": "tenant", "b": "tenant", "job": "local"}
	for _, q := range []string{
		"SELECT x FROM a",
		"SELECT x FROM a WHERE id = $1",
		"SELECT p.x FROM a p JOIN b q ON q.id = p.id WHERE p.city_id = $1",
		"SELECT p.x FROM a p WHERE p.city_id = $1 AND EXISTS (SELECT 1 FROM b q WHERE q.id = p.id)",
		"SELECT x FROM a WHERE city_id = $1 AND id IN (SELECT id FROM b WHERE y = $2)",
		"SELECT p.x FROM a p, b q WHERE p.city_id = $1 AND q.id = p.id",
		"UPDATE a SET x = $1 WHERE id = $2",
		"DELETE FROM a WHERE id = $1",
		"INSERT INTO a (id) VALUES ($1)",
		"SELECT x FROM a WHERE city_id = $1 AND at < now()",
		"SELECT x FROM a WHERE city_id = $1 AND x ILIKE $2",
		"SELECT x FROM a WHERE city_id = $1 AND x = ANY($2)",
		"SELECT x FROM a WHERE city_id = $1 FOR UPDATE",
		"SELECT x FROM a WHERE city_id = ?",
		"SELECT DISTINCT ON (x) x FROM a WHERE city_id = $1",
		"SELECT x::text FROM a WHERE city_id = $1",
		"WITH gone AS (DELETE FROM a WHERE city_id = $1 RETURNING id) SELECT id FROM gone",
	} {
		if len(queryFaults(q, kinds)) == 0 {
			t.Errorf("nothing wrong was found with: %s", q)
		}
	}
	for _, q := range []string{
		"SELECT ‹columns› FROM a WHERE city_id = $1 AND x = 'now()?'",
		"SELECT p.‹columns› FROM a p JOIN b q ON q.city_id = p.city_id AND q.id = p.id WHERE p.city_id = $1",
		"UPDATE a SET x = $2, b = $3 WHERE city_id = $1",
		"UPDATE job SET state = $1 WHERE id = $2",
		"INSERT INTO a (city_id, id) SELECT city_id, id FROM b WHERE city_id = $1",
	} {
		if f := queryFaults(q, kinds); len(f) > 0 {
			t.Errorf("%v was found wrong with: %s", f, q)
		}
	}
}

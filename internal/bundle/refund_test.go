package bundle_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/fault"
)

// household is a file that an earlier version wrote of a home of the demonstration: asked, measured, cured, measured again.
// It must verify for ever.
func household(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("testdata/household.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAHouseholdsFileVerifies(t *testing.T) {
	t.Parallel()
	r, err := verify(household(t), bundle.Verification{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%d chain, %d entries, %d claim, %s", r.Chains, r.Entries, r.Claims, r.Refunds), "1 chain, 21 entries, 1 claim, 145.90"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestOneChangedByteOfAHouseholdIsFound(t *testing.T) {
	t.Parallel()
	file := household(t)
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(file)
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		b[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "change"))
		if r, err := verify(string(b), bundle.Verification{}); !fault.Is(err, fault.Invalid) || r.Valid() {
			t.Fatalf("byte %d, %q made %q: %v", at, file[at], b[at], err)
		}
	})
}

func TestLinesOfAHouseholdChangedAreFound(t *testing.T) {
	t.Parallel()
	lines := linesOf(household(t))
	for i := range lines {
		without := slices.Delete(slices.Clone(lines), i, i+1)
		twice := slices.Insert(slices.Clone(lines), i, lines[i])
		for name, bad := range map[string][]string{"without": without, "twice": twice, "cut before": lines[:i]} {
			// signed anew, all the same: whoever holds the key cannot leave out, repeat or cut either
			for _, file := range []string{strings.Join(bad, ""), resign(t, bad)} {
				if file == resign(t, lines) {
					continue // the signature and the end line are made anew
				}
				if _, err := verify(file, bundle.Verification{}); !fault.Is(err, fault.Invalid) {
					t.Errorf("%s line %d: %v\n%s", name, i+1, err, lines[i])
				}
			}
		}
	}
}

// TestWhoeverSignsCannotBend: with the installation's key in hand, a file whose money does not follow from its records is
// found, with the field, what follows and what stands there.
func TestWhoeverSignsCannotBend(t *testing.T) {
	t.Parallel()
	good := linesOf(household(t))
	if _, err := verify(resign(t, good), bundle.Verification{}); err != nil {
		t.Fatalf("signed anew: %v", err)
	}
	for name, c := range map[string]struct{ in, old, new, field string }{
		"a warmer room in the claim":  {"claim", `"temp_c":"13.8"`, `"temp_c":"17.8"`, "events."},
		"another sum":                 {"claim", `"amount_yuan":"145.90"`, `"amount_yuan":"145.91"`, "amount_yuan"},
		"a day less":                  {"claim", `"counted_days":`, `"counted_days":1`, "counted_days"},
		"a later day to pay":          {"claim", `"pay_by":"2026-05-15"`, `"pay_by":"2026-06-15"`, "pay_by"},
		"a smaller home":              {"claim", `"area_m2":"`, `"area_m2":"1`, "claim.fee.area_m2"},
		"a lower percentage":          {"terms", `"percent":"100"`, `"percent":"90"`, "amount_yuan"},
		"a shorter season":            {"terms", `"from":"2025-11-15T00:00:00+08:00"`, `"from":"2026-01-16T00:00:00+08:00"`, "status"},
		"an approval that none gave":  {"terms", `"provisional":false`, `"provisional":true`, "terms.provisional"},
		"another home":                {"claim", `"home":"`, `"home":"0`, "home"},
		"another season":              {"terms", `"season":"2025-2026"`, `"season":"2024-2025"`, "terms.season"},
		"a colder room in the record": {"entry", `\"temp_c\":\"13.8\"`, `\"temp_c\":\"12.8\"`, "body"},
	} {
		lines := slices.Clone(good)
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, `{"`+c.in+`":`) && strings.Contains(l, c.old) })
		if i < 0 {
			t.Errorf("%s: no line to bend", name)
			continue
		}
		lines[i] = strings.Replace(lines[i], c.old, c.new, 1)
		r, err := verify(resign(t, lines), bundle.Verification{})
		found := slices.IndexFunc(r.Problems, func(p bundle.Problem) bool {
			return strings.HasPrefix(p.Field, c.field) && (c.in == "entry" || p.Line > 0)
		})
		if !fault.Is(err, fault.Invalid) || found < 0 {
			t.Errorf("%s: %v, problems %+v; want one of the field %s", name, err, r.Problems, c.field)
		}
	}
}

func TestAnotherKeyIsFound(t *testing.T) {
	t.Parallel()
	file := household(t)
	r, err := verify(resign(t, linesOf(file)), bundle.Verification{Key: headerOf(t, file).Root.Key})
	if !fault.Is(err, fault.Invalid) || r.Problems[0].Field != "key" {
		t.Errorf("another key: %v, %+v", err, r.Problems)
	}
}

func linesOf(file string) []string {
	return strings.SplitAfter(strings.TrimSuffix(file, "\n"), "\n")
}

func headerOf(t *testing.T, file string) bundle.Header {
	t.Helper()
	first, _, _ := strings.Cut(file, "\n")
	var l struct {
		Header bundle.Header `json:"header"`
	}
	if err := json.Unmarshal([]byte(first), &l); err != nil {
		t.Fatal(err)
	}
	return l.Header
}

// resign writes lines with an end line and a signature of their own, as somebody would who has a key.
func resign(t *testing.T, lines []string) string {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	sections := map[string][]byte{"header": nil, "leaves": nil, "chains": nil, "rules": nil, "money": nil}
	sorts := map[string]string{"header": "header", "leaf": "leaves", "entry": "chains", "head": "chains", "rule": "rules"}
	counts := map[string]int{}
	var all bytes.Buffer
	for i, l := range lines {
		name, _, _ := strings.Cut(strings.TrimPrefix(l, `{"`), `"`)
		if name == "end" || name == "signature" {
			continue
		}
		if i == 0 && name == "header" {
			l = withKey(t, l, key)
		}
		if !strings.HasSuffix(l, "\n") {
			l += "\n"
		}
		part, ok := sorts[name]
		if !ok {
			part = "money"
		}
		counts[name]++
		sections[part] = append(sections[part], l...)
		all.WriteString(l)
	}
	sum := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	claims := ""
	if counts["claim"] > 0 {
		claims = fmt.Sprintf(`"claims":%d,`, counts["claim"])
	}
	fmt.Fprintf(&all, `{"end":{"chains":%d,"entries":%d,"leaves":%d,"rules":%d,%s"sections":{"chains":%q,"header":%q,"leaves":%q,"money":%q,"rules":%q}}}`+"\n",
		counts["head"], counts["entry"], counts["leaf"], counts["rule"], claims,
		sum(sections["chains"]), sum(sections["header"]), sum(sections["leaves"]), sum(sections["money"]), sum(sections["rules"]))
	whole := sum(all.Bytes())
	sig := ed25519.Sign(key, []byte("rehu audit export v1\n"+whole+"\n"))
	fmt.Fprintf(&all, `{"signature":{"sha256":%q,"ed25519":%q}}`+"\n", whole, base64.StdEncoding.EncodeToString(sig))
	return all.String()
}

// withKey signs the root of a header with another key.
func withKey(t *testing.T, l string, key ed25519.PrivateKey) string {
	t.Helper()
	h := headerOf(t, l)
	was := h.Root
	message := fmt.Appendf(nil, "rehu audit root v1\n%d %d %s\n", h.Root.City, h.Root.Size, h.Root.Hash)
	public := base64.StdEncoding.EncodeToString(key[ed25519.SeedSize:])
	l = strings.Replace(l, was.Key, public, 1)
	return strings.Replace(l, was.Signature, base64.StdEncoding.EncodeToString(ed25519.Sign(key, message)), 1)
}

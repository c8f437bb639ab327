package internal_test

import (
	"os"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/text"
)

// TestGlossary: no message of the Chinese catalogue uses a word that docs/glossary.md tells to avoid.
func TestGlossary(t *testing.T) {
	t.Parallel()
	avoid := avoided(t)
	if len(avoid) < 20 {
		t.Fatalf("only %d words to avoid were found in the glossary", len(avoid))
	}
	for _, key := range text.Keys() {
		zh := text.Say(text.ZH, key, nil)
		for word, use := range avoid {
			if strings.Contains(zh, word) {
				t.Errorf("%s says %s; the word is %s: %s", key, word, use, zh)
			}
		}
	}
}

// avoided reads the words of the column "not" and what to say instead; words in brackets are for people only.
func avoided(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../docs/glossary.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for l := range strings.Lines(string(b)) {
		cells := strings.Split(l, "|")
		if len(cells) != 7 || strings.HasPrefix(cells[1], "-") {
			continue
		}
		for word := range strings.SplitSeq(cells[4], ",") {
			if word = strings.TrimSpace(word); word != "" && word != "not" && !strings.HasPrefix(word, "(") {
				out[word] = strings.TrimSpace(cells[1])
			}
		}
	}
	return out
}

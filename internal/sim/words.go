package sim

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed words/*.txt
var wordFiles embed.FS

// lists are the word lists, by name. A line "# name" opens a list; words stand one to a line or with spaces between.
var lists = mustReadLists()

func mustReadLists() map[string][]string {
	out := map[string][]string{}
	entries, err := wordFiles.ReadDir("words")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		b, err := wordFiles.ReadFile("words/" + e.Name())
		if err != nil {
			panic(err)
		}
		name := ""
		for line := range strings.Lines(string(b)) {
			line = strings.TrimSpace(line)
			if rest, ok := strings.CutPrefix(line, "# "); ok {
				name = rest
				if out[name] != nil {
					panic("sim: two word lists " + name)
				}
				continue
			}
			out[name] = append(out[name], strings.Fields(line)...)
		}
	}
	return out
}

// words is a list; a list that is missing is a mistake of the program.
func words(name string) []string {
	w, ok := lists[name]
	if !ok || len(w) == 0 {
		panic("sim: no word list " + name)
	}
	return w
}

// pad writes a number with leading zeros.
func pad(n, width int) string { return fmt.Sprintf("%0*d", width, n) }

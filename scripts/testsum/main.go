// Command testsum reads the events of `go test -json`, shows the output of what failed and a line for each package, and ends
// with one plain line that counts: N passed, M failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64
	Output  string
}

func main() {
	passed, failed, err := sum(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stdout, "%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

// sum counts the tests that have no subtests under them; a package that failed without a failing test counts as one.
func sum(r io.Reader, w io.Writer) (passed, failed int, err error) {
	output := map[string][]string{}
	failures := map[string]int{}
	parents := map[string]bool{}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Fprintln(w, in.Text()) // what the compiler says
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			output[key] = append(output[key], e.Output)
		case "run":
			if i := strings.LastIndex(e.Test, "/"); i > 0 {
				parents[e.Package+" "+e.Test[:i]] = true
			}
		case "pass", "skip", "fail":
			if e.Test == "" {
				fmt.Fprintf(w, "%-5s %s (%.1fs)\n", e.Action, e.Package, e.Elapsed)
				if e.Action == "fail" {
					writeUnfinished(w, output, e.Package)
				}
			}
			switch {
			case e.Action == "fail" && (e.Test != "" || failures[e.Package] == 0):
				fmt.Fprint(w, strings.Join(output[key], ""))
				failures[e.Package]++
				if !parents[key] {
					failed++
				}
			case e.Action == "pass" && e.Test != "" && !parents[key]:
				passed++
			}
			delete(output, key)
		}
	}
	return passed, failed, in.Err()
}

// writeUnfinished shows what the tests of a failed package said that never came to an end: a panic outside a test's own goroutine
// ends the process, and what it says is counted to whichever test ran at the time.
func writeUnfinished(w io.Writer, output map[string][]string, pkg string) {
	var keys []string
	for key := range output {
		if name, ok := strings.CutPrefix(key, pkg+" "); ok && name != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		fmt.Fprint(w, strings.Join(output[key], ""))
		delete(output, key)
	}
}

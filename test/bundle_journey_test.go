package test

import (
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// pick NAME FILE QUERY puts what a database answers into a variable.
func pick(ts *testscript.TestScript, _ bool, args []string) {
	d, err := sql.Open("sqlite", ts.MkAbs(args[1]))
	ts.Check(err)
	defer d.Close()
	var v string
	ts.Check(d.QueryRow(args[2]).Scan(&v))
	ts.Setenv(args[0], v)
}

// exits STATUS COMMAND... runs a command that ends with this status.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var end *exec.ExitError
	if have := 0; errors.As(err, &end) {
		have = end.ExitCode()
		if have != want {
			ts.Fatalf("%v ended with %d; want %d", args[1:], have, want)
		}
	} else if err != nil || want != 0 {
		ts.Fatalf("%v ended with %v; want %d", args[1:], err, want)
	}
}

// bend HOW FILE OUT PART [FIELD] copies a file with one thing changed at the first line that holds PART: the first digit of a
// field (digit), the line left out (drop), in the place of the next (swap), or twice (double).
func bend(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	lines := strings.SplitAfter(string(b), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, args[3]) })
	if i < 0 {
		ts.Fatalf("%s has no line with %s", args[1], args[3])
	}
	switch args[0] {
	case "digit":
		at := strings.Index(lines[i], args[4])
		if at < 0 {
			ts.Fatalf("line %d has no %s", i+1, args[4])
		}
		at += len(args[4])
		at += strings.IndexAny(lines[i][at:], "0123456789")
		lines[i] = lines[i][:at] + string('1'+(lines[i][at]-'0')%9) + lines[i][at+1:]
	case "drop":
		lines = slices.Delete(lines, i, i+1)
	case "swap":
		lines[i], lines[i+1] = lines[i+1], lines[i]
	case "double":
		lines = slices.Insert(lines, i, lines[i])
	default:
		ts.Fatalf("no way to bend %q", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Join(lines, "")), 0o600))
}

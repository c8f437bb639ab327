// Package test goes through the product the way a city's operator does: with the built binary, its files and its address.
package test

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/sim"
)

var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "rehu-journey-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "rehu")
		build := exec.Command("go", "build", "-ldflags=-X main.version=1.2.3", "-o", binary, "github.com/rehu-heat/rehu/cmd/rehu")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the binary: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// TestJourneys runs every script of testdata. Without PostgreSQL (REHU_TEST_QUICK=1) the lines marked [postgres] are left
// out.
func TestJourneys(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("LANG", "en_US.UTF-8")
			if !dbtest.Quick() {
				e.Setenv("PG", dbtest.EmptyPostgresURL(t))
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "postgres" {
				return !dbtest.Quick(), nil
			}
			return false, fmt.Errorf("no condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"port": port, "await": await, "get": get, "sqlite": sqlite, "city": city, "pick": pick, "exits": exits, "bend": bend},
	})
}

// port NAME puts a free address of this machine into a variable.
func port(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], l.Addr().String())
}

// await URL waits until an address answers 200.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if r, err := http.Get(args[0]); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
	}
	ts.Fatalf("%s did not become ready", args[0])
}

// get STATUS URL asks an address and shows the answer.
func get(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.Get(args[1])
	ts.Check(err)
	defer r.Body.Close()
	_, err = io.Copy(ts.Stdout(), r.Body)
	ts.Check(err)
	if fmt.Sprint(r.StatusCode) != args[0] {
		ts.Fatalf("%s answered %d; want %s", args[1], r.StatusCode, args[0])
	}
}

// city SEED HOUSEHOLDS DIR writes the lists of an invented city, as its companies would send them.
func city(ts *testscript.TestScript, _ bool, args []string) {
	seed, err := strconv.ParseUint(args[0], 10, 64)
	ts.Check(err)
	households, err := strconv.Atoi(args[1])
	ts.Check(err)
	dir := ts.MkAbs(args[2])
	ts.Check(os.MkdirAll(dir, 0o755))
	for _, f := range sim.NewCity(seed, households).Files() {
		b, err := f.Bytes()
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(dir, f.Name), b, 0o644))
	}
}

// sqlite FILE STATEMENT changes a database behind the program's back.
func sqlite(ts *testscript.TestScript, _ bool, args []string) {
	d, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer d.Close()
	_, err = d.Exec(args[1])
	ts.Check(err)
}

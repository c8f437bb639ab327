package clue_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/fault"
)

// newRepeats is a table of n rows that says ten things over and over.
func newRepeats(t testing.TB, n int) io.ReadSeeker {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "posts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	_, err = io.WriteString(f, "id,author,text\n")
	for i := 0; i < n && err == nil; i++ {
		_, err = fmt.Fprintf(f, "p%d,网友%d,向阳花园%d号楼暖气不热\n", i%10, i%10, i%10+1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A dry run says of a table what the import will, also where the table repeats itself or gives one number to two posts.
func TestADryRunCountsAsTheImportDoes(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		const table = "序号,作者,内容,发布时间\n" +
			"1,甲,向阳花园3号楼暖气不热，家里很冷,2026-01-14 20:15\n" +
			"1,甲,向阳花园3号楼暖气不热，家里很冷,2026-01-14 20:15\n" +
			"1,乙,滨河家园2号楼暖气管漏水，楼道都是水,2026/1/14 21:05\n" +
			"1,乙,滨河家园2号楼暖气管漏水，楼道都是水,2026/1/14 21:05\n"
		in := clue.Importing{City: city, Account: "vendor3", Name: "posts.csv"}
		for _, c := range []struct {
			dry        bool
			fresh, old int
		}{{true, 2, 2}, {true, 2, 2}, {false, 2, 2}, {false, 0, 4}, {true, 0, 4}} {
			in.DryRun = c.dry
			got, err := w.app.Clues.Import(ctx, leader, in, strings.NewReader(table))
			want := clue.Imported{DryRun: c.dry, Rows: 4, New: c.fresh, Known: c.old}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				w.t.Fatalf("dry %v: %v (-want +got):\n%s", c.dry, err, diff)
			}
		}
	})
}

func TestATableWithFaultsIsNamedByRowAndColumn(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		const bad = "id,text,at,lng,lat\np1,暖气不热,someday,,\np2,,2026-01-14 20:15,,\np3,冷,,east,38.1\np4,冷,,112.5,\np5,冷,,512,38.1\n"
		in := clue.Importing{City: city, Account: "vendor3", Name: "posts.csv"}
		got, err := w.app.Clues.Import(ctx, leader, in, strings.NewReader(bad))
		if fault.Of(err).Key != "clue.import.faults" {
			w.t.Errorf("a table with faults: %v", err)
		}
		var at []string
		for _, f := range got.Faults {
			at = append(at, fmt.Sprintf("%d %s %s", f.Row, f.Column, f.Message.Key))
		}
		want := []string{
			"2 at field.not_a_time", "3 text field.required", "4 lng field.not_a_number", "5 lat clue.import.half_point", "6 lng clue.import.no_point",
		}
		if diff := cmp.Diff(want, at); diff != "" || got.New != 0 {
			w.t.Errorf("faults (-want +got):\n%s", diff)
		}
		if _, err := w.app.Clues.Import(ctx, leader, in, strings.NewReader("text\n")); fault.Of(err).Key != "clue.import.empty" {
			w.t.Errorf("an empty table: %v", err)
		}
		in.Account = ""
		if _, err := w.app.Clues.Import(ctx, leader, in, strings.NewReader("text\n冷\n")); !fault.Is(err, fault.Invalid) {
			w.t.Errorf("a table of nobody: %v", err)
		}
	})
}

// Package register takes over the lists that companies and the city send: heating companies, areas, communities,
// buildings, households, duty rosters.
//
// A list is taken over as a whole or not at all. The file is read twice: the first reading checks every row and stages
// its key and a keyed hash, so that duplicates are found by the database and not in memory; the second writes what is new
// or changed as rows of the next edition, a few hundred at a time. Raising the edition in one short transaction makes
// them seen. Invariants: the writer is never held for long; a killed import leaves nothing to be seen, and the next run of
// the same file goes on where it stopped; the same file twice changes nothing; of two imports of one list the second is a
// Conflict; every fault names its row and column.
package register

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// Request says what is imported. Version, From and Source concern areas and who serves communities and buildings.
type Request struct {
	City     int
	Kind     place.Kind
	Version  string     // of the territories; empty: the one in force
	From     civil.Date // from when it holds
	Source   string     // the document that orders it
	CRS      geo.CRS    // of the coordinates in the file; empty is WGS84
	DryRun   bool       // check and count only
	Name     string     // of the file, for messages
	Progress func(done, total int)
}

// Report is what an import found and did.
type Report struct {
	Kind      place.Kind      `json:"kind"`
	Version   string          `json:"version,omitempty"`
	DryRun    bool            `json:"dry_run,omitempty"`
	Rows      int             `json:"rows"`
	Added     int             `json:"added"`
	Changed   int             `json:"changed"`
	Unchanged int             `json:"unchanged"`
	Faults    []RowFault      `json:"faults,omitempty"`
	Warnings  []RowFault      `json:"warnings,omitempty"`
	Diff      *territory.Diff `json:"diff,omitempty"` // what changes hands against the version before
}

// RowFault is what is wrong, or doubtful, in one row. Row is the number the spreadsheet shows, or the feature's place in
// a GeoJSON file, 0 for the file as a whole.
type RowFault struct {
	Row     int          `json:"row"`
	Column  string       `json:"column"`
	Message text.Message `json:"message"`
}

// out is what a row of the file says for one table.
type out struct {
	target string
	key    string
	values []string // everything the row says, for its hash
	row    stamped
}

// stamped is a row of a table with editions.
type stamped interface{ Stamp(place.Edition) }

// record is a row of the file.
type record struct {
	no    int
	cells []string
	x     sheet.Index
}

func (r record) get(name string) string { return plain(r.x.Get(r.cells, name)) }

// or is the cell, or what was known before where the file has no such column.
func (r record) or(name, before string) string {
	if r.x.Has(name) {
		return r.get(name)
	}
	return before
}

// notes collects faults and warnings.
type notes struct {
	faults, warnings []RowFault
}

func (n *notes) fault(row int, column, key string, pairs ...any) {
	n.faults = append(n.faults, RowFault{row, column, text.Msg(key, pairs...)})
}

func (n *notes) warn(row int, column, key string, pairs ...any) {
	n.warnings = append(n.warnings, RowFault{row, column, text.Msg(key, pairs...)})
}

// list knows how to read one kind of list. read is called twice for a row and says the same both times.
type list interface {
	columns() []sheet.Column
	read(r record, n *notes) []out                  // the first is the one that counts
	finish(n *notes)                                // what only the whole file shows
	twice(n *notes, target, key string, rows []int) // rows that share a key
}

// base is what most lists share.
type base struct{ k *known }

func (base) finish(*notes) {}

func (base) twice(n *notes, _, key string, rows []int) {
	for _, r := range rows {
		n.fault(r, "", "register.twice", "key", key, "rows", numbers(rows))
	}
}

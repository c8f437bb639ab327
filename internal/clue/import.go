package clue

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
)

// Importing is a table of posts, as a monitoring vendor or a clerk who searches by hand writes one.
type Importing struct {
	City     int
	Account  string // names whoever gathered the posts; repeats are known within it
	Name     string // of the file, for messages
	DryRun   bool   // check and count only
	Progress func(done, total int)
}

// Imported is what an import found and did.
type Imported struct {
	DryRun bool       `json:"dry_run,omitempty"`
	Rows   int        `json:"rows"`
	New    int        `json:"new"`
	Known  int        `json:"known"` // taken before, or repeated in the table itself
	Faults []RowFault `json:"faults,omitempty"`
}

// RowFault is what is wrong in one row; the number is the one that the spreadsheet shows.
type RowFault struct {
	Row     int          `json:"row"`
	Column  string       `json:"column"`
	Message text.Message `json:"message"`
}

// mostFaults bounds how many faults a report lists.
const mostFaults = 500

var importColumns = []sheet.Column{
	{Name: "text", Aliases: []string{"正文", "内容", "摘要"}, Required: true},
	{Name: "id", Aliases: []string{"编号", "序号"}},
	{Name: "title", Aliases: []string{"标题"}},
	{Name: "author", Aliases: []string{"作者", "发布者", "昵称"}},
	{Name: "link", Aliases: []string{"链接", "网址", "原文链接"}},
	{Name: "at", Aliases: []string{"时间", "发布时间"}},
	{Name: "lng", Aliases: []string{"经度"}},
	{Name: "lat", Aliases: []string{"纬度"}},
	{Name: "repost_of", Aliases: []string{"转发自", "原帖编号"}},
}

// readTable gives each row of a table as an entry, with its number and what is wrong with its cells.
func readTable(name string, r io.ReadSeeker, fn func(row int, e Entry, wrong error) error) error {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	rows, err := sheet.OpenWith(name, r, sheet.Limits{Bytes: MaxFeed, Columns: maxFields, Cell: maxEntry})
	if err != nil {
		return err
	}
	defer rows.Close()
	index, err := sheet.Match(rows.Header(), importColumns...)
	if err != nil {
		return err
	}
	for {
		row, no, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e, wrong := entryOf(func(column string) string { return strings.Clone(strings.TrimSpace(index.Get(row, column))) })
		if err := fn(no, e, wrong); err != nil {
			return err
		}
	}
}

// entryOf reads the cells of a row. A person can mend a table, so that nothing that is written in it is passed over.
func entryOf(get func(column string) string) (Entry, error) {
	m := MappingOf(nil)
	e := m.entry(get)
	var c fault.Check
	c.That(e.Text != "" || e.Title != "", m.Text, "field.required")
	c.That(get(m.At) == "" || e.At != civil.Instant(0), m.At, "field.not_a_time")
	for _, column := range []string{m.Lng, m.Lat} {
		v := get(column)
		_, err := strconv.ParseFloat(v, 64)
		c.That(v == "" || err == nil, column, "field.not_a_number")
	}
	if e.Lng != nil && c.Err() == nil {
		c.That((geo.Point{Lng: *e.Lng, Lat: *e.Lat}).Valid(), m.Lng, "clue.import.no_point")
	}
	c.That((get(m.Lng) == "") == (get(m.Lat) == ""), m.Lat, "clue.import.half_point")
	return mend(e), c.Err()
}

// note adds what an error says about a row.
func (r *Imported) note(row int, err error) {
	if err == nil {
		return
	}
	for _, f := range fault.Of(err).Fields {
		if len(r.Faults) == mostFaults {
			return
		}
		r.Faults = append(r.Faults, RowFault{Row: row, Column: f.Name, Message: text.Message{Key: f.Key, Params: f.Params}})
	}
}

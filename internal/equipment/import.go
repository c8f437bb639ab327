package equipment

import (
	"io"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
)

// Sheet is the input of Import: a list of instruments as CSV or XLSX.
type Sheet struct {
	City   int
	Name   string // of the file, for messages
	Reader io.Reader
	DryRun bool // check and count only
}

// Imported is what an import found and did.
type Imported struct {
	DryRun    bool       `json:"dry_run,omitempty"`
	Rows      int        `json:"rows"`
	Added     int        `json:"added"`
	Changed   int        `json:"changed"`
	Unchanged int        `json:"unchanged"`
	Faults    []RowFault `json:"faults,omitempty"`
}

// RowFault is what is wrong in one row; the number is the one that the spreadsheet shows.
type RowFault struct {
	Row     int          `json:"row"`
	Column  string       `json:"column"`
	Message text.Message `json:"message"`
}

// listColumns are the columns of the list and what offices call them.
var listColumns = []sheet.Column{
	{Name: "number", Aliases: []string{"仪器编号", "编号", "出厂编号", "器具编号"}, Required: true},
	{Name: "owner", Aliases: []string{"单位", "所属单位", "企业代码", "供热企业", "使用单位"}},
	{Name: "kind", Aliases: []string{"类型", "仪器类型", "器具名称", "仪器名称"}},
	{Name: "model", Aliases: []string{"型号", "规格型号"}},
	{Name: "certificate", Aliases: []string{"证书号", "检定证书号", "证书编号"}},
	{Name: "verifier", Aliases: []string{"检定机构", "检定单位"}},
	{Name: "verified_on", Aliases: []string{"检定日期"}},
	{Name: "valid_until", Aliases: []string{"有效期", "有效期至", "检定有效期"}},
	{Name: "state", Aliases: []string{"状态", "使用状态"}},
}

// table reads rows of the list.
type table struct {
	rows  sheet.Reader
	index sheet.Index
}

// row is one row of the list and what is wrong with its cells.
type row struct {
	no    int
	cells []string
	index sheet.Index
	wrong fault.Check
}

func open(in Sheet) (*table, error) {
	rows, err := sheet.Open(in.Name, in.Reader)
	if err != nil {
		return nil, err
	}
	index, err := sheet.Match(rows.Header(), listColumns...)
	if err != nil {
		_ = rows.Close() // the header's fault is what the caller hears of
		return nil, err
	}
	return &table{rows, index}, nil
}

// next is the next row; io.EOF after the last.
func (t *table) next() (row, error) {
	cells, no, err := t.rows.Next()
	if err != nil {
		return row{}, err
	}
	r := row{no: no, cells: append([]string(nil), cells...), index: t.index}
	r.wrong.That(r.cell("number") != "", "number", "field.required")
	word(&r, "kind", Kinds(), "equipment_kind.")
	word(&r, "state", States(), "equipment_state.")
	r.day("verified_on")
	r.day("valid_until")
	return r, nil
}

func (r row) cell(name string) string {
	return strings.Trim(r.index.Get(r.cells, name), " \t\r\n\u00a0\u3000")
}

// or is the cell, or what was known before where the table has no such column.
func (r row) or(name, before string) string {
	if r.index.Has(name) {
		return r.cell(name)
	}
	return before
}

// word reads one of a list of words by its name in the program or on the screen.
func word[T ~string](r *row, name string, list []T, prefix string) T {
	cell := r.cell(name)
	if cell == "" {
		return ""
	}
	said := make([]string, len(list))
	for i, w := range list {
		said[i] = text.T(text.ZH, prefix+string(w))
		if strings.EqualFold(cell, string(w)) || cell == said[i] || strings.EqualFold(cell, text.T(text.EN, prefix+string(w))) {
			return w
		}
	}
	r.wrong.Add(name, "equipment.bad_word", "value", cell, "allowed", strings.Join(said, "、"))
	return ""
}

func (r *row) day(name string) civil.Date {
	cell := r.cell(name)
	if cell == "" {
		return civil.Date{}
	}
	d, err := sheet.Day(cell)
	if err != nil {
		r.wrong.Add(name, "register.bad_day", "value", cell)
	}
	return d
}

// over makes the entry of a row over what is known of the instrument.
func (r row) over(old Instrument, owner string) Entry {
	e := Entry{
		ID: old.ID, Version: old.Version, Owner: owner, Number: r.cell("number"), Kind: old.Kind, State: old.State, VerifiedOn: old.VerifiedOn, ValidUntil: old.ValidUntil,
		Model: r.or("model", old.Model), Certificate: r.or("certificate", old.Certificate), Verifier: r.or("verifier", old.Verifier),
	}
	again := r // cells were checked when the row was read
	if r.index.Has("kind") {
		e.Kind = word(&again, "kind", Kinds(), "equipment_kind.")
	}
	if r.index.Has("state") {
		e.State = word(&again, "state", States(), "equipment_state.")
	}
	if r.index.Has("verified_on") {
		e.VerifiedOn = again.day("verified_on")
	}
	if r.index.Has("valid_until") {
		e.ValidUntil = again.day("valid_until")
	}
	return e
}

package cases

import (
	"errors"
	"io"
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
)

// Sheet is the input of Import: the tickets of another hotline as a table.
type Sheet struct {
	City     int
	Name     string        // of the file, for messages
	Reader   io.ReadSeeker // read twice: everything is checked before anything is filed
	DryRun   bool          // check and count only
	Progress func(done, total int)
}

// Imported is what an import found and did.
type Imported struct {
	DryRun  bool       `json:"dry_run,omitempty"`
	Rows    int        `json:"rows"`
	Opened  int        `json:"opened"`
	Known   int        `json:"known"`   // tickets that were taken over before
	Changed int        `json:"changed"` // of those, with cells that differ from the last import
	Faults  []RowFault `json:"faults,omitempty"`
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
	{Name: "ticket_no", Aliases: []string{"工单编号", "工单号", "编号"}, Required: true},
	{Name: "channel", Aliases: []string{"来源", "渠道"}},
	{Name: "received_at", Aliases: []string{"受理时间", "来电时间", "登记时间"}},
	{Name: "name", Aliases: []string{"姓名", "来电人", "联系人"}},
	{Name: "phone", Aliases: []string{"电话", "联系电话", "来电号码"}},
	{Name: "address", Aliases: []string{"地址", "详细地址"}},
	{Name: "category", Aliases: []string{"类别", "诉求类别"}},
	{Name: "text", Aliases: []string{"诉求内容", "内容"}},
}

// columnNames are the columns of the sheet by the field of the input that they fill.
var columnNames = map[string]string{"caller.name": "name", "caller.phone": "phone"}

// ticketReader turns rows into openings.
type ticketReader struct {
	rows       sheet.Reader
	index      sheet.Index
	city       int
	categories map[string]string
	channels   map[string]Channel
}

func newTicketReader(in Sheet, p *citypack.Pack) (*ticketReader, error) {
	if _, err := in.Reader.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	rows, err := sheet.Open(in.Name, in.Reader)
	if err != nil {
		return nil, err
	}
	index, err := sheet.Match(rows.Header(), importColumns...)
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	t := &ticketReader{rows: rows, index: index, city: in.City, categories: map[string]string{}, channels: map[string]Channel{"": Hotline}}
	for _, c := range p.Leaves() {
		t.categories[c.Code], t.categories[c.Name.ZH], t.categories[strings.ToLower(c.Name.EN)] = c.Code, c.Code, c.Code
	}
	for _, c := range Channels() {
		t.channels[string(c)] = c
		for _, l := range []text.Lang{text.ZH, text.EN} {
			t.channels[strings.ToLower(text.T(l, "channel."+string(c)))] = c
		}
	}
	return t, nil
}

// ticket is one row: what it asks for and what is wrong with its cells.
type ticket struct {
	Opening
	row   int
	wrong fault.Check
}

// next is the next ticket; io.EOF after the last.
func (t *ticketReader) next() (*ticket, error) {
	row, no, err := t.rows.Next()
	if err != nil {
		return nil, err
	}
	get := func(column string) string { return strings.TrimSpace(t.index.Get(row, column)) }
	k := &ticket{row: no, Opening: Opening{
		City: t.city, Door: citypack.DoorImport, TicketNo: get("ticket_no"), Text: get("text"), Address: get("address"),
		Caller: Party{Name: get("name"), Phone: get("phone")},
	}}
	o, c := &k.Opening, &k.wrong
	c.That(o.TicketNo != "", "ticket_no", "field.required")
	c.That(o.Text != "" || get("category") != "", "text", "field.required")
	var known bool
	o.Channel, known = t.channels[strings.ToLower(get("channel"))]
	c.That(known, "channel", "case.import.no_channel", "value", get("channel"))
	if s := get("category"); s != "" {
		o.Category, known = t.categories[strings.ToLower(s)]
		c.That(known, "category", "case.import.no_category", "value", s)
	}
	o.ReceivedAt = received(c, get("received_at"))
	return k, nil
}

func received(c *fault.Check, s string) civil.Instant {
	if s == "" {
		return 0
	}
	at, err := sheet.Time(s)
	c.That(err == nil, "received_at", "field.not_a_time")
	return at
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
		column := f.Name
		if c, ok := columnNames[column]; ok {
			column = c
		}
		r.Faults = append(r.Faults, RowFault{Row: row, Column: column, Message: text.Message{Key: f.Key, Params: f.Params}})
	}
}

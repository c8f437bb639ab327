package exchange

import (
	"cmp"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
)

// Call is a complaint that a heating company took on its own hotline. The company's time runs from when it was told, not
// from when it reports; so a call that is held back gains nothing.
type Call struct {
	No       string        `json:"no"`      // the company's own number
	ToldAt   civil.Instant `json:"told_at"` // when the resident rang
	Name     string        `json:"name,omitempty"`
	Phone    string        `json:"phone,omitempty"`
	Address  string        `json:"address,omitempty"`
	Account  string        `json:"account,omitempty"`
	Text     string        `json:"text"`
	Category string        `json:"category,omitempty"` // code or name; empty: the words decide
	Nature   string        `json:"nature,omitempty"`   // 诉求性质, code or Chinese word
	Level    string        `json:"level,omitempty"`
}

// Calls is the input of ReportCalls.
type Calls struct {
	City    int    `json:"-"`
	Company string `json:"company"`
	Calls   []Call `json:"calls"`
}

// Reported is what became of one call.
type Reported struct {
	No     string `json:"no"`
	Case   string `json:"case,omitempty"`
	CaseNo string `json:"case_no,omitempty"`
	Known  bool   `json:"known,omitempty"` // it was reported before
	Late   bool   `json:"late,omitempty"`
	Err    error  `json:"-"`
}

// CallRecord is a reported call as kept.
type CallRecord struct {
	City     int           `db:"city_id" json:"-"`
	Company  string        `db:"company" json:"company"`
	No       string        `db:"no" json:"no"`
	Case     string        `db:"case_id" json:"case"`
	CaseNo   string        `db:"case_no" json:"case_no"`
	ToldAt   civil.Instant `db:"told_at" json:"told_at"`
	Received civil.Instant `db:"received_at" json:"received_at"`
	Late     bool          `db:"late" json:"late"`
	Door     string        `db:"door" json:"door"`
	Prefix   string        `db:"prefix" json:"-"`
	Number   int64         `db:"number" json:"-"` // -1: the number has no digits at its end
}

const (
	// MostCalls bounds a batch.
	MostCalls = 500
	// LateAfter is how long after a call a company may report it before it counts as late: a default of this program, which no
	// rule of a city stands behind. It marks the call and nothing follows from it.
	LateAfter = time.Hour
)

func (c Call) check(now civil.Instant) error {
	var f fault.Check
	f.That(numberShape.MatchString(c.No), "no", "exchange.bad_number")
	f.That(!c.ToldAt.IsZero(), "told_at", "field.required")
	f.That(!c.ToldAt.After(now.Add(skew)), "told_at", "case.in_future")
	f.That(c.ToldAt.IsZero() || now.Sub(c.ToldAt) < oldest, "told_at", "case.too_old")
	f.That(strings.TrimSpace(c.Text) != "", "text", "field.required")
	f.That(utf8.RuneCountInString(c.Text) <= mostText, "text", "field.too_long", "max", mostText)
	f.That(c.Phone == "" || cases.IsPhone(c.Phone), "phone", "case.bad_phone")
	f.That(c.Nature == "" || natureOf(c.Nature) != "", "nature", "field.not_one_of", "allowed", strings.Join(natureWords(), ", "))
	f.That(c.Level == "" || levelOf(c.Level) != "", "level", "field.not_one_of", "allowed", "normal, urgent, critical, 一般, 紧急, 特急")
	return f.Err()
}

// opening is the call as intake takes it.
func (c Call) opening(city int, company string, p *citypack.Pack) cases.Opening {
	return cases.Opening{
		City: city, Door: citypack.DoorImport, Channel: cases.CompanyIn, TicketNo: company + "-" + c.No, ReceivedAt: c.ToldAt, Text: c.Text, Address: c.Address,
		Account: c.Account, Caller: cases.Party{Name: c.Name, Phone: c.Phone}, Category: categoryOf(p, c.Category), Nature: natureOf(c.Nature), Urgency: levelOf(c.Level),
		Details: cases.Details{ToldAt: c.ToldAt, ToldNo: c.No},
	}
}

var digitsAtEnd = regexp.MustCompile(`^(.*?)([0-9]{1,18})$`)

// split takes a number apart: what stays the same, and what counts up.
func split(no string) (prefix string, number int64) {
	m := digitsAtEnd.FindStringSubmatch(no)
	if m == nil {
		return no, -1
	}
	n, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		return no, -1
	}
	return m[1], n
}

// NumberGap is a stretch of a company's numbers that was not reported: calls that may have been kept back.
type NumberGap struct {
	Company string        `db:"company" json:"company"`
	Prefix  string        `db:"prefix" json:"prefix"`
	After   int64         `db:"number" json:"after"` // the last number before the gap
	Before  int64         `db:"following" json:"before"`
	ToldAt  civil.Instant `db:"told_at" json:"told_at"` // of the call before the gap
}

// Missing is how many numbers lie in the gap.
func (g NumberGap) Missing() int64 { return g.Before - g.After - 1 }

// Reporting is how a company reports, beside what residents tell the centre about it themselves.
type Reporting struct {
	Company string        `db:"company" json:"company"`
	Calls   int64         `db:"n" json:"calls"`
	Late    int64         `db:"late" json:"late"`
	Last    civil.Instant `db:"last_at" json:"last,omitzero"` // last report
	Here    int64         `db:"-" json:"here"`                // cases about it that came by other ways
	Missing int64         `db:"-" json:"missing"`             // numbers that were left out
	Silent  bool          `db:"-" json:"silent"`              // it reports nothing while others have many
}

// fewCalls is from how many calls on the others' middle one makes silence remarkable: a default of this program, to point at
// whom to ask, and no finding.
const fewCalls = 5

// MarkSilent marks the companies that report nothing while the middle one of the others has many.
func MarkSilent(list []Reporting) {
	for i := range list {
		var others []int64
		for j, r := range list {
			if j != i {
				others = append(others, r.Calls)
			}
		}
		slices.Sort(others)
		list[i].Silent = list[i].Calls == 0 && (len(others) > 0 && others[len(others)/2] >= fewCalls || list[i].Here >= 4*fewCalls)
	}
}

// CallSheet is the input of ImportCalls: calls of companies as a table.
type CallSheet struct {
	City     int
	Company  string // where the table has no column of companies
	Name     string // of the file
	Reader   io.ReadSeeker
	DryRun   bool
	Progress func(done, total int)
}

// CallsImported is what an import found and did.
type CallsImported struct {
	DryRun bool             `json:"dry_run,omitempty"`
	Rows   int              `json:"rows"`
	Opened int              `json:"opened"`
	Known  int              `json:"known"`
	Late   int              `json:"late"`
	Faults []cases.RowFault `json:"faults,omitempty"`
}

// mostFaults bounds how many faults a report lists.
const mostFaults = 500

func (r *CallsImported) note(row int, err error) {
	if err == nil {
		return
	}
	f := fault.Of(err)
	if len(f.Fields) == 0 && len(r.Faults) < mostFaults {
		r.Faults = append(r.Faults, cases.RowFault{Row: row, Message: text.Message{Key: f.Key, Params: f.Params}})
	}
	for _, one := range f.Fields {
		if len(r.Faults) == mostFaults {
			return
		}
		r.Faults = append(r.Faults, cases.RowFault{Row: row, Column: one.Name, Message: text.Message{Key: one.Key, Params: one.Params}})
	}
}

var callColumns = []sheet.Column{
	{Name: "no", Aliases: []string{"企业工单号", "工单编号", "编号", "流水号"}, Required: true},
	{Name: "told_at", Aliases: []string{"来电时间", "受理时间", "告知时间"}, Required: true},
	{Name: "company", Aliases: []string{"企业", "供热企业", "企业代码"}},
	{Name: "name", Aliases: []string{"姓名", "来电人"}},
	{Name: "phone", Aliases: []string{"电话", "联系电话", "来电号码"}},
	{Name: "address", Aliases: []string{"地址", "详细地址"}},
	{Name: "account", Aliases: []string{"户号", "用户编号"}},
	{Name: "text", Aliases: []string{"诉求内容", "内容"}, Required: true},
	{Name: "category", Aliases: []string{"类别", "诉求类别"}},
	{Name: "nature", Aliases: []string{"诉求性质", "性质"}},
	{Name: "level", Aliases: []string{"紧急程度", "级别"}},
}

// row is one line of such a table.
type callRow struct {
	Call
	company string
	no      int
	wrong   fault.Check
}

// readCalls hands every row of the table on.
func readCalls(in CallSheet, each func(*callRow) error) error {
	if _, err := in.Reader.Seek(0, io.SeekStart); err != nil {
		return err
	}
	rows, err := sheet.Open(in.Name, in.Reader)
	if err != nil {
		return err
	}
	defer rows.Close()
	index, err := sheet.Match(rows.Header(), callColumns...)
	if err != nil {
		return err
	}
	for {
		cells, n, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		get := func(column string) string { return strings.TrimSpace(index.Get(cells, column)) }
		r := &callRow{no: n, company: cmp.Or(get("company"), in.Company), Call: Call{
			No: get("no"), Name: get("name"), Phone: get("phone"), Address: get("address"), Account: get("account"), Text: get("text"), Category: get("category"),
			Nature: get("nature"), Level: get("level"),
		}}
		if s := get("told_at"); s != "" {
			r.ToldAt, err = sheet.Time(s)
			r.wrong.That(err == nil, "told_at", "field.not_a_time")
		}
		r.wrong.That(r.company != "", "company", "field.required")
		if err := each(r); err != nil {
			return err
		}
	}
}

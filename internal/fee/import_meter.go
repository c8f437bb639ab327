package fee

import (
	"errors"
	"io"
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/text"
)

// MeterSheet is the input of ImportMeters: meter readings as CSV or XLSX.
type MeterSheet struct {
	City   int
	Name   string // of the file, for messages
	Reader io.Reader
	DryRun bool // check and count only
}

// Readings is what became of meter readings.
type Readings struct {
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

var meterColumns = []sheet.Column{
	{Name: "account", Aliases: []string{"户号", "用热户号", "用户编号", "用户号", "卡号"}, Required: true},
	{Name: "meter", Aliases: []string{"表号", "热表编号", "热量表编号", "仪表编号"}, Required: true},
	{Name: "on", Aliases: []string{"抄表日期", "日期", "读数日期"}, Required: true},
	{Name: "kind", Aliases: []string{"读数类型", "类型", "抄表类型"}, Required: true},
	{Name: "value", Aliases: []string{"读数", "表底", "示数", "累计热量"}, Required: true},
	{Name: "unit", Aliases: []string{"单位", "计量单位"}},
	{Name: "season", Aliases: []string{"采暖期", "采暖季", "年度", "供热年度"}},
}

// kindWords and unitWords are what tables call kinds and units.
var (
	kindWords = map[string]ReadingKind{
		"opening": Opening, "期初": Opening, "起始": Opening, "初始": Opening, "monthly": Monthly, "月度": Monthly, "每月": Monthly, "月抄": Monthly,
		"closing": Closing, "期末": Closing, "截止": Closing, "终止": Closing,
	}
	unitWords = map[string]citypack.PriceUnit{"kwh": kilowattHour, "千瓦时": kilowattHour, "度": kilowattHour, "gj": gigajoule, "吉焦": gigajoule}
)

// readMeters reads a table; what is wrong with a cell is named, the rest is checked with what was kept.
func readMeters(in MeterSheet) ([]Reading, []RowFault, error) {
	rows, err := sheet.Open(in.Name, in.Reader)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	index, err := sheet.Match(rows.Header(), meterColumns...)
	if err != nil {
		return nil, nil, err
	}
	var out []Reading
	var found []RowFault
	for {
		cells, no, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return out, found, nil
		}
		if err != nil {
			return nil, nil, err
		}
		cell := func(name string) string { return strings.Trim(index.Get(cells, name), " \t\r\n\u00a0\u3000") }
		r := Reading{Account: cell("account"), Meter: cell("meter"), Value: strings.ReplaceAll(cell("value"), ",", ""), Season: cell("season"), row: no}
		if r.On, err = sheet.Day(cell("on")); err != nil {
			found = append(found, RowFault{no, "on", text.Msg("register.bad_day", "value", cell("on"))})
		}
		r.Kind = kindWords[strings.ToLower(cell("kind"))]
		if u := cell("unit"); u != "" {
			if r.Unit = unitWords[strings.ToLower(u)]; r.Unit == "" {
				found = append(found, RowFault{no, "unit", text.Msg("meter.bad_unit")})
			}
		}
		out = append(out, r)
	}
}

// complete adds what follows from the rest of a reading: the season of its day, and the unit where a pack has only one.
func (r *Reading) complete(unit citypack.PriceUnit) {
	if r.Season == "" && !r.On.IsZero() {
		r.Season = citypack.SeasonLabel(r.On)
	}
	if r.Unit == "" {
		r.Unit = unit
	}
	if plainNumber.MatchString(r.Value) {
		if r.Value = decimal(rat(r.Value)); r.Value == "" {
			r.Value = "0"
		}
	}
}

// check says what is wrong with one reading by itself.
func (r Reading) check(today civil.Date, home bool) []RowFault {
	var out []RowFault
	that := func(ok bool, field, key string, pairs ...any) {
		if !ok {
			out = append(out, RowFault{r.row, field, text.Msg(key, pairs...)})
		}
	}
	that(r.Account != "", "account", "field.required")
	that(home || r.Account == "", "account", "place.no_account", "account", r.Account)
	that(r.Meter != "", "meter", "field.required")
	that(len([]rune(r.Meter)) <= 60, "meter", "field.too_long", "max", 60)
	that(!r.On.IsZero(), "on", "field.required")
	that(!r.On.After(today), "on", "meter.future", "on", r.On.String())
	that(r.On.IsZero() || !IsSeason(r.Season) || citypack.SeasonLabel(r.On) == r.Season, "on", "meter.outside_season", "on", r.On.String(), "season", r.Season)
	that(r.Kind == Opening || r.Kind == Monthly || r.Kind == Closing, "kind", "meter.bad_kind")
	that(plainNumber.MatchString(r.Value), "value", "meter.bad_value", "value", r.Value)
	that(isMetered(r.Unit), "unit", "meter.bad_unit")
	that(r.Season == "" || IsSeason(r.Season), "season", "fee.bad_season", "value", r.Season)
	return out
}

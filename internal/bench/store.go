package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// numbersOfDay is how many numbers a day of case numbers has.
const numbersOfDay = 1_000_000

// newest is the day of the latest case.
func newest(ctx context.Context, tx *db.Tx) (civil.Date, error) {
	n, err := db.One[int64](ctx, tx, `SELECT MAX(seq) FROM case_file WHERE city_id = $1`, city)
	if err != nil {
		return civil.Date{}, err
	}
	day := int(n / numbersOfDay)
	return civil.NewDate(day/10000, time.Month(day/100%100), day%100), nil
}

func firstNumber(d civil.Date) int64 {
	return int64(d.Year*10000+int(d.Month)*100+d.Day) * numbersOfDay
}

// copyDay adds the cases of the newest day once more, k days earlier, under other numbers, of other homes and callers and
// in other words; most are closed. A day that is there already is left alone.
func copyDay(ctx context.Context, tx *db.Tx, last civil.Date, k int) error {
	day := last.AddDays(-k)
	has, err := db.One[int64](ctx, tx, `SELECT COUNT(*) FROM case_tally WHERE city_id = $1 AND id LIKE $2`, city, day.String()+"/%")
	if err != nil || has > 0 {
		return err
	}
	set := changes(k)
	columns := strings.Split(db.Columns[cases.Case](""), ", ")
	columns = append(columns, "search")
	values := make([]string, len(columns))
	args := []any{city, strconv.Itoa(k), firstNumber(day), firstNumber(last), int64(k) * 24 * 3600 * 1000}
	for i, c := range columns {
		values[i] = "c." + c
		switch c {
		case "id", "token", "caller_id":
			values[i] = "c." + c + " || '-' || $2"
		case "no":
			values[i] = "REPLACE(c.no, '" + digits(last) + "', '" + digits(day) + "')"
		case "contact_id":
			values[i] = "CASE c.contact_id WHEN '' THEN '' ELSE c.contact_id || '-' || $2 END"
		case "seq":
			values[i] = "c.seq - $4 + $3"
		case "received_at", "recorded_at", "updated_at", "dispatched_at", "due_at":
			values[i] = "c." + c + " - $5"
		case "address", "text", "search":
			values[i] = set.replaced(c, last, day)
		default:
			if v, ok := set.columns[c]; ok {
				values[i] = v
			}
		}
	}
	if _, err := db.Exec(ctx, tx, `INSERT INTO case_file (`+strings.Join(columns, ", ")+`) SELECT `+strings.Join(values, ", ")+`
		FROM case_file c WHERE c.city_id = $1 AND c.seq > $4`, args...); err != nil {
		return err
	}
	if _, err := db.Exec(ctx, tx, `INSERT INTO case_unindexed (city_id, seq, stamp) SELECT c.city_id, c.seq, c.version FROM case_file c
		WHERE c.city_id = $1 AND c.seq > $2 AND c.seq < $3`, city, firstNumber(day), firstNumber(day.AddDays(1))); err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO case_tally (city_id, id, day, status, company, district, category, n, folded)
		SELECT c.city_id, $4 || '/' || c.company || '/' || c.district || '/' || c.category, $4, c.status, c.company, c.district, c.category, COUNT(*), TRUE
		FROM case_file c WHERE c.city_id = $1 AND c.seq > $2 AND c.seq < $3 GROUP BY c.city_id, c.status, c.company, c.district, c.category`,
		city, firstNumber(day), firstNumber(day.AddDays(1)), day.String())
	return err
}

// sumDays brings the tally's rows over all days up to date.
func sumDays(ctx context.Context, tx *db.Tx) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM case_tally WHERE city_id = $1 AND day = ''`, city); err != nil {
		return err
	}
	_, err := db.Exec(ctx, tx, `INSERT INTO case_tally (city_id, id, day, status, company, district, category, n, folded)
		SELECT t.city_id, 'sum/' || t.status || '/' || t.company || '/' || t.district || '/' || t.category, '', t.status, t.company, t.district, t.category, SUM(t.n), TRUE
		FROM case_tally t WHERE t.city_id = $1 AND t.folded GROUP BY t.city_id, t.status, t.company, t.district, t.category`, city)
	return err
}

func digits(d civil.Date) string { return strings.ReplaceAll(d.String(), "-", "") }

// change is what the cases of a day have of their own.
type change struct {
	columns map[string]string
	words   [][2]string
}

// openDays is for how many days cases stay open.
const openDays = 20

// household phrases make the texts of different days differ.
var households = []string{
	"家里有坐月子的产妇", "家里有瘫痪在床的病人", "孩子咳嗽一个星期了", "邻居家都很热", "楼上楼下都不热", "暖气片上半截热下半截凉", "地暖分水器摸着冰凉",
	"阀门处有滴水", "去年换过管子", "物业说是供热公司的事", "交费以后一直没热过", "晚上比白天更冷",
}

func changes(k int) change {
	c := change{columns: map[string]string{"status": "'archived'", "open": "FALSE", "solved": "'yes'", "satisfied": "'yes'", "late": "FALSE"}}
	if k < openDays {
		c.columns = map[string]string{"status": "'handling'", "due_sort": "c.due_sort - $5", "worker": fmt.Sprintf("'worker-%d'", k)}
	}
	if k%10 == 0 {
		c.columns["late"] = "TRUE"
	}
	if k%97 == 0 {
		c.columns["channel"] = "'weibo'"
	}
	if k%101 == 0 {
		c.columns["supervised"] = "TRUE"
	}
	c.words = [][2]string{
		{"3号楼2单元601", fmt.Sprintf("%d号楼%d单元%d", 1+k%30, 1+k%5, 100*(1+k%18)+1+k%4)},
		{"15度", fmt.Sprintf("%d度", 9+k%9)},
		{"家里有八十岁的老人和三岁的孩子", households[k%len(households)]},
	}
	if k%2 == 0 { // each pair of 热冷热 stands in half of all cases, the whole in those of one day
		c.words = append(c.words, [2]string{"已经三天了", "冷热冷，已经三天了"})
	}
	if k == rareDay {
		c.words = append(c.words, [2]string{"没有人上门", "没有人上门，忽热冷热"})
	}
	return c
}

// rareDay is how many days ago the cases with the rare word came.
const rareDay = 500

// replaced is a column with the words of the day in it.
func (c change) replaced(column string, last, day civil.Date) string {
	out := "c." + column
	for _, w := range c.words {
		out = "REPLACE(" + out + ", '" + w[0] + "', '" + w[1] + "')"
	}
	if column == "search" {
		out = "REPLACE(" + out + ", '" + digits(last) + "', '" + digits(day) + "')"
	}
	return out
}

// analyze lets the database know its tables, as its own upkeep would have done over the years.
func analyze(ctx context.Context, d *db.DB) error {
	return db.Do(ctx, d, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, "ANALYZE")
		return err
	})
}

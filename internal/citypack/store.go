package citypack

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

type approvalRow struct {
	City      int           `db:"city_id"`
	Path      string        `db:"path"`
	Value     string        `db:"value"`
	Note      string        `db:"note"`
	Person    string        `db:"person"`
	Name      string        `db:"name"`
	At        civil.Instant `db:"at"`
	Withdrawn civil.Instant `db:"withdrawn_at"`
	Version   int64         `db:"version"`
}

func inForce(rows []approvalRow) Approvals {
	var out Approvals
	for _, r := range rows {
		if r.Withdrawn.IsZero() {
			out = append(out, Approval{Path: r.Path, Value: r.Value, By: r.Name, At: r.At})
		}
	}
	return out
}

func listApprovals(ctx context.Context, tx *db.Tx, city int) ([]approvalRow, error) {
	return db.List[approvalRow](ctx, tx, `SELECT `+db.Columns[approvalRow]("")+` FROM pack_approval WHERE city_id = $1 ORDER BY path`, city)
}

// saveApproval writes an approval over an earlier one of the same value's path.
func saveApproval(ctx context.Context, tx *db.Tx, r approvalRow) error {
	old, found, err := findApproval(ctx, tx, r.City, r.Path)
	if err != nil {
		return err
	}
	if !found {
		r.Version = 1
		return db.Insert(ctx, tx, "pack_approval", &r)
	}
	return db.Guarded(ctx, tx, `UPDATE pack_approval SET value = $4, note = $5, person = $6, name = $7, at = $8, withdrawn_at = NULL,
		version = version + 1 WHERE city_id = $1 AND path = $2 AND version = $3`,
		r.City, r.Path, old.Version, r.Value, r.Note, r.Person, r.Name, int64(r.At))
}

func findApproval(ctx context.Context, tx *db.Tx, city int, path string) (approvalRow, bool, error) {
	return db.Maybe[approvalRow](ctx, tx, `SELECT `+db.Columns[approvalRow]("")+` FROM pack_approval WHERE city_id = $1 AND path = $2`, city, path)
}

func withdrawApproval(ctx context.Context, tx *db.Tx, r approvalRow) error {
	return db.Guarded(ctx, tx, `UPDATE pack_approval SET withdrawn_at = $4, version = version + 1
		WHERE city_id = $1 AND path = $2 AND version = $3 AND withdrawn_at IS NULL`, r.City, r.Path, r.Version, int64(tx.Now))
}

// SeasonAct is a declared season as it is kept.
type SeasonAct struct {
	City     int           `db:"city_id" json:"city"`
	Season   string        `db:"season" json:"season"`
	County   string        `db:"county" json:"county"`
	Start    civil.Instant `db:"start_at" json:"start"`
	End      civil.Instant `db:"end_at" json:"end"`
	Document string        `db:"document" json:"document"`
	Person   string        `db:"person" json:"-"`
	Name     string        `db:"name" json:"by"`
	At       civil.Instant `db:"at" json:"at"`
	Version  int64         `db:"version" json:"version"`
}

func (a SeasonAct) declared() Declared {
	return Declared{Season: a.Season, County: a.County, Start: a.Start, End: a.End, By: a.Name, At: a.At, Document: a.Document}
}

func listSeasons(ctx context.Context, tx *db.Tx, city int) ([]SeasonAct, error) {
	return db.List[SeasonAct](ctx, tx, `SELECT `+db.Columns[SeasonAct]("")+` FROM season_declared WHERE city_id = $1 ORDER BY season, county`, city)
}

func updateSeason(ctx context.Context, tx *db.Tx, a SeasonAct, version int64) error {
	return db.Guarded(ctx, tx, `UPDATE season_declared SET start_at = $5, end_at = $6, document = $7, person = $8, name = $9, at = $10,
		version = version + 1 WHERE city_id = $1 AND season = $2 AND county = $3 AND version = $4`,
		a.City, a.Season, a.County, version, a.Start, a.End, a.Document, a.Person, a.Name, a.At)
}

type yearRow struct {
	City    int           `db:"city_id"`
	Year    int           `db:"year"`
	Body    calendar.Year `db:"body,json"`
	Source  string        `db:"source"`
	Person  string        `db:"person"`
	Name    string        `db:"name"`
	At      civil.Instant `db:"at"`
	Version int64         `db:"version"`
}

func listYears(ctx context.Context, tx *db.Tx, city int) ([]yearRow, error) {
	return db.List[yearRow](ctx, tx, `SELECT `+db.Columns[yearRow]("")+` FROM holiday_year WHERE city_id = $1 ORDER BY year`, city)
}

func findYear(ctx context.Context, tx *db.Tx, city, year int) (yearRow, bool, error) {
	return db.Maybe[yearRow](ctx, tx, `SELECT `+db.Columns[yearRow]("")+` FROM holiday_year WHERE city_id = $1 AND year = $2`, city, year)
}

// saveYear replaces the version of a year that was read, or adds the first one.
func saveYear(ctx context.Context, tx *db.Tx, r yearRow, version int64) error {
	if version == 0 {
		r.Version = 1
		return db.Insert(ctx, tx, "holiday_year", &r)
	}
	body, err := json.Marshal(r.Body)
	if err != nil {
		return fmt.Errorf("encode holidays: %w", err)
	}
	return db.Guarded(ctx, tx, `UPDATE holiday_year SET body = $4, source = $5, person = $6, name = $7, at = $8, version = version + 1
		WHERE city_id = $1 AND year = $2 AND version = $3`, r.City, r.Year, version, string(body), r.Source, r.Person, r.Name, r.At)
}

// switchPeak is the switch of the peak's short form.
const switchPeak = "peak"

// Switch is a mode of a city, who set it last, why and when.
type Switch struct {
	City    int           `db:"city_id" json:"city"`
	Name    string        `db:"name" json:"name"`
	On      bool          `db:"is_on" json:"on"`
	Reason  string        `db:"reason" json:"reason"`
	Person  string        `db:"person" json:"-"`
	By      string        `db:"by_name" json:"by"`
	At      civil.Instant `db:"at" json:"at"`
	Version int64         `db:"version" json:"version"`
}

func findSwitch(ctx context.Context, tx *db.Tx, city int, name string) (Switch, bool, error) {
	return db.Maybe[Switch](ctx, tx, `SELECT `+db.Columns[Switch]("")+` FROM city_switch WHERE city_id = $1 AND name = $2`, city, name)
}

func saveSwitch(ctx context.Context, tx *db.Tx, w Switch, version int64) error {
	if version == 0 {
		w.Version = 1
		return db.Insert(ctx, tx, "city_switch", &w)
	}
	return db.Guarded(ctx, tx, `UPDATE city_switch SET is_on = $4, reason = $5, person = $6, by_name = $7, at = $8, version = version + 1
		WHERE city_id = $1 AND name = $2 AND version = $3`, w.City, w.Name, version, w.On, w.Reason, w.Person, w.By, w.At)
}

func insertCity(ctx context.Context, tx *db.Tx, city int, name Phrase) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO city (city_id, name_zh, name_en, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (city_id) DO NOTHING`, city, name.ZH, name.EN, int64(tx.Now))
	return err
}

func listCities(ctx context.Context, tx *db.Tx) ([]int, error) {
	return db.List[int](ctx, tx, `SELECT city_id FROM city ORDER BY city_id`)
}

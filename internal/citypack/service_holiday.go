package citypack

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// HolidayImport is the input of ImportHolidays: the announcement of one year as
// {"year","days":[{"name","date","isOffDay"}]}.
type HolidayImport struct {
	City   int
	Source string // the announcement or file it comes from
	Body   []byte
	DryRun bool
}

// HolidayYear is one year of a city's calendar and where it comes from.
type HolidayYear struct {
	calendar.Year
	Imported bool          `json:"imported"` // false: the program brought it
	Source   string        `json:"source,omitempty"`
	By       string        `json:"by,omitempty"`
	At       civil.Instant `json:"at"`
}

// HolidayChange tells what an import changed.
type HolidayChange struct {
	Year    int  `json:"year"`
	Days    int  `json:"days"`
	New     int  `json:"new"`     // entries that were not known
	Gone    int  `json:"gone"`    // entries that the new file lacks
	Off     int  `json:"off"`     // entries that stay switched off
	Changed bool `json:"changed"` // false: the same file again
}

// ImportHolidays takes a year's announcement over what the city has for that year. Entries that were switched off stay
// off; the same file twice changes nothing.
func (s *Service) ImportHolidays(ctx context.Context, by actor.Actor, in HolidayImport) (HolidayChange, error) {
	if err := by.May(actor.PackApprove, actor.On{City: in.City}); err != nil {
		return HolidayChange{}, err
	}
	y, err := calendar.ParseYear(in.Body)
	if err != nil {
		return HolidayChange{}, err
	}
	if _, err := s.set.City(in.City); err != nil {
		return HolidayChange{}, err
	}
	return db.Write(ctx, s.db, func(tx *db.Tx) (HolidayChange, error) {
		row, imported, err := findYear(ctx, tx, in.City, y.Year)
		if err != nil {
			return HolidayChange{}, err
		}
		old := row.Body
		if !imported {
			old, _ = s.base.Year(y.Year)
		}
		next := old.Replace(y)
		if err := next.Check(); err != nil {
			return HolidayChange{}, err
		}
		change := compareYears(old, next)
		if !change.Changed || in.DryRun {
			return change, nil
		}
		row = yearRow{City: in.City, Year: y.Year, Body: next, Source: strings.TrimSpace(in.Source), Person: by.ID, Name: by.Name, At: tx.Now, Version: row.Version}
		if err := saveYear(ctx, tx, row, row.Version); err != nil {
			return HolidayChange{}, fmt.Errorf("import holidays %d: %w", y.Year, err)
		}
		return change, s.recordDays(ctx, tx, by, in.City, "holidays.import", map[string]any{
			"year": y.Year, "source": row.Source, "new": change.New, "gone": change.Gone, "off": change.Off, "days": next.Days,
		})
	})
}

func compareYears(old, next calendar.Year) HolidayChange {
	had := map[calendar.Day]bool{}
	for _, d := range old.Days {
		had[d] = true
	}
	c := HolidayChange{Year: next.Year, Days: len(next.Days), Changed: !reflect.DeepEqual(old.Days, next.Days)}
	for _, d := range next.Days {
		if !had[d] {
			c.New++
		}
		if d.Off {
			c.Off++
		}
		delete(had, d)
	}
	c.Gone = len(had)
	return c
}

// HolidaySwitch is the input of SwitchHoliday. Year is the file that holds the entry: the file of 2026 may speak of
// 31 December 2025.
type HolidaySwitch struct {
	City     int        `json:"city" form:"-"`
	Year     int        `json:"year" form:"year"`
	Date     civil.Date `json:"date" form:"date"`
	IsOffDay bool       `json:"is_off_day" form:"is_off_day"`
	Off      bool       `json:"off" form:"off"`
	Reason   string     `json:"reason" form:"reason"`
}

// SwitchHoliday switches one wrong entry of a year off, so that it stays off after the next import, or on again.
func (s *Service) SwitchHoliday(ctx context.Context, by actor.Actor, in HolidaySwitch) (HolidayYear, error) {
	if err := by.May(actor.PackApprove, actor.On{City: in.City}); err != nil {
		return HolidayYear{}, err
	}
	if err := reasonGiven(&in.Reason); err != nil {
		return HolidayYear{}, err
	}
	if _, err := s.set.City(in.City); err != nil {
		return HolidayYear{}, err
	}
	return db.Write(ctx, s.db, func(tx *db.Tx) (HolidayYear, error) {
		row, imported, err := findYear(ctx, tx, in.City, in.Year)
		if err != nil {
			return HolidayYear{}, err
		}
		old := row.Body
		if !imported {
			var known bool
			if old, known = s.base.Year(in.Year); !known {
				return HolidayYear{}, fault.New(fault.NotFound, "pack.no_year", "year", in.Year)
			}
		}
		next, err := old.Switch(in.Date, in.IsOffDay, in.Off)
		if err != nil {
			return HolidayYear{}, err
		}
		row = yearRow{City: in.City, Year: in.Year, Body: next, Source: row.Source, Person: by.ID, Name: by.Name, At: tx.Now, Version: row.Version}
		if err := saveYear(ctx, tx, row, row.Version); err != nil {
			return HolidayYear{}, fmt.Errorf("switch holiday %s: %w", in.Date, err)
		}
		return row.shown(), s.recordDays(ctx, tx, by, in.City, "holidays.switch", map[string]any{
			"year": in.Year, "date": in.Date, "is_off_day": in.IsOffDay, "off": in.Off, "reason": in.Reason,
		})
	})
}

// recordDays records an act on the calendar and lets the clocks that waited for it go on.
func (s *Service) recordDays(ctx context.Context, tx *db.Tx, by actor.Actor, city int, act string, body any) error {
	if err := s.record(ctx, tx, by, city, act, body); err != nil || s.OnCalendar == nil {
		return err
	}
	if err := s.OnCalendar(ctx, tx, city); err != nil {
		return fmt.Errorf("compute waiting due times: %w", err)
	}
	return nil
}

func (r yearRow) shown() HolidayYear {
	return HolidayYear{Year: r.Body, Imported: true, Source: r.Source, By: r.Name, At: r.At}
}

// Holidays lists the years of a city's calendar, the latest first.
func (s *Service) Holidays(ctx context.Context, by actor.Actor, city int) ([]HolidayYear, error) {
	if err := by.May(actor.PackRead, actor.On{City: city}); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]HolidayYear, error) {
		r, err := s.load(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		rows, err := listYears(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		imported := map[int]yearRow{}
		for _, row := range rows {
			imported[row.Year] = row
		}
		years := r.Calendar.Years()
		out := make([]HolidayYear, 0, len(years))
		for _, year := range slices.Backward(years) {
			if row, ok := imported[year]; ok {
				out = append(out, row.shown())
				continue
			}
			y, _ := r.Calendar.Year(year)
			out = append(out, HolidayYear{Year: y})
		}
		return out, nil
	})
}

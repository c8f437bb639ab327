package measure

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// holdDay lets one writer after the other at the windows of a company's day.
func holdDay(ctx context.Context, tx *db.Tx, city int, company string, day civil.Date) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO measure_calendar (city_id, company, day, writes) VALUES ($1, $2, $3, 1)
		ON CONFLICT (city_id, company, day) DO UPDATE SET writes = measure_calendar.writes + 1`, city, company, day.String())
	if err != nil {
		return fmt.Errorf("hold a day of a company: %w", err)
	}
	return nil
}

// bookedOn lists what takes places of a company in a span of time, leaving out one measurement.
func bookedOn(ctx context.Context, tx *db.Tx, city int, company, but string, from, to civil.Instant) ([]booked, error) {
	out, err := db.List[booked](ctx, tx, `SELECT m.area, a.from_at FROM measure_appointment a JOIN measurement m ON m.city_id = a.city_id AND m.id = a.measurement_id
		WHERE a.city_id = $1 AND a.company = $2 AND a.from_at >= $3 AND a.from_at < $4 AND a.state IN ('proposed', 'agreed', 'kept') AND a.measurement_id <> $5`,
		city, company, int64(from), int64(to), but)
	if err != nil {
		return nil, fmt.Errorf("list taken places: %w", err)
	}
	return out, nil
}

func capacityOf(ctx context.Context, tx *db.Tx, city int, company string) (capacities, error) {
	out, err := db.List[Capacity](ctx, tx, `SELECT `+db.Columns[Capacity]("c")+` FROM measure_capacity c
		WHERE c.city_id = $1 AND c.company = $2 AND (c.day = '' OR c.day >= $3) ORDER BY c.area, c.day, c.weekday, c.part`, city, company, tx.Now.Date().String())
	if err != nil {
		return nil, fmt.Errorf("list capacities: %w", err)
	}
	return out, nil
}

// offerVersion is the version of all numbers of a company, 0 before the first.
func offerVersion(ctx context.Context, tx *db.Tx, city int, company string) (int64, error) {
	v, _, err := db.Maybe[int64](ctx, tx, `SELECT version FROM measure_offer WHERE city_id = $1 AND company = $2`, city, company)
	if err != nil {
		return 0, fmt.Errorf("find the version of capacities: %w", err)
	}
	return v, nil
}

// turnOffer moves the version of a company's numbers on from the one that the actor saw.
func turnOffer(ctx context.Context, tx *db.Tx, city int, company string, seen int64) error {
	if seen == 0 {
		return db.Guarded(ctx, tx, `INSERT INTO measure_offer (city_id, company, version) VALUES ($1, $2, 1)
			ON CONFLICT (city_id, company) DO NOTHING`, city, company)
	}
	return db.Guarded(ctx, tx, `UPDATE measure_offer SET version = version + 1 WHERE city_id = $1 AND company = $2 AND version = $3`, city, company, seen)
}

// putCapacity writes a number; dropCapacity takes it away.
func putCapacity(ctx context.Context, tx *db.Tx, c Capacity) error {
	_, err := db.Exec(ctx, tx, `INSERT INTO measure_capacity (city_id, company, area, day, weekday, part, places, updated_by, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (city_id, company, area, day, weekday, part) DO UPDATE SET places = excluded.places, updated_by = excluded.updated_by,
		updated_at = excluded.updated_at`,
		c.City, c.Company, c.Area, c.Day, c.Weekday, string(c.Part), c.Places, c.By, c.Updated)
	if err != nil {
		return fmt.Errorf("set a capacity: %w", err)
	}
	return nil
}

func dropCapacity(ctx context.Context, tx *db.Tx, c Capacity) error {
	_, err := db.Exec(ctx, tx, `DELETE FROM measure_capacity WHERE city_id = $1 AND company = $2 AND area = $3 AND day = $4 AND weekday = $5 AND part = $6`,
		c.City, c.Company, c.Area, c.Day, c.Weekday, string(c.Part))
	if err != nil {
		return fmt.Errorf("take a capacity away: %w", err)
	}
	return nil
}

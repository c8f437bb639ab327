package call

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
)

// liveFor bounds how old a call may be that still waits or talks: a switch that never says that it ended must not fill the
// screen for ever.
const liveFor = 6 * time.Hour

// slots counts the calls that wanted a seat in half-hours from a day on, N counting from its first one. Within is how soon an
// answer is in time; 0: nobody said, and none is.
func slots(ctx context.Context, tx *db.Tx, city int, from, to civil.Date, within time.Duration) ([]Slot, error) {
	length := int64(SlotLength / time.Millisecond)
	out, err := db.List[Slot](ctx, tx, `SELECT (c.arrived_at - $2) / $4 AS n, COUNT(*) AS offered, COUNT(c.answered_at) AS answered,
		COUNT(*) FILTER (WHERE c.answered_at IS NOT NULL AND c.wait_ms <= $5) AS in_time,
		COUNT(*) FILTER (WHERE c.answered_at IS NULL AND c.ended_at IS NOT NULL) AS lost,
		CAST(SUM(c.wait_ms) AS BIGINT) AS wait_ms, CAST(SUM(c.talk_ms) AS BIGINT) AS talk_ms
		FROM call_record c WHERE c.city_id = $1 AND c.arrived_at >= $2 AND c.arrived_at < $3 AND c.direction = 'in'
		AND (c.queued_at IS NOT NULL OR c.rang_at IS NOT NULL OR c.answered_at IS NOT NULL OR c.state = 'lost')
		GROUP BY (c.arrived_at - $2) / $4 ORDER BY 1`, city, int64(from.Start()), int64(to.End()), length, cmp.Or(int64(within/time.Millisecond), -1))
	if err != nil {
		return nil, fmt.Errorf("count calls: %w", err)
	}
	for i := range out {
		out[i].At = from.Start().Add(time.Duration(out[i].N) * SlotLength)
	}
	return out, nil
}

type liveRow struct {
	State string `db:"state"`
	N     int    `db:"n"`
	Since int64  `db:"since"`
}

func figures(ctx context.Context, tx *db.Tx, city int, day civil.Date, goal Goal) (Figures, error) {
	f := Figures{At: tx.Now, Goal: goal, WithinS: int(goal.Within / time.Second)}
	if err := dayIn(ctx, tx, city, day, &f); err != nil {
		return f, err
	}
	if err := nowIn(ctx, tx, city, &f); err != nil {
		return f, err
	}
	if err := seatsIn(ctx, tx, city, day, &f); err != nil {
		return f, err
	}
	var err error
	if f.Backs, err = db.One[int](ctx, tx, `SELECT COUNT(*) FROM call_back b WHERE b.city_id = $1 AND b.closed_at IS NULL`, city); err != nil {
		return f, err
	}
	return f, menuIn(ctx, tx, city, day, &f)
}

// queue is what every seat sees: the day so far, who waits, and the seats, without what each of them did.
func queue(ctx context.Context, tx *db.Tx, city int, goal Goal) (Figures, error) {
	f := Figures{At: tx.Now, Goal: goal, WithinS: int(goal.Within / time.Second)}
	if err := dayIn(ctx, tx, city, tx.Now.Date(), &f); err != nil {
		return f, err
	}
	if err := nowIn(ctx, tx, city, &f); err != nil {
		return f, err
	}
	seats, err := seatsOf(ctx, tx, city)
	for _, s := range seats {
		f.count(s.State)
	}
	return f, err
}

// dayIn counts a day in half-hours.
func dayIn(ctx context.Context, tx *db.Tx, city int, day civil.Date, f *Figures) error {
	some, err := slots(ctx, tx, city, day, day, f.Goal.Within)
	if err != nil {
		return err
	}
	f.Slots = make([]Slot, int(24*time.Hour/SlotLength))
	for i := range f.Slots {
		f.Slots[i] = Slot{N: i, At: day.Start().Add(time.Duration(i) * SlotLength)}
	}
	for _, s := range some {
		f.Day.add(s)
		if s.N >= 0 && s.N < len(f.Slots) {
			f.Slots[s.N] = s
		}
	}
	f.Day.At = day.Start()
	return nil
}

// nowIn counts who waits and talks at this moment.
func nowIn(ctx context.Context, tx *db.Tx, city int, f *Figures) error {
	rows, err := db.List[liveRow](ctx, tx, `SELECT c.state AS state, COUNT(*) AS n, MIN(COALESCE(c.queued_at, c.rang_at, c.arrived_at)) AS since FROM call_record c
		WHERE c.city_id = $1 AND c.ended_at IS NULL AND c.arrived_at >= $2 AND c.direction = 'in' GROUP BY c.state`, city, tx.Now.Add(-liveFor))
	if err != nil {
		return fmt.Errorf("count who waits: %w", err)
	}
	for _, r := range rows {
		switch State(r.State) {
		case InQueue, Rings:
			f.Waiting += r.N
			f.Longest = max(f.Longest, int64(tx.Now)-r.Since)
		case Talking, OnHold:
			f.Talking += r.N
		case Arrived, Moved, Over, Lost:
		}
	}
	return nil
}

// seatsIn counts what each seat did and does.
func seatsIn(ctx context.Context, tx *db.Tx, city int, day civil.Date, f *Figures) (err error) {
	f.Seats, err = db.List[SeatSum](ctx, tx, `SELECT c.seat AS seat, COUNT(*) AS answered, COUNT(c.moved_at) AS moved, CAST(SUM(c.talk_ms) AS BIGINT) AS talk_ms
		FROM call_record c WHERE c.city_id = $1 AND c.arrived_at >= $2 AND c.arrived_at < $3 AND c.answered_at IS NOT NULL AND c.seat <> ''
		GROUP BY c.seat ORDER BY 2 DESC, 1`, city, day.Start(), day.End())
	if err != nil {
		return fmt.Errorf("count what seats did: %w", err)
	}
	seats, err := seatsOf(ctx, tx, city)
	if err != nil {
		return err
	}
	for i := range f.Seats {
		if s, ok := namesOf(seats, f.Seats[i].Person); ok {
			f.Seats[i].Name, f.Seats[i].Seat = s.Name, &s
		}
	}
	for _, s := range seats {
		idle := true
		for _, done := range f.Seats {
			idle = idle && done.Person != s.Person
		}
		if idle && s.State != Offline {
			f.Seats = append(f.Seats, SeatSum{Person: s.Person, Name: s.Name, Seat: &s})
		}
		f.count(s.State)
	}
	return nil
}

type menuRow struct {
	Menu     int `db:"menu"`
	Absorbed int `db:"absorbed"`
}

// menuIn counts the callers to whom the voice menu could say something, and those of them who then asked for no seat.
func menuIn(ctx context.Context, tx *db.Tx, city int, day civil.Date, f *Figures) error {
	r, err := db.One[menuRow](ctx, tx, `SELECT COUNT(DISTINCT a.ref) AS menu, COUNT(DISTINCT CASE WHEN NOT EXISTS (SELECT 1 FROM call_record c
		WHERE c.city_id = a.city_id AND c.ref = a.ref AND (c.queued_at IS NOT NULL OR c.rang_at IS NOT NULL)) THEN a.ref END) AS absorbed
		FROM call_answer a WHERE a.city_id = $1 AND a.at >= $2 AND a.at < $3 AND a.kind <> 'seat'`, city, day.Start(), day.End())
	if err != nil {
		return fmt.Errorf("count answers of the voice menu: %w", err)
	}
	f.Menu, f.Absorbed = r.Menu, r.Absorbed
	return nil
}

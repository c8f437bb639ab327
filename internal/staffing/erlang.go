package staffing

import "math"

// Offered is a half-hour's load: how many calls come, how long a seat is busy with each.
type Offered struct {
	Calls  float64 // in Per seconds
	Per    float64 // seconds
	Handle float64 // seconds of talk and writing up
}

// Erlangs is the load: seats that would be busy if nobody waited.
func (o Offered) Erlangs() float64 {
	if o.Per <= 0 {
		return 0
	}
	return o.Calls * o.Handle / o.Per
}

// ErlangB is the part of calls that find every seat busy where nobody waits. It is worked out seat by seat, so that no
// power and no factorial can overflow, however many seats there are.
func ErlangB(seats int, load float64) float64 {
	b := 1.0
	for n := 1; n <= seats; n++ {
		b = load * b / (float64(n) + load*b)
	}
	return b
}

// ErlangC is the part of calls that must wait where everybody waits as long as it takes; 1 when the load is more than the
// seats can ever work off.
func ErlangC(seats int, load float64) float64 {
	switch {
	case load <= 0:
		return 0
	case float64(seats) <= load:
		return 1
	}
	b := ErlangB(seats, load)
	rho := load / float64(seats)
	return b / (1 - rho*(1-b))
}

// Level is the part of calls answered within some seconds by a number of seats.
func Level(seats int, o Offered, within float64) float64 {
	load := o.Erlangs()
	switch {
	case load <= 0:
		return 1
	case float64(seats) <= load:
		return 0
	}
	return 1 - ErlangC(seats, load)*math.Exp(-(float64(seats)-load)*within/o.Handle)
}

// mostSeats bounds the search; no centre has so many.
const mostSeats = 100_000

// Seats is the least number of seats that answers a part of the calls within some seconds.
func Seats(o Offered, target, within float64) int {
	load := o.Erlangs()
	if load <= 0 {
		return 0
	}
	for n := int(load) + 1; n < mostSeats; n++ {
		if Level(n, o, within) >= target {
			return n
		}
	}
	return mostSeats
}

// Rostered is how many must be on the roster so that seats remain while some are at a meal, in a meeting or ill.
func Rostered(seats int, shrinkage float64) int {
	if seats == 0 || shrinkage >= 1 {
		return seats
	}
	return int(math.Ceil(float64(seats)/(1-shrinkage) - 1e-9))
}

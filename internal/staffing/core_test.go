package staffing_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/staffing"
)

// Values as published tables print them, to four digits, and the worked example that is best known: Call Centre Helper,
// "Erlang C Formula - Made Simple With an Easy Worked Example" (100 calls in half an hour of 180 s, 80 % in 20 s: 14 seats,
// 88.8 %).
func TestErlangTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		seats int
		load  float64
		b, c  float64
	}{
		{1, 0.5, 0.3333, 0.5}, {2, 1, 0.2, 0.3333}, {5, 3, 0.1101, 0.2362}, {10, 5, 0.0184, 0.0361}, {10, 8, 0.1217, 0.4092},
	} {
		if got := staffing.ErlangB(c.seats, c.load); math.Abs(got-c.b) > 6e-5 {
			t.Errorf("B(%d, %g) = %.4f, want %.4f", c.seats, c.load, got, c.b)
		}
		if got := staffing.ErlangC(c.seats, c.load); math.Abs(got-c.c) > 6e-5 {
			t.Errorf("C(%d, %g) = %.4f, want %.4f", c.seats, c.load, got, c.c)
		}
	}
	// 100 calls in half an hour of 180 seconds each are 10 erlangs; 14 seats answer 88.8 % within 20 seconds.
	o := staffing.Offered{Calls: 100, Per: 1800, Handle: 180}
	if n := staffing.Seats(o, 0.8, 20); n != 14 {
		t.Errorf("%d seats for 80 %% in 20 s, want 14", n)
	}
	if l := staffing.Level(14, o, 20); math.Abs(l-0.888) > 5e-4 {
		t.Errorf("14 seats answer %.3f, want 0.888", l)
	}
}

// exact is Erlang C worked out as the formula stands, in whole fractions, and rounded once at the end.
func exact(seats int, load *big.Rat) (b, c float64) {
	term, sum := big.NewRat(1, 1), big.NewRat(1, 1) // load^0 / 0!
	for k := 1; k <= seats; k++ {
		term = new(big.Rat).Mul(term, new(big.Rat).Quo(load, big.NewRat(int64(k), 1)))
		sum.Add(sum, term)
	}
	b, _ = new(big.Rat).Quo(term, sum).Float64()
	n := big.NewRat(int64(seats), 1)
	wait := new(big.Rat).Mul(term, new(big.Rat).Quo(n, new(big.Rat).Sub(n, load)))
	rest := new(big.Rat).Sub(sum, term)
	c, _ = new(big.Rat).Quo(wait, rest.Add(rest, wait)).Float64()
	return b, c
}

// The recursion agrees with the formula itself to the last digits: (A^N/N!)·N/(N-A) over that and the sum of A^k/k! for k < N,
// from one seat to three hundred and from idle to nearly full.
func TestErlangAgainstTheFormula(t *testing.T) {
	t.Parallel()
	for _, seats := range []int{1, 2, 3, 5, 8, 14, 30, 75, 120, 200, 300} {
		for _, part := range []int64{1, 10, 35, 60, 80, 90, 95, 99} { // hundredths of the seats that are busy
			load := big.NewRat(int64(seats)*part, 100)
			a, _ := load.Float64()
			b, c := exact(seats, load)
			if got := staffing.ErlangB(seats, a); math.Abs(got-b) > 1e-12*max(b, 1e-3) {
				t.Errorf("B(%d, %g) = %v, the formula gives %v", seats, a, got, b)
			}
			if got := staffing.ErlangC(seats, a); math.Abs(got-c) > 1e-12*max(c, 1e-3) {
				t.Errorf("C(%d, %g) = %v, the formula gives %v", seats, a, got, c)
			}
		}
	}
}

// Seats for a normal half-hour and for one of the first day, which is ten times that: found from the exact formula by trying
// every number of seats. 160 calls an hour of 195 s are an ordinary evening of a big centre.
func TestSeatsAgainstTheFormula(t *testing.T) {
	t.Parallel()
	for _, calls := range []int64{8, 80, 800} {
		load := big.NewRat(calls*195, 1800)
		a, _ := load.Float64()
		want := int(a) + 1
		for ; ; want++ {
			_, c := exact(want, load)
			if 1-c*math.Exp(-(float64(want)-a)*15/195) >= 0.95 {
				break
			}
		}
		if got := staffing.Seats(staffing.Offered{Calls: float64(calls), Per: 1800, Handle: 195}, 0.95, 15); got != want {
			t.Errorf("%d calls in half an hour: %d seats, want %d", calls, got, want)
		}
	}
}

func TestErlangProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := staffing.Offered{Calls: rapid.Float64Range(0, 5000).Draw(t, "calls"), Per: 1800, Handle: rapid.Float64Range(20, 900).Draw(t, "handle")}
		within, n := rapid.Float64Range(0, 120).Draw(t, "within"), rapid.IntRange(0, 500).Draw(t, "seats")
		a, b := staffing.Level(n, o, within), staffing.Level(n+1, o, within)
		if math.IsNaN(a) || a < 0 || a > 1 || b < a-1e-12 {
			t.Fatalf("%d seats answer %v, one more %v", n, a, b)
		}
		target := rapid.Float64Range(0.5, 0.99).Draw(t, "target")
		need := staffing.Seats(o, target, within)
		if staffing.Level(need, o, within) < target || need > 0 && staffing.Level(need-1, o, within) >= target {
			t.Fatalf("%d seats are not the least for %v", need, target)
		}
		more := o
		more.Calls *= 1.1
		if staffing.Seats(more, target, within) < need {
			t.Fatal("more calls need fewer seats")
		}
		if c := staffing.ErlangC(500, rapid.Float64Range(0, 499.9).Draw(t, "load")); math.IsNaN(c) || c < 0 || c > 1 {
			t.Fatalf("C of 500 seats is %v", c)
		}
	})
}

func TestRostered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		seats int
		gone  float64
		want  int
	}{{0, 0.3, 0}, {7, 0.3, 10}, {10, 0, 10}, {10, 0.3, 15}, {5, 1, 5}} {
		if got := staffing.Rostered(c.seats, c.gone); got != c.want {
			t.Errorf("%d seats, %g away: %d, want %d", c.seats, c.gone, got, c.want)
		}
	}
}

// season makes days whose calls follow a known law with a little chance.
func season(n int, noise float64) []staffing.Day {
	r := rand.New(rand.NewPCG(7, 7))
	out := make([]staffing.Day, n)
	was := 0.0
	for i := range out {
		d := staffing.Day{Date: civil.NewDate(2025, 11, 15).AddDays(i), Since: i, Off: i%7 > 4, TempC: -3 - 8*math.Sin(float64(i)/9)}
		d.Drop, was = max(0, was-d.TempC), d.TempC
		mean := 200 * math.Exp(-0.03*d.TempC)
		if i < 15 {
			mean *= math.Pow(10, 1-float64(i)/15)
		}
		mean *= math.Exp(noise * r.NormFloat64())
		for s := range staffing.Slots {
			d.Calls[s] = mean * (1 + math.Sin(float64(s)/48*2*math.Pi-1.5)) / staffing.Slots
		}
		out[i] = d
	}
	return out
}

func TestForecast(t *testing.T) {
	t.Parallel()
	days := season(60, 0.1)
	m, ok := staffing.Fit(days)
	if !ok {
		t.Fatal("sixty days are too few")
	}
	next := staffing.Day{Date: days[59].Date.AddDays(1), Since: 60, TempC: -5}
	all, slots := m.Forecast(next)
	if want := 200 * math.Exp(0.15); math.Abs(all.Mid-want) > 0.12*want {
		t.Errorf("forecast %.0f, the law says %.0f", all.Mid, want)
	}
	sum := 0.0
	for _, s := range slots {
		sum += s.Mid
		if s.Low > s.Mid || s.Mid > s.High || s.Low < 0 {
			t.Errorf("range %+v", s)
		}
	}
	if math.Abs(sum-all.Mid) > 1e-6 {
		t.Errorf("the half-hours sum to %.3f of %.3f", sum, all.Mid)
	}
	colder := next
	colder.TempC -= 5
	if c, _ := m.Forecast(colder); c.Mid <= all.Mid {
		t.Errorf("five degrees colder: %.0f after %.0f", c.Mid, all.Mid)
	}
	burst := next
	burst.Bursts = 1
	if c, _ := m.Forecast(burst); c.Mid <= all.Mid {
		t.Errorf("a main burst more: %.0f after %.0f", c.Mid, all.Mid)
	}
	first := next
	first.Since, first.Off, first.Drop, first.Bursts = 0, true, 6, 2
	product, factors := m.Explain(first)
	for _, f := range factors {
		product *= f.Times
	}
	if c, _ := m.Forecast(first); math.Abs(product-c.Mid) > 1e-6*c.Mid || len(factors) != 5 {
		t.Errorf("the factors %+v make %.3f of %.3f", factors, product, c.Mid)
	}
	first = next
	first.Since = 0
	if c, _ := m.Forecast(first); c.Mid < 7*all.Mid || c.Mid > 13*all.Mid {
		t.Errorf("the first day of a season: %.0f, a usual one %.0f", c.Mid, all.Mid)
	}
}

// The error that is shown is that of days the model had not seen, and the range holds about what it says.
func TestBackTest(t *testing.T) {
	t.Parallel()
	calm, ok := staffing.BackTest(season(70, 0.02), 28)
	wild, ok2 := staffing.BackTest(season(70, 0.4), 28)
	if !ok || !ok2 || calm.Days != 28 {
		t.Fatalf("%+v %+v", calm, wild)
	}
	if calm.DayError > 0.06 || wild.DayError < 0.15 || wild.Covered < 0.6 || wild.Covered > 0.96 {
		t.Errorf("calm %+v, wild %+v", calm, wild)
	}
	if _, ok := staffing.BackTest(season(10, 0.1), 28); ok {
		t.Error("ten days test nothing")
	}
	if _, ok := staffing.Fit(season(13, 0.1)); ok {
		t.Error("thirteen days are enough")
	}
}

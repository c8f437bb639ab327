package sim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/packs"
)

func instant(t *testing.T, s string) civil.Instant {
	t.Helper()
	at, err := civil.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// season is the part of the winter that the demonstration shows.
func season(t *testing.T, seed uint64) (*sim.Winter, []sim.Call) {
	t.Helper()
	w := sim.NewWinter(sim.NewCity(seed, 20_000))
	return w, slices.Collect(w.Calls(sim.Plan{From: instant(t, "2025-11-15T00:00"), To: instant(t, "2026-01-15T08:00")}))
}

func TestSameSeedSameWinter(t *testing.T) {
	t.Parallel()
	const golden = "71919c22f3d1013f"
	w, calls := season(t, 1)
	sum := sha256.New()
	for _, c := range calls {
		act, err := json.Marshal(w.Conduct(c, 0, 1))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(sum, "%+v %s\n", c, act)
	}
	for _, h := range w.Weather.Hours() {
		fmt.Fprintln(sum, h.At, h.C)
	}
	if got := hex.EncodeToString(sum.Sum(nil))[:16]; got != golden {
		t.Errorf("winter of seed 1 is %s, want %s", got, golden)
	}
}

// A winter looked at from the middle is the same winter: a restart goes on where it stopped.
func TestCallsDoNotDependOnWhenOneLooks(t *testing.T) {
	t.Parallel()
	w, all := season(t, 3)
	from := instant(t, "2025-12-20T11:30")
	late := slices.Collect(sim.NewWinter(w.City).Calls(sim.Plan{From: from, To: instant(t, "2026-01-15T08:00")}))
	i := slices.IndexFunc(all, func(c sim.Call) bool { return !c.At.Before(from) })
	if diff := cmp.Diff(all[i:], late); diff != "" {
		t.Error(diff)
	}
}

func TestSeasonIsLikeASeason(t *testing.T) {
	t.Parallel()
	w, calls := season(t, 1)
	if len(calls) < 3_000 || len(calls) > 4_200 {
		t.Errorf("%d calls", len(calls))
	}
	first, later, questions, cold := 0, 0, 0, 0
	for i, c := range calls {
		if i > 0 && c.At.Before(calls[i-1].At) {
			t.Fatalf("%s comes before the call in front of it", c.Key)
		}
		if n := utf8.RuneCountInString(c.Text); n < 20 || n > 220 {
			t.Errorf("%s: %d characters: %s", c.Key, n, c.Text)
		}
		if c.At.Date().Before(civil.NewDate(2025, 11, 25)) {
			first++
		} else {
			later++
		}
		if c.IsQuestion() {
			questions++
		}
		if c.HasSaid && c.Said < 180 {
			cold++
		}
	}
	if ratio := float64(first) / 10 / (float64(later) / 51.3); ratio < 6 || ratio > 14 {
		t.Errorf("the first days bring %.1f times the calls of the rest", ratio)
	}
	if share := float64(questions) / float64(len(calls)); share < 0.5 || share > 0.7 {
		t.Errorf("%.2f are questions", share)
	}
	if cold < 200 {
		t.Errorf("only %d say that it is below 18", cold)
	}
	if mean := w.Weather.Mean(civil.NewDate(2026, 1, 15)); mean > -50 {
		t.Errorf("mid-January is %s", mean)
	}
}

// Cold days bring more calls than mild ones.
func TestCallsFollowTheCold(t *testing.T) {
	t.Parallel()
	w, calls := season(t, 2)
	sum, days := map[bool]int{}, map[bool]int{}
	for d := civil.NewDate(2025, 12, 1); d.Before(civil.NewDate(2026, 1, 15)); d = d.AddDays(1) {
		days[w.Weather.Mean(d) < -70]++
	}
	for _, c := range calls {
		if !c.At.Date().Before(civil.NewDate(2025, 12, 1)) && c.At.Date().Before(civil.NewDate(2026, 1, 15)) {
			sum[w.Weather.Mean(c.At.Date()) < -70]++
		}
	}
	if days[true] == 0 || sum[true]*days[false] <= sum[false]*days[true]*12/10 {
		t.Errorf("cold days %d with %d calls, mild ones %d with %d", days[true], sum[true], days[false], sum[false])
	}
}

func TestCategoriesAreThePacks(t *testing.T) {
	t.Parallel()
	lib, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := lib.City(sim.Code)
	if err != nil {
		t.Fatal(err)
	}
	_, calls := season(t, 1)
	for _, c := range calls {
		if _, known := pack.Category(c.Category); !known {
			t.Fatalf("%s: the pack has no category %s", c.Key, c.Category)
		}
	}
}

// Neighbours of one riser and one station call within hours of each other, so that incidents can be seen.
func TestNeighboursBunch(t *testing.T) {
	t.Parallel()
	w, calls := season(t, 1)
	homes, kinds := map[int]map[int]bool{}, map[sim.FaultKind]int{}
	for _, c := range calls {
		if c.Shared < 0 || c.Reminder != "" || c.StillCold != "" {
			continue
		}
		if homes[c.Shared] == nil {
			homes[c.Shared] = map[int]bool{}
		}
		homes[c.Shared][c.Household] = true
		if !slices.Contains(w.Homes(w.Faults[c.Shared]), c.Household) {
			t.Fatalf("%s complains of a fault that it does not have", c.Key)
		}
	}
	for n, of := range homes {
		if len(of) >= 3 {
			kinds[w.Faults[n].Kind]++
		}
	}
	if kinds[sim.RiserAir] < 15 || kinds[sim.StationDown] < 5 || kinds[sim.MainBurst] < 1 {
		t.Errorf("faults with three or more callers: %v", kinds)
	}
}

func TestCompaniesDiffer(t *testing.T) {
	t.Parallel()
	w, calls := season(t, 1)
	var late, n [8]int
	for _, c := range calls {
		if c.IsQuestion() || c.Reminder != "" {
			continue
		}
		company := w.Supplier(w.Households[c.Household].Building)
		a := w.Conduct(c, company, 0)
		if diff := cmp.Diff(a, w.Conduct(c, company, 0)); diff != "" {
			t.Fatal(diff)
		}
		if a.ContactAfter < a.SignAfter || a.FeedBackAfter <= a.ContactAfter || a.ArriveAfter > 0 && a.FeedBackAfter <= a.ArriveAfter {
			t.Fatalf("%s acts out of order: %+v", c.Key, a)
		}
		if a.Cured && a.Measured && a.After < 180 {
			t.Errorf("%s is cured at %s", c.Key, a.After)
		}
		n[company]++
		if a.SignAfter > 15*time.Minute {
			late[company]++
		}
	}
	good, bad := float64(late[1])/float64(n[1]), float64(late[4])/float64(n[4])
	if good >= bad || bad < 0.1 {
		t.Errorf("the best company signs %.2f late, the worst %.2f", good, bad)
	}
}

func TestIndoorFollowsFaults(t *testing.T) {
	t.Parallel()
	w := sim.NewWinter(sim.NewCity(1, 5_000))
	for _, f := range w.Faults {
		homes := w.Homes(f)
		if f.Kind != sim.StationDown || len(homes) == 0 {
			continue
		}
		before, during := w.Indoor(homes[0], f.At), w.Indoor(homes[0], f.Until)
		if f.At.After(instant(t, "2025-12-01T00:00")) && during >= before {
			t.Errorf("a stopped station leaves a home at %s, before %s", during, before)
		}
	}
}

func TestWeatherIsWinter(t *testing.T) {
	t.Parallel()
	from, to := civil.NewDate(2025, 11, 15), civil.NewDate(2026, 3, 15)
	for seed := range uint64(5) {
		w := sim.NewWeather(seed, from, to)
		coldest, falls := 999, 0
		for d := from; d.Before(to); d = d.AddDays(1) {
			coldest = min(coldest, int(w.Mean(d)))
			if w.Mean(d)-w.Mean(d.AddDays(2)) > 50 {
				falls++
			}
			if swing := w.At(civil.On(d, 14, 0)) - w.At(civil.On(d, 6, 0)); swing < -60 || swing > 220 {
				t.Errorf("seed %d, %s: %s between morning and afternoon", seed, d, swing)
			}
		}
		if coldest > -80 || coldest < -250 || falls < 2 {
			t.Errorf("seed %d: the coldest day is %d, %d cold spells", seed, coldest, falls)
		}
		if again := sim.NewWeather(seed, to, to); again.At(to.Start()) != w.At(to.Start()) {
			t.Errorf("seed %d: the weather depends on the range", seed)
		}
	}
}

// Whoever looks at the city hears a call within seconds, then a few a minute by the hour's curve; the same minute brings the
// same calls to everybody.
func TestVisit(t *testing.T) {
	t.Parallel()
	w, _ := season(t, 1)
	take := func(from civil.Instant, speed float64, until civil.Instant) []sim.Call {
		var out []sim.Call
		for c := range w.Visit(from, speed) {
			if !c.At.Before(until) {
				break
			}
			out = append(out, c)
		}
		return out
	}
	for _, at := range []string{"2026-01-15T08:00", "2026-01-15T03:00", "2026-01-15T19:59"} {
		from := instant(t, at)
		calls := take(from, 1, from.Add(time.Hour))
		if len(calls) == 0 || calls[0].At.After(from.Add(20*time.Second)) {
			t.Errorf("%s: the first call comes at %v", at, calls[:min(len(calls), 1)])
		}
		seen := map[string]bool{}
		for i, c := range calls {
			if seen[c.Key] || i > 0 && c.At.Before(calls[i-1].At) || c.Text == "" {
				t.Errorf("%s: call %s twice, too early or without words", at, c.Key)
			}
			seen[c.Key] = true
		}
	}
	morning := instant(t, "2026-01-15T08:00")
	if n := len(take(morning, 1, morning.Add(time.Hour))); n < 120 || n > 360 {
		t.Errorf("%d calls in the hour of the tour", n)
	}
	night := instant(t, "2026-01-15T03:00")
	if n := len(take(night, 1, night.Add(time.Hour))); n > 30 {
		t.Errorf("%d calls in an hour of the night", n)
	}
	if one, ten := len(take(morning, 1, morning.Add(time.Hour))), len(take(morning, 10, morning.Add(time.Hour))); ten < 7*one {
		t.Errorf("%d calls at speed 1 and %d at speed 10", one, ten)
	}
	late := instant(t, "2026-01-15T08:30")
	if diff := cmp.Diff(take(late.Add(20*time.Second), 1, late.Add(10*time.Minute)), after(take(morning, 1, late.Add(10*time.Minute)), late.Add(20*time.Second))); diff != "" && !strings.Contains(diff, "/9999") {
		t.Errorf("a minute brings other calls to who comes later: %s", diff)
	}
	if calls := take(morning, 0, morning.Add(time.Hour)); calls != nil {
		t.Errorf("speed 0 brings %d calls", len(calls))
	}
}

func after(calls []sim.Call, from civil.Instant) []sim.Call {
	return slices.DeleteFunc(calls, func(c sim.Call) bool { return c.At.Before(from) })
}

package sim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/sim"
)

// hash is of every file of a city.
func hash(t *testing.T, c *sim.City) string {
	t.Helper()
	sum := sha256.New()
	for _, f := range c.Files() {
		io.WriteString(sum, f.Name)
		if err := f.Write(sum); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.BaseMap(sum); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

// The golden hash changes only when the city is meant to change.
func TestSameSeedSameCity(t *testing.T) {
	t.Parallel()
	const golden = "8d241f93d1442264"
	if got := hash(t, sim.NewCity(1, 2_000)); got != golden {
		t.Errorf("city of seed 1 is %s, want %s", got, golden)
	}
	if hash(t, sim.NewCity(2, 2_000)) == golden {
		t.Error("another seed gives the same city")
	}
}

func TestRegistersHangTogether(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 500, 20_000} {
		c := sim.NewCity(7, size)
		if len(c.Households) != size {
			t.Errorf("%d households, want %d", len(c.Households), size)
		}
		accounts, doors := map[string]bool{}, map[string]bool{}
		for _, h := range c.Households {
			b := c.Buildings[h.Building]
			m := c.Communities[b.Community]
			a := c.Seasons[1].Areas[b.Area]
			door := m.Name + c.Districts[m.District].Name + "/" + b.No + "/" + h.Room() + "/" + h.Riser()
			if accounts[h.Account] || doors[door] {
				t.Fatalf("account %s or door %s twice", h.Account, door)
			}
			accounts[h.Account], doors[door] = true, true
			if !m.Connected || a.Company >= len(c.Companies) || c.Stations[b.Station].Area != b.Area {
				t.Fatalf("household %s hangs on nothing: %+v %+v", h.Account, b, m)
			}
			if h.Floor > b.Floors || h.Unit > b.Units || h.Flat > b.PerFloor {
				t.Fatalf("household %s lives outside of its building", h.Account)
			}
		}
	}
}

func TestGroundIsSoundAndDoesNotOverlap(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3} {
		c := sim.NewCity(seed, 10)
		for _, season := range c.Seasons {
			holes, pieces, served := 0, 0, 0
			for i, a := range season.Areas {
				if len(a.Ground) == 0 {
					continue
				}
				served++
				if err := a.Ground.Check(); err != nil {
					t.Errorf("seed %d, %s %s: %v", seed, season.Version, a.Code, err)
				}
				if len(a.Ground) > 1 {
					pieces++
				}
				for _, p := range a.Ground {
					holes += len(p) - 1
				}
				for _, b := range season.Areas[:i] {
					if len(b.Ground) == 0 || !a.Ground.Box().Meets(b.Ground.Box()) {
						continue
					}
					if o, over, err := geo.OverlapOf(a.Ground, b.Ground); err != nil || over && o.AreaM2 > 1 {
						t.Errorf("seed %d: %s and %s overlap: %+v %v", seed, a.Code, b.Code, o, err)
					}
				}
			}
			if holes < 3 || pieces < 2 || served < 50 || served > 75 {
				t.Errorf("seed %d, %s: %d areas, %d holes, %d of several pieces", seed, season.Version, served, holes, pieces)
			}
		}
		for _, f := range c.Map {
			if f.Ground != nil && f.Ground.Check() != nil {
				t.Errorf("seed %d: %s %s: %v", seed, f.Kind, f.Name, f.Ground.Check())
			}
		}
	}
}

func TestCommunitiesStandWhereTheyAreServed(t *testing.T) {
	t.Parallel()
	c := sim.NewCity(1, 20_000)
	counts := map[sim.Trait]int{}
	for _, m := range c.Communities {
		if !c.Seasons[1].Areas[m.Area].Ground.Contains(m.Point) {
			t.Errorf("%s stands outside of its area", m.Name)
		}
		for _, trait := range m.Traits {
			counts[trait]++
		}
		near := false
		for i, a := range c.Seasons[1].Areas {
			near = near || i != m.Area && a.Company != c.Seasons[1].Areas[m.Area].Company && a.Ground.BorderMetres(m.Point) < 50
		}
		if m.Has(sim.Border) && !near {
			t.Errorf("%s is no border community", m.Name)
		}
	}
	want := map[sim.Trait]int{
		sim.SameName: 8, sim.SimilarName: 10, sim.GenericName: 6, sim.SharedAlias: 4, sim.Phases: 5,
		sim.Border: 20, sim.Straddling: 5, sim.ChangedHands: 15, sim.NotConnected: 5,
	}
	for trait, least := range want {
		if counts[trait] < least {
			t.Errorf("%d communities are %s, want %d", counts[trait], trait, least)
		}
	}
	if len(c.Communities) != 400 || len(c.Stations) < 80 || len(c.Stations) > 140 || len(c.Streets) != 30 {
		t.Errorf("%d communities, %d stations, %d streets", len(c.Communities), len(c.Stations), len(c.Streets))
	}
}

// Every number in the files must lead nowhere.
func TestNobodyCanBeCalled(t *testing.T) {
	t.Parallel()
	c := sim.NewCity(1, 3_000)
	number := regexp.MustCompile(`\b(1[3-9]\d{9}|0\d{2,3}-\d{7,8})\b`)
	for _, f := range c.Files() {
		b, err := f.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range number.FindAllString(string(b), -1) {
			if !strings.HasPrefix(n, "154") && !strings.HasPrefix(n, "0399-") {
				t.Fatalf("%s: %s could be somebody's", f.Name, n)
			}
		}
	}
}

package geo

import (
	"math"

	"github.com/rehu-heat/rehu/internal/fault"
)

// CRS is a coordinate system.
type CRS string

// The systems: what satellites give, and what Chinese maps show.
const (
	WGS84 CRS = "wgs84"
	GCJ02 CRS = "gcj02"
)

// ParseCRS reads a coordinate system; empty is WGS84.
func ParseCRS(s string) (CRS, error) {
	switch CRS(s) {
	case "", WGS84:
		return WGS84, nil
	case GCJ02:
		return GCJ02, nil
	}
	return "", fault.New(fault.Invalid, "geo.bad_crs", "crs", s)
}

// ToWGS84 brings a point of this system to WGS84.
func (c CRS) ToWGS84(p Point) Point {
	if c == GCJ02 {
		return FromGCJ02(p)
	}
	return p
}

// Parameters of the published transform: the Krasovsky 1940 ellipsoid.
const (
	krasovskyA  = 6378245.0
	krasovskyEE = 0.00669342162296594323
)

// ToGCJ02 shifts a WGS84 point the way Chinese maps do; a point outside China stays.
func ToGCJ02(p Point) Point {
	if !p.Valid() || outsideChina(p) {
		return p
	}
	dLng, dLat := shift(p)
	return Point{p.Lng + dLng, p.Lat + dLat}
}

// FromGCJ02 undoes ToGCJ02 to better than 10^-9 degrees. The transform has no inverse in closed form; the shift changes
// so slowly that a few rounds of correcting the guess by what is missing suffice.
func FromGCJ02(p Point) Point {
	if !p.Valid() || outsideChina(p) {
		return p
	}
	guess := p
	for range 30 {
		got := ToGCJ02(guess)
		eLng, eLat := p.Lng-got.Lng, p.Lat-got.Lat
		guess.Lng, guess.Lat = guess.Lng+eLng, guess.Lat+eLat
		if math.Abs(eLng) < 1e-10 && math.Abs(eLat) < 1e-10 {
			break
		}
	}
	return guess
}

func outsideChina(p Point) bool {
	return p.Lng < 72.004 || p.Lng > 137.8347 || p.Lat < 0.8293 || p.Lat > 55.8271
}

func shift(p Point) (dLng, dLat float64) {
	x, y := p.Lng-105, p.Lat-35
	root := math.Sqrt(math.Abs(x))
	fine := (20*sinPi(6*x) + 20*sinPi(2*x)) * 2 / 3
	dLat = -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*root + fine +
		(20*sinPi(y)+40*sinPi(y/3))*2/3 + (160*sinPi(y/12)+320*sinPi(y/30))*2/3
	dLng = 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*root + fine +
		(20*sinPi(x)+40*sinPi(x/3))*2/3 + (150*sinPi(x/12)+300*sinPi(x/30))*2/3
	rad := p.Lat * math.Pi / 180
	magic := 1 - krasovskyEE*math.Sin(rad)*math.Sin(rad)
	rootMagic := math.Sqrt(magic)
	dLat = dLat * 180 / (krasovskyA * (1 - krasovskyEE) / (magic * rootMagic) * math.Pi)
	dLng = dLng * 180 / (krasovskyA / rootMagic * math.Cos(rad) * math.Pi)
	return dLng, dLat
}

func sinPi(x float64) float64 { return math.Sin(x * math.Pi) }

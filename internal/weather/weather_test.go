package weather_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/weather"
)

const city = 990100

var (
	ctx       = context.Background()
	day       = civil.NewDate(2026, 1, 15)
	owner     = actor.SystemFor("test", actor.Command)
	regulator = actor.Actor{ID: "r", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleRegulator, City: city}}}
)

func reading(hour, minute int, c celsius.Tenths) weather.Reading {
	return weather.Reading{At: civil.On(day, hour, minute), C: c}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := weather.New(d)
		record := func(list ...weather.Reading) {
			t.Helper()
			if err := s.Record(ctx, owner, weather.Record{City: city, Source: "市气象台", Readings: list}); err != nil {
				t.Fatal(err)
			}
		}
		record(reading(7, 0, -125), reading(8, 20, -105), reading(8, 50, -101))
		record(reading(7, 0, -120)) // the service corrects itself
		got, err := s.Hours(ctx, regulator, city, day.Start(), day.End())
		if err != nil {
			t.Fatal(err)
		}
		one := func(hour int, c celsius.Tenths) weather.Reading {
			return weather.Reading{City: city, At: civil.On(day, hour, 0), C: c, Source: "市气象台"}
		}
		if diff := cmp.Diff([]weather.Reading{one(7, -120), one(8, -101)}, got); diff != "" {
			t.Error(diff)
		}
		if other, err := s.Hours(ctx, owner, 140100, day.Start(), day.End()); err != nil || len(other) != 0 {
			t.Errorf("another city has %v, %v", other, err)
		}
	})
}

func TestRecordIsChecked(t *testing.T) {
	t.Parallel()
	s := weather.New(dbtest.SQLite(t))
	for name, in := range map[string]weather.Record{
		"nothing":     {Source: "x"},
		"no source":   {Readings: []weather.Reading{reading(7, 0, 0)}},
		"no time":     {Source: "x", Readings: []weather.Reading{{C: 10}}},
		"not on here": {Source: "x", Readings: []weather.Reading{reading(7, 0, 601)}},
	} {
		in.City = city
		if err := s.Record(ctx, owner, in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v; want Invalid", name, err)
		}
	}
	good := weather.Record{City: city, Source: "x", Readings: []weather.Reading{reading(7, 0, 0)}}
	if err := s.Record(ctx, regulator, good); !fault.Is(err, fault.Denied) {
		t.Errorf("whoever reads figures records weather: %v", err)
	}
	seat := actor.Actor{ID: "s", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}
	if _, err := s.Hours(ctx, seat, city, day.Start(), day.End()); !fault.Is(err, fault.Denied) {
		t.Errorf("a seat reads figures: %v", err)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	got, err := weather.Read("w.csv", strings.NewReader("时间,气温\n2026-01-15 07:00,-12.5\n2026/1/15 8:00,-10\n"))
	if diff := cmp.Diff([]weather.Reading{reading(7, 0, -125), reading(8, 0, -100)}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for name, table := range map[string]string{
		"two decimals": "time,temp_c\n2026-01-15 07:00,-12.55\n", "no time": "time,temp_c\nmorning,-12\n", "no column": "time,humidity\n2026-01-15 07:00,40\n",
	} {
		if _, err := weather.Read("w.csv", strings.NewReader(table)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v; want Invalid", name, err)
		}
	}
}

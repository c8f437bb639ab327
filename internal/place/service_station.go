package place

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// StationInput is the input of SaveStation. Version 0 adds.
type StationInput struct {
	City    int      `json:"-" form:"-"`
	Code    string   `json:"code" form:"code"`
	Name    string   `json:"name" form:"name"`
	Company string   `json:"company" form:"company"`
	Address string   `json:"address" form:"address"`
	Lng     *float64 `json:"lng" form:"lng"`
	Lat     *float64 `json:"lat" form:"lat"`
	Version int64    `json:"version" form:"version"`
}

func (in *StationInput) check() error {
	for _, f := range []*string{&in.Code, &in.Name, &in.Company, &in.Address} {
		*f = strings.TrimSpace(*f)
	}
	var c fault.Check
	c.That(in.Code != "", "code", "field.required")
	c.That(len([]rune(in.Code)) <= 60, "code", "field.too_long", "max", 60)
	c.That(len([]rune(in.Name)) <= 200, "name", "field.too_long", "max", 200)
	c.That((in.Lng == nil) == (in.Lat == nil), "lng", "place.half_a_point")
	c.That(in.Lng == nil || point(in.Lng, in.Lat).Valid(), "lng", "place.bad_point")
	if in.Name == "" {
		in.Name = in.Code
	}
	return c.Err()
}

// SaveStation adds a heat exchange station or changes the version that was seen.
func (s *Service) SaveStation(ctx context.Context, by actor.Actor, in StationInput) (Station, error) {
	return db.Write(ctx, s.db, func(tx *db.Tx) (Station, error) { return SaveStationIn(ctx, tx, by, in) })
}

// SaveStationIn is SaveStation inside the caller's transaction.
func SaveStationIn(ctx context.Context, tx *db.Tx, by actor.Actor, in StationInput) (Station, error) {
	if err := by.May(actor.TerritoryImport, actor.On{City: in.City}); err != nil {
		return Station{}, err
	}
	if err := in.check(); err != nil {
		return Station{}, err
	}
	st := Station{
		City: in.City, Code: in.Code, Name: in.Name, Company: in.Company, Address: in.Address, Lng: in.Lng, Lat: in.Lat, Version: in.Version + 1, Created: tx.Now,
	}
	if in.Company != "" {
		if _, ok, err := CompanyIn(ctx, tx, in.City, in.Company); err != nil || !ok {
			return Station{}, orUnknown(err, "company", "place.no_company", in.Company)
		}
	}
	if in.Version == 0 {
		if _, known, err := findStation(ctx, tx, in.City, in.Code); err != nil {
			return Station{}, err
		} else if known {
			return Station{}, fault.New(fault.Conflict, "conflict.unique")
		}
		if err := db.Insert(ctx, tx, "station", &st); err != nil {
			return Station{}, fmt.Errorf("add a station: %w", err)
		}
	} else if err := setStation(ctx, tx, st, in.Version); err != nil {
		return Station{}, err
	}
	return st, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "station:" + in.Code, Act: "station.save", Body: map[string]any{
		"name": st.Name, "company": st.Company, "address": st.Address,
	}})
}

// SaveDivisionsIn keeps the districts and streets of a city under their official codes; those that are known take the
// name that is given. Lists that name a district by its code or name then mean this one.
func SaveDivisionsIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, districts []District, streets []Street) error {
	if err := by.May(actor.TerritoryImport, actor.On{City: city}); err != nil {
		return err
	}
	for _, d := range districts {
		d.City = city
		if err := saveDistrict(ctx, tx, d); err != nil {
			return fmt.Errorf("keep district %s: %w", d.Code, err)
		}
	}
	for _, st := range streets {
		st.City = city
		if err := saveStreet(ctx, tx, st); err != nil {
			return fmt.Errorf("keep street %s: %w", st.Code, err)
		}
	}
	return db.Bump(ctx, tx, city, "territory")
}

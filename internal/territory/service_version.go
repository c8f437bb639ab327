package territory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Versions lists the versions of a city's territories, the oldest first.
func (s *Service) Versions(ctx context.Context, by actor.Actor, city int) ([]Version, error) {
	if err := mayRead(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]Version, error) { return VersionsIn(ctx, tx, city) })
}

// DrawnArea is an area for the map.
type DrawnArea struct {
	AreaRow
	GeoJSON json.RawMessage `json:"geometry"` // a MultiPolygon in WGS84; null for an area by list
}

// Areas lists the areas of a version with their outlines; an empty version is the one in force. A version that draws none
// takes over those of the one before.
func (s *Service) Areas(ctx context.Context, by actor.Actor, city int, version string) ([]DrawnArea, error) {
	if err := mayRead(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) ([]DrawnArea, error) {
		versions, err := VersionsIn(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		at := InForce(versions, tx.Now.Date())
		if version != "" {
			if at = numberOf(versions, version); at < 0 {
				return nil, fault.New(fault.NotFound, "territory.no_version", "version", version)
			}
		}
		out := []DrawnArea{}
		for ; at >= 0; at-- {
			rows, err := AreasIn(ctx, tx, city, versions[at].Code)
			if err != nil {
				return nil, fmt.Errorf("areas of version %s: %w", versions[at].Code, err)
			}
			for _, a := range rows {
				d := DrawnArea{AreaRow: a, GeoJSON: json.RawMessage("null")}
				if a.Geometry != nil {
					d.GeoJSON = json.RawMessage(*a.Geometry)
				}
				out = append(out, d)
			}
			if len(rows) > 0 {
				break
			}
		}
		return out, nil
	})
}

func numberOf(versions []Version, code string) int {
	return slices.IndexFunc(versions, func(v Version) bool { return v.Code == code })
}

// Diff shows which communities and areas change hands from one version to a later one, and the open cases that this moves.
func (s *Service) Diff(ctx context.Context, by actor.Actor, city int, from, to string) (Diff, error) {
	if err := mayRead(by, city); err != nil {
		return Diff{}, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (Diff, error) {
		versions, err := VersionsIn(ctx, tx, city)
		if err != nil {
			return Diff{}, err
		}
		a, b := numberOf(versions, from), numberOf(versions, to)
		if a < 0 || b < 0 {
			code := from
			if a >= 0 {
				code = to
			}
			return Diff{}, fault.New(fault.NotFound, "territory.no_version", "version", code)
		}
		if a >= b {
			var c fault.Check
			c.Add("to", "territory.not_later", "from", from, "to", to)
			return Diff{}, c.Err()
		}
		r, err := load(ctx, tx, city, versions, b)
		if err != nil {
			return Diff{}, err
		}
		d := r.diff(a, b)
		return d, s.countCases(ctx, tx, city, &d)
	})
}

func (s *Service) countCases(ctx context.Context, tx *db.Tx, city int, d *Diff) error {
	if s.OpenCases == nil || len(d.Communities) == 0 {
		return nil
	}
	ids := make([]string, len(d.Communities))
	for i, c := range d.Communities {
		ids[i] = c.Community
	}
	open, err := s.OpenCases(ctx, tx, city, ids)
	if err != nil {
		return fmt.Errorf("open cases of a diff: %w", err)
	}
	counted := map[string]bool{} // buildings that part ways stand beside their community
	for i := range d.Communities {
		c := &d.Communities[i]
		c.OpenCases = open[c.Community]
		if !counted[c.Community] {
			d.OpenCases += c.OpenCases
		}
		counted[c.Community] = true
	}
	return nil
}

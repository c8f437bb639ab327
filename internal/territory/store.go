package territory

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/place"
)

// generation is the kind under which db.Bump tells that an index is stale.
const generation = "territory"

// VersionsIn lists the versions of a city's territories in the order of their days.
func VersionsIn(ctx context.Context, tx *db.Tx, city int) ([]Version, error) {
	return db.List[Version](ctx, tx, `SELECT `+db.Columns[Version]("")+` FROM territory_version
		WHERE city_id = $1 ORDER BY coalesce(from_day, ''), created_at, code`, city)
}

// AreasIn lists the areas that a version draws or names.
func AreasIn(ctx context.Context, tx *db.Tx, city int, version string) ([]AreaRow, error) {
	return db.List[AreaRow](ctx, tx, `SELECT `+db.Columns[AreaRow]("a")+` FROM area a`+place.Seen("a", place.Areas)+`
		WHERE a.city_id = $1 AND a.version = $2 ORDER BY a.code`, city, version)
}

// load reads the registers of a city with the versions up to a number.
func load(ctx context.Context, tx *db.Tx, city int, versions []Version, upto int) (*registers, error) {
	r := &registers{versions: versions, on: tx.Now.Date()}
	if upto >= 0 && r.on.Before(versions[upto].From) {
		r.on = versions[upto].From
	}
	steps := []func(context.Context, *db.Tx, int) error{r.readDivisions, r.readPlaces, r.readRules, r.readConfirmed}
	for _, step := range steps {
		if err := step(ctx, tx, city); err != nil {
			return nil, fmt.Errorf("load the territories of %d: %w", city, err)
		}
	}
	var before *ground
	for _, v := range versions[:upto+1] {
		g, err := readGround(ctx, tx, v, before)
		if err != nil {
			return nil, fmt.Errorf("load version %s of %d: %w", v.Code, city, err)
		}
		r.grounds, before = append(r.grounds, g), g
	}
	return r, nil
}

func (r *registers) readDivisions(ctx context.Context, tx *db.Tx, city int) error {
	name, _, err := db.Maybe[string](ctx, tx, `SELECT name_zh FROM city WHERE city_id = $1`, city)
	if err != nil {
		return err
	}
	r.snapshot.City, r.snapshot.CityName = city, name
	districts, err := place.DistrictsIn(ctx, tx, city)
	if err != nil {
		return err
	}
	for _, d := range districts {
		r.snapshot.Districts = append(r.snapshot.Districts, District{d.Code, d.Name})
	}
	streets, err := place.StreetsIn(ctx, tx, city)
	if err != nil {
		return err
	}
	for _, s := range streets {
		r.snapshot.Streets = append(r.snapshot.Streets, Street{s.Code, s.Name, s.District})
	}
	companies, err := place.CompaniesIn(ctx, tx, city)
	for _, c := range companies {
		r.snapshot.Companies = append(r.snapshot.Companies, Company{c.Code, c.Name})
	}
	return err
}

func (r *registers) readPlaces(ctx context.Context, tx *db.Tx, city int) (err error) {
	if r.places, err = place.CommunitiesIn(ctx, tx, city); err != nil {
		return err
	}
	r.buildings, err = place.BuildingsIn(ctx, tx, city)
	return err
}

func (r *registers) readRules(ctx context.Context, tx *db.Tx, city int) error {
	err := db.Each(ctx, tx, func(k KnownRule) error {
		r.snapshot.Rules = append(r.snapshot.Rules, k.rule())
		return nil
	}, `SELECT `+db.Columns[KnownRule]("")+` FROM territory_rule WHERE city_id = $1 AND withdrawn_at IS NULL ORDER BY id`, city)
	if err != nil {
		return err
	}
	return db.Each(ctx, tx, func(c Confusable) error {
		r.snapshot.Confusable = append(r.snapshot.Confusable, Pair{c.A, c.B})
		return nil
	}, `SELECT `+db.Columns[Confusable]("")+` FROM confusable WHERE city_id = $1 ORDER BY a, b`, city)
}

// readConfirmed reads which hand-overs of published claim rounds were agreed or decided.
func (r *registers) readConfirmed(ctx context.Context, tx *db.Tx, city int) error {
	r.confirmed = map[string]map[string]bool{}
	type row struct {
		Version   string `db:"published"`
		Community string `db:"community"`
	}
	return db.Each(ctx, tx, func(x row) error {
		if r.confirmed[x.Version] == nil {
			r.confirmed[x.Version] = map[string]bool{}
		}
		r.confirmed[x.Version][x.Community] = true
		return nil
	}, `SELECT n.published, l.community FROM claim_round n JOIN claim_line l ON l.city_id = n.city_id AND l.round = n.id
		WHERE n.city_id = $1 AND n.state = 'published' AND l.state IN ('agreed', 'decided')`, city)
}

func readGround(ctx context.Context, tx *db.Tx, v Version, before *ground) (*ground, error) {
	rows, err := AreasIn(ctx, tx, v.City, v.Code)
	if err != nil {
		return nil, err
	}
	areas := make([]Area, len(rows))
	for i, a := range rows {
		areas[i] = Area{Code: a.Code, Company: a.Company, Station: a.Station, Source: a.HeatSource}
		if areas[i].Geometry, err = a.shape(); err != nil {
			return nil, err
		}
	}
	lines := map[spotKey]line{}
	err = db.Each(ctx, tx, func(l CommunityLine) error {
		lines[spotKey{community: l.Community}] = line{l.Company, l.Area}
		return nil
	}, `SELECT `+db.Columns[CommunityLine]("l")+` FROM community_line l`+place.Seen("l", place.Communities)+`
		WHERE l.city_id = $1 AND l.version = $2`, v.City, v.Code)
	if err != nil {
		return nil, err
	}
	err = db.Each(ctx, tx, func(l BuildingLine) error {
		lines[spotKey{l.Community, l.Building}] = line{l.Company, l.Area}
		return nil
	}, `SELECT `+db.Columns[BuildingLine]("l")+` FROM building_line l`+place.Seen("l", place.Buildings)+`
		WHERE l.city_id = $1 AND l.version = $2`, v.City, v.Code)
	return newGround(v, areas, lines, before), err
}

func (a AreaRow) shape() (*geo.MultiPolygon, error) {
	if a.Geometry == nil {
		return nil, nil
	}
	m, err := geo.ReadGeometry([]byte(*a.Geometry))
	if err != nil {
		return nil, fmt.Errorf("area %s: %w", a.Code, err)
	}
	return &m, nil
}

// findVersion gives one version; no such one is NotFound.
func findVersion(ctx context.Context, tx *db.Tx, city int, code string) (Version, error) {
	v, ok, err := db.Maybe[Version](ctx, tx, `SELECT `+db.Columns[Version]("")+` FROM territory_version WHERE city_id = $1 AND code = $2`, city, code)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "territory.no_version", "version", code)
	}
	return v, err
}

// SaveVersionIn adds a version or fills in the source of one that has none; a day that differs is refused, since cases
// were dispatched by it.
func SaveVersionIn(ctx context.Context, tx *db.Tx, v Version) error {
	have, err := findVersion(ctx, tx, v.City, v.Code)
	if fault.Is(err, fault.NotFound) {
		v.Created = tx.Now
		return db.Insert(ctx, tx, "territory_version", &v)
	}
	if err != nil {
		return err
	}
	if v.From != (civil.Date{}) && v.From != have.From {
		return fault.New(fault.Conflict, "territory.version_has_day", "version", v.Code, "from", have.From)
	}
	if v.Source == "" || v.Source == have.Source {
		return nil
	}
	_, err = db.Exec(ctx, tx, `UPDATE territory_version SET source = $3 WHERE city_id = $1 AND code = $2`, v.City, v.Code, v.Source)
	return err
}

package register

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/territory"
)

// run is one import as kept, so that a killed one goes on where it stopped. Staged and Applied are row numbers.
type run struct {
	ID        string `db:"id"`
	Hash      string `db:"sha256"`
	Edition   int64  `db:"edition"`
	State     string `db:"state"`
	Staged    int64  `db:"staged"`
	Applied   int64  `db:"applied"`
	Added     int    `db:"added"`
	Changed   int    `db:"changed"`
	Unchanged int    `db:"unchanged"`
}

// tables are those that a list fills.
func tables(k place.Kind) []string {
	switch k {
	case place.Companies:
		return []string{"company"}
	case place.Areas:
		return []string{"area"}
	case place.Communities:
		return []string{"community", "community_line"}
	case place.Buildings:
		return []string{"building", "building_line"}
	case place.Households:
		return []string{"household"}
	case place.Duty:
		return []string{"duty"}
	case place.Fees:
		return []string{"fee"}
	}
	return nil
}

// readKnown reads what a file is checked against.
func readKnown(ctx context.Context, tx *db.Tx, in Request) (*known, error) {
	k := newKnown()
	k.city, k.crs = in.City, in.CRS
	companies, err := place.CompaniesIn(ctx, tx, in.City)
	if err != nil {
		return nil, err
	}
	for _, c := range companies {
		k.companies[c.Code] = c
	}
	districts, err := place.DistrictsIn(ctx, tx, in.City)
	if err != nil {
		return nil, err
	}
	for _, d := range districts {
		k.addDistrict(d)
	}
	streets, err := place.StreetsIn(ctx, tx, in.City)
	if err != nil {
		return nil, err
	}
	for _, s := range streets {
		k.addStreet(s)
	}
	communities, err := place.CommunitiesIn(ctx, tx, in.City)
	if err != nil {
		return nil, err
	}
	for _, c := range communities {
		k.addCommunity(c)
	}
	return k, k.readTerritory(ctx, tx, in)
}

// readTerritory finds the version that is meant and the areas it draws or takes over.
func (k *known) readTerritory(ctx context.Context, tx *db.Tx, in Request) error {
	if in.Kind != place.Areas && in.Kind != place.Communities && in.Kind != place.Buildings {
		return nil
	}
	versions, err := territory.VersionsIn(ctx, tx, in.City)
	if err != nil {
		return err
	}
	if k.version, err = versionOf(versions, in, tx.Now.Date()); err != nil {
		return err
	}
	own, err := territory.AreasIn(ctx, tx, in.City, k.version.Code)
	if err != nil {
		return err
	}
	old := own[:0:0]
	for v, ok := before(versions, k.version); ok && len(old) == 0; v, ok = before(versions, v) {
		if old, err = territory.AreasIn(ctx, tx, in.City, v.Code); err != nil {
			return err
		}
	}
	k.oldAreas = old
	if in.Kind != place.Areas && len(own) == 0 {
		own = old
	}
	for _, a := range own {
		k.areas[a.Code] = a
		if a.Geometry == nil {
			continue
		}
		shape, err := geo.ReadGeometry([]byte(*a.Geometry))
		if err != nil {
			return fmt.Errorf("area %s: %w", a.Code, err)
		}
		k.shapes[a.Code] = &shape
	}
	return nil
}

// basisIn names the state of every list of a city.
func basisIn(ctx context.Context, tx *db.Tx, city int) (string, error) {
	type row struct {
		Kind    string `db:"kind"`
		Edition int64  `db:"edition"`
	}
	s := ""
	err := db.Each(ctx, tx, func(r row) error { s += r.Kind + strconv.FormatInt(r.Edition, 10) + " "; return nil },
		`SELECT kind, edition FROM register WHERE city_id = $1 ORDER BY kind`, city)
	return s, err
}

// holder is the state of a list's lock.
type holder struct {
	Edition int64  `db:"edition"`
	Run     string `db:"run"`
	Owner   string `db:"owner"`
	Beat    int64  `db:"beat"`
}

func (w *work) findHolder(ctx context.Context, tx *db.Tx) (holder, bool, error) {
	return db.Maybe[holder](ctx, tx, `SELECT edition, run, owner, beat FROM `+w.in.Kind.Register()+` WHERE city_id = $1 AND kind = $2`, w.in.City, string(w.in.Kind))
}

// holder is the state of the list's lock, which is made at the first import.
func (w *work) holder(ctx context.Context, tx *db.Tx) (holder, error) {
	h, ok, err := w.findHolder(ctx, tx)
	if err != nil || ok {
		return h, err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO `+w.in.Kind.Register()+` (city_id, kind, edition, run, owner, beat, changed_at) VALUES ($1, $2, 0, '', '', 0, $3)
		ON CONFLICT (city_id, kind) DO NOTHING`, w.in.City, string(w.in.Kind), tx.Now)
	if err != nil {
		return h, err
	}
	return w.holder(ctx, tx)
}

// claim makes this import the owner of a list that was seen in a state; Conflict when it moved meanwhile.
func (w *work) claim(ctx context.Context, tx *db.Tx, seen holder) error {
	return db.Guarded(ctx, tx, `UPDATE `+w.in.Kind.Register()+` SET owner = $6, beat = beat + 1
		WHERE city_id = $1 AND kind = $2 AND run = $3 AND owner = $4 AND beat = $5`, w.in.City, string(w.in.Kind), seen.Run, seen.Owner, seen.Beat, w.me)
}

// mine fails unless this import still owns the list; every transaction of an import begins with it.
func (w *work) mine(ctx context.Context) func(tx *db.Tx) error {
	return func(tx *db.Tx) error {
		n, err := db.Exec(ctx, tx, `UPDATE `+w.in.Kind.Register()+` SET beat = beat + 1 WHERE city_id = $1 AND kind = $2 AND owner = $3`, w.in.City, string(w.in.Kind), w.me)
		if err == nil && n == 0 {
			return errLost
		}
		return err
	}
}

// release lets go of the list; its run stays for the next import to resume or to clean up.
func (w *work) release(ctx context.Context) error {
	return db.Do(ctx, w.s.o.DB, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `UPDATE `+w.in.Kind.Register()+` SET owner = '' WHERE city_id = $1 AND kind = $2 AND owner = $3`, w.in.City, string(w.in.Kind), w.me)
		return err
	})
}

func (w *work) findRun(ctx context.Context, tx *db.Tx, id string) (run, error) {
	return db.One[run](ctx, tx, `SELECT `+db.Columns[run]("")+` FROM import_run WHERE city_id = $1 AND id = $2`, w.in.City, id)
}

// begin starts a run of the next edition.
func (w *work) begin(ctx context.Context, tx *db.Tx) error {
	h, err := w.holder(ctx, tx)
	if err != nil {
		return err
	}
	w.at = run{ID: tx.NewID(), Hash: w.hash, Edition: h.Edition + 1, State: "staging"}
	_, err = db.Exec(ctx, tx, `INSERT INTO import_run (city_id, id, kind, name, sha256, version, edition, state, staged, applied, added, changed, unchanged, started_at, started_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'staging', 0, 0, 0, 0, 0, $8, $9)`,
		w.in.City, w.at.ID, string(w.in.Kind), w.in.Name, w.hash, w.k.version.Code, w.at.Edition, tx.Now, w.by.ID)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `UPDATE `+w.in.Kind.Register()+` SET run = $3 WHERE city_id = $1 AND kind = $2 AND owner = $4`, w.in.City, string(w.in.Kind), w.at.ID, w.me)
	return err
}

// save keeps how far the run has come.
func (w *work) save(ctx context.Context, tx *db.Tx, r run) error {
	_, err := db.Exec(ctx, tx, `UPDATE import_run SET state = $3, staged = $4, applied = $5, added = $6, changed = $7, unchanged = $8
		WHERE city_id = $1 AND id = $2`, w.in.City, r.ID, r.State, r.Staged, r.Applied, r.Added, r.Changed, r.Unchanged)
	return err
}

// end closes the run and frees the list.
func (w *work) end(ctx context.Context, tx *db.Tx, state string) error {
	_, err := db.Exec(ctx, tx, `UPDATE import_run SET state = $3, ended_at = $4 WHERE city_id = $1 AND id = $2`, w.in.City, w.at.ID, state, tx.Now)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `UPDATE `+w.in.Kind.Register()+` SET run = '', owner = '' WHERE city_id = $1 AND kind = $2 AND owner = $3`, w.in.City, string(w.in.Kind), w.me)
	return err
}

// duplicates hands over the rows that share a key. A window, not a join of the rows with themselves: without statistics of
// rows that were just written PostgreSQL compares each with each.
func (w *work) duplicates(ctx context.Context, tx *db.Tx, fn func(target, key string, rows []int)) error {
	type row struct {
		Target string `db:"target"`
		Key    string `db:"row_key"`
		No     int    `db:"row_no"`
	}
	var last row
	var nos []int
	flush := func() {
		if len(nos) > 0 {
			fn(last.Target, last.Key, nos)
		}
		nos = nil
	}
	err := db.Each(ctx, tx, func(r row) error {
		if r.Target != last.Target || r.Key != last.Key {
			flush()
		}
		last, nos = r, append(nos, r.No)
		return nil
	}, `SELECT target, row_key, row_no FROM (
			SELECT target, row_key, row_no, count(*) OVER (PARTITION BY target, row_key) AS n FROM import_row WHERE city_id = $1 AND run = $2) AS i
		WHERE n > 1 ORDER BY target, row_key, row_no`, w.in.City, w.at.ID)
	flush()
	return err
}

// seenSums gives the hashes of what is seen now under some keys.
func (w *work) seenSums(ctx context.Context, tx *db.Tx, target string, keys []string) (map[string]string, error) {
	type row struct {
		Key string `db:"row_key"`
		Sum string `db:"row_sum"`
	}
	out := make(map[string]string, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	marks, args := among(keys, w.in.City, w.at.Edition)
	err := db.Each(ctx, tx, func(r row) error { out[r.Key] = r.Sum; return nil },
		`SELECT row_key, row_sum FROM `+target+` WHERE city_id = $1 AND edition < $2 AND until_edition >= $2 AND row_key IN (`+marks+`)`, args...)
	return out, err
}

// among lists keys as parameters after those that come first, filled up to a power of two, so that few different
// statements are prepared. A list, not a join: PostgreSQL plans a join with rows it has no statistics of yet through the
// whole table.
func among(keys []string, first ...any) (marks string, args []any) {
	n := 1
	for n < len(keys) {
		n *= 2
	}
	args = first
	var b strings.Builder
	for i := range n {
		args = append(args, keys[min(i, len(keys)-1)])
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(len(args)))
	}
	return b.String(), args
}

// replace marks the rows of some keys that are seen now: from the run's edition on they are not.
func (w *work) replace(ctx context.Context, tx *db.Tx, target string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	marks, args := among(keys, w.in.City, w.at.Edition)
	_, err := db.Exec(ctx, tx, `UPDATE `+target+` SET until_edition = $2 WHERE city_id = $1 AND edition < $2 AND until_edition > $2 AND row_key IN (`+marks+`)`, args...)
	return err
}

// sweep goes through the keys of a run in portions and forgets them; the statements end before the list of keys.
func (w *work) sweep(ctx context.Context, r run, statements func(table string) []string) error {
	for _, table := range tables(w.in.Kind) {
		for {
			left, err := db.Write(ctx, w.s.o.DB, func(tx *db.Tx) (bool, error) {
				if err := w.mine(ctx)(tx); err != nil {
					return false, err
				}
				return w.sweepSome(ctx, tx, r, table, statements(table))
			})
			if err != nil {
				return fmt.Errorf("clean up after an import of %s: %w", w.in.Kind, err)
			}
			if !left {
				break
			}
		}
	}
	return nil
}

func (w *work) sweepSome(ctx context.Context, tx *db.Tx, r run, table string, statements []string) (bool, error) {
	type row struct {
		No  int64  `db:"row_no"`
		Key string `db:"row_key"`
	}
	rows, err := db.List[row](ctx, tx, `SELECT row_no, row_key FROM import_row WHERE city_id = $1 AND run = $2 AND target = $3 ORDER BY row_no LIMIT $4`,
		w.in.City, r.ID, table, w.s.o.Batch)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	keys := make([]string, len(rows))
	for i, x := range rows {
		keys[i] = x.Key
	}
	marks, args := among(keys, w.in.City, r.Edition)
	for _, q := range statements {
		if _, err := db.Exec(ctx, tx, q+` AND row_key IN (`+marks+`)`, args...); err != nil {
			return false, err
		}
	}
	_, err = db.Exec(ctx, tx, `DELETE FROM import_row WHERE city_id = $1 AND run = $2 AND target = $3 AND row_no <= $4`, w.in.City, r.ID, table, rows[len(rows)-1].No)
	return true, err
}

// retired drops the rows that the run replaced.
func retired(table string) []string {
	return []string{`DELETE FROM ` + table + ` WHERE city_id = $1 AND until_edition = $2`}
}

// undone drops the rows that the run wrote and lets those it was to replace stand.
func undone(table string) []string {
	return []string{
		`DELETE FROM ` + table + ` WHERE city_id = $1 AND edition = $2`,
		`UPDATE ` + table + ` SET until_edition = ` + strconv.FormatInt(place.Forever, 10) + ` WHERE city_id = $1 AND until_edition = $2`,
	}
}

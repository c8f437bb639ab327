package register

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

// portions hands the file over some rows at a time.
func (w *work) portions(ctx context.Context, src source, fn func([]record) error) error {
	defer src.close()
	batch := make([]record, 0, w.s.o.Batch)
	for {
		r, err := src.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err == nil {
			batch = append(batch, r)
		}
		if len(batch) == w.s.o.Batch || err != nil && len(batch) > 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := w.prefetch(ctx, batch); err != nil {
				return err
			}
			if err := fn(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
		if err != nil {
			return nil
		}
	}
}

// prefetch reads what is kept of the rows of a portion where the file says only a part of it.
func (w *work) prefetch(ctx context.Context, batch []record) error {
	if l, ok := w.list.(*fees); ok {
		return l.prefetch(ctx, w, batch)
	}
	l, ok := w.list.(*households)
	if !ok || !partial(batch[0].x) {
		return nil
	}
	accounts := make([]string, len(batch))
	for i, r := range batch {
		accounts[i] = r.get("account")
	}
	l.before = make(map[string]household, len(batch))
	_, err := db.Read(ctx, w.s.o.DB, func(tx *db.Tx) (int, error) {
		return 0, w.s.o.Places.EachPlainIn(ctx, tx, w.in.City, accounts, func(row place.HouseholdRow, c place.Contact) {
			l.before[row.Account] = household{row, c.Holder, c.Phone}
		})
	})
	return err
}

// stage reads the file for the first time: it checks every row and keeps keys and hashes.
func (w *work) stage(ctx context.Context, src source) (*notes, error) {
	n := &notes{}
	for _, h := range src.unknown() {
		n.warn(0, h, "register.unknown_column", "column", h)
	}
	err := w.portions(ctx, src, func(batch []record) error {
		var staged [][]any
		for _, r := range batch {
			for _, o := range w.list.read(r, n) {
				if int64(r.no) > w.at.Staged {
					staged = append(staged, []any{w.in.City, w.at.ID, o.target, r.no, o.key, w.sum(o)})
				}
			}
		}
		w.report.Rows += len(batch)
		if err := w.keep(ctx, int64(batch[len(batch)-1].no), staged); err != nil {
			return err
		}
		w.progress(w.report.Rows, 0)
		return nil
	})
	if err != nil {
		return n, err
	}
	if w.report.Rows == 0 {
		n.fault(0, "", "register.empty")
	}
	w.list.finish(n)
	_, err = db.Read(ctx, w.s.o.DB, func(tx *db.Tx) (int, error) {
		return 0, w.duplicates(ctx, tx, func(target, key string, rows []int) { w.list.twice(n, target, key, rows) })
	})
	return n, err
}

func (w *work) keep(ctx context.Context, upto int64, staged [][]any) error {
	if upto <= w.at.Staged {
		return nil
	}
	next := w.at
	next.Staged = upto
	err := db.Do(ctx, w.s.o.DB, func(tx *db.Tx) error {
		if err := w.mine(ctx)(tx); err != nil {
			return err
		}
		if err := db.InsertRows(ctx, tx, "import_row", []string{"city_id", "run", "target", "row_no", "row_key", "row_sum"}, staged); err != nil {
			return err
		}
		return w.save(ctx, tx, next)
	})
	if err != nil {
		return fmt.Errorf("stage rows: %w", err)
	}
	w.at = next
	return nil
}

func (w *work) sum(o out) string { return w.s.o.Places.SumOf(o.values...) }

func (w *work) progress(done, total int) {
	if w.in.Progress != nil {
		w.in.Progress(done, total)
	}
}

// apply reads the file for the second time and writes what is new or changed, not yet to be seen.
func (w *work) apply(ctx context.Context, src source) error {
	if w.at.State == "staging" {
		w.at.State = "applying"
	}
	var ignored notes
	done := 0
	err := w.portions(ctx, src, func(batch []record) error {
		done += len(batch)
		defer w.progress(done, w.report.Rows)
		upto := int64(batch[len(batch)-1].no)
		if upto <= w.at.Applied {
			return nil
		}
		var rows [][]out
		for _, r := range batch {
			if int64(r.no) > w.at.Applied {
				rows = append(rows, w.list.read(r, &ignored))
			}
		}
		next := w.at
		next.Applied = upto
		portion := func(tx *db.Tx) (run, error) { return w.applySome(ctx, tx, next, rows) }
		var err error
		if w.in.DryRun {
			w.at, err = db.Read(ctx, w.s.o.DB, portion)
		} else {
			next, err = db.Write(ctx, w.s.o.DB, portion)
			if err == nil {
				w.at = next
			}
		}
		return err
	})
	w.report.Added, w.report.Changed, w.report.Unchanged = w.at.Added, w.at.Changed, w.at.Unchanged
	w.report.Version = w.k.version.Code
	if err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

// applySome writes the rows of a portion and counts them.
func (w *work) applySome(ctx context.Context, tx *db.Tx, next run, rows [][]out) (run, error) {
	if !w.in.DryRun {
		if err := w.mine(ctx)(tx); err != nil {
			return next, err
		}
	}
	keys, seen := map[string][]string{}, map[string]map[string]string{}
	for _, outs := range rows {
		for _, o := range outs {
			keys[o.target] = append(keys[o.target], o.key)
		}
	}
	for _, t := range tables(w.in.Kind) {
		sums, err := w.seenSums(ctx, tx, t, keys[t])
		if err != nil {
			return next, err
		}
		seen[t] = sums
	}
	written, replaced := map[string][]stamped{}, map[string][]string{}
	for _, outs := range rows {
		added, moved := false, false
		for i, o := range outs {
			sum := w.sum(o)
			before, known := seen[o.target][o.key]
			if known && before == sum {
				continue
			}
			moved = true
			added = added || i == 0 && !known
			if known {
				replaced[o.target] = append(replaced[o.target], o.key)
			}
			o.row.Stamp(place.Edition{City: w.in.City, Key: o.key, From: next.Edition, Until: place.Forever, Sum: sum})
			written[o.target] = append(written[o.target], o.row)
		}
		switch {
		case added:
			next.Added++
		case moved:
			next.Changed++
		default:
			next.Unchanged++
		}
	}
	if w.in.DryRun {
		return next, nil
	}
	for _, t := range tables(w.in.Kind) {
		if err := w.replace(ctx, tx, t, replaced[t]); err != nil {
			return next, err
		}
		if err := w.write(ctx, tx, t, written[t]); err != nil {
			return next, err
		}
	}
	return next, w.save(ctx, tx, next)
}

func (w *work) write(ctx context.Context, tx *db.Tx, table string, rows []stamped) error {
	switch table {
	case "company":
		return insert[place.Company](ctx, tx, table, rows)
	case "area":
		return insert[territory.AreaRow](ctx, tx, table, rows)
	case "community":
		return insert[place.Community](ctx, tx, table, rows)
	case "community_line":
		return insert[territory.CommunityLine](ctx, tx, table, rows)
	case "building":
		return insert[place.Building](ctx, tx, table, rows)
	case "building_line":
		return insert[territory.BuildingLine](ctx, tx, table, rows)
	case "duty":
		return insert[place.Shift](ctx, tx, table, rows)
	case "fee":
		return insert[fee.Row](ctx, tx, table, rows)
	}
	return w.writeHouseholds(ctx, tx, rows)
}

func insert[T any](ctx context.Context, tx *db.Tx, table string, rows []stamped) error {
	list := make([]T, len(rows))
	for i, r := range rows {
		list[i] = *any(r).(*T)
	}
	return db.InsertAll(ctx, tx, table, list)
}

// writeHouseholds seals names and telephones with the key of the person whose telephone it is.
func (w *work) writeHouseholds(ctx context.Context, tx *db.Tx, rows []stamped) error {
	list := make([]place.HouseholdRow, len(rows))
	for i, r := range rows {
		h := r.(*household)
		h.Person, h.Holder, h.Phone = "", "", ""
		if h.holder != "" || h.phone != "" {
			p, err := secret.Subject(ctx, tx, w.s.o.Ring, w.in.City, secret.Phone, firstPhone(h.phone))
			if err != nil {
				return err
			}
			h.Seal(p, h.holder, h.phone)
		}
		list[i] = h.HouseholdRow
	}
	return db.InsertAll(ctx, tx, "household", list)
}

// publish makes the new edition seen, with everything that hangs on it, in one short transaction.
func (w *work) publish(ctx context.Context) error {
	err := db.Do(ctx, w.s.o.DB, func(tx *db.Tx) error {
		if err := w.mine(ctx)(tx); err != nil {
			return err
		}
		next := w.at
		next.State = "published"
		if err := w.save(ctx, tx, next); err != nil {
			return err
		}
		if next.Added+next.Changed == 0 {
			return nil
		}
		_, err := db.Exec(ctx, tx, `UPDATE `+w.in.Kind.Register()+` SET edition = $3, changed_at = $4 WHERE city_id = $1 AND kind = $2`, w.in.City, string(w.in.Kind), next.Edition, tx.Now)
		if err != nil {
			return err
		}
		if err := w.beside(ctx, tx); err != nil {
			return err
		}
		if w.in.Kind != place.Duty && w.in.Kind != place.Households && w.in.Kind != place.Fees {
			if err := w.s.o.Territories.BumpIn(ctx, tx, w.in.City); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, w.by, w.in.City, audit.Act{Subject: "register:" + string(w.in.Kind), Act: "register.import", Body: map[string]any{
			"file": w.in.Name, "sha256": w.hash, "version": w.k.version.Code, "source": w.in.Source, "edition": next.Edition,
			"rows": w.report.Rows, "added": next.Added, "changed": next.Changed, "unchanged": next.Unchanged,
		}})
	})
	if err != nil {
		return fmt.Errorf("publish %s: %w", w.in.Kind, err)
	}
	w.at.State = "published"
	return nil
}

// beside adds what the rows name beside themselves: districts, streets, stations, organisations, the version.
func (w *work) beside(ctx context.Context, tx *db.Tx) error {
	for _, d := range w.k.newDistricts {
		if _, err := db.Exec(ctx, tx, `INSERT INTO district (city_id, code, name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			d.City, d.Code, d.Name, tx.Now); err != nil {
			return err
		}
	}
	for _, s := range w.k.newStreets {
		if _, err := db.Exec(ctx, tx, `INSERT INTO street (city_id, code, district, name, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			s.City, s.Code, s.District, s.Name, tx.Now); err != nil {
			return err
		}
	}
	for _, s := range w.k.newStations {
		if err := place.NoteStationIn(ctx, tx, s); err != nil {
			return err
		}
	}
	for _, l := range w.k.newLoops {
		if err := place.NoteLoopIn(ctx, tx, l); err != nil {
			return err
		}
	}
	if l, ok := w.list.(companies); ok {
		return w.mirror(ctx, tx, l.seen)
	}
	if w.k.version.Code == "" {
		return nil
	}
	w.k.version.By = w.by.ID
	return territory.SaveVersionIn(ctx, tx, w.k.version)
}

// mirror keeps an organisation for each supply unit, so that its people can be given rights. Whoever may import the list
// may do that much, whatever else they may do with organisations.
func (w *work) mirror(ctx context.Context, tx *db.Tx, seen map[string]place.Company) error {
	by := w.by
	by.Grants = []actor.Grant{{Role: actor.RoleSystem, City: w.in.City}}
	codes := make([]string, 0, len(seen))
	for code := range seen {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		o, known, err := staff.OrganisationIn(ctx, tx, w.in.City, code)
		if err != nil {
			return err
		}
		in := staff.OrgInput{City: w.in.City, Code: code, Kind: staff.Company, NameZH: seen[code].Name}
		if known {
			if o.NameZH == in.NameZH && o.Kind == in.Kind {
				continue
			}
			in.Version, in.Active, in.NameEN = o.Version, o.Active, o.NameEN
		}
		if _, err := staff.SaveOrganisationIn(ctx, tx, by, in); err != nil {
			return fmt.Errorf("keep organisation %s: %w", code, err)
		}
	}
	return nil
}

// compare says what the new version changes against the one before.
func (w *work) compare(ctx context.Context) error {
	if w.in.DryRun || w.k.version.Code == "" || w.at.Added+w.at.Changed == 0 {
		return nil
	}
	versions, err := db.Read(ctx, w.s.o.DB, func(tx *db.Tx) ([]territory.Version, error) { return territory.VersionsIn(ctx, tx, w.in.City) })
	if err != nil {
		return err
	}
	old, ok := before(versions, w.k.version)
	if !ok {
		return nil
	}
	d, err := w.s.o.Territories.Diff(ctx, w.by, w.in.City, old.Code, w.k.version.Code)
	if err != nil {
		return fmt.Errorf("compare versions: %w", err)
	}
	w.report.Diff = &d
	for _, c := range d.Communities {
		if c.To == "" {
			w.report.Warnings = append(w.report.Warnings, RowFault{Message: text.Msg("register.left_out", "community", c.Name, "district", c.District, "company", c.From)})
		}
	}
	return nil
}

func sortedByRow(list []RowFault) []RowFault {
	slices.SortStableFunc(list, func(a, b RowFault) int { return cmp.Compare(a.Row, b.Row) })
	return list
}

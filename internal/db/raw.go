package db

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Table is a table of the schema and its kind as the migrations declare it: tenant, reference or local.
type Table struct{ Name, Kind string }

var (
	tableLine = regexp.MustCompile(`^-- rehu:table (\w+) (tenant|reference|local)\b`)
	dropLine  = regexp.MustCompile(`^DROP TABLE (\w+);`)
)

// Tables lists the tables in the order they are created, which is the order of their foreign keys. A table that a later
// migration drops is none of them; what a migration's way back creates is not either.
func Tables() ([]Table, error) {
	files, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var all []Table
	for _, name := range files {
		b, err := fs.ReadFile(Migrations(), name)
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		lines := bufio.NewScanner(bytes.NewReader(b))
		for lines.Scan() && lines.Text() != "-- +goose Down" {
			if m := tableLine.FindStringSubmatch(lines.Text()); m != nil {
				all = append(all, Table{Name: m[1], Kind: m[2]})
			} else if m := dropLine.FindStringSubmatch(lines.Text()); m != nil {
				all = slices.DeleteFunc(all, func(t Table) bool { return t.Name == m[1] })
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
	}
	return all, nil
}

// ColumnType is what a column holds, the same on both databases.
type ColumnType string

// The column types of the shared schema.
const (
	IntColumn   ColumnType = "int"
	BoolColumn  ColumnType = "bool"
	TextColumn  ColumnType = "text"
	BytesColumn ColumnType = "bytes"
	RealColumn  ColumnType = "real"
)

// Column is one column of a table.
type Column struct {
	Name string     `json:"name"`
	Type ColumnType `json:"type"`
}

// ColumnsOf lists a table's columns.
func ColumnsOf(ctx context.Context, tx *Tx, table string) ([]Column, error) {
	rows, err := tx.run.QueryContext(ctx, "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", table, err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", table, err)
	}
	all := make([]Column, len(types))
	for i, t := range types {
		kind, err := columnType(t.DatabaseTypeName())
		if err != nil {
			return nil, fmt.Errorf("column %s of %s: %w", t.Name(), table, err)
		}
		all[i] = Column{Name: t.Name(), Type: kind}
	}
	return all, rows.Err()
}

func columnType(name string) (ColumnType, error) {
	switch strings.ToUpper(name) {
	case "INTEGER", "INT", "BIGINT", "SMALLINT", "INT2", "INT4", "INT8":
		return IntColumn, nil
	case "BOOLEAN", "BOOL":
		return BoolColumn, nil
	case "TEXT", "VARCHAR", "JSON", "JSONB":
		return TextColumn, nil
	case "BYTEA", "BLOB":
		return BytesColumn, nil
	case "REAL", "DOUBLE PRECISION", "FLOAT8", "FLOAT4":
		return RealColumn, nil
	}
	return "", fmt.Errorf("type %s is not in the subset both databases share", name)
}

// KeyOf lists the columns of a table's primary key in their order.
func KeyOf(ctx context.Context, tx *Tx, table string) ([]string, error) {
	if tx.Engine() == SQLite {
		return List[string](ctx, tx, `SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk`, table)
	}
	return List[string](ctx, tx, `SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
		WHERE i.indrelid = $1::text::regclass AND i.indisprimary AND a.attnum = ANY (i.indkey)
		ORDER BY array_position(i.indkey::int2[], a.attnum)`, table)
}

// HasTable reports whether a table exists.
func HasTable(ctx context.Context, tx *Tx, table string) (bool, error) {
	query := `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1`
	if tx.Engine() == Postgres {
		query = `SELECT count(*) FROM pg_class WHERE oid = to_regclass($1)`
	}
	n, err := One[int64](ctx, tx, query, table)
	return n > 0, err
}

// EachRow hands every row to fn as the driver reads it, in the order of the columns; the slice is used again for the
// next row.
func EachRow(ctx context.Context, tx *Tx, fn func(row []any) error, query string, args ...any) error {
	rows, err := tx.run.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", short(query), err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("%s: %w", short(query), err)
	}
	row, dest := make([]any, len(names)), make([]any, len(names))
	for i := range row {
		dest[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return fmt.Errorf("%s: %w", short(query), err)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", short(query), err)
	}
	return nil
}

// InsertRows adds rows given as values in the order of the columns, several in a statement.
func InsertRows(ctx context.Context, tx *Tx, table string, columns []string, rows [][]any) error {
	most := rowsOf(tx, len(columns))
	for len(rows) > 0 {
		n := min(most, len(rows))
		args := make([]any, 0, n*len(columns))
		var b strings.Builder
		b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
		for i, row := range rows[:n] {
			b.WriteString([]string{"(", ", ("}[min(i, 1)])
			for j, v := range row {
				args = append(args, v)
				b.WriteString([]string{"$", ", $"}[min(j, 1)] + strconv.Itoa(len(args)))
			}
			b.WriteByte(')')
		}
		if _, err := Exec(ctx, tx, b.String(), args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// SchemaVersion is the version of the database's schema, 0 when there is none yet.
func SchemaVersion(ctx context.Context, tx *Tx) (int64, error) {
	has, err := HasTable(ctx, tx, "goose_db_version")
	if err != nil || !has {
		return 0, err
	}
	return One[int64](ctx, tx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`)
}

// ProgramVersion is the schema version this program brings.
func ProgramVersion() (int64, error) {
	files, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	var last int64
	for _, name := range files {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("read migrations: %w", err)
		}
		last = max(last, v)
	}
	return last, nil
}

// MigrateTo brings an empty database up to an earlier version, so that a backup of that version can be restored and then
// migrated. It never goes down.
func (d *DB) MigrateTo(ctx context.Context, version int64) error {
	if d.engine == Postgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return fmt.Errorf("make the migration lock: %w", err)
		}
		return upTo(ctx, goose.DialectPostgres, d.write, version, goose.WithSessionLocker(locker))
	}
	unlock, err := lockFile(d.file + ".migrate")
	if err != nil {
		return err
	}
	defer unlock()
	return d.lite.exclusive(ctx, func(*sql.Conn) error {
		own, err := sql.Open("sqlite", "file:"+d.file+"?_pragma=busy_timeout(10000)&_txlock=immediate&_pragma=foreign_keys(1)")
		if err != nil {
			return fmt.Errorf("open SQLite: %w", err)
		}
		defer own.Close()
		own.SetMaxOpenConns(1)
		return upTo(ctx, goose.DialectSQLite3, own, version)
	})
}

func upTo(ctx context.Context, dialect goose.Dialect, conn *sql.DB, version int64, opts ...goose.ProviderOption) error {
	p, err := goose.NewProvider(dialect, conn, Migrations(), append(opts, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := versions(ctx, p)
	if err != nil {
		return err
	}
	if have > want || version > want {
		return fault.New(fault.Invalid, "db.newer_schema", "have", max(have, version), "want", want)
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

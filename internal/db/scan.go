package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/rehu-heat/rehu/internal/fault"
)

// One reads exactly one row into T: a struct by its `db` tags, or a single column into any other type. No row is
// NotFound. NULL becomes the zero value.
func One[T any](ctx context.Context, tx *Tx, query string, args ...any) (T, error) {
	var zero T
	rows, err := tx.run.QueryContext(ctx, query, args...)
	if err != nil {
		return zero, fmt.Errorf("%s: %w", short(query), err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return zero, fmt.Errorf("%s: %w", short(query), err)
		}
		return zero, fault.New(fault.NotFound, "not_found")
	}
	v, err := scanner[T](rows)
	if err != nil {
		return zero, err
	}
	out, err := v(rows)
	if err != nil {
		return zero, fmt.Errorf("%s: %w", short(query), err)
	}
	rows.Next() // drives the statement to its end, where RETURNING reports a broken constraint
	return out, rows.Err()
}

// Maybe is One that gives false instead of NotFound.
func Maybe[T any](ctx context.Context, tx *Tx, query string, args ...any) (T, bool, error) {
	v, err := One[T](ctx, tx, query, args...)
	if fault.Is(err, fault.NotFound) {
		return v, false, nil
	}
	return v, err == nil, err
}

// List reads every row.
func List[T any](ctx context.Context, tx *Tx, query string, args ...any) ([]T, error) {
	var out []T
	err := Each(ctx, tx, func(v T) error { out = append(out, v); return nil }, query, args...)
	return out, err
}

// Each hands every row to fn without keeping them; an export of a million cases runs in constant memory.
func Each[T any](ctx context.Context, tx *Tx, fn func(T) error, query string, args ...any) error {
	rows, err := tx.run.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", short(query), err)
	}
	defer rows.Close()
	scan, err := scanner[T](rows)
	if err != nil {
		return err
	}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return fmt.Errorf("%s: %w", short(query), err)
		}
		if err := fn(v); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", short(query), err)
	}
	return nil
}

func scanner[T any](rows *sql.Rows) (func(*sql.Rows) (T, error), error) {
	t := reflect.TypeFor[T]()
	if !isRow(t) {
		return func(r *sql.Rows) (T, error) {
			var v T
			return v, r.Scan(&cell{v: reflect.ValueOf(&v).Elem()})
		}, nil
	}
	columns, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("columns: %w", err)
	}
	layout := layoutOf(t)
	fields := make([]field, len(columns))
	for i, c := range columns {
		f, ok := layout.byName[c]
		if !ok {
			return nil, fmt.Errorf("%s has no field for column %s", t, c)
		}
		fields[i] = f
	}
	cells := make([]cell, len(columns))
	dest := make([]any, len(columns))
	for i := range cells {
		dest[i] = &cells[i]
	}
	return func(r *sql.Rows) (T, error) {
		var v T
		rv := reflect.ValueOf(&v).Elem()
		for i, f := range fields {
			cells[i] = cell{v: rv.FieldByIndex(f.index), json: f.json, name: f.name}
		}
		return v, r.Scan(dest...)
	}, nil
}

// isRow tells a struct with `db` tags from a value that fills one column.
func isRow(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[sql.Scanner]()) {
		return false
	}
	return len(layoutOf(t).fields) > 0
}

type field struct {
	name  string
	index []int
	json  bool
}

type layout struct {
	fields []field
	byName map[string]field
}

var layouts sync.Map // reflect.Type → *layout; a cache of facts about types, the same for every database

func layoutOf(t reflect.Type) *layout {
	if l, ok := layouts.Load(t); ok {
		return l.(*layout)
	}
	l := &layout{byName: map[string]field{}}
	l.collect(t, nil)
	layouts.Store(t, l)
	return l
}

func (l *layout) collect(t reflect.Type, prefix []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int{}, prefix...), i)
		tag, tagged := f.Tag.Lookup("db")
		switch {
		case tag == "-":
		case f.Anonymous && f.Type.Kind() == reflect.Struct && !tagged:
			l.collect(f.Type, index)
		case tagged:
			name, opt, _ := strings.Cut(tag, ",")
			fl := field{name: name, index: index, json: opt == "json"}
			l.fields = append(l.fields, fl)
			l.byName[name] = fl
		}
	}
}

// cell puts one column into a Go value: NULL is the zero value, JSON columns are decoded.
type cell struct {
	v    reflect.Value
	json bool
	name string
}

// Scan implements sql.Scanner.
func (c *cell) Scan(src any) error {
	if c.json {
		return c.scanJSON(src)
	}
	if s, ok := reflect.TypeAssert[sql.Scanner](c.v.Addr()); ok {
		return s.Scan(src)
	}
	if src == nil {
		c.v.SetZero()
		return nil
	}
	if err := assign(c.v, src); err != nil {
		return fmt.Errorf("column %s: %w", c.name, err)
	}
	return nil
}

func (c *cell) scanJSON(src any) error {
	c.v.SetZero()
	var b []byte
	switch x := src.(type) {
	case nil:
		return nil
	case string:
		b = []byte(x)
	case []byte:
		b = x
	default:
		return fmt.Errorf("column %s: JSON expected, got %T", c.name, src)
	}
	if len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, c.v.Addr().Interface()); err != nil {
		return fmt.Errorf("column %s: %w", c.name, err)
	}
	return nil
}

func assign(v reflect.Value, src any) error {
	switch v.Kind() {
	case reflect.String:
		switch x := src.(type) {
		case string:
			v.SetString(x)
			return nil
		case []byte:
			v.SetString(string(x))
			return nil
		}
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		switch x := src.(type) {
		case int64:
			v.SetInt(x)
			return nil
		case float64:
			v.SetInt(int64(x))
			return nil
		case string: // PostgreSQL's numeric sums
			n, err := strconv.ParseInt(x, 10, 64)
			v.SetInt(n)
			return err
		}
	case reflect.Bool:
		switch x := src.(type) {
		case bool:
			v.SetBool(x)
			return nil
		case int64:
			v.SetBool(x != 0)
			return nil
		}
	case reflect.Float64:
		switch x := src.(type) {
		case float64:
			v.SetFloat(x)
			return nil
		case int64:
			v.SetFloat(float64(x))
			return nil
		case string:
			n, err := strconv.ParseFloat(x, 64)
			v.SetFloat(n)
			return err
		}
	case reflect.Slice:
		if b, ok := src.([]byte); ok && v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(append([]byte{}, b...))
			return nil
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return (&cell{v: v.Elem()}).Scan(src)
	}
	return fmt.Errorf("cannot put %T into %s", src, v.Type())
}

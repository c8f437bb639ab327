package backup

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/db"
)

// appendRow writes a row as one line of JSON, column to value: whole numbers exactly, bytes as base64.
func appendRow(b []byte, columns []db.Column, row []any) ([]byte, error) {
	for i, c := range columns {
		b = append(b, []byte{'{', ','}[min(i, 1)])
		b = strconv.AppendQuote(b, c.Name) // names are letters, digits and underscores
		b = append(b, ':')
		var err error
		if b, err = appendValue(b, c.Type, row[i]); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return append(b, '}', '\n'), nil
}

func appendValue(b []byte, t db.ColumnType, v any) ([]byte, error) {
	if v == nil {
		return append(b, "null"...), nil
	}
	switch t {
	case db.IntColumn:
		if n, ok := v.(int64); ok {
			return strconv.AppendInt(b, n, 10), nil
		}
	case db.BoolColumn:
		switch x := v.(type) {
		case bool:
			return strconv.AppendBool(b, x), nil
		case int64:
			return strconv.AppendBool(b, x != 0), nil
		}
	case db.TextColumn:
		switch x := v.(type) {
		case string:
			return appendText(b, x)
		case []byte:
			return appendText(b, string(x))
		}
	case db.BytesColumn:
		if x, ok := v.([]byte); ok {
			return append(base64.StdEncoding.AppendEncode(append(b, '"'), x), '"'), nil
		}
	case db.RealColumn:
		switch x := v.(type) {
		case float64:
			if !math.IsNaN(x) && !math.IsInf(x, 0) {
				return strconv.AppendFloat(b, x, 'g', -1, 64), nil
			}
		case int64:
			return strconv.AppendInt(b, x, 10), nil
		}
	}
	return nil, fmt.Errorf("%T is no %s", v, t)
}

// appendText writes text that comes back the same; text that is not UTF-8 would not.
func appendText(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("text is not UTF-8: %q", s)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...), nil
}

// parseRow reads what appendRow wrote.
func parseRow(line []byte, columns []db.Column) ([]any, error) {
	var cells map[string]json.RawMessage
	if err := json.Unmarshal(line, &cells); err != nil {
		return nil, err
	}
	if len(cells) != len(columns) {
		return nil, fmt.Errorf("%d columns, not %d", len(cells), len(columns))
	}
	row := make([]any, len(columns))
	for i, c := range columns {
		raw, ok := cells[c.Name]
		if !ok {
			return nil, fmt.Errorf("no column %s", c.Name)
		}
		v, err := parseValue(raw, c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		row[i] = v
	}
	return row, nil
}

func parseValue(raw json.RawMessage, t db.ColumnType) (any, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	switch t {
	case db.IntColumn:
		return strconv.ParseInt(string(raw), 10, 64)
	case db.BoolColumn:
		return strconv.ParseBool(string(raw))
	case db.RealColumn:
		return strconv.ParseFloat(string(raw), 64)
	case db.BytesColumn:
		var b []byte
		err := json.Unmarshal(raw, &b)
		return b, err
	case db.TextColumn:
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	}
	return nil, fmt.Errorf("unknown type %s", t)
}

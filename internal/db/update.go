package db

import (
	"reflect"
	"strconv"
	"strings"
)

// Changed writes the SET list of an update from what differs between two states of a row, with parameters numbered from
// first: an update touches only what it means to change. Nothing differs: set is empty.
func Changed[T any](was, is *T, first int) (set string, args []any, err error) {
	l := layoutOf(reflect.TypeFor[T]())
	before, err := values(reflect.ValueOf(was).Elem(), l, nil)
	if err != nil {
		return "", nil, err
	}
	after, err := values(reflect.ValueOf(is).Elem(), l, nil)
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	for i, f := range l.fields {
		if before[i] == after[i] {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.name + " = $" + strconv.Itoa(first+len(args)))
		args = append(args, after[i])
	}
	return b.String(), args, nil
}

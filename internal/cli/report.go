package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// report says what went wrong: every field and every place, never a stack.
func (r *run) report(err error) {
	if problems := citypack.ProblemsOf(err); len(problems) > 0 {
		for _, p := range problems {
			fmt.Fprintln(r.Err, p.In(r.lang))
		}
		return
	}
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		r.note("cli.failed", "why", plain(err)) // whoever runs the installation may read the cause
		return
	}
	if len(f.Fields) == 0 || f.Key != "invalid" {
		fmt.Fprintln(r.Err, text.Fault(r.lang, f))
	}
	if cause := f.Unwrap(); f.Kind == fault.Down && cause != nil {
		r.note("cli.cause", "why", plain(cause)) // whoever runs the installation has to find out why
	}
	for _, field := range f.Fields {
		if field.Name == "" {
			fmt.Fprintln(r.Err, text.Field(r.lang, field))
			continue
		}
		fmt.Fprintf(r.Err, "%s: %s\n", field.Name, text.Field(r.lang, field))
	}
}

// plain is an error's text; about a file that cannot be used, its name comes first.
func plain(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Path + ": " + p.Err.Error()
	}
	return err.Error()
}

// noFile is the fault of a file that was named and cannot be read.
func noFile(name string, err error) error {
	why := err.Error()
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		why = p.Err.Error()
	}
	return fault.Wrap(err, fault.Invalid, "cli.no_file", "file", name, "why", why)
}

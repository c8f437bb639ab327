package ui

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// control are the attributes of a field of one line.
func control(ctx context.Context, f Form, in Input, at string) templ.Attributes {
	a := described(ctx, f, in.Name, in.Help, in.Need)
	a["id"], a["name"] = at, in.Name
	a["type"] = cmp.Or(in.Type, "text")
	a["autocomplete"] = cmp.Or(in.Fill, "off")
	if in.Type != "password" { // a password is typed again
		a["value"] = f.Value(in.Name, in.Value)
	}
	common(ctx, a, in)
	if in.Suggest != "" {
		a["data-suggest"], a["role"], a["aria-autocomplete"], a["aria-expanded"], a["aria-controls"] = in.Suggest, "combobox", "list", "false", at+"-list"
	}
	return a
}

func areaControl(ctx context.Context, f Form, in Input, at string) templ.Attributes {
	a := described(ctx, f, in.Name, in.Help, in.Need)
	a["id"], a["name"], a["rows"] = at, in.Name, "4"
	common(ctx, a, in)
	return a
}

func common(ctx context.Context, a templ.Attributes, in Input) {
	if in.Hint != "" {
		a["placeholder"] = T(ctx, in.Hint)
	}
	if in.Mode != "" {
		a["inputmode"] = in.Mode
	}
	if in.Max > 0 {
		a["maxlength"] = strconv.Itoa(in.Max)
	}
	if in.First {
		a["autofocus"] = true
	}
}

// described ties a control to its help and its message.
func described(ctx context.Context, f Form, name, help string, need bool) templ.Attributes {
	a := templ.Attributes{}
	var by []string
	if help != "" {
		by = append(by, f.id(name)+"-help")
	}
	if f.wrong(ctx, name) != "" {
		a["aria-invalid"] = "true"
		by = append(by, f.id(name)+"-wrong")
	}
	if len(by) > 0 {
		a["aria-describedby"] = strings.Join(by, " ")
	}
	if need {
		a["aria-required"] = "true"
	}
	return a
}

// grouped are the attributes of a group of choices; a summary's link leads to it. A group may not be called required or
// invalid as such, so its words say it.
func grouped(ctx context.Context, f Form, c Choice) templ.Attributes {
	a := described(ctx, f, c.Name, c.Help, false)
	delete(a, "aria-invalid")
	a["id"], a["tabindex"] = f.id(c.Name), "-1"
	return a
}

func (f Form) optionID(name string, n int) string { return f.id(name) + "-" + strconv.Itoa(n) }

func yesNo(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

func temperature(in Input) Input {
	in.Mode, in.Unit = "decimal", "ui.celsius"
	in.Max = cmp.Or(in.Max, 6)
	return in
}

func ofType(in Input, kind string) Input {
	in.Type = kind
	return in
}

func photo(in Files) templ.Attributes {
	if !in.Photo {
		return nil
	}
	return templ.Attributes{"data-photo": strconv.Itoa(max(1, in.Most))}
}

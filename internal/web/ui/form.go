package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
)

// Form is the state of a form: what was typed and what is wrong with it. Its zero value is an empty form.
type Form struct {
	typed url.Values
	err   *fault.Error
	other string // the message of a fault that belongs to no field
	name  string // among several forms of a page
}

// FormOf is the form of a request that failed with err (nil: it did not). What was typed is kept.
func FormOf(r *http.Request, err error) Form {
	f := Form{}
	if r.Method != http.MethodGet {
		f.typed = r.PostForm
		if r.MultipartForm != nil {
			f.typed = r.MultipartForm.Value
		}
	}
	if err == nil {
		return f
	}
	l := httpx.Lang(r.Context())
	if transport, ok := errors.AsType[*httpx.TransportError](err); ok {
		f.other = text.Say(l, transport.Key, transport.Params)
		return f
	}
	f.err = fault.Of(err)
	if len(f.err.Fields) == 0 {
		f.other = text.Fault(l, f.err)
	}
	return f
}

// Failed reports whether something is wrong.
func (f Form) Failed() bool { return f.err != nil || f.other != "" }

// Value is what was typed into a field, or the value it starts with.
func (f Form) Value(name, start string) string {
	if v, ok := f.typed[name]; ok && len(v) > 0 {
		return v[len(v)-1]
	}
	return start
}

// Has reports whether a list of choices holds value.
func (f Form) Has(name, value string, start ...string) bool {
	if f.typed != nil {
		return slices.Contains(f.typed[name], value)
	}
	return slices.Contains(start, value)
}

// Says is what is wrong with a field, or with the whole; for a page with several forms that draws a field itself.
func (f Form) Says(ctx context.Context, name string) string {
	if w := f.wrong(ctx, name); w != "" {
		return w
	}
	return f.other
}

// wrong is the message about a field.
func (f Form) wrong(ctx context.Context, name string) string {
	if f.err == nil {
		return ""
	}
	for _, one := range f.err.Fields {
		if one.Name == name {
			return text.Field(httpx.Lang(ctx), one)
		}
	}
	return ""
}

// problems lists what is wrong in the order in which the fields stand in the page, each with its label.
func (f Form) problems(ctx context.Context, fields []noted) []problem {
	if f.err == nil {
		return nil
	}
	l := httpx.Lang(ctx)
	var out []problem
	shown := map[string]bool{}
	for _, n := range fields {
		if w := f.wrong(ctx, n.name); w != "" && !shown[n.name] {
			out = append(out, problem{f.id(n.name), T(ctx, "ui.problem", "label", T(ctx, n.key), "text", w)})
			shown[n.name] = true
		}
	}
	for _, one := range f.err.Fields { // of fields that this form does not show
		if !shown[one.Name] {
			out = append(out, problem{f.id(one.Name), text.Field(l, one)})
			shown[one.Name] = true
		}
	}
	return out
}

type problem struct{ ID, Text string }

// noted is a field that was drawn: its name and the key of its label.
type noted struct{ name, key string }

type notesKey struct{}

// note tells the form around it that a field was drawn.
func note(ctx context.Context, name, key string) {
	if all, ok := ctx.Value(notesKey{}).(*[]noted); ok {
		*all = append(*all, noted{name, key})
	}
}

// FormBox is a form that posts; its children are fields and buttons. Messages about the whole stand on top, in the order
// of the fields.
//
//	@ui.FormBox(f, "/c/140100/people") {
//		@ui.Text(f, ui.Input{Name: "login", Key: "web.people.login", Need: true, Fill: "username"})
//		@ui.Select(f, ui.Choice{Name: "org", Key: "web.people.org", Options: orgs, None: "web.people.no_org"})
//		<div class="acts">
//			@ui.Submit("web.save", "main-act")
//		</div>
//	}
func FormBox(f Form, action string) templ.Component { return formWith(f, action, nil) }

// FileForm is FormBox for a form with files.
func FileForm(f Form, action string) templ.Component {
	return formWith(f, action, templ.Attributes{"enctype": "multipart/form-data"})
}

// NamedForm is FormBox for a form with an id, by which fields and buttons outside of it belong to it.
func NamedForm(f Form, action, id string) templ.Component {
	return formWith(f, action, templ.Attributes{"id": id})
}

// NamedFileForm is NamedForm for a form with files.
func NamedFileForm(f Form, action, id string) templ.Component {
	return formWith(f, action, templ.Attributes{"id": id, "enctype": "multipart/form-data"})
}

// PartForm is FormBox for a form whose answer is put into the element with an id; without scripts it is a plain form.
func PartForm(f Form, action, into string) templ.Component {
	return formWith(f, action, templ.Attributes{"hx-post": action, "hx-target": "#" + into, "hx-swap": "innerHTML"})
}

// QueueForm is FileForm for field workers: what is typed is drafted on the telephone (static/js/draft.js) and what is sent
// is kept there until the server has it (static/js/queue.js); it works as a plain form where that is not possible. title says in the list of what is not sent yet what it is; then is the
// page to go on to once it is sent, empty to stay. The handler gives the form's key to once.Do, with once.KeepField.
func QueueForm(f Form, action, title, then string) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return formWith(f, action, templ.Attributes{
			"enctype": "multipart/form-data", "data-queue": title, "data-then": then,
			"data-draft": T(ctx, "ui.draft", "at", "{at}"), "data-undraft": T(ctx, "ui.draft.drop"),
		}).Render(ctx, w)
	})
}

// formWith draws the fields first, so that the summary above them knows their order and labels.
func formWith(f Form, action string, more templ.Attributes) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		var fields []noted
		var b bytes.Buffer
		if err := templ.GetChildren(ctx).Render(context.WithValue(templ.ClearChildren(ctx), notesKey{}, &fields), &b); err != nil {
			return err
		}
		ctx = templ.ClearChildren(ctx)
		return formBox(f, action, more, f.problems(ctx, fields), drawn(b.Bytes())).Render(ctx, w)
	})
}

// drawn is a component that is drawn already.
func drawn(b []byte) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// As names a form on a page that has several: fields of the same name then have ids of their own, so that a label belongs
// to the control beside it and not to the first of that name.
func (f Form) As(name string) Form {
	f.name = name
	return f
}

// id is the id of a field's control.
func (f Form) id(name string) string {
	out := "f-" + name
	if f.name != "" {
		out = "f-" + f.name + "-" + name
	}
	return strings.NewReplacer(".", "-", "[", "-", "]", "").Replace(out)
}

// Input is a field of one line. Its zero Type is text.
type Input struct {
	Name  string // as the input struct's form tag
	Key   string // label
	Value string // what it starts with
	Type  string // text, password, email, tel, search, number
	Need  bool   // must be filled; the label says so
	Plain bool   // the label says neither "required" nor "optional"
	Help  string // catalogue key of a sentence below the label
	Hint  string // catalogue key of an example, as placeholder
	Fill  string // autocomplete: "username", "tel", "street-address"; empty = off
	Mode  string // inputmode: "numeric", "tel", "decimal"
	Max   int    // characters
	Unit  string // catalogue key of a unit behind the field
	// Suggest is an address that proposes values while typing ("?q=" is added); see static/js/suggest.js.
	Suggest string
	First   bool // the cursor stands here when the page opens
}

// Option is one choice of a list.
type Option struct {
	Value string
	Text  string // finished text; or
	Key   string // catalogue key
}

func (o Option) say(ctx context.Context) string {
	if o.Key != "" {
		return T(ctx, o.Key)
	}
	return o.Text
}

// Choice is a field whose value is one (or, with Checks, some) of a list.
type Choice struct {
	Name    string
	Key     string
	Value   string
	Values  []string // of Checks
	Options []Option
	Need    bool
	Plain   bool
	Help    string
	None    string // catalogue key of an empty first choice; empty = there is none
	When    string // catalogue key of when it is needed, where it is not always; with Plain
}

// Files is a field for photographs or documents.
type Files struct {
	Name   string
	Key    string
	Help   string
	Button string // catalogue key of the button
	Accept string // "image/*"; empty = anything
	Most   int    // 1 = one file
	Need   bool
	Photo  bool // made small before it is sent
}

// Ask is a dialog that asks before an act that cannot be undone or leaves the house.
type Ask struct {
	ID     string // of the dialog; unique in the page
	Title  string // finished text that names the object: "退回 GR1123-1135"
	Text   string // catalogue key of a sentence; may be empty
	Action string // address it posts to
	Verb   string // catalogue key of the button: "确认退回"
	Danger bool
	Reason string // name of the reason field; empty = no reason is asked
	Need   bool   // the reason must be given
	Form   Form   // to show it again with messages
	Reopen bool   // show it at once
	Hidden map[string]string
}

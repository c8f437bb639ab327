package ui

import (
	"context"
	"strconv"

	"github.com/a-h/templ"
)

// outbox are the words of the list of what waits on a telephone (static/js/pending.js), in the reader's language.
func outbox(ctx context.Context) templ.Attributes {
	out := templ.Attributes{}
	for _, one := range []string{"waiting", "offline", "stuck", "others", "login", "queued", "received", "refused", "conflict", "receipt", "correct", "decide", "drop", "really", "done"} {
		out["data-"+one] = T(ctx, "ui.outbox."+one)
	}
	return out
}

// uploads is where the photographs of field workers' forms go in pieces; nothing outside a city.
func uploads(ctx context.Context) string {
	if c := Of(ctx).City.Code; c != 0 {
		return "/f/" + strconv.Itoa(c) + "/uploads"
	}
	return ""
}

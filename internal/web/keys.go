package web

import (
	"context"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// keyRoles names what a key may do.
func keyRoles(ctx context.Context, all []actor.Grant) string {
	var out []string
	for _, g := range all {
		out = append(out, ui.T(ctx, "role."+string(g.Role)))
	}
	return orDash(strings.Join(out, ui.T(ctx, "web.and")))
}

// untilDay is the last day an expiry covers.
func untilDay(ctx context.Context, at civil.Instant) string {
	if at.IsZero() {
		return ui.T(ctx, "web.keys.forever")
	}
	return (at - 1).Date().String()
}

package web

import (
	"context"
	"net/url"
	"strings"

	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// claims reports whether the reader may claim now.
func (v claimsView) claims() bool { return v.company != "" && v.open() }

func (v claimsView) sub(ctx context.Context) string {
	if v.round.ID == "" {
		return ""
	}
	return ui.T(ctx, "territorypage.round_sub", "season", v.round.Season, "deadline", v.round.Deadline.Minute(), "state", ui.T(ctx, "territorypage.round."+string(v.round.State)))
}

func (v claimsView) stats(_ context.Context) []ui.Stat {
	var out []ui.Stat
	for _, s := range territory.ClaimStates() {
		href := withQuery(at("/c/{city}/claims", v.city), url.Values{"round": {v.round.ID}, "state": {string(s)}})
		out = append(out, ui.Stat{Key: "claim_state." + string(s), Value: decimal(int64(v.counts[s])), Href: href, Current: v.filter.State == s})
	}
	return out
}

func (v claimsView) columns() []ui.Col {
	cols := []ui.Col{{Key: "territorypage.community"}, {Key: "territorypage.district", Ch: 8}, {Key: "territorypage.base"}, {Key: "territorypage.next"}, {Key: "territorypage.claimed_by", Ch: 6, Num: true}, {Key: "territorypage.claim_state", Ch: 12}}
	if v.claims() {
		cols = append([]ui.Col{{Key: "casework.col.tick", Ch: 3}}, cols...)
	}
	return cols
}

func claimTone(s territory.ClaimState) ui.Tone {
	switch s {
	case territory.ClaimOverlap:
		return ui.Red
	case territory.ClaimGap:
		return ui.Violet
	case territory.ClaimHandover:
		return ui.Amber
	case territory.ClaimAgreed, territory.ClaimDecided:
		return ui.Green
	case territory.ClaimKept:
		return ui.Grey
	}
	return ui.Grey
}

func (v claimView) facts(ctx context.Context) []ui.Fact {
	claimants := make([]string, len(v.claimants))
	for i, c := range v.claimants {
		claimants[i] = v.names.org(ctx, c)
	}
	return []ui.Fact{
		{Key: "territorypage.base", Text: v.names.served(ctx, v.line.Base)},
		{Key: "territorypage.next", Text: orDash(v.names.org(ctx, v.line.Company))},
		{Key: "territorypage.claimants", Text: orDash(strings.Join(claimants, ui.T(ctx, "web.and")))},
		{Key: "territorypage.from_signed", Text: v.line.FromAgreed.Minute()},
		{Key: "territorypage.to_signed", Text: v.line.ToAgreed.Minute()},
		{Key: "territorypage.decided_at", Text: v.line.DecidedAt.Minute()},
		{Key: "territorypage.note", Text: v.line.Note},
	}
}

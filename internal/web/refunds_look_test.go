package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
)

// TestRefundsInABrowser looks at every page of refunds, wide and on a telephone, and asks axe about each.
func TestRefundsInABrowser(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.settled()
	k.person("section_head", actor.RoleSectionHead)
	b := k.browser("section_head")
	if b == nil {
		return
	}
	b.Open("/c/990100/refunds?season=" + heatSeason)
	b.WaitText("A1001")
	b.Both("refunds")
	b.Open("/c/990100/refunds/exposure?season=" + heatSeason)
	b.WaitText("合计")
	b.Both("refund-exposure")
	b.Open(claimPath + "A1001?act=refuse")
	b.WaitText("怎么算的")
	b.Both("refund")
	for _, page := range []string{"settle", "settle/payouts", "settle/banks", "settle/overdue", "settle/areas"} {
		b.Open("/c/990100/" + page + "?season=" + heatSeason)
		b.WaitText("采暖期")
		b.Both(strings.ReplaceAll(page, "/", "-"))
	}
	b.Open("/c/990100/settle/areas?season=" + heatSeason)
	b.Fill("_find", "向阳")
	b.WaitText("东城区")
	b.Key(kb.ArrowDown)
	b.Key(kb.Enter)
	b.WaitJS("document.querySelector('[name=community]').value !== ''")
	b.Shot("areas-found-1440")
	b.Open("/c/990100/pack/refunds")
	b.WaitText("免责事由")
	b.Both("refund-rules")
	b.Open("/c/990100/m/refunds?season=" + heatSeason)
	b.WaitText("退费公示")
	b.Both("refund-public")
}

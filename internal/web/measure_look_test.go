package web_test

import (
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
)

// The pages of measurement in a window, wide and narrow: the company's list, week and measurement, the household's record, and
// what a resident sees.
func TestMeasurementInABrowser(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.instrument()
	m, receipt := k.tested()
	k.person("company", actor.RoleCompany)
	k.person("worker", actor.RoleWorker)
	b := k.browser("company")
	if b == nil {
		return
	}
	b.Open(tests)
	b.WaitText(m.No)
	b.Both("measure-list")
	b.Open(tests + "/" + m.ID)
	b.Press("约时间")
	b.WaitJS(`document.querySelector('dialog[open] [name=from]')`)
	b.Axe("the dialog of a proposal")
	b.Shot("measure-propose")
	k.as("company").post(tests+"/"+m.ID+"/propose", k.dueForm("1", "10")).to(tests + "/" + m.ID)
	b.Open(receipt)
	b.WaitText("可以，就这个时间")
	b.Both("measure-own-offer")
	b.Open(tests + "/calendar")
	b.WaitText("待居民确认")
	b.Both("measure-week")
	k.visited(m, "visit-00000001", "15.2")
	k.visited(m, "visit-00000001", "17.9")
	k.clock.Advance(3 * time.Hour)
	k.visited(m, "visit-00000002", "18.1")
	b.Open(tests + "/" + m.ID)
	b.WaitText("两个版本")
	b.Both("measure-one")
	b.Open(tests + "/home?home=A1001")
	b.WaitText("记录完整")
	b.Both("measure-home")
	b.Open(tests + "/route?day=" + k.clock.Now().Date().AddDays(1).String())
	b.WaitText("测温路线单")
	b.Axe("the route list")
	b.Shot("measure-route")
	b.Open(receipt)
	b.WaitText("测温结果")
	b.Both("measure-own")
	b.Open(tests + "/" + m.ID + "?lang=en")
	b.WaitText("Two versions")
	b.Both("measure-one-en")
}

package web_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
)

// A call is taken in by the keyboard alone, from the telephone's number to the number that is read out.
func TestACallByKeyboardAlone(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	b := k.browser("seat")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	b.Open("/c/990100/seat")
	b.Both("seat-empty")
	b.WaitJS(`document.activeElement.name === 'caller.phone'`)
	b.Key("13803510001")
	b.WaitText("A1001")
	b.Key(kb.F1)
	b.WaitText("一热供热有限公司")
	b.WaitJS(`document.activeElement.name === 'text'`)
	b.Key("家里暖气不热，室温只有15度")
	b.WaitJS(`document.querySelector('[name=category]').value === 'cold_home'`)
	b.WaitText("还缺")
	b.Both("seat-call")
	b.Key(kb.F2)
	b.WaitText("没有填好")
	b.Both("seat-wrong")
	b.Key(kb.F9)
}

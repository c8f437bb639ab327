package web_test

import (
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/dispatch"
)

// The pages of the telephone, looked at in both languages, in the three sizes of text and on the smallest telephone.
func TestFieldLooks(t *testing.T) {
	t.Parallel()
	k := newFieldDesk(t)
	c := k.order()
	k.order()
	k.must(k.sends.Contact(bg, companyOf, dispatch.Contacting{Act: actOn(k.now(c), ""), Result: "connected"}))
	from := k.clock.Now().Add(time.Hour)
	k.must(k.sends.Appoint(bg, companyOf, dispatch.Appointment{Act: actOn(k.now(c), ""), From: from, To: from.Add(time.Hour), Recording: "R1", Wish: true}))
	b := k.browser("worker")
	if b == nil {
		return
	}
	pages := map[string]string{"list": "/f/990100", "route": "/f/990100?by=route", "leave": "/f/990100/leave", "case": fieldPath(c, "")}
	for _, a := range []string{"take", "contact", "appoint", "arrive", "nobody", "feed_back", "give_back"} {
		pages[a] = fieldPath(c, "/"+a)
	}
	for name, path := range pages {
		for _, lang := range []string{"zh", "en"} {
			for _, size := range []string{"18", "30"} {
				b.Size(390, 844)
				b.Open(withQuery(path, "lang="+lang+"&text="+size))
				b.Axe(name + " in " + lang + " at " + size)
				b.NoSideways(name + " in " + lang + " at " + size)
				b.Shot("f-" + name + "-" + lang + "-" + size)
			}
		}
		b.Size(320, 568)
		b.Open(withQuery(path, "lang=zh&text=18"))
		b.NoSideways(name + " on a small telephone")
	}
}

func withQuery(path, more string) string {
	for _, r := range path {
		if r == '?' {
			return path + "&" + more
		}
	}
	return path + "?" + more
}

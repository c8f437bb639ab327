package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
)

// My home says what is still to pay or was paid too much, and nothing of it while nobody said what was paid.
func TestMyHomeSaysWhatIsStillToPay(t *testing.T) {
	t.Parallel()
	k := newHallTown(t, config.Config{})
	c := k.enter(holder)
	c.post(residents+"/bind", url.Values{"_key": {"2"}, "account": {"A1001"}}).to(residents + "/home")
	for _, x := range []struct {
		paid string
		want []string
	}{
		{"", []string{"2420.00", "!还应缴", "!多缴"}},
		{"2000.00", []string{"2420.00", "2000.00", "还应缴", "420.00", "!多缴"}},
		{"2420.00", []string{"!还应缴", "!多缴"}},
		{"2500.00", []string{"多缴", "80.00", "!还应缴"}},
	} {
		in := register.Request{City: city, Kind: place.Fees, From: civil.NewDate(2025, 10, 1), Source: "文", Name: "list.csv"}
		if r, err := k.app.Register.Import(bg, k.root, in, strings.NewReader("户号,采暖期,应收,实收\nA1001,2025-2026,2420.00,"+x.paid+"\n")); err != nil {
			t.Fatalf("%v: %+v", err, r.Faults)
		}
		c.get(residents+"/home").want(http.StatusOK, x.want...)
	}
}

package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/measure"
)

// asked is a request for a measurement of A1001 that belongs to no case.
func (k *town) asked() measure.Measurement {
	k.t.Helper()
	m, err := k.app.Measure.Request(bg, posted(actor.RoleSeat, "s9", "centre"), measure.Requesting{City: city, Account: "A1001"})
	if err != nil {
		k.t.Fatal(err)
	}
	return m
}

// work does what is due by now.
func (k *town) work() {
	k.t.Helper()
	if err := k.app.Runner.RunDue(bg); err != nil {
		k.t.Fatal(err)
	}
}

// A measurement without a case shows its limit, the time left, why it ends when it does and who was told of it.
func TestTheLimitOfAMeasurementWithoutACase(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.instrument()
	m := k.asked()
	k.person("company", actor.RoleCompany)
	c := k.as("company")
	c.get(tests+"/"+m.ID).want(http.StatusOK, "时限", "测温", "依据")
	k.clock.Advance(19 * time.Hour)
	k.work()
	c.get(tests+"/"+m.ID).want(http.StatusOK, "临期预警：已告知供热企业")
	k.clock.Advance(6 * time.Hour)
	k.work()
	b := k.browser("company")
	if b != nil {
		b.Open(tests + "/" + m.ID)
		b.WaitText("已告知值班长")
		b.Both("measure-clock")
	}
	k.visited(m, "visit-00000001", "18.4")
	c.get(tests+"/"+m.ID).want(http.StatusOK, "停止计时，已超时")
}

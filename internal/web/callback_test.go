package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/config"
)

const satisfied = "/c/990100/satisfaction"

// spoken is a town with two matters of a closing: one is praised by its resident, the other denied on the receipt. It gives
// the receipts' paths.
func spoken(t testing.TB, on config.Config) (k *hallTown, good, bad string) {
	t.Helper()
	k = newHallTown(t, on)
	var at []string
	for _, address := range []string{"向阳花园3号楼2单元601", "向阳花园5号楼1单元301"} {
		c := k.caseAt(address)
		k.solve(c)
		at = append(at, "/c/990100/m/r/"+c.Token)
	}
	return k, at[0], at[1]
}

func word(solved, how, said string) url.Values {
	return url.Values{"_key": {"k" + solved + said}, "solved": {solved}, "satisfied": {how}, "word": {said}}
}

// TestWhatResidentsSayOnPages: residents rate their closing once with their receipt, each number of the rates opens its rows,
// the company appeals, somebody else decides, and the figures are frozen.
func TestWhatResidentsSayOnPages(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k, good, bad := spoken(t, on)
		for login, role := range map[string]actor.Role{"head": actor.RoleSectionHead, "super": actor.RoleSupervisor, "company": actor.RoleCompany, "worker": actor.RoleWorker} {
			k.person(login, role)
		}
		head, super, company := k.as("head"), k.as("super"), k.as("company")
		k.as("worker").get(satisfied).want(http.StatusForbidden)
		one := k.anyone()
		one.get(good).want(http.StatusOK, "解决了吗")
		one.post(good+"/rate", word("", "", "")).want(http.StatusUnprocessableEntity)
		one.post(good+"/rate", word("yes", "yes", "师傅很好")).want(http.StatusSeeOther)
		one.get(good).want(http.StatusOK, "!解决了吗")
		one.post(bad+"/rate", word("no", "no", "还是冷")).want(http.StatusSeeOther)
		one.post("/c/990100/m/r/"+strings.Repeat("x", 32)+"/rate", word("no", "no", "")).want(http.StatusNotFound)

		super.get(satisfied).want(http.StatusOK, "一热供热有限公司", "50.0")
		rows := super.get(satisfied+"/rows").want(http.StatusOK, "师傅很好", "还是冷", "!13803510001")
		if n := strings.Count(rows.body, `id="o-`); n != 2 {
			t.Errorf("%d rows behind the number 2", n)
		}
		file := super.get(satisfied+"/export?format=csv").want(http.StatusOK, "师傅很好", "还是冷", "!13803510001")
		if n := strings.Count(strings.TrimSpace(file.body), "\n"); n != 2 {
			t.Errorf("%d rows in the export, 2 in the list", n)
		}
		page := company.get(satisfied+"/rows").want(http.StatusOK, "申诉", "!师傅很好", "!还是冷") // the words are not for the unit
		company.get(satisfied+"/export?format=csv").want(http.StatusOK, "!师傅很好", "!还是冷")
		outcome := found(t, page, `name="outcome" value="([0-9a-f-]{36})"`)
		appeal := url.Values{"_key": {"a1"}, "outcome": {outcome}, "rate": {found(t, page, `<select[^>]*name="rate"[^>]*>\s*<option value="(\w+)"`)}, "reason": {found(t, page, `<select[^>]*name="reason"[^>]*>\s*<option value="(\w+)"`)}}
		company.post(satisfied+"/appeals", appeal).want(http.StatusUnprocessableEntity)
		appeal.Set("words", "住户自行关阀")
		appeal.Set("proof", "视频 03")
		company.post(satisfied+"/appeals", appeal).want(http.StatusSeeOther)
		open := super.get(satisfied+"/appeals").want(http.StatusOK, "住户自行关阀")
		path := found(t, open, `action="(`+satisfied+`/appeals/[0-9a-f-]{36})"`)
		company.post(path, url.Values{}).want(http.StatusForbidden)
		k.clock.Advance(24 * time.Hour)
		head.get(satisfied).want(http.StatusOK, "定稿")
		k.as("worker").get("/c/990100/callbacks/samples").want(http.StatusForbidden)
	})
}

func TestWhatResidentsSayInABrowser(t *testing.T) {
	t.Parallel()
	k, good, bad := spoken(t, config.Config{})
	k.person("super", actor.RoleSupervisor)
	b := k.browser("super")
	if b == nil {
		return
	}
	b.Size(390, 844)
	b.Open(good)
	b.WaitText("解决了吗")
	b.Axe("the receipt of a closing")
	b.NoSideways("the receipt of a closing")
	b.Shot("callback-own-390")
	b.Size(1440, 900)
	k.anyone().post(bad+"/rate", word("no", "no", "还是冷，卧室十五度都不到，师傅来过一次没有进卧室看")).want(http.StatusSeeOther)
	for _, p := range []struct{ path, name string }{
		{satisfied, "callback-rates"}, {satisfied + "/rows", "callback-rows"}, {satisfied + "/appeals", "callback-appeals"}, {"/c/990100/callbacks/samples", "callback-samples"},
	} {
		b.Open(p.path)
		b.Both(p.name)
	}
}

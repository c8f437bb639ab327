package web_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/mail"
	"github.com/rehu-heat/rehu/internal/mail/mailfake"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// A resident gives an address, gives the code back that went there, and drops it again; nobody stops letters without one.
func TestAnAddressForLetters(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		const office, own = "heat@nuan.example.cn", "wang@example.cn"
		post, err := mailfake.Open(mailfake.Options{Boxes: map[string]string{office: "s3cret"}, CA: filepath.Join(t.TempDir(), "ca.pem")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { post.Close() })
		on.Credentials = map[string]string{"mail": post.Credential(office, true)}
		k := newHallTown(t, on)
		c := k.enter(holder)
		c.get(residents+"/me").want(http.StatusOK, "!接收邮箱")
		leader := actor.Actor{ID: "leader", Name: "王芳", Kind: actor.Person, Org: "centre", Door: actor.Page, Grants: []actor.Grant{{Role: actor.RoleLeader, City: city}}}
		account := channel.AccountInput{City: city, Channel: cases.Mail, Name: "main", Title: "暖城供热中心", Credential: "mail", Enabled: true}
		if _, err := k.app.Channels.SetAccount(bg, leader, account); err != nil {
			t.Fatal(err)
		}
		c.get(residents+"/me").want(http.StatusOK, "接收邮箱")
		page := residents + "/me/mail"
		c.post(page, url.Values{"_key": {"1"}, "address": {"nobody"}}).want(http.StatusUnprocessableEntity, "请填写有效的邮箱地址")
		c.post(page, url.Values{"_key": {"2"}, "address": {own}}).to(page)
		if err := k.app.Runner.RunDue(bg); err != nil {
			t.Fatal(err)
		}
		letters := post.Letters()
		if len(letters) != 1 || letters[0].To != own {
			t.Fatalf("letters: %+v (%v)", letters, post.Faults())
		}
		code := sixDigits.FindString(mail.Read(letters[0].Raw, mail.Reading{}).Text)
		c.get(page).want(http.StatusOK, own, "验证码已发到")
		c.post(page+"/code", url.Values{"_key": {"3"}, "code": {"x"}}).want(http.StatusUnprocessableEntity, "验证码不对或已过期")
		c.post(page+"/code", url.Values{"_key": {"4"}, "code": {code}}).to(page)
		c.get(page).want(http.StatusOK, "邮件发到 "+own)
		c.post(page+"/end", url.Values{"_key": {"5"}}).to(page)
		c.get(page).want(http.StatusOK, "!"+own)
		k.anyone().get("/c/990100/stop/forged").want(http.StatusNotFound)
		k.anyone().post("/c/990100/stop/forged", url.Values{"List-Unsubscribe": {"One-Click"}}).want(http.StatusNotFound)
	})
}

// The pages of letters, looked at.
func TestLettersInABrowser(t *testing.T) {
	t.Parallel()
	post, err := mailfake.Open(mailfake.Options{Boxes: map[string]string{"heat@nuan.example.cn": "s3cret"}, CA: filepath.Join(t.TempDir(), "ca.pem")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { post.Close() })
	k := newHallTown(t, config.Config{Credentials: map[string]string{"mail": post.Credential("heat@nuan.example.cn", true)}})
	leader := actor.Actor{ID: "leader", Name: "王芳", Kind: actor.Person, Org: "centre", Door: actor.Page, Grants: []actor.Grant{{Role: actor.RoleLeader, City: city}}}
	if _, err := k.app.Channels.SetAccount(bg, leader, channel.AccountInput{City: city, Channel: cases.Mail, Name: "main", Title: "暖城供热中心", Credential: "mail", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	b := webtest.New(t, k.url)
	if b == nil {
		return
	}
	k.login(b, holder)
	b.Open(residents + "/me/mail")
	b.WaitText("接收邮箱")
	b.Size(1440, 900)
	b.Both("mail-mine")
	b.Fill("address", "wang.guilan@example.cn")
	b.Press("发送验证码")
	b.WaitText("验证码已发到")
	b.Both("mail-code")
}

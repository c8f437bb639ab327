package demo

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/sim"
	"github.com/rehu-heat/rehu/internal/staff"
)

// owner is the installation's own command line.
var owner = actor.SystemFor("demo", actor.Command)

// take imports one list and lists its faults in the error.
func take(ctx context.Context, a *app.App, in register.Request, b []byte) error {
	report, err := a.Register.Import(ctx, owner, in, bytes.NewReader(b))
	if err != nil && len(report.Faults) > 0 {
		f := report.Faults[0]
		return fmt.Errorf("row %d, %s: %s: %w", f.Row, f.Column, f.Message.Key, err)
	}
	return err
}

// post is a kind of work with how many people do it.
type post struct {
	login string
	role  actor.Role
	org   string
	count int
	by    byWhat
}

// byWhat says what a post exists once for.
type byWhat int

const (
	byCity byWhat = iota
	byCompany
	byDistrict
)

// posts are the people of the centre, the companies and the authority.
var posts = []post{
	{"admin", actor.RoleAdmin, "centre", 1, byCity},
	{"seat", actor.RoleSeat, "centre", 6, byCity},
	{"dispatcher", actor.RoleDispatcher, "centre", 3, byCity},
	{"leader", actor.RoleLeader, "centre", 2, byCity},
	{"liaison", actor.RoleLiaison, "centre", 1, byCity},
	{"verifier", actor.RoleVerifier, "centre", 2, byCity},
	{"supervisor", actor.RoleSupervisor, "centre", 1, byCity},
	{"knowledge", actor.RoleKnowledge, "centre", 1, byCity},
	{"section-head", actor.RoleSectionHead, "bureau", 1, byCity},
	{"regulator", actor.RoleRegulator, "bureau", 1, byCity},
	{"inspector", actor.RoleInspector, "inspectors", 1, byCity},
	{"company", actor.RoleCompany, "", 1, byCompany},
	{"station", actor.RoleStation, "", 1, byCompany},
	{"worker", actor.RoleWorker, "", 2, byCompany},
	{"district", actor.RoleDistrict, "", 1, byDistrict},
}

// crew are the people that act, by what they do.
type crew struct {
	all      bool // every account is complete
	by       map[actor.Role][]actor.Actor
	company  map[string]map[actor.Role][]actor.Actor
	partner  actor.Actor // the hotline and the companies' own lines
	logins   []Login
	password string
}

// hire makes organisations and accounts, or finds those that are there; unless all were made, those get their password again.
func hire(ctx context.Context, a *app.App, c *sim.City, o Options, all bool) (*crew, error) {
	if err := organise(ctx, a, c); err != nil {
		return nil, err
	}
	known, err := people(ctx, a)
	if err != nil {
		return nil, err
	}
	w := &crew{all: all, by: map[actor.Role][]actor.Actor{}, company: map[string]map[actor.Role][]actor.Actor{}, password: password(c)}
	w.partner = actor.Actor{ID: "key:hotline", Name: "12345", Kind: actor.Key, Org: "hotline", Door: actor.API, Grants: []actor.Grant{{Role: actor.RolePartner, City: sim.Code}}}
	for n, p := range posts {
		for _, at := range p.places(c) {
			if err := w.fillPost(ctx, a, c, p, at, known); err != nil {
				return nil, fmt.Errorf("hire %s: %w", p.login, err)
			}
		}
		o.Progress(Hiring, 100*(n+1)/len(posts))
	}
	return w, nil
}

// organise makes the organisations that no list of companies brings.
func organise(ctx context.Context, a *app.App, c *sim.City) error {
	have, err := a.Staff.Organisations(ctx, owner, sim.Code, "")
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, org := range have {
		known[org.Code] = true
	}
	want := []staff.OrgInput{
		{Code: "centre", Kind: staff.Centre, NameZH: "暖城供热服务指挥中心", NameEN: "Warmtown heating service centre"},
		{Code: "bureau", Kind: staff.Regulator, NameZH: "暖城城市管理局供热科", NameEN: "Heating section of Warmtown"},
		{Code: "inspectors", Kind: staff.Inspectors, NameZH: "暖城城市管理综合执法支队", NameEN: "Inspectors of Warmtown"},
		{Code: laboratory, Kind: staff.Other, NameZH: "暖城市建筑环境检测院", NameEN: "Warmtown building environment laboratory"},
		{Code: "hotline", Kind: staff.Partner, NameZH: "12345政务服务热线", NameEN: "Hotline 12345"},
	}
	for _, d := range c.Districts {
		want = append(want, staff.OrgInput{Code: d.Code, Kind: staff.District, NameZH: d.Name + "供热办", NameEN: "Heating office " + d.Code})
	}
	for _, in := range want {
		if known[in.Code] {
			continue
		}
		in.City = sim.Code
		if _, err := a.Staff.SaveOrganisation(ctx, owner, in); err != nil {
			return fmt.Errorf("organisation %s: %w", in.Code, err)
		}
	}
	return nil
}

// people are the accounts that exist, by login.
func people(ctx context.Context, a *app.App) (map[string]staff.Person, error) {
	out := map[string]staff.Person{}
	f := staff.Filter{Request: page.Request{Size: page.MaxSize}}
	for {
		list, err := a.Staff.People(ctx, owner, sim.Code, f)
		if err != nil {
			return nil, err
		}
		for _, p := range list.Items {
			out[p.Login] = p
		}
		if f.After = list.Next; f.After == "" {
			return out, nil
		}
	}
}

// spot is where a post exists.
type spot struct {
	suffix, org string
	grant       actor.Grant
}

func (p post) places(c *sim.City) []spot {
	var out []spot
	switch p.by {
	case byCity:
		out = append(out, spot{org: p.org, grant: actor.Grant{Role: p.role, City: sim.Code}})
	case byCompany:
		for _, co := range c.Companies {
			out = append(out, spot{"-" + lower(co.Code), co.Code, actor.Grant{Role: p.role, City: sim.Code, Companies: []string{co.Code}}})
		}
	case byDistrict:
		for _, d := range c.Districts {
			out = append(out, spot{"-" + d.Code, d.Code, actor.Grant{Role: p.role, City: sim.Code, Districts: []string{d.Name}}})
		}
	}
	return out
}

func lower(code string) string { return string(code[0]|0x20) + code[1:] }

// fillPost hires everybody of a post at one place.
func (w *crew) fillPost(ctx context.Context, a *app.App, c *sim.City, p post, at spot, known map[string]staff.Person) error {
	for n := range p.count {
		login := p.login + at.suffix
		if p.count > 1 {
			login = p.login + strconv.Itoa(n+1) + at.suffix
		}
		who, ok := known[login]
		if !ok || !w.all {
			var err error
			if who, err = w.employ(ctx, a, ok, staff.NewPerson{City: sim.Code, Login: login, Name: c.NameOf(login, n), Org: at.org, Grants: []actor.Grant{at.grant}}); err != nil {
				return err
			}
		}
		w.add(who, p.role, at)
	}
	return nil
}

// employ makes an account that may log in at once: the owner of a demonstration knows every password.
func (w *crew) employ(ctx context.Context, a *app.App, exists bool, in staff.NewPerson) (staff.Person, error) {
	if !exists {
		if _, err := a.Staff.CreatePerson(ctx, owner, in); err != nil {
			return staff.Person{}, err
		}
	}
	return a.Staff.EnsureAdmin(ctx, staff.Admin{City: in.City, Login: in.Login, Name: in.Name, Password: w.password, Grants: in.Grants})
}

func (w *crew) add(p staff.Person, role actor.Role, at spot) {
	who := actor.Actor{ID: p.ID, Name: p.Name, Kind: actor.Person, Org: at.org, Door: actor.Page, Grants: []actor.Grant{at.grant}}
	w.by[role] = append(w.by[role], who)
	if len(at.grant.Companies) > 0 {
		if w.company[at.org] == nil {
			w.company[at.org] = map[actor.Role][]actor.Actor{}
		}
		w.company[at.org][role] = append(w.company[at.org][role], who)
	}
	w.logins = append(w.logins, Login{Role: string(role), User: p.Login, Password: w.password})
}

// password is the one that every account of a demonstration has.
func password(c *sim.City) string { return "nuancheng-" + c.Digits("password", 6) }

// finished is when the history of this database ends; zero when it is not complete.
func finished(ctx context.Context, a *app.App) (civil.Instant, error) {
	keys, err := a.Staff.Keys(ctx, owner, sim.Code, page.Request{Size: page.MaxSize})
	if err != nil {
		return 0, err
	}
	for _, k := range keys.Items {
		if k.Name == keysName {
			return k.Created, nil
		}
	}
	return 0, nil
}

// info says how to look around.
func (w *crew) info(ctx context.Context, a *app.App) (Info, error) {
	k, err := keysOf(ctx, a)
	return Info{City: sim.Code, Open311Key: k.Open311, APIToken: k.Token, Logins: w.logins}, err
}

package cli

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/app"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/staff"
)

// userCmd makes the first accounts and helps whoever is shut out.
type userCmd struct {
	Create userCreateCmd `cmd:"" help:"${user_create}"`
	List   userListCmd   `cmd:"" help:"${user_list}"`
	Reset  userResetCmd  `cmd:"" name:"reset-password" help:"${user_reset}"`
}

type userCreateCmd struct {
	where
	Login     string   `arg:"" name:"login" help:"${login}"`
	Name      string   `name:"name" help:"${person_name}"`
	City      int      `name:"city" placeholder:"CODE" help:"${user_city}"`
	Role      []string `name:"role" placeholder:"ROLE" help:"${role}"`
	Companies []string `name:"company" placeholder:"CODE" help:"${role_company}"`
	Districts []string `name:"district" placeholder:"NAME" help:"${role_district}"`
	Stdin     bool     `name:"password-stdin" help:"${password_stdin}"`
}

// Run implements the command. The city is served from then on.
func (c *userCreateCmd) Run(r *run) error {
	a, err := c.open(r)
	if err != nil {
		return err
	}
	defer a.Close()
	if c.City != 0 {
		if err := a.AddCity(r.ctx, c.City); err != nil {
			return err
		}
	}
	password, made, err := r.password(c.Login, c.Stdin)
	if err != nil {
		return err
	}
	p, err := a.Staff.EnsureAdmin(r.ctx, staff.Admin{City: c.City, Login: c.Login, Name: c.Name, Password: password, Grants: c.grants()})
	if err != nil {
		return err
	}
	if err := r.line("cli.user_ready", "login", p.Login); err != nil || !made {
		return err
	}
	return r.line("cli.password_made", "password", password)
}

func (c *userCreateCmd) grants() []actor.Grant {
	var out []actor.Grant
	for _, role := range c.Role {
		out = append(out, actor.Grant{Role: actor.Role(role), City: c.City, Companies: c.Companies, Districts: c.Districts})
	}
	return out
}

type userListCmd struct {
	where
	City int  `name:"city" placeholder:"CODE" help:"${list_city}"`
	JSON bool `name:"json" help:"${json}"`
}

// Run implements the command.
func (c *userListCmd) Run(r *run) error {
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	people, err := r.people(a, c.City, "")
	if err != nil {
		return err
	}
	if c.JSON {
		return r.json(people)
	}
	t := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	for _, p := range people {
		state := r.say("cli.active")
		if !p.Active {
			state = r.say("cli.disabled")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", p.Login, p.Name, state, r.roles(p), p.LastLogin.Minute())
	}
	return t.Flush()
}

func (r *run) roles(p staff.Person) string {
	var out []string
	for _, g := range p.Grants {
		out = append(out, fmt.Sprintf("%s@%d", r.say("role."+string(g.Role)), g.City))
	}
	return strings.Join(out, " ")
}

// people lists those of a city, or, with city 0, of every city; login narrows to one.
func (r *run) people(a *app.App, city int, login string) ([]staff.Person, error) {
	by := actor.SystemFor("user", actor.Command)
	cities := []int{city}
	if city == 0 {
		cities = append(cities, a.Cities()...)
	}
	out, seen := []staff.Person{}, map[string]bool{}
	for _, city := range cities {
		f := staff.Filter{Query: login, Request: page.Request{Size: page.MaxSize}}
		for {
			got, err := a.Staff.People(r.ctx, by, city, f)
			if err != nil {
				return nil, err
			}
			for _, p := range got.Items {
				if !seen[p.ID] && (login == "" || strings.EqualFold(p.Login, login)) {
					seen[p.ID] = true
					out = append(out, p)
				}
			}
			if got.Next == "" {
				break
			}
			f.After = got.Next
		}
	}
	return out, nil
}

type userResetCmd struct {
	where
	Login string `arg:"" name:"login" help:"${login}"`
	Stdin bool   `name:"password-stdin" help:"${password_stdin}"`
}

// Run gives a person a new password, lifts a lock and ends their sessions.
func (c *userResetCmd) Run(r *run) error {
	a, err := c.openExisting(r)
	if err != nil {
		return err
	}
	defer a.Close()
	found, err := r.people(a, 0, c.Login)
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fault.New(fault.NotFound, "cli.no_user", "login", c.Login)
	}
	password, made, err := r.password(c.Login, c.Stdin)
	if err != nil {
		return err
	}
	by := actor.SystemFor("user", actor.Command)
	if err := a.Staff.SetPassword(r.ctx, by, staff.PasswordChange{Person: found[0].ID, New: password}); err != nil {
		return err
	}
	if err := r.line("cli.password_reset", "login", found[0].Login); err != nil || !made {
		return err
	}
	return r.line("cli.password_made", "password", password)
}

// password is read from standard input, asked for on a terminal, or made up.
func (r *run) password(login string, stdin bool) (password string, made bool, err error) {
	if stdin {
		s, err := bufio.NewReader(r.In).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", false, err
		}
		return strings.TrimRight(s, "\r\n"), false, nil
	}
	f, ok := r.In.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return makePassword(login), true, nil
	}
	var typed [2]string
	for i, ask := range []string{"cli.ask_password", "cli.ask_again"} {
		fmt.Fprint(r.Err, r.say(ask))
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(r.Err)
		if err != nil {
			return "", false, err
		}
		typed[i] = string(b)
	}
	if typed[0] != typed[1] {
		return "", false, fault.New(fault.Invalid, "cli.passwords_differ")
	}
	return typed[0], false, nil
}

// makePassword makes a password that does not happen to contain the login name, which none may.
func makePassword(login string) string {
	for {
		if p := strings.ToLower(rand.Text()); login == "" || !strings.Contains(p, strings.ToLower(login)) {
			return p
		}
	}
}

// Package staff knows the people who work with the system: which organisation they belong to, what they may do and
// where, and how they prove who they are. Residents never see any of it: names of staff stay inside.
//
// A person logs in with a password and, if switched on, a one-time code, or through the city's identity provider; other
// programs use API keys. Either way the result is an actor with grants, and every use case of every capability asks that
// actor. Invariants: only hashes of passwords, tokens and keys are kept; whoever ends a session, disables a person or
// changes a grant is obeyed at once in this process and within five seconds in every other; nobody can give a right that
// reaches further than their own; sessions and locks run on machine time, never on the simulated clock of a city.
package staff

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// Person is a member of staff as managers see them.
type Person struct {
	ID         string        `db:"id" json:"id"`
	City       int           `db:"city_id" json:"city"` // home city; 0 = the installation
	Login      string        `db:"login" json:"login"`
	Name       string        `db:"name" json:"name"`
	Org        string        `db:"org" json:"org"`
	Email      *string       `db:"email" json:"email,omitempty"`
	MustChange bool          `db:"must_change" json:"must_change"`
	TOTP       bool          `db:"totp_on" json:"totp"`
	Active     bool          `db:"active" json:"active"`
	Portrait   string        `db:"portrait" json:"-"` // the picture on the badge, an attachment
	Version    int64         `db:"version" json:"version"`
	Created    civil.Instant `db:"created_at" json:"created_at"`
	LastLogin  civil.Instant `db:"last_login_at" json:"last_login_at"`
	Grants     []Grant       `db:"-" json:"grants,omitempty"`
}

// Grant is one role of a person with its places, and who gave it.
type Grant struct {
	ID        string        `db:"id" json:"id"`
	Person    string        `db:"person_id" json:"-"`
	City      int           `db:"city_id" json:"city"`
	Role      actor.Role    `db:"role" json:"role"`
	Districts []string      `db:"districts,json" json:"districts,omitempty"`
	Companies []string      `db:"companies,json" json:"companies,omitempty"`
	Areas     []string      `db:"areas,json" json:"areas,omitempty"`
	Stations  []string      `db:"stations,json" json:"stations,omitempty"`
	Created   civil.Instant `db:"created_at" json:"created_at"`
	By        string        `db:"created_by" json:"created_by"`
}

// Actor is the grant as permissions are asked.
func (g Grant) Actor() actor.Grant {
	return actor.Grant{Role: g.Role, City: g.City, Districts: g.Districts, Companies: g.Companies, Areas: g.Areas, Stations: g.Stations}
}

// NewPerson is the input of CreatePerson. A password set by somebody else must be changed at the first login.
type NewPerson struct {
	City     int           `json:"city" form:"city"`
	Login    string        `json:"login" form:"login"`
	Name     string        `json:"name" form:"name"`
	Org      string        `json:"org" form:"org"`
	Email    string        `json:"email" form:"email"`
	Password string        `json:"password" form:"password"` // empty: only the identity provider lets them in
	Grants   []actor.Grant `json:"grants" form:"-"`
}

// Edit is the input of EditPerson.
type Edit struct {
	Person  string `json:"-" form:"-"`
	Name    string `json:"name" form:"name"`
	Org     string `json:"org" form:"org"`
	Email   string `json:"email" form:"email"`
	Version int64  `json:"version" form:"version"`
}

// NewGrant is the input of Grant.
type NewGrant struct {
	Person    string     `json:"-" form:"-"`
	City      int        `json:"city" form:"city"`
	Role      actor.Role `json:"role" form:"role"`
	Districts []string   `json:"districts" form:"districts"`
	Companies []string   `json:"companies" form:"companies"`
	Areas     []string   `json:"areas" form:"areas"`
	Stations  []string   `json:"stations" form:"stations"`
}

// Filter narrows the list of people; empty fields do not.
type Filter struct {
	Query  string     `json:"q" form:"q"` // part of the login or the name
	Org    string     `json:"org" form:"org"`
	Role   actor.Role `json:"role" form:"role"`
	Active string     `json:"active" form:"active"` // "yes", "no"
	page.Request
}

// OrgKind is the sort of an organisation.
type OrgKind string

// The kinds of organisations.
const (
	Centre     OrgKind = "centre"     // 供热服务（指挥）中心
	Company    OrgKind = "company"    // 供热企业
	District   OrgKind = "district"   // 区县主管部门
	Inspectors OrgKind = "inspectors" // 执法队伍
	Regulator  OrgKind = "regulator"  // 市供热主管部门
	Knowledge  OrgKind = "knowledge"  // 知识管理
	Partner    OrgKind = "partner"    // 外部系统
	Other      OrgKind = "other"
)

// OrgKinds lists the kinds in the order of the form; the name on the screen is "org_kind.<name>".
func OrgKinds() []OrgKind {
	return []OrgKind{Centre, Company, District, Inspectors, Regulator, Knowledge, Partner, Other}
}

// Organisation is a body that people belong to.
type Organisation struct {
	City    int           `db:"city_id" json:"city"`
	Code    string        `db:"code" json:"code"`
	Kind    OrgKind       `db:"kind" json:"kind"`
	NameZH  string        `db:"name_zh" json:"name_zh"`
	NameEN  string        `db:"name_en" json:"name_en"`
	Active  bool          `db:"active" json:"active"`
	Version int64         `db:"version" json:"version"`
	Created civil.Instant `db:"created_at" json:"created_at"`
}

// OrgInput is the input of SaveOrganisation: version 0 adds, any other changes that version.
type OrgInput struct {
	City    int     `json:"city" form:"-"`
	Code    string  `json:"code" form:"code"`
	Kind    OrgKind `json:"kind" form:"kind"`
	NameZH  string  `json:"name_zh" form:"name_zh"`
	NameEN  string  `json:"name_en" form:"name_en"`
	Active  bool    `json:"active" form:"active"`
	Version int64   `json:"version" form:"version"`
}

var (
	loginName = regexp.MustCompile(`^[a-z0-9\p{Han}][a-z0-9._@\p{Han}-]{1,63}$`)
	orgCode   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)
)

// normalLogin is the one spelling under which an account is kept.
func normalLogin(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// normalEmail lowers an address; empty stays empty.
func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func checkText(c *fault.Check, field, value string, most int, required bool) {
	switch {
	case required && strings.TrimSpace(value) == "":
		c.Add(field, "field.required")
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		c.Add(field, "field.bad_text")
	case utf8.RuneCountInString(value) > most:
		c.Add(field, "field.too_long", "max", most)
	}
}

func checkEmail(c *fault.Check, email string) {
	if email == "" {
		return
	}
	a, err := mail.ParseAddress(email)
	c.That(err == nil && a.Address == email && len(email) <= 200, "email", "staff.bad_email")
}

func (in *NewPerson) normalise() {
	in.Login, in.Email = normalLogin(in.Login), normalEmail(in.Email)
	in.Name, in.Org = strings.TrimSpace(in.Name), strings.TrimSpace(in.Org)
}

func (in NewPerson) check() error {
	var c fault.Check
	c.That(loginName.MatchString(in.Login), "login", "staff.bad_login_name")
	checkText(&c, "name", in.Name, 50, true)
	checkText(&c, "org", in.Org, 32, false)
	checkEmail(&c, in.Email)
	c.That(in.City == 0 || isCity(in.City), "city", "staff.bad_city")
	if in.Password != "" {
		c.Merge("", checkPassword(in.Password, in.Login))
	}
	return c.Err()
}

func (in OrgInput) check() error {
	var c fault.Check
	c.That(isCity(in.City), "city", "staff.bad_city")
	c.That(orgCode.MatchString(in.Code), "code", "staff.bad_org_code")
	if !slices.Contains(OrgKinds(), in.Kind) {
		c.Add("kind", "field.not_one_of", "allowed", joined(OrgKinds()))
	}
	checkText(&c, "name_zh", in.NameZH, 100, true)
	checkText(&c, "name_en", in.NameEN, 100, false)
	return c.Err()
}

func isCity(code int) bool { return code >= 110000 && code <= 999999 }

func joined[T ~string](all []T) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

package wechat

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Account is one official account or mini program of a city, as the accounts file of the installation describes it.
type Account struct {
	City      int                 `yaml:"city"`
	App       App                 `yaml:"app"` // official, mini
	ID        string              `yaml:"app_id"`
	Original  string              `yaml:"original_id"` // gh_…: how WeChat addresses the account in what it pushes; empty: not compared
	Name      string              `yaml:"name"`
	Plain     bool                `yaml:"plain"` // also takes messages that are not encrypted
	Templates map[string]Template `yaml:"templates"`
	Menu      []Button            `yaml:"menu"`

	secrets Secrets
	cipher  *Cipher
}

// TemplateKind is how a template is sent.
type TemplateKind string

// The kinds of templates.
const (
	TemplateMessage  TemplateKind = "template"  // 模板消息 of an official account
	SubscribeMessage TemplateKind = "subscribe" // 订阅消息 of a mini program: needs a consent each time
)

// Template is a message template that the city registered at WeChat, under the key of the text that it carries.
type Template struct {
	ID     string            `yaml:"id"`
	Kind   TemplateKind      `yaml:"kind"`
	Page   string            `yaml:"page"`   // page of the mini program that a tap opens
	Values map[string]string `yaml:"values"` // keyword → text; {name} is a parameter of the message, {text} all of it
}

// Button is an entry of the custom menu: a key that is pushed, an address, a page of the mini program, or entries below it.
type Button struct {
	Name  string   `yaml:"name"`
	Key   string   `yaml:"key"`
	URL   string   `yaml:"url"`
	Page  string   `yaml:"page"`
	Below []Button `yaml:"below"`
}

// Secrets of an account come from the environment only.
type Secrets struct {
	Secret string `json:"secret"`  // AppSecret
	Token  string `json:"token"`   // of the server's signature
	AESKey string `json:"aes_key"` // EncodingAESKey
}

// Accounts are all of an installation.
type Accounts []*Account

// ReadAccounts reads the accounts file; secrets is a JSON object of app id → Secrets.
func ReadAccounts(file []byte, secrets string) (Accounts, error) {
	var in struct {
		Accounts Accounts `yaml:"accounts"`
	}
	if err := yaml.UnmarshalWithOptions(file, &in, yaml.Strict()); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "wechat.bad_accounts", "why", yaml.FormatError(err, false, false))
	}
	known := map[string]Secrets{}
	if secrets != "" {
		if err := json.Unmarshal([]byte(secrets), &known); err != nil {
			return nil, fault.New(fault.Invalid, "wechat.bad_secrets") // the cause would show them in the log
		}
	}
	var c fault.Check
	seen := map[string]bool{}
	for i, a := range in.Accounts {
		a.secrets = known[a.ID]
		at := fmt.Sprintf("accounts.%d", i)
		c.That(!seen[a.ID], at+".app_id", "wechat.account_twice", "app", a.ID)
		seen[a.ID] = true
		a.check(&c, at)
	}
	return in.Accounts, c.Err()
}

func (a *Account) check(c *fault.Check, at string) {
	c.That(a.City >= 110000 && a.City <= 999999, at+".city", "field.required")
	c.That(a.App == Official || a.App == Mini, at+".app", "field.not_one_of", "allowed", []App{Official, Mini})
	c.That(IsAppID(a.ID), at+".app_id", "wechat.bad_app_id")
	c.That(a.secrets.Secret != "" && a.secrets.Token != "", at+".app_id", "wechat.no_secret", "app", a.ID)
	if a.secrets.AESKey != "" || !a.Plain {
		var err error
		a.cipher, err = NewCipher(a.ID, a.secrets.AESKey)
		c.That(err == nil, at+".app_id", "wechat.bad_aes_key", "app", a.ID)
	}
	for key, t := range a.Templates {
		t.check(c, at+".templates."+key, a.App)
	}
	checkMenu(c, at+".menu", a.Menu, 3, 16)
}

var keyword = regexp.MustCompile(`^(first|remark|keyword[0-9]{1,2}|([a-z_]+?)([0-9]{1,2}))$`)

func (t Template) check(c *fault.Check, at string, app App) {
	c.That(t.ID != "", at+".id", "field.required")
	kinds := map[App]TemplateKind{Official: TemplateMessage, Mini: SubscribeMessage}
	c.That(t.Kind == kinds[app], at+".kind", "field.not_one_of", "allowed", kinds[app])
	c.That(len(t.Values) > 0, at+".values", "field.required")
	for k := range t.Values {
		_, typed := limits[kindOf(k)]
		c.That(keyword.MatchString(k) && (typed || kindOf(k) == ""), at+".values."+k, "wechat.bad_keyword")
	}
}

// checkMenu holds a menu against WeChat's bounds: three buttons with five below each, names of 16 and 60 bytes.
func checkMenu(c *fault.Check, at string, all []Button, most, name int) {
	c.That(len(all) <= most, at, "wechat.menu_long", "most", most)
	for i, b := range all {
		here := fmt.Sprintf("%s.%d", at, i)
		c.That(b.Name != "" && len(b.Name) <= name, here+".name", "wechat.menu_name", "most", name)
		does := 0
		for _, s := range []string{b.Key, b.URL, b.Page} {
			if s != "" {
				does++
			}
		}
		if len(b.Below) > 0 && name == 16 {
			c.That(does == 0, here, "wechat.menu_does")
			checkMenu(c, here+".below", b.Below, 5, 60)
			continue
		}
		c.That(does == 1 && len(b.Below) == 0, here, "wechat.menu_does")
		c.That(len(b.Key) <= 128 && len(b.URL) <= 1024 && (b.URL == "" || strings.Contains(b.URL, "://")), here, "wechat.menu_does")
	}
}

// Of finds the account of a kind in a city; nil when there is none.
func (all Accounts) Of(city int, app App) *Account {
	i := slices.IndexFunc(all, func(a *Account) bool { return a.City == city && a.App == app })
	if i < 0 {
		return nil
	}
	return all[i]
}

// ByID finds an account; nil when there is none.
func (all Accounts) ByID(id string) *Account {
	i := slices.IndexFunc(all, func(a *Account) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	return all[i]
}

// limits are WeChat's bounds of template keywords by their type: how many characters a value may have.
var limits = map[string]int{
	"thing": 20, "number": 32, "letter": 32, "symbol": 5, "character_string": 32, "time": 30, "date": 30, "amount": 12,
	"phone_number": 17, "car_number": 8, "name": 10, "phrase": 5, "const": 20, "short_thing": 5,
}

// Limit is how many characters a keyword may carry; 0 is a keyword without a type, which is not bounded by it.
func Limit(key string) int { return limits[kindOf(key)] }

func kindOf(key string) string {
	m := keyword.FindStringSubmatch(key)
	if m == nil || m[3] == "" {
		return ""
	}
	return m[2]
}

// data fills a template: parameters take their places, and what is too long for its keyword ends in a mark.
func (t Template) data(text string, params map[string]string) map[string]string {
	pairs := []string{"{text}", text}
	for k, v := range params {
		pairs = append(pairs, "{"+k+"}", v)
	}
	fill := strings.NewReplacer(pairs...)
	out := make(map[string]string, len(t.Values))
	for k, form := range t.Values {
		v := strings.Join(strings.Fields(unfilled.ReplaceAllString(fill.Replace(form), "")), " ")
		if most := Limit(k); most > 0 && utf8.RuneCountInString(v) > most {
			v = string([]rune(v)[:most-1]) + "…"
		}
		if v == "" {
			v = "—"
		}
		out[k] = v
	}
	return out
}

var unfilled = regexp.MustCompile(`\{[a-z_]+\}`)

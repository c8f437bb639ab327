package wechat

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Account is one official account or mini program of a city, as the register of channels describes it: app_id, original_id,
// app, plain, templates and menu are its settings (the last two as YAML), secret, token and aes_key its credential.
type Account struct {
	City      int
	Name      string // in addresses
	App       App    // official, mini
	ID        string // app id
	Original  string // gh_…: how WeChat addresses the account in what it pushes; empty: not compared
	Plain     bool   // also takes messages that are not encrypted
	Templates map[string]Template
	Menu      []Button

	api     string
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
	Secret string // AppSecret
	Token  string // of the server's signature
	AESKey string // EncodingAESKey
}

// The names under which the register and the environment hold what an account needs.
const (
	SettingApp       = "app"
	SettingAppID     = "app_id"
	SettingOriginal  = "original_id"
	SettingPlain     = "plain"
	SettingTemplates = "templates"
	SettingMenu      = "menu"

	CredentialSecret = "secret"
	CredentialToken  = "token"
	CredentialAESKey = "aes_key"
	CredentialAPI    = "api" // address of WeChat's interfaces, for a fake; empty is the real one
)

// ReadAccount reads an account from its settings and its credential.
func ReadAccount(city int, name string, settings, credential map[string]string) (*Account, error) {
	a := &Account{
		City: city, Name: name, App: App(settings[SettingApp]), ID: settings[SettingAppID], Original: settings[SettingOriginal],
		Plain: settings[SettingPlain] == "yes", api: strings.TrimSuffix(credential[CredentialAPI], "/"),
		secrets: Secrets{Secret: credential[CredentialSecret], Token: credential[CredentialToken], AESKey: credential[CredentialAESKey]},
	}
	var c fault.Check
	for key := range settings {
		c.That(slices.Contains([]string{SettingApp, SettingAppID, SettingOriginal, SettingPlain, SettingTemplates, SettingMenu}, key),
			key, "wechat.bad_setting", "key", key)
	}
	for key, into := range map[string]any{SettingTemplates: &a.Templates, SettingMenu: &a.Menu} {
		if err := yaml.UnmarshalWithOptions([]byte(settings[key]), into, yaml.Strict()); err != nil {
			c.Add(key, "wechat.bad_yaml", "why", yaml.FormatError(err, false, false))
		}
	}
	a.check(&c)
	return a, c.Err()
}

func (a *Account) check(c *fault.Check) {
	c.That(a.App == Official || a.App == Mini, SettingApp, "field.not_one_of", "allowed", []App{Official, Mini})
	c.That(IsAppID(a.ID), SettingAppID, "wechat.bad_app_id")
	c.That(a.secrets.Secret != "" && a.secrets.Token != "", "credential", "wechat.no_secret")
	c.That(a.api == "" || strings.HasPrefix(a.api, "https://") || strings.HasPrefix(a.api, "http://127.0.0.1:"), "credential", "wechat.bad_api")
	if a.secrets.AESKey != "" || !a.Plain {
		var err error
		a.cipher, err = NewCipher(a.ID, a.secrets.AESKey)
		c.That(err == nil, "credential", "wechat.bad_aes_key")
	}
	for key, t := range a.Templates {
		t.check(c, SettingTemplates+"."+key, a.App)
	}
	checkMenu(c, SettingMenu, a.Menu, 3, 16)
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

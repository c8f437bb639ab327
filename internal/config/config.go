// Package config is how the operator of an installation sets it up: one Config from defaults, a YAML file, REHU_*
// environment variables and, last, command-line flags. Every setting has a value that works, so that `rehu serve` needs
// no file at all; a key that does not exist is refused with its file and line instead of being passed over.
package config

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// Config is every setting of an installation. The tags are the keys of the file; REHU_ and the key in capitals, dots
// made underscores, is the environment variable. Settings marked secret:"env" are read from the environment only.
type Config struct {
	Listen         string   `koanf:"listen"`                // address to serve on
	PublicURL      string   `koanf:"public_url"`            // address as residents see it; empty = taken from the request
	Data           string   `koanf:"data"`                  // folder of the SQLite file, attachments, keys and backups
	Database       string   `koanf:"database" secret:"url"` // postgres://…; empty = SQLite in the data folder
	Keys           string   `koanf:"keys" secret:"env"`     // keyring; empty = keys.json in the data folder
	Cities         []int    `koanf:"cities"`                // GB/T 2260 codes to serve; empty = those in the database
	Packs          string   `koanf:"packs"`                 // folder of city packs that override the built-in ones
	TrustedProxies []string `koanf:"trusted_proxies"`       // addresses or networks whose X-Forwarded-For is believed
	Log            Log      `koanf:"log"`
	Map            Map      `koanf:"map"`
	Site           Site     `koanf:"site"`
	Session        Session  `koanf:"session"`
	Rate           Rate     `koanf:"rate"`
	OIDC           OIDC     `koanf:"oidc"`
	SMS            SMS      `koanf:"sms"`
	CTI            CTI      `koanf:"cti"`
	Blob           Blob     `koanf:"blob"`
	Backup         Backup   `koanf:"backup"`
	Metrics        Metrics  `koanf:"metrics"`
	Webhook        Webhook  `koanf:"webhook"`
	Push           Push     `koanf:"push"`

	// Credentials open the accounts of channels (WeChat, Weibo, a mailbox) at the other side, each written like a query:
	// REHU_CREDENTIAL_WEIBO="app_key=…&token=…" is the credential that an account names weibo.
	Credentials map[string]string `koanf:"credentials" secret:"env"`

	from map[string]string // key → where its value came from
}

// Log says how much is logged and in what form.
type Log struct {
	Level  string `koanf:"level"`  // debug, info, warn, error
	Format string `koanf:"format"` // text, json
}

// Map is the base map under areas and points. Public maps in China need a review number (审图号), which is shown on them.
type Map struct {
	Provider    string   `koanf:"provider"` // none, xyz
	Tiles       string   `koanf:"tiles"`    // https://host/{z}/{x}/{y}.png
	Hosts       []string `koanf:"hosts"`    // further hosts that tiles come from, where {s} stands in the address
	CRS         string   `koanf:"crs"`      // wgs84, gcj02: how the tiles are laid out
	ReviewNo    string   `koanf:"review_no"`
	Attribution string   `koanf:"attribution"`
}

// Site is what stands at the foot of every public page.
type Site struct {
	Name   string `koanf:"name"`
	Owner  string `koanf:"owner"`
	ICP    string `koanf:"icp"`    // ICP filing number
	Police string `koanf:"police"` // public security filing number
	Phone  string `koanf:"phone"`
}

// Session says how long a login lasts.
type Session struct {
	Idle time.Duration `koanf:"idle"` // without any request
	Life time.Duration `koanf:"life"` // at most, also in use: longer than any shift
}

// Rate limits what one address or key may do.
type Rate struct {
	LoginPerMinute  int `koanf:"login_per_minute"`  // attempts of an address or of a login name
	PublicPerMinute int `koanf:"public_per_minute"` // requests of an address on the resident's pages
	ReportsPerHour  int `koanf:"reports_per_hour"`  // reports of an address on the resident's pages
	APIPerSecond    int `koanf:"api_per_second"`    // requests of an API key
}

// OIDC is login through the city's identity provider.
type OIDC struct {
	Issuer       string `koanf:"issuer"`
	ClientID     string `koanf:"client_id"`
	ClientSecret string `koanf:"client_secret" secret:"env"`
}

// SMS is the gateway for text messages to residents. Without an address messages are held for staff to read out.
type SMS struct {
	Kind    string `koanf:"kind"`                // rehu: the contract of this program; aliyun: Alibaba Cloud
	URL     string `koanf:"url"`                 // address that takes signed messages; notice.SMSConfig describes the exchange
	Account string `koanf:"account"`             // name of the installation at the gateway
	Secret  string `koanf:"secret" secret:"env"` // shared key of the signatures, both ways
	Sign    string `koanf:"sign"`                // signature line before every text, such as 暖城供热
	Price   string `koanf:"price"`               // yuan for a part of 70 characters, such as 0.045; empty = costs are not added up
}

// CTI is the telephone switch. Without an address seats have no telephone on their screen and nothing else is missing.
type CTI struct {
	URL     string `koanf:"url"`                 // takes signed commands under /commands; docs/telephone.md describes the exchange
	Account string `koanf:"account"`             // name of the installation at the switch
	Secret  string `koanf:"secret" secret:"env"` // shared key of the signatures, both ways
}

// Blob says where attachments are kept.
type Blob struct {
	Kind string `koanf:"kind"` // disk, s3
	Dir  string `koanf:"dir"`  // empty = blobs in the data folder
	S3   S3     `koanf:"s3"`
}

// S3 is an object store.
type S3 struct {
	Endpoint  string `koanf:"endpoint"` // host or host:port
	Bucket    string `koanf:"bucket"`
	Region    string `koanf:"region"`
	Prefix    string `koanf:"prefix"`
	AccessKey string `koanf:"access_key"`
	SecretKey string `koanf:"secret_key" secret:"env"`
	Insecure  bool   `koanf:"insecure"` // plain HTTP, inside one machine only
}

// Backup says where and how often archives are written.
type Backup struct {
	Dir   string        `koanf:"dir"`   // empty = backups in the data folder
	Every time.Duration `koanf:"every"` // 0 = only by command
	Keep  int           `koanf:"keep"`  // archives to keep
}

// Metrics guards /metrics.
type Metrics struct {
	Token string `koanf:"token" secret:"mask"` // empty = only from this machine
}

// Webhook bounds what subscribers of webhooks may be called at.
type Webhook struct {
	Allow []string `koanf:"allow"` // addresses or networks inside that may be called; all public ones may
}

// Push is notifications in residents' own browsers. Without a key there are none and text messages are sent instead.
type Push struct {
	Key     string   `koanf:"key" secret:"env"` // made by `rehu config push-key`; a new one ends every subscription
	Contact string   `koanf:"contact"`          // mailto: or https: address at which a push service can complain
	Allow   []string `koanf:"allow"`            // addresses or networks inside in which a push service may stand; all public ones may
}

// WithDefaults fills every setting that has no value.
func (c Config) WithDefaults() Config {
	or(&c.Listen, "127.0.0.1:8080")
	or(&c.Data, "data")
	or(&c.Log.Level, "info")
	or(&c.Log.Format, "text")
	or(&c.Map.Provider, "none")
	or(&c.Map.CRS, "wgs84")
	or(&c.Session.Idle, 2*time.Hour)
	or(&c.Session.Life, 14*time.Hour)
	or(&c.Rate.LoginPerMinute, 10)
	or(&c.Rate.PublicPerMinute, 120)
	or(&c.Rate.ReportsPerHour, 20)
	or(&c.Rate.APIPerSecond, 50)
	or(&c.Blob.Kind, "disk")
	or(&c.Blob.Dir, filepath.Join(c.Data, "blobs"))
	or(&c.Backup.Dir, filepath.Join(c.Data, "backups"))
	or(&c.Backup.Keep, 7)
	return c
}

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// SQLiteFile is the database file in the data folder.
func (c Config) SQLiteFile() string { return filepath.Join(c.Data, "rehu.db") }

// Trusted lists the proxies' networks; a single address is a network of its own.
func (c Config) Trusted() ([]netip.Prefix, error) { return prefixes(c.TrustedProxies) }

// WebhookNets lists the networks inside that webhooks may call.
func (c Config) WebhookNets() ([]netip.Prefix, error) { return prefixes(c.Webhook.Allow) }

// PushNets lists the networks inside in which a push service may stand.
func (c Config) PushNets() ([]netip.Prefix, error) { return prefixes(c.Push.Allow) }

// prefixes reads addresses and networks; a single address is a network of its own.
func prefixes(list []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, err
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p)
	}
	return all, nil
}

// MapOrigins lists the origins that the browser must be allowed to load tiles from.
func (c Config) MapOrigins() []string {
	if c.Map.Provider != "xyz" {
		return nil
	}
	var all []string
	if u, err := url.Parse(c.Map.Tiles); err == nil && !strings.Contains(u.Host, "{") && u.Host != "" {
		all = append(all, u.Scheme+"://"+u.Host)
	}
	for _, h := range c.Map.Hosts {
		all = append(all, "https://"+h)
	}
	return all
}

package config

import (
	"fmt"
	"math/big"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Check tells every setting that cannot be used, all at once.
func (c Config) Check() error {
	var f fault.Check
	_, _, err := net.SplitHostPort(c.Listen)
	f.That(err == nil, "listen", "config.bad_listen", "value", c.Listen)
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		f.That(err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && strings.Trim(u.Path, "/") == "", "public_url", "config.bad_url", "value", c.PublicURL)
	}
	f.That(c.Data != "", "data", "field.required")
	f.That(c.Database == "" || strings.HasPrefix(c.Database, "postgres://") || strings.HasPrefix(c.Database, "postgresql://"), "database", "config.bad_database")
	for _, code := range c.Cities {
		f.That(code >= 110000 && code <= 999999, "cities", "config.bad_city", "value", code)
	}
	_, err = c.Trusted()
	f.That(err == nil, "trusted_proxies", "config.bad_network", "value", strings.Join(c.TrustedProxies, ", "))
	_, err = c.WebhookNets()
	f.That(err == nil, "webhook.allow", "config.bad_network", "value", strings.Join(c.Webhook.Allow, ", "))
	oneOf(&f, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(&f, "log.format", c.Log.Format, "text", "json")
	f.That(c.Session.Idle > 0 && c.Session.Idle <= c.Session.Life, "session.idle", "config.bad_session")
	for _, s := range []struct {
		key string
		n   int
	}{
		{"rate.login_per_minute", c.Rate.LoginPerMinute},
		{"rate.public_per_minute", c.Rate.PublicPerMinute},
		{"rate.reports_per_hour", c.Rate.ReportsPerHour},
		{"rate.api_per_second", c.Rate.APIPerSecond},
		{"backup.keep", c.Backup.Keep},
	} {
		f.That(s.n > 0, s.key, "config.not_positive")
	}
	f.That(c.Backup.Every == 0 || c.Backup.Every >= time.Minute, "backup.every", "config.too_often")
	c.checkMap(&f)
	c.checkOIDC(&f)
	c.checkSMS(&f)
	c.checkPush(&f)
	c.checkCTI(&f)
	c.checkBlob(&f)
	return f.Err()
}

func oneOf(f *fault.Check, key, value string, allowed ...string) bool {
	if slices.Contains(allowed, value) {
		return true
	}
	f.Add(key, "field.not_one_of", "allowed", strings.Join(allowed, ", "))
	return false
}

func (c Config) checkMap(f *fault.Check) {
	oneOf(f, "map.crs", c.Map.CRS, "wgs84", "gcj02")
	if !oneOf(f, "map.provider", c.Map.Provider, "none", "xyz") || c.Map.Provider == "none" {
		return
	}
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(c.Map.Tiles))
	ok := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
	for _, part := range []string{"{z}", "{x}", "{y}"} {
		ok = ok && strings.Contains(c.Map.Tiles, part)
	}
	f.That(ok, "map.tiles", "config.bad_tiles")
	f.That(len(c.MapOrigins()) > 0, "map.hosts", "config.no_tile_host")
	f.That(c.Map.ReviewNo != "", "map.review_no", "config.no_review_no")
}

func (c Config) checkOIDC(f *fault.Check) {
	if c.OIDC == (OIDC{}) {
		return
	}
	f.That(strings.HasPrefix(c.OIDC.Issuer, "https://") || strings.HasPrefix(c.OIDC.Issuer, "http://127.0.0.1"), "oidc.issuer", "config.bad_issuer")
	f.That(c.OIDC.ClientID != "", "oidc.client_id", "field.required")
	f.That(c.OIDC.ClientSecret != "", "oidc.client_secret", "config.secret_missing", "env", "REHU_OIDC_CLIENT_SECRET")
	f.That(c.PublicURL != "", "public_url", "config.oidc_needs_url")
}

func (c Config) checkCTI(f *fault.Check) {
	if c.CTI == (CTI{}) {
		return
	}
	u, err := url.Parse(c.CTI.URL)
	f.That(err == nil && (u.Scheme == "https" || u.Scheme == "http" && u.Hostname() == "127.0.0.1") && u.Host != "", "cti.url", "config.bad_switch")
	f.That(c.CTI.Account != "", "cti.account", "field.required")
	f.That(c.CTI.Secret != "", "cti.secret", "config.secret_missing", "env", "REHU_CTI_SECRET")
}

// The kinds of SMS gateways.
const (
	SMSOwn    = "rehu"
	SMSAliyun = "aliyun"
)

func (c Config) checkSMS(f *fault.Check) {
	if c.SMS == (SMS{}) {
		return
	}
	oneOf(f, "sms.kind", c.SMS.Kind, "", SMSOwn, SMSAliyun)
	u, err := url.Parse(c.SMS.URL)
	usable := err == nil && (u.Scheme == "https" || u.Scheme == "http" && u.Hostname() == "127.0.0.1") && u.Host != ""
	f.That(usable || c.SMS.URL == "" && c.SMS.Kind == SMSAliyun, "sms.url", "config.bad_gateway")
	f.That(c.SMS.Kind != SMSAliyun || c.SMS.Sign != "", "sms.sign", "field.required")
	price, ok := new(big.Rat).SetString(c.SMS.Price)
	f.That(c.SMS.Price == "" || ok && price.Sign() >= 0, "sms.price", "config.bad_price")
	f.That(c.SMS.Account != "", "sms.account", "field.required")
	f.That(c.SMS.Secret != "", "sms.secret", "config.secret_missing", "env", "REHU_SMS_SECRET")
}

func (c Config) checkPush(f *fault.Check) {
	_, err := c.PushNets()
	f.That(err == nil, "push.allow", "config.bad_network", "value", strings.Join(c.Push.Allow, ", "))
	if c.Push.Key == "" && c.Push.Contact == "" {
		return
	}
	f.That(c.Push.Key != "", "push.key", "config.secret_missing", "env", "REHU_PUSH_KEY")
	u, err := url.Parse(c.Push.Contact)
	f.That(err == nil && (u.Scheme == "mailto" && u.Opaque != "" || u.Scheme == "https" && u.Host != ""), "push.contact", "config.bad_contact")
	f.That(c.PublicURL != "", "public_url", "field.required")
}

func (c Config) checkBlob(f *fault.Check) {
	if !oneOf(f, "blob.kind", c.Blob.Kind, "disk", "s3") || c.Blob.Kind == "disk" {
		return
	}
	f.That(c.Blob.S3.Endpoint != "" && !strings.Contains(c.Blob.S3.Endpoint, "://"), "blob.s3.endpoint", "config.bad_endpoint")
	f.That(c.Blob.S3.Bucket != "", "blob.s3.bucket", "field.required")
	f.That(c.Blob.S3.AccessKey != "", "blob.s3.access_key", "field.required")
	f.That(c.Blob.S3.SecretKey != "", "blob.s3.secret_key", "config.secret_missing", "env", "REHU_BLOB_S3_SECRET_KEY")
}

// Setting is one line of what is in force.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"` // secrets masked
	From  string `json:"from"`  // file:line, environment variable, flag; empty = default
	Env   string `json:"env"`   // the variable that sets it
}

// Effective lists every setting in force and where it came from, secrets masked, for `rehu config check`.
func (c Config) Effective() []Setting {
	var all []Setting
	for _, s := range settings(&c) {
		value := show(s.value)
		if value != "" {
			switch s.secret {
			case "env", "mask":
				value = "******"
			case "url":
				value = redact(value)
			}
		}
		all = append(all, Setting{Key: s.key, Value: value, From: c.from[s.key], Env: s.envName()})
	}
	return all
}

// redact hides the password of a database address, also one given as a parameter.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "******"
	}
	q := u.Query()
	for k := range q {
		if strings.Contains(strings.ToLower(k), "pass") {
			q.Set(k, "xxxxx")
		}
	}
	u.RawQuery = q.Encode()
	return u.Redacted()
}

func show(v reflect.Value) string {
	if v.Kind() == reflect.Map && v.Len() == 0 {
		return ""
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = fmt.Sprint(v.Index(i).Interface())
	}
	return strings.Join(parts, ",")
}

// typeName says in the catalogue's words what a setting wants.
func typeName(v reflect.Value) string {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		return "30m, 12h"
	case v.Kind() == reflect.Int:
		return "123"
	case v.Kind() == reflect.Bool:
		return "true, false"
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Int:
		return "[140100, 370800]"
	case v.Kind() == reflect.Slice:
		return "[a, b]"
	}
	return "text"
}

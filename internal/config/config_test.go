package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

func environ(pairs ...string) func() []string { return func() []string { return pairs } }

func write(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rehu.yaml")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestNothingSetWorks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", write(t, ""), write(t, "# nothing yet\n"), write(t, "log:\n")} {
		c, err := config.Load(name, environ("PATH=/bin"))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(); err != nil {
			t.Errorf("defaults: %v", err)
		}
		if c.Listen != "127.0.0.1:8080" || c.SQLiteFile() != filepath.Join("data", "rehu.db") || c.Blob.Dir != filepath.Join("data", "blobs") || c.Session.Life != 14*time.Hour {
			t.Errorf("defaults are %+v", c)
		}
	}
	if err := (config.Config{}).WithDefaults().Check(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}

func TestRank(t *testing.T) {
	t.Parallel()
	name := write(t, `
listen: ":80"
data: /srv/rehu
cities: [140100, 370800]
trusted_proxies: [10.0.0.0/8, 127.0.0.1]
session: {idle: 30m, life: 12h}
map:
  provider: xyz
  tiles: https://tiles.example.cn/{z}/{x}/{y}.png
  review_no: GS(2026)0001号
blob: {kind: disk}
`)
	c, err := config.Load(name, environ("REHU_LISTEN=:81", "REHU_CITIES=990100,110000", "REHU_SESSION_IDLE=45m", "REHU_RATE_API_PER_SECOND=7",
		"REHU_METRICS_TOKEN=t0ken", "REHU_TEST_POSTGRES=x", "REHU_CONFIG=rehu.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Set("--listen", "listen", ":82"); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":82" || c.Session.Idle != 45*time.Minute || c.Session.Life != 12*time.Hour || c.Rate.APIPerSecond != 7 || c.Blob.Dir != "/srv/rehu/blobs" {
		t.Errorf("got %+v", c)
	}
	if diff := cmp.Diff([]int{990100, 110000}, c.Cities); diff != "" {
		t.Error(diff)
	}
	if nets, err := c.Trusted(); err != nil || len(nets) != 2 || nets[1].Bits() != 32 {
		t.Errorf("proxies %v, %v", nets, err)
	}
	if diff := cmp.Diff([]string{"https://tiles.example.cn"}, c.MapOrigins()); diff != "" {
		t.Error(diff)
	}
	from := map[string]config.Setting{}
	for _, s := range c.Effective() {
		from[s.Key] = s
	}
	for key, want := range map[string]string{"listen": "--listen", "session.idle": "REHU_SESSION_IDLE", "session.life": name + ":6", "map.review_no": name + ":10", "log.level": ""} {
		if from[key].From != want {
			t.Errorf("%s came from %q; want %q", key, from[key].From, want)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	c, err := config.Load("", environ("REHU_KEYS=a:c2VjcmV0", "REHU_METRICS_TOKEN=s3cret", "REHU_OIDC_CLIENT_SECRET=s3cret", "REHU_BLOB_S3_SECRET_KEY=s3cret", "REHU_SMS_SECRET=s3cret", "REHU_CTI_SECRET=s3cret",
		"REHU_DATABASE=postgres://rehu:s3cret@db.example.cn/rehu?sslpassword=s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Keys != "a:c2VjcmV0" {
		t.Errorf("keys %q", c.Keys)
	}
	for _, s := range c.Effective() {
		if strings.Contains(s.Value, "s3cret") || strings.Contains(s.Value, "c2VjcmV0") {
			t.Errorf("%s shows %s", s.Key, s.Value)
		}
		if s.Key == "database" && !strings.Contains(s.Value, "db.example.cn") {
			t.Errorf("the database's host is hidden too: %s", s.Value)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		env        []string
		field, key string
		line       string
	}{
		{"unknown key", "listen: x\nlistne: y\n", nil, "listne", "config.unknown_key", ":2"},
		{"unknown nested key", "log:\n  level: info\n  colour: red\n", nil, "log.colour", "config.unknown_key", ":3"},
		{"section is a value", "log: verbose\n", nil, "log", "config.not_a_section", ":1"},
		{"secret in the file", "oidc:\n  client_secret: x\n", nil, "oidc.client_secret", "config.env_only", ":2"},
		{"keys in the file", "keys: x\n", nil, "keys", "config.env_only", ":1"},
		{"not a number", "rate:\n  api_per_second: many\n", nil, "rate.api_per_second", "config.bad_value", ":2"},
		{"not a duration", "session:\n\n  idle: soon\n", nil, "session.idle", "config.bad_value", ":3"},
		{"city is text", "cities: [Taiyuan]\n", nil, "cities", "config.bad_value", ":1"},
		{"unknown variable", "", []string{"REHU_LISTNE=x"}, "REHU_LISTNE", "config.unknown_env", ""},
		{"variable of wrong type", "", []string{"REHU_BACKUP_KEEP=x"}, "backup.keep", "config.bad_value", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := write(t, c.file)
			_, err := config.Load(name, environ(c.env...))
			f := fault.Of(err)
			if f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != c.field || f.Fields[0].Key != c.key {
				t.Fatalf("got %v; want %s: %s", err, c.field, c.key)
			}
			if said := text.Field(text.EN, f.Fields[0]); c.line != "" && !strings.Contains(said, name+c.line+":") {
				t.Errorf("said %q; want it to name %s%s", said, name, c.line)
			}
		})
	}
	if _, err := config.Load(write(t, "listen: [\n"), environ()); fault.Of(err).Key != "config.bad_yaml" {
		t.Errorf("broken YAML: %v", err)
	}
	if _, err := config.Load("/nowhere/rehu.yaml", environ()); fault.Of(err).Key != "config.no_file" {
		t.Errorf("missing file: %v", err)
	}
	c := config.Config{}
	if err := c.Set("--x", "nothing", "1"); fault.Of(err).Key != "config.unknown_key" {
		t.Errorf("unknown flag: %v", err)
	}
}

func TestCheckNamesEveryFault(t *testing.T) {
	t.Parallel()
	c := config.Config{
		Listen: "nowhere", PublicURL: "ftp://x", Database: "mysql://x", Cities: []int{1}, TrustedProxies: []string{"all"},
		Log: config.Log{Level: "loud"}, Map: config.Map{Provider: "xyz", Tiles: "https://{s}.example.cn/{z}/{x}.png"},
		Session: config.Session{Idle: 20 * time.Hour}, Rate: config.Rate{APIPerSecond: -1}, OIDC: config.OIDC{Issuer: "http://id.example.cn"},
		SMS: config.SMS{URL: "http://sms.example.cn/send"}, CTI: config.CTI{URL: "http://cti.example.cn"},
		Blob: config.Blob{Kind: "s3", S3: config.S3{Endpoint: "https://s3"}}, Backup: config.Backup{Every: time.Second},
	}.WithDefaults()
	var names []string
	for _, f := range fault.Of(c.Check()).Fields {
		names = append(names, f.Name)
		if said := text.Field(text.ZH, f); said == f.Key || strings.Contains(said, "{") {
			t.Errorf("%s says %q", f.Name, said)
		}
	}
	want := []string{
		"listen", "public_url", "database", "cities", "trusted_proxies", "log.level", "session.idle", "rate.api_per_second", "backup.every",
		"map.tiles", "map.hosts", "map.review_no", "oidc.issuer", "oidc.client_id", "oidc.client_secret", "sms.url", "sms.account", "sms.secret", "cti.url", "cti.account", "cti.secret", "blob.s3.endpoint", "blob.s3.bucket", "blob.s3.access_key", "blob.s3.secret_key",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestFoldersFollowTheDataFolder(t *testing.T) {
	t.Parallel()
	c, err := config.Load("", func() []string { return []string{"REHU_BACKUP_DIR=/far/away"} })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Set("--data", "data", "elsewhere"); err != nil {
		t.Fatal(err)
	}
	if c.Blob.Dir != filepath.Join("elsewhere", "blobs") || c.Backup.Dir != "/far/away" {
		t.Errorf("blobs in %s, backups in %s; want the data folder's, and the one that was set", c.Blob.Dir, c.Backup.Dir)
	}
}

package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	goyaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"github.com/rehu-heat/rehu/internal/fault"
)

const (
	prefix = "REHU_"

	// credential begins the variables that open an account at an outside party; what follows is the credential's name.
	credential = prefix + "CREDENTIAL_"
)

// setting is one leaf of Config.
type setting struct {
	key    string
	secret string // "", "env", "mask" or "url"
	value  reflect.Value
}

// envName is the environment variable of a setting.
func (s setting) envName() string {
	if s.value.Kind() == reflect.Map {
		return credential + "*"
	}
	return prefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// parse splits a text at its commas for a setting that is a list.
func (s setting) parse(value string) any {
	if s.value.Kind() != reflect.Slice {
		return value
	}
	parts := []string{}
	for p := range strings.SplitSeq(value, ",") {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	return parts
}

// settings walks the leaves of a Config in the order of its fields.
func settings(c *Config) []setting {
	var all []setting
	var walk func(v reflect.Value, at string)
	walk = func(v reflect.Value, at string) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, tagged := f.Tag.Lookup("koanf")
			if !tagged {
				continue
			}
			if f.Type.Kind() == reflect.Struct {
				walk(v.Field(i), at+name+".")
				continue
			}
			all = append(all, setting{key: at + name, secret: f.Tag.Get("secret"), value: v.Field(i)})
		}
	}
	walk(reflect.ValueOf(c).Elem(), "")
	return all
}

// Load reads the file (none when the name is empty) and the environment, the environment first in rank, and fills in
// the defaults. Flags are applied to the result with Set, then Check tells whether it can be used.
func Load(name string, environ func() []string) (Config, error) {
	c := Config{from: map[string]string{}}
	k := koanf.New(".")
	if name != "" {
		if err := c.readFile(k, name); err != nil {
			return Config{}, err
		}
	}
	if err := c.readEnv(k, environ); err != nil {
		return Config{}, err
	}
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, c.blame(k, err)
	}
	return c.WithDefaults(), nil
}

func (c *Config) readFile(k *koanf.Koanf, name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "config.no_file", "file", name)
	}
	tree, err := parser.ParseBytes(b, 0)
	if err != nil {
		return badSyntax(err, name)
	}
	var check fault.Check
	for _, doc := range tree.Docs {
		c.walkFile(&check, name, doc.Body, "")
	}
	if err := check.Err(); err != nil {
		return err
	}
	if err := k.Load(file.Provider(name), yaml.Parser()); err != nil {
		return badSyntax(err, name)
	}
	return nil
}

func badSyntax(err error, name string) error {
	why, line := err.Error(), 0
	if e, ok := errors.AsType[goyaml.Error](err); ok {
		why = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
	}
	return fault.Wrap(err, fault.Invalid, "config.bad_yaml", "at", fmt.Sprintf("%s:%d", name, line), "why", why)
}

// walkFile notes where each key stands and refuses those that do not exist or belong into the environment.
func (c *Config) walkFile(check *fault.Check, name string, node ast.Node, at string) {
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return
	default:
		check.Add(strings.TrimSuffix(at, "."), "config.not_a_section", "at", place(name, node))
		return
	}
	known := settings(&Config{})
	for _, p := range pairs {
		key := at + p.Key.String()
		i := slices.IndexFunc(known, func(s setting) bool { return s.key == key })
		switch {
		case i >= 0 && known[i].secret == "env":
			check.Add(key, "config.env_only", "at", place(name, p.Key), "env", known[i].envName())
		case i >= 0:
			c.from[key] = place(name, p.Key)
		case slices.ContainsFunc(known, func(s setting) bool { return strings.HasPrefix(s.key, key+".") }):
			c.walkFile(check, name, p.Value, key+".")
		default:
			check.Add(key, "config.unknown_key", "at", place(name, p.Key), "key", key)
		}
	}
}

func place(name string, n ast.Node) string {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return fmt.Sprintf("%s:%d", name, t.Position.Line)
	}
	return name
}

// readEnv takes REHU_* variables; one that names no setting is refused, except REHU_CONFIG (the file's name) and those of
// the tests.
func (c *Config) readEnv(k *koanf.Koanf, environ func() []string) error {
	known := map[string]setting{}
	for _, s := range settings(&Config{}) {
		known[s.envName()] = s
	}
	var check fault.Check
	err := k.Load(env.Provider(".", env.Opt{Prefix: prefix, EnvironFunc: environ, TransformFunc: func(name, value string) (string, any) {
		if name == "REHU_CONFIG" || strings.HasPrefix(name, "REHU_TEST_") {
			return "", nil
		}
		if of, ok := strings.CutPrefix(name, credential); ok && of != "" {
			c.from["credentials"] = credential + "*"
			return "credentials." + strings.ToLower(of), value
		}
		s, ok := known[name]
		if !ok || s.value.Kind() == reflect.Map {
			check.Add(name, "config.unknown_env", "env", name)
			return "", nil
		}
		c.from[s.key] = name
		return s.key, s.parse(value)
	}}), nil)
	if err != nil {
		return fmt.Errorf("read the environment: %w", err)
	}
	return check.Err()
}

// blame finds the settings whose values do not fit their type and says where they stand.
func (c *Config) blame(k *koanf.Koanf, cause error) error {
	var check fault.Check
	for _, s := range settings(&Config{}) {
		if !k.Exists(s.key) {
			continue
		}
		one := koanf.New(".")
		if err := one.Set(s.key, k.Get(s.key)); err != nil {
			return fmt.Errorf("read the settings: %w", err)
		}
		if err := one.Unmarshal("", &Config{}); err != nil {
			check.Add(s.key, "config.bad_value", "at", c.from[s.key], "key", s.key, "type", typeName(s.value))
		}
	}
	if err := check.Err(); err != nil {
		return err
	}
	return fmt.Errorf("read the settings: %w", cause)
}

// Set changes one setting as a command-line flag does; an empty value changes nothing.
func (c *Config) Set(flag, key, value string) error {
	if value == "" {
		return nil
	}
	for _, s := range settings(c) {
		if s.key != key {
			continue
		}
		k := koanf.New(".")
		if err := k.Set(key, s.parse(value)); err != nil {
			return fmt.Errorf("set %s: %w", key, err)
		}
		next := Config{}
		if err := k.Unmarshal("", &next); err != nil {
			return fault.Wrap(err, fault.Invalid, "config.bad_value", "at", flag, "key", key, "type", typeName(s.value))
		}
		for _, n := range settings(&next) {
			if n.key == key {
				s.value.Set(n.value)
			}
		}
		from := map[string]string{key: flag}
		for k, v := range c.from {
			if k != key {
				from[k] = v
			}
		}
		c.from = from
		if key == "data" {
			c.followData()
		}
		return nil
	}
	return fault.New(fault.Invalid, "config.unknown_key", "at", flag, "key", key)
}

// followData moves the folders that lie in the data folder unless they were set by themselves.
func (c *Config) followData() {
	if c.from["blob.dir"] == "" {
		c.Blob.Dir = ""
	}
	if c.from["backup.dir"] == "" {
		c.Backup.Dir = ""
	}
	*c = c.WithDefaults()
}

// IsSet reports whether a setting was given and is not merely the default.
func (c Config) IsSet(key string) bool { return c.from[key] != "" }

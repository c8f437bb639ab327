package cli

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"

	"github.com/rehu-heat/rehu/internal/text"
)

// helpPrefix begins the keys of the texts that struct tags name as ${name}.
const helpPrefix = "cli.help."

func helpTexts(l text.Lang) kong.Vars {
	vars := kong.Vars{}
	for _, key := range text.Keys() {
		if name, ok := strings.CutPrefix(key, helpPrefix); ok {
			vars[name] = text.Say(l, key, nil)
		}
	}
	return vars
}

// helpFlag prints the help of the command it stands at.
type helpFlag bool

// IgnoreDefault tells kong that the flag has no value to set.
func (helpFlag) IgnoreDefault() {}

// BeforeReset implements the flag.
func (helpFlag) BeforeReset(c *kong.Context, r *run) error {
	if err := r.help(kong.HelpOptions{}, c); err != nil {
		return err
	}
	return errHelped
}

// help prints how a command is used, in the reader's language.
func (r *run) help(_ kong.HelpOptions, c *kong.Context) error {
	node := c.Selected()
	if node == nil {
		node = c.Model.Node
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n\n%s\n", r.say("cli.usage_line"), usageOf(node), node.Help)
	var rows [][2]string
	for _, p := range node.Positional {
		rows = append(rows, [2]string{p.Summary(), p.Help})
	}
	section(&b, r.say("cli.arguments"), rows)
	rows = nil
	for _, child := range node.Children {
		if !child.Hidden {
			rows = append(rows, [2]string{child.Name, child.Help})
		}
	}
	section(&b, r.say("cli.commands"), rows)
	rows = nil
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			rows = append(rows, [2]string{flagName(f), f.Help})
		}
	}
	section(&b, r.say("cli.flags"), rows)
	if len(node.Children) > 0 {
		fmt.Fprintf(&b, "\n%s\n", r.say("cli.more", "command", node.FullPath()))
	}
	_, err := fmt.Fprint(r.Out, b.String())
	return err
}

func usageOf(n *kong.Node) string {
	parts := []string{n.FullPath()}
	for _, p := range n.Positional {
		parts = append(parts, p.Summary())
	}
	if len(n.Children) > 0 {
		parts = append(parts, "<command>")
	}
	return strings.Join(append(parts, "[flags]"), " ")
}

func flagName(f *kong.Flag) string {
	s := "    --" + f.Name
	if f.Short != 0 {
		s = "-" + string(f.Short) + ", --" + f.Name
	}
	if !f.IsBool() && !f.IsCounter() && f.Name != "help" {
		s += " " + f.FormatPlaceHolder()
	}
	return s
}

func section(b *strings.Builder, title string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	wide := 0
	for _, row := range rows {
		wide = max(wide, columns(row[0]))
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, row := range rows {
		fmt.Fprintf(b, "  %s%s  %s\n", row[0], strings.Repeat(" ", wide-columns(row[0])), row[1])
	}
}

// columns is how wide a text stands on a terminal: Chinese characters take two places.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff60 {
			n++
		}
	}
	return n
}

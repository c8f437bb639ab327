// Package cli is the door for whoever runs an installation: it starts the server, moves data in and out, and answers the
// city's own staff line by line (JSON Lines), so that they can check the product against their spreadsheets.
//
// A command is decode, call, print: rules and permissions stay in the services. The command line acts for the
// installation's owner. What went wrong goes to standard error in the reader's language with file, line and field, and
// the exit status says what to do about it: 2 correct the input, 3 ask for the right, 4 stop, 5 reload and decide again,
// 6 slow down, 75 try later, 1 tell us.
package cli

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Process is what the operating system gives a program.
type Process struct {
	Args    []string
	Environ func() []string
	In      io.Reader
	Out     io.Writer
	Err     io.Writer
	Version string
}

// root is the command line.
type root struct {
	Help helpFlag `name:"help" short:"h" help:"${help}"`
	Lang string   `name:"lang" placeholder:"zh|en" help:"${lang}"`

	Serve     serveCmd     `cmd:"" help:"${serve}"`
	Demo      demoCmd      `cmd:"" help:"${demo}"`
	Migrate   migrateCmd   `cmd:"" help:"${migrate}"`
	Settings  settingsCmd  `cmd:"" name:"config" help:"${config}"`
	User      userCmd      `cmd:"" help:"${user}"`
	Pack      packCmd      `cmd:"" help:"${pack}"`
	Import    importCmd    `cmd:"" help:"${import}"`
	Deadline  deadlineCmd  `cmd:"" help:"${deadline}"`
	Refund    refundCmd    `cmd:"" help:"${refund}"`
	Settle    settleCmd    `cmd:"" help:"${settle}"`
	Attribute attributeCmd `cmd:"" help:"${attribute}"`
	Export    exportCmd    `cmd:"" help:"${export}"`
	Verify    verifyCmd    `cmd:"" help:"${verify}"`
	Root      rootCmd      `cmd:"" help:"${root}"`
	Backup    backupCmd    `cmd:"" help:"${backup}"`
	Restore   restoreCmd   `cmd:"" help:"${restore}"`
	Bench     benchCmd     `cmd:"" help:"${bench}"`
	Version   versionCmd   `cmd:"" help:"${version}"`

	HallServer hallServerCmd `cmd:"" hidden:"" name:"bench-hall-server"`
}

// run is what a command gets: the process, and the language of whoever reads.
type run struct {
	Process
	ctx  context.Context //nolint:containedctx // a command lives as long as its context
	lang text.Lang
}

func (r *run) say(key string, pairs ...any) string { return text.T(r.lang, key, pairs...) }

// line writes a sentence of the catalogue to standard output.
func (r *run) line(key string, pairs ...any) error {
	_, err := io.WriteString(r.Out, r.say(key, pairs...)+"\n")
	return err
}

// note writes a sentence to standard error, beside the output that programs read.
func (r *run) note(key string, pairs ...any) {
	_, _ = io.WriteString(r.Err, r.say(key, pairs...)+"\n") // there is nowhere left to report to
}

var (
	errHelped   = errors.New("help was shown")
	errBadLines = errors.New("some lines were bad")
)

// Main runs one command and gives the exit status.
func Main(ctx context.Context, p Process) int {
	r := &run{Process: p, ctx: ctx, lang: languageOf(p)}
	err := r.parseAndRun()
	switch {
	case err == nil, errors.Is(err, errHelped):
		return 0
	case errors.Is(err, errBadLines):
		r.note("cli.bad_lines")
		return fault.Invalid.ExitCode()
	}
	if usage, ok := errors.AsType[*kong.ParseError](err); ok {
		r.note("cli.usage", "what", usage.Error())
		return fault.Invalid.ExitCode()
	}
	r.report(err)
	return fault.KindOf(err).ExitCode()
}

func (r *run) parseAndRun() error {
	var cmd root
	k, err := kong.New(&cmd, kong.Name("rehu"), kong.Description(r.say("cli.about")), helpTexts(r.lang), kong.NoDefaultHelp(),
		kong.Writers(r.Out, r.Err), kong.Bind(r), kong.Help(r.help), kong.Exit(func(int) {}))
	if err != nil {
		return err
	}
	args := r.Args
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help": // what people type first: rehu help, rehu help refund
		args = append(args[1:len(args):len(args)], "--help")
	}
	c, err := k.Parse(args)
	if err != nil {
		return err
	}
	return c.Run(r)
}

// languageOf is --lang, or what the environment asks for, or Chinese.
func languageOf(p Process) text.Lang {
	for i, a := range p.Args {
		if v, ok := strings.CutPrefix(a, "--lang="); ok {
			return text.ParseLang(v)
		}
		if a == "--lang" && i+1 < len(p.Args) {
			return text.ParseLang(p.Args[i+1])
		}
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(p.Environ, name); v != "" {
			return text.ParseLang(v)
		}
	}
	return text.ZH
}

func getenv(environ func() []string, name string) string {
	for _, e := range environ() {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// versionCmd prints the version.
type versionCmd struct{}

// Run implements the command.
func (versionCmd) Run(r *run) error {
	_, err := io.WriteString(r.Out, "rehu "+r.Version+"\n")
	return err
}

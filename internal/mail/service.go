package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// Options set up a Service. Everything but Stop, Receipt, Told, Machine and Log is needed.
type Options struct {
	DB       *db.DB
	Ring     *secret.Ring
	Channels *channel.Service
	Cases    *cases.Service
	Clues    *clue.Service
	Notices  *notice.Service
	Blobs    *blob.Service
	Machine  func() time.Time // of the date that a letter bears; nil: the machine's
	Log      *slog.Logger

	// Stop is the address of the page on which a reader stops letters; nil: they are not offered to.
	Stop func(city int, token string) string
	// Receipt is the address at which the writer of a letter follows the case that was made of it.
	Receipt func(c cases.Case) string
	// Told tells the unit that holds a case of a word of the resident's.
	Told func(ctx context.Context, tx *db.Tx, c cases.Case, what string) error
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Channels == nil || o.Cases == nil || o.Clues == nil || o.Notices == nil || o.Blobs == nil {
		return nil, errors.New("mail: a database, a keyring, channels, cases, clues, messages and attachments are needed")
	}
	if o.Machine == nil {
		o.Machine = time.Now //nolint:forbidigo // machine time, unless given
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{o: o}, nil
}

var machine = actor.SystemFor("mail", actor.Job)

// pace is the time between two looks into a mailbox.
const pace = time.Minute

// Adapter is the channel as the program joins it.
func (s *Service) Adapter() channel.Adapter {
	return channel.Adapter{Channel: cases.Mail, Poller: poller{s}, Sender: answerer{s}, Every: pace, Take: s.Take, Keyed: true}
}

// account is a city's mailbox that is switched on: the first by name.
func (s *Service) account(ctx context.Context, tx *db.Tx, city int) (channel.Access, error) {
	all, err := s.o.Channels.AccountsIn(ctx, tx, city)
	if err != nil {
		return channel.Access{}, err
	}
	all = slices.DeleteFunc(all, func(a channel.Account) bool { return a.Channel != cases.Mail || !a.Enabled })
	if len(all) == 0 {
		return channel.Access{}, fault.New(fault.Conflict, "mail.reason.no_mailbox")
	}
	first := slices.MinFunc(all, func(a, b channel.Account) int { return cmp.Compare(a.Name, b.Name) })
	acc, err := s.o.Channels.AccessOf(first)
	if err == nil && (acc.Credential[credSMTP] == "" || NormalAddress(acc.Credential[credFrom]) == "") {
		err = fault.New(fault.Conflict, "mail.reason.bad_from")
	}
	return acc, err
}

// CanSend reports whether letters of a city can go out.
func (s *Service) CanSend(ctx context.Context, city int) bool {
	_, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (channel.Access, error) { return s.account(ctx, tx, city) })
	return err == nil
}

// poller reads mailboxes.
type poller struct{ s *Service }

// pollBatch is how many letters are handed over at once: their attachments are in memory.
const pollBatch = 10

// overlap is how far back a mailbox is read again whose numbers no longer count.
const overlap = 14 * 24 * time.Hour

// Poll implements channel.Poller. The cursor moves with every batch that was kept; a letter that was kept before a crash
// and is read again is known by its key.
func (p poller) Poll(ctx context.Context, a channel.Access, got func([]channel.Incoming) error) (string, error) {
	b, err := openBox(ctx, a.Credential, cmp.Or(a.Credential[credFolder], "INBOX"))
	if err != nil {
		return "", err
	}
	defer b.close()
	last, known := parseCursor(a.Cursor)
	since := time.UnixMilli(int64(cmp.Or(a.LastOK, a.LastIn))).Add(-overlap)
	now, uids, err := b.newer(last, known, since)
	if err != nil {
		return "", err
	}
	first := !known || last.validity != now.validity // until all of it is read, a break begins it again
	at := ""
	for some := range slices.Chunk(uids, pollBatch) {
		var batch []channel.Incoming
		for _, uid := range some {
			in, there, err := p.letter(ctx, a, b, uid)
			if err != nil {
				return at, err
			}
			if there {
				batch = append(batch, in)
			}
		}
		if err := got(batch); err != nil {
			return at, err
		}
		now.uid = uint32(some[len(some)-1])
		if !first {
			at = now.String()
		}
	}
	if next := uint32(b.sel.UIDNext); next > 0 && next-1 > now.uid {
		now.uid = next - 1
	}
	return now.String(), nil
}

// letter reads one letter. One that the server will not hand out holds up none of those behind it: staff get a note in its
// place, and find the letter in the mailbox itself.
func (p poller) letter(ctx context.Context, a channel.Access, b *box, uid imap.UID) (channel.Incoming, bool, error) {
	f, there, err := b.read(uid)
	switch {
	case withheld(err):
		p.s.o.Log.WarnContext(ctx, "the mailbox does not hand a letter out", "city", a.City, "account", a.Name, "uid", uint32(uid), "err", err)
		return channel.Incoming{
			City: a.City, Channel: cases.Mail, Account: a.Name, ID: fmt.Sprintf("withheld:%d:%d", b.sel.UIDValidity, uid), Form: channel.Letter, At: civil.At(p.s.o.Machine()),
			SenderName: a.Title, Text: text.T(text.ZH, "mail.withheld", "no", uint32(uid)), Extra: map[string]string{clue.ExtraTitle: text.T(text.ZH, "mail.withheld_title")},
		}, true, nil
	case err != nil || !there:
		return channel.Incoming{}, false, err
	}
	in, err := p.s.incoming(ctx, a, f)
	return in, true, err
}

// answerer answers letters.
type answerer struct{ s *Service }

// Send implements channel.Sender.
func (p answerer) Send(ctx context.Context, a channel.Access, out channel.Outgoing) (string, error) {
	from := NormalAddress(a.Credential[credFrom])
	o := outgoing{
		id: messageID(ofReply, keyFor(a.City, out.Key), from), from: from, fromName: a.Title, to: out.Sender, subject: again(out.Handle[handleSubject]),
		text: out.Text + "\n\n" + a.Title, answers: out.Handle[handleID], refs: reversed(out.Handle[handleRefs]), at: p.s.o.Machine(),
	}
	return o.id, post(ctx, a.Credential, o)
}

// Find implements channel.Finder where the server keeps what it sent; elsewhere nobody can know, and the same letter under
// the same id is sent again.
func (p answerer) Find(ctx context.Context, a channel.Access, out channel.Outgoing) (string, bool, error) {
	id := messageID(ofReply, keyFor(a.City, out.Key), NormalAddress(a.Credential[credFrom]))
	there, err := wasSent(ctx, a.Credential, id)
	return id, there, err
}

// wasSent looks into the folder in which the server keeps what it sent.
func wasSent(ctx context.Context, c channel.Credential, id string) (bool, error) {
	if c[credSent] == "" {
		return false, nil
	}
	b, err := openBox(ctx, c, c[credSent])
	if err != nil {
		return false, err
	}
	defer b.close()
	return b.has(id)
}

// Gateway sends messages of the channel E-mail; their address is that of the person.
func (s *Service) Gateway() notice.Gateway { return gateway{s} }

type gateway struct{ s *Service }

// Send implements notice.Gateway. A letter that may have been taken before is looked for first; where that is not possible
// it goes out again under the same id, by which the reader's server knows it.
func (g gateway) Send(ctx context.Context, out notice.Outgoing) (string, error) {
	city, err := cityOf(out.Key)
	if err != nil {
		return "", err
	}
	acc, err := db.Read(ctx, g.s.o.DB, func(tx *db.Tx) (channel.Access, error) { return g.s.account(ctx, tx, city) })
	if err != nil {
		if fault.Is(err, fault.Conflict) { // no mailbox: it goes another way
			return "", fault.Wrap(err, fault.Invalid, "notice.reason.no_gateway")
		}
		return "", err
	}
	from := NormalAddress(acc.Credential[credFrom])
	o := outgoing{
		id: messageID(ofNotice, out.Key, from), from: from, fromName: acc.Title, to: out.To, subject: subjectOf(out, acc.Title), text: out.Text,
		auto: "auto-generated", at: g.s.o.Machine(),
	}
	if out.May && g.s.o.Stop != nil {
		o.stop = g.s.o.Stop(city, g.s.stopToken(out.Key))
		how := text.T(out.Lang, "mail.stop_line", "link", o.stop)
		o.text += "\n\n" + how
	}
	if out.Again {
		if there, err := wasSent(ctx, acc.Credential, o.id); err != nil || there {
			return o.id, err
		}
	}
	if err := post(ctx, acc.Credential, o); err != nil {
		g.s.o.Log.WarnContext(ctx, "letter not sent", "key", out.Key, "error", err)
		return "", err
	}
	return o.id, nil
}

// subjectOf is the subject of a message: the number of the case by which an answer finds it, where there is one.
func subjectOf(out notice.Outgoing, title string) string {
	if no := out.Params["no"]; no != "" {
		return text.T(out.Lang, "mail.subject_case", "title", title, "no", no)
	}
	return text.T(out.Lang, "mail.subject", "title", title)
}

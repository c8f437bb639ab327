package mail

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/fault"
)

// netTimeout is how long one step of talking to a mail server may take.
const netTimeout = 30 * time.Second

// outgoing is a letter of ours, ready to be written.
type outgoing struct {
	id       string // Message-ID, without brackets
	from     string
	fromName string
	to       string
	subject  string
	text     string
	answers  string   // Message-ID of the letter that it answers
	refs     []string // of the thread, the oldest first
	auto     string   // auto-generated, auto-replied; empty: a person wrote it
	stop     string   // address of the page that stops such letters; empty: they cannot be stopped
	at       time.Time
}

// trust is what a mail server's certificate is checked against.
func trust(c channel.Credential, host string) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if c[credCA] == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c[credCA])
	if err != nil {
		return nil, fault.Wrap(fmt.Errorf("read the certificates to trust: %w", err), fault.Conflict, "mail.reason.bad_ca")
	}
	if t.RootCAs, err = x509.SystemCertPool(); err != nil {
		t.RootCAs = x509.NewCertPool()
	}
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Conflict, "mail.reason.bad_ca")
	}
	return t, nil
}

// message writes a letter. The same letter is the same bytes each time.
func (o outgoing) message() (*gomail.Msg, error) {
	sum := sha256.Sum256([]byte(o.id))
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingB64), gomail.WithBoundary("rehu"+hex.EncodeToString(sum[:12])))
	if err := m.FromFormat(line(o.fromName), o.from); err != nil {
		return nil, fault.Wrap(err, fault.Conflict, "mail.reason.bad_from")
	}
	if NormalAddress(o.to) == "" {
		return nil, fault.New(fault.Invalid, "notice.reason.bad_address")
	}
	if err := m.To(o.to); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "notice.reason.bad_address")
	}
	m.Subject(line(o.subject))
	m.SetMessageIDWithValue(o.id)
	m.SetDateWithValue(o.at)
	if o.auto != "" {
		m.SetGenHeader("Auto-Submitted", o.auto)
		m.SetGenHeader("X-Auto-Response-Suppress", "OOF, AutoReply")
	}
	if o.answers != "" {
		m.SetGenHeader(gomail.HeaderInReplyTo, "<"+o.answers+">")
		m.SetGenHeader(gomail.HeaderReferences, "<"+strings.Join(append(o.refs, o.answers), "> <")+">")
	}
	if o.stop != "" {
		m.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+o.stop+">, <mailto:"+o.from+"?subject=TD>")
		m.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	m.SetBodyString(gomail.TypeTextPlain, o.text)
	m.AddAlternativeString(gomail.TypeTextHTML, page(o.subject, o.text))
	return m, nil
}

// post hands a letter to the mailbox's server for sending. The kind of its error says what became of the letter: Invalid —
// it will never be taken; Exhausted — it surely was not, try later; Down — it may have been.
func post(ctx context.Context, c channel.Credential, o outgoing) error {
	d, err := doorOf(c, credSMTP, smtpPorts)
	if err != nil {
		return err
	}
	m, err := o.message()
	if err != nil {
		return err
	}
	t, err := trust(c, d.host)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(d.port)
	if err != nil {
		return fault.New(fault.Conflict, "mail.reason.bad_address")
	}
	_, domain, _ := strings.Cut(o.from, "@")
	opts := []gomail.Option{
		gomail.WithPort(port), gomail.WithTLSConfig(t), gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithTimeout(netTimeout), gomail.WithHELO(domain),
		gomail.WithoutNoop(),
	}
	if d.implicit {
		opts = append(opts, gomail.WithSSL())
	}
	if c[credUser] != "" {
		opts = append(opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(c[credUser]), gomail.WithPassword(c[credPassword]))
	}
	client, err := gomail.NewClient(d.host, opts...)
	if err != nil {
		return fault.Wrap(err, fault.Conflict, "mail.reason.bad_address")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*netTimeout)
	defer cancel()
	if err := client.DialWithContext(ctx); err != nil {
		return fault.Wrap(fmt.Errorf("reach the mail server: %w", err), fault.Exhausted, "mail.reason.no_server")
	}
	sendErr := client.Send(m)
	if m.IsDelivered() {
		sendErr = nil // what went wrong afterwards is no matter of this letter
	}
	_ = client.Close() // the letter's fate is known
	return verdict(sendErr)
}

// verdict says what an error of the mail server means for the letter.
func verdict(err error) error {
	if err == nil {
		return nil
	}
	var s *gomail.SendError
	if !errors.As(err, &s) {
		return fault.Wrap(err, fault.Down, "mail.reason.unsure")
	}
	never := s.ErrorCode() >= 500 && s.ErrorCode() < 600
	switch s.Reason {
	case gomail.ErrSMTPRcptTo:
		if never {
			return fault.Wrap(err, fault.Invalid, "notice.reason.bad_address")
		}
	case gomail.ErrSMTPData, gomail.ErrSMTPDataClose, gomail.ErrWriteContent:
		switch {
		case never:
			return fault.Wrap(err, fault.Invalid, "notice.reason.refused")
		case s.ErrorCode() == 0 && s.Reason != gomail.ErrSMTPData:
			return fault.Wrap(err, fault.Down, "mail.reason.unsure")
		}
	case gomail.ErrGetSender, gomail.ErrGetRcpts, gomail.ErrSMTPMailFrom, gomail.ErrSMTPReset, gomail.ErrConnCheck, gomail.ErrNoUnencoded, gomail.ErrAmbiguous:
	}
	return fault.Wrap(err, fault.Exhausted, "mail.reason.not_now") // greylisted, over a limit, or our own account is refused
}

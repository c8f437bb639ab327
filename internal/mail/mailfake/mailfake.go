// Package mailfake is a post office that delivers to nobody and checks everything: encryption, login, envelope, headers and
// the form of every letter that is handed in, and it keeps mailboxes that are read over IMAP. It fails on purpose as real
// ones do: it takes a letter and falls silent, asks to come again later, refuses an address, or hangs up in the middle of a
// word. Tests and the demonstration city talk to it as to a real one.
package mailfake

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	netmail "net/mail"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
)

// Options set up an Office.
type Options struct {
	Boxes map[string]string // address → password of the mailboxes kept here
	CA    string            // file that the certificate to trust is written to
}

// Failure is what goes wrong with the next letters that are handed in.
type Failure int

// The failures.
const (
	None     Failure = iota
	Silent           // the letter is taken, and the connection cut before it is said
	Greylist         // 451: come again later
	Refuse           // 550: no such mailbox
	HangUp           // the connection is cut before the letter
	Full             // 452 after the letter was sent
)

// Letter is a letter that was taken for somebody outside.
type Letter struct {
	From, To string // of the envelope
	Raw      []byte
	Header   netmail.Header
	ID       string
	Times    int // that it was handed in; the reader sees it once
}

// Office is the post office.
type Office struct {
	o       Options
	smtp    *smtp.Server
	smtps   net.Listener
	submit  net.Listener
	imaps   net.Listener
	imap    *imapserver.Server
	wg      sync.WaitGroup
	mu      sync.Mutex
	boxes   map[string]*imapmemserver.User
	kept    map[string][][]byte // what a mailbox holds, for renumbering
	letters []*Letter
	fail    Failure
	times   int
	faults  []string
	mem     *imapmemserver.Server
	cut     cutter
	never   map[imap.UID]bool // letters that are not handed out
}

// Open opens the office on this machine.
func Open(o Options) (*Office, error) {
	cert, err := certificate(o.CA)
	if err != nil {
		return nil, err
	}
	t := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	f := &Office{o: o, boxes: map[string]*imapmemserver.User{}, kept: map[string][][]byte{}, mem: imapmemserver.New()}
	for address, password := range o.Boxes {
		u := imapmemserver.NewUser(address, password)
		for _, name := range []string{"INBOX", "Sent"} {
			if err := u.Create(name, nil); err != nil {
				return nil, fmt.Errorf("make a mailbox: %w", err)
			}
		}
		f.boxes[address] = u
		f.mem.AddUser(u)
	}
	for _, at := range []*net.Listener{&f.smtps, &f.submit, &f.imaps} {
		if *at, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	f.smtp = smtp.NewServer(f)
	f.smtp.Domain, f.smtp.TLSConfig, f.smtp.MaxMessageBytes, f.smtp.ErrorLog = "post.example.cn", t, 30<<20, silent{}
	f.smtp.ReadTimeout, f.smtp.WriteTimeout = time.Minute, time.Minute
	f.imap = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &reader{f.mem.NewSession(), f}, nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}}, Logger: silent{},
	})
	f.wg.Go(func() { _ = f.smtp.Serve(tls.NewListener(f.smtps, t)) }) // ends with Close
	f.wg.Go(func() { _ = f.smtp.Serve(f.submit) })
	f.cut.Listener = f.imaps
	f.wg.Go(func() { _ = f.imap.Serve(tls.NewListener(&f.cut, t)) })
	return f, nil
}

type silent struct{}

// Printf implements the loggers of both servers.
func (silent) Printf(string, ...any) {}

// Println implements smtp.Logger.
func (silent) Println(...any) {}

// Close closes the office and waits for it.
func (f *Office) Close() error {
	if f.smtp != nil {
		_ = f.smtp.Close()
	}
	if f.imap != nil {
		_ = f.imap.Close()
	}
	for _, l := range []net.Listener{f.smtps, f.submit, f.imaps} {
		if l != nil {
			_ = l.Close()
		}
	}
	f.wg.Wait()
	return nil
}

// Credential is what opens a mailbox, as it stands in the environment. With STARTTLS letters go out over the port of that.
func (f *Office) Credential(address string, starttls bool) string {
	out := "smtps://" + f.smtps.Addr().String()
	if starttls {
		out = "smtp://" + f.submit.Addr().String()
	}
	return url.Values{
		"smtp": {out}, "imap": {"imaps://" + f.imaps.Addr().String()}, "user": {address}, "password": {f.o.Boxes[address]}, "from": {address},
		"ca": {f.o.CA}, "fake": {"1"},
	}.Encode()
}

// Fail lets the next letters that are handed in fail.
func (f *Office) Fail(how Failure, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail, f.times = how, times
}

// Withhold keeps the letter of a number to itself: whoever asks for it is told no, as a server does whose file is damaged.
func (f *Office) Withhold(uid imap.UID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.never == nil {
		f.never = map[imap.UID]bool{}
	}
	f.never[uid] = true
}

// reader is somebody who reads a mailbox.
type reader struct {
	imapserver.Session
	f *Office
}

// Fetch implements imapserver.Session.
func (r *reader) Fetch(w *imapserver.FetchWriter, which imap.NumSet, options *imap.FetchOptions) error {
	if set, ok := which.(imap.UIDSet); ok && len(options.BodySection) > 0 && r.f.withholds(set) {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "the message cannot be read"}
	}
	return r.Session.Fetch(w, which, options)
}

func (f *Office) withholds(set imap.UIDSet) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for uid := range f.never {
		if set.Contains(uid) {
			return true
		}
	}
	return false
}

// HangUpIMAP cuts the next connection to the mailboxes after so many bytes.
func (f *Office) HangUpIMAP(after int) { f.cut.after(after) }

func (f *Office) failing(at ...Failure) Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times <= 0 || !slices.Contains(at, f.fail) {
		return None
	}
	f.times--
	return f.fail
}

// Faults lists what was wrong with what was handed in.
func (f *Office) Faults() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.faults)
}

// Letters lists what was taken for people outside, each letter once.
func (f *Office) Letters() []Letter {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Letter, len(f.letters))
	for i, l := range f.letters {
		out[i] = *l
	}
	return out
}

// literal is a letter for a mailbox.
type literal struct{ *bytes.Reader }

// Deliver puts a letter into a mailbox, as it came from outside.
func (f *Office) Deliver(address string, raw []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.boxes[address]
	if u == nil {
		return fmt.Errorf("no mailbox %s", address)
	}
	f.kept[address] = append(f.kept[address], raw)
	_, err := u.Append("INBOX", literal{bytes.NewReader(raw)}, &imap.AppendOptions{})
	return err
}

// Renumber makes a mailbox anew with the same letters: the numbers that were known no longer count.
func (f *Office) Renumber(address string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.boxes[address]
	if err := u.Delete("INBOX"); err != nil {
		return err
	}
	if err := u.Create("INBOX", nil); err != nil {
		return err
	}
	for _, raw := range f.kept[address] {
		if _, err := u.Append("INBOX", literal{bytes.NewReader(raw)}, &imap.AppendOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// take keeps a letter; the same id for the same reader is the same letter.
func (f *Office) take(l Letter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.letters {
		if o.ID == l.ID && o.To == l.To {
			o.Times++
			return
		}
	}
	l.Times = 1
	f.letters = append(f.letters, &l)
}

func (f *Office) fault(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, fmt.Sprintf(format, args...))
	return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: fmt.Sprintf(format, args...)}
}

// check reads a letter that was handed in.
func check(from, to string, raw []byte) (Letter, string) {
	l := Letter{From: from, To: to, Raw: raw}
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
		return l, "a line feed without carriage return"
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 {
			return l, "a line of more than 998 bytes"
		}
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return l, "no headers: " + err.Error()
	}
	l.Header, l.ID = m.Header, strings.Trim(m.Header.Get("Message-Id"), "<>")
	for _, h := range []string{"From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type"} {
		if n := len(m.Header[h]); n != 1 {
			return l, fmt.Sprintf("%d headers %s", n, h)
		}
	}
	for _, h := range []string{"Bcc", "Cc", "Sender"} {
		if len(m.Header[h]) != 0 {
			return l, "a header " + h + " that nobody meant"
		}
	}
	if a, err := m.Header.AddressList("From"); err != nil || len(a) != 1 || a[0].Address != from {
		return l, "From is not the sender of the envelope"
	}
	if a, err := m.Header.AddressList("To"); err != nil || len(a) != 1 || !strings.EqualFold(a[0].Address, to) {
		return l, "To is not the reader of the envelope"
	}
	if _, err := m.Header.Date(); err != nil {
		return l, "Date is none"
	}
	return l, ""
}

// certificate makes a certificate for this machine and writes it where the client finds it.
func certificate(file string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "post.example.cn"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	const private = 0o600
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), private); err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

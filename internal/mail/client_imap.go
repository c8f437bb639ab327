package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/fault"
)

// box is a mailbox that is open for looking at. It is never written to: what staff have read in their own program stays
// read, what they have not stays unread.
type box struct {
	c    *imapclient.Client
	sel  *imap.SelectData
	stop func() bool
}

// found is a letter in the mailbox.
type found struct {
	uid   imap.UID
	at    time.Time // when the mailbox got it
	bytes []byte
	cut   bool
}

// openBox logs in and opens a folder. Its name and password go over TLS or not at all.
func openBox(ctx context.Context, c channel.Credential, folder string) (*box, error) {
	d, err := doorOf(c, credIMAP, imapPorts)
	if err != nil {
		return nil, err
	}
	t, err := trust(c, d.host)
	if err != nil {
		return nil, err
	}
	client, conn, err := dialIMAP(ctx, d, t)
	if err != nil {
		return nil, fault.Wrap(fmt.Errorf("reach the mailbox: %w", err), fault.Down, "mail.reason.no_server")
	}
	b := &box{c: client, stop: context.AfterFunc(ctx, func() { _ = conn.Close() })}
	if err := client.Login(c[credUser], c[credPassword]).Wait(); err != nil {
		b.close()
		return nil, orDown(fmt.Errorf("log in to the mailbox: %w", err), "mail.reason.login")
	}
	if b.sel, err = client.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		b.close()
		return nil, orDown(fmt.Errorf("open the folder %q: %w", folder, err), "mail.reason.folder")
	}
	return b, nil
}

// orDown tells an answer of the server from a connection that broke.
func orDown(err error, key string) error {
	if _, ok := errors.AsType[*imap.Error](err); ok {
		return fault.Wrap(err, fault.Conflict, key)
	}
	return fault.Wrap(err, fault.Down, "mail.reason.no_server")
}

func dialIMAP(ctx context.Context, d door, t *tls.Config) (*imapclient.Client, net.Conn, error) {
	dialer := &net.Dialer{Timeout: netTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(d.host, d.port))
	if err != nil {
		return nil, nil, err
	}
	if !d.implicit {
		client, err := imapclient.NewStartTLS(conn, &imapclient.Options{TLSConfig: t})
		return client, conn, err
	}
	t.NextProtos = []string{"imap"}
	secure := tls.Client(conn, t)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return imapclient.New(secure, nil), conn, nil
}

func (b *box) close() {
	b.stop()
	_ = b.c.Close() // nothing was changed there
}

// newer lists the letters to read, oldest first, and where the mailbox stands now. A mailbox that was never read gives
// what nobody has read yet; one whose numbers no longer count gives everything since a day, of which most is known.
func (b *box) newer(last cursor, known bool, since time.Time) (cursor, []imap.UID, error) {
	now := cursor{validity: b.sel.UIDValidity}
	what := &imap.SearchCriteria{}
	switch {
	case !known:
		what.NotFlag = []imap.Flag{imap.FlagSeen}
	case last.validity != now.validity:
		what.Since = since
	default:
		now.uid = last.uid
		what.UID = []imap.UIDSet{{imap.UIDRange{Start: imap.UID(last.uid + 1), Stop: 0}}}
	}
	got, err := b.c.UIDSearch(what, nil).Wait()
	if err != nil {
		return now, nil, orDown(fmt.Errorf("search the mailbox: %w", err), "mail.reason.folder")
	}
	all := slices.DeleteFunc(got.AllUIDs(), func(u imap.UID) bool { return uint32(u) <= now.uid }) // * is always in a range
	slices.Sort(all)
	return now, all, nil
}

// read fetches one letter; absent when it was taken away meanwhile.
func (b *box) read(uid imap.UID) (found, bool, error) {
	section := &imap.FetchItemBodySection{Peek: true}
	size, err := b.c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true}).Collect()
	if err != nil || len(size) == 0 {
		return found{}, false, broken(err)
	}
	f := found{uid: uid, at: size[0].InternalDate, cut: size[0].RFC822Size > MaxLetter}
	most := int64(MaxLetter)
	if f.cut {
		most = headBytes
	}
	section.Partial = &imap.SectionPartial{Offset: 0, Size: most}
	cmd := b.c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	var readErr error
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		for item := msg.Next(); item != nil; item = msg.Next() {
			if s, ok := item.(imapclient.FetchItemDataBodySection); ok && s.Literal != nil && f.bytes == nil {
				f.bytes, readErr = io.ReadAll(io.LimitReader(s.Literal, most))
			}
		}
	}
	if err := errors.Join(readErr, cmd.Close()); err != nil {
		return found{}, false, broken(err)
	}
	return f, len(f.bytes) > 0, nil
}

// withheld reports whether the server will not hand this one letter out, now or later: it says no, and not that it is busy.
func withheld(err error) bool {
	e, ok := errors.AsType[*imap.Error](err)
	if !ok || e.Type != imap.StatusResponseTypeNo {
		return false
	}
	return !slices.Contains([]imap.ResponseCode{
		imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug, imap.ResponseCodeExpired,
		imap.ResponseCodeAuthorizationFailed, imap.ResponseCodeAuthenticationFailed, imap.ResponseCodePrivacyRequired, imap.ResponseCodeContactAdmin,
	}, e.Code)
}

// has reports whether a folder holds a letter with an id.
func (b *box) has(id string) (bool, error) {
	got, err := b.c.UIDSearch(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Message-Id", Value: id}}}, nil).Wait()
	if err != nil {
		return false, broken(err)
	}
	return len(got.AllUIDs()) > 0, nil
}

func broken(err error) error {
	if err == nil {
		return nil
	}
	return orDown(fmt.Errorf("read the mailbox: %w", err), "mail.reason.folder")
}

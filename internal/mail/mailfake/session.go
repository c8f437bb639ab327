package mailfake

import (
	"io"
	"net"
	"sync"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// NewSession implements smtp.Backend.
func (f *Office) NewSession(c *smtp.Conn) (smtp.Session, error) { return &session{f: f, c: c}, nil }

// session is one client that hands letters in.
type session struct {
	f        *Office
	c        *smtp.Conn
	user     string
	from, to string
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain, sasl.Login} }

// Auth implements smtp.AuthSession.
func (s *session) Auth(mech string) (sasl.Server, error) {
	in := func(user, password string) error {
		if want, ok := s.f.o.Boxes[user]; !ok || want != password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}
	if mech == sasl.Login {
		return &login{in: in}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return in(user, password) }), nil
}

// login is the LOGIN mechanism, which is all that some servers have.
type login struct {
	in   func(user, password string) error
	user string
	step int
}

// Next implements sasl.Server.
func (l *login) Next(response []byte) ([]byte, bool, error) {
	l.step++
	switch {
	case l.step == 1 && len(response) == 0:
		return []byte("Username:"), false, nil
	case l.user == "":
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.in(l.user, string(response))
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if _, secure := s.c.TLSConnectionState(); !secure {
		return s.f.fault("a letter without encryption")
	}
	switch {
	case s.user == "":
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "log in first"}
	case from != s.user:
		return s.f.fault("%s may not send as %s", s.user, from)
	}
	if s.f.failing(HangUp) != None {
		return s.hangUp()
	}
	s.from = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch s.f.failing(Greylist, Refuse) {
	case Greylist:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted, come again"}
	case Refuse:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	case None, Silent, HangUp, Full:
	}
	s.to = to
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	l, why := check(s.from, s.to, raw)
	if why != "" {
		return s.f.fault("%s", why)
	}
	how := s.f.failing(Silent, Full)
	if how == Full {
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "over quota"}
	}
	s.f.take(l)
	if how == Silent {
		return s.hangUp()
	}
	return nil
}

func (s *session) hangUp() error {
	_ = s.c.Conn().Close()
	return io.ErrClosedPipe
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", "" }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// cutter is a listener whose next connection can be told to break off.
type cutter struct {
	net.Listener

	mu   sync.Mutex
	next int
}

func (c *cutter) after(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = n
}

// Accept implements net.Listener.
func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == 0 {
		return conn, nil
	}
	left := c.next
	c.next = 0
	return &short{Conn: conn, left: left}, nil
}

// short is a connection that breaks off after so many bytes.
type short struct {
	net.Conn

	mu   sync.Mutex
	left int
}

// Write implements net.Conn.
func (s *short) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(b) > s.left {
		n, _ := s.Conn.Write(b[:s.left]) // what still goes through
		s.left = 0
		return n, s.Close()
	}
	s.left -= len(b)
	return s.Conn.Write(b)
}

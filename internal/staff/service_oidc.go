package staff

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Provider is the city's identity provider; NewOIDC makes the real one.
type Provider interface {
	// Address is where the browser is sent to log in.
	Address(ctx context.Context, h Handshake) (string, error)
	// Redeem turns the code that came back into who it is.
	Redeem(ctx context.Context, code string, h Handshake) (Claims, error)
}

// Handshake is what ties the answer of the identity provider to the browser that asked.
type Handshake struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // PKCE
	Expires  int64  `json:"e"`
	Next     string `json:"x,omitempty"` // page to go on to
}

// Claims are what the identity provider says about a person.
type Claims struct {
	Subject  string // issuer and subject, which never change
	Email    string
	Verified bool // the provider vouches for the e-mail
}

// OIDCStart sends a browser on its way: URL to redirect to, Cookie to give it (HTTP-only, ten minutes).
type OIDCStart struct{ URL, Cookie string }

// OIDCReturn is what the browser brings back.
type OIDCReturn struct{ Cookie, State, Code, Address, Agent string }

const handshakeTime = 10 * time.Minute

// HasProvider reports whether login through an identity provider is set up.
func (s *Service) HasProvider() bool { return s.o.Provider != nil }

// BeginOIDC starts a login at the identity provider.
func (s *Service) BeginOIDC(ctx context.Context, next string) (OIDCStart, error) {
	if s.o.Provider == nil {
		return OIDCStart{}, fault.New(fault.NotFound, "staff.no_provider")
	}
	h := Handshake{State: newToken(), Nonce: newToken(), Verifier: newToken(), Expires: s.o.Machine().Add(handshakeTime).UnixMilli(), Next: clip(next, 500)}
	url, err := s.o.Provider.Address(ctx, h)
	if err != nil {
		return OIDCStart{}, fault.Wrap(err, fault.Down, "staff.provider_down")
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return OIDCStart{}, fmt.Errorf("keep the handshake: %w", err)
	}
	return OIDCStart{URL: url, Cookie: s.o.Ring.Wrap(raw, "oidc handshake")}, nil
}

// FinishOIDC logs in the person that the identity provider names, and gives the page to go on to. Nobody is created: the
// person must exist, known by the provider's subject or, the first time, by an e-mail that the provider vouches for.
func (s *Service) FinishOIDC(ctx context.Context, in OIDCReturn) (Ticket, string, error) {
	if s.o.Provider == nil {
		return Ticket{}, "", fault.New(fault.NotFound, "staff.no_provider")
	}
	h, err := s.handshake(in)
	if err != nil {
		return Ticket{}, "", err
	}
	claims, err := s.o.Provider.Redeem(ctx, in.Code, h)
	if err != nil {
		return Ticket{}, "", err
	}
	a, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (account, error) { return s.identify(ctx, tx, claims) })
	if err != nil {
		return Ticket{}, "", err
	}
	t, err := s.admit(ctx, visitor{login: a.Login, address: in.Address, agent: in.Agent}, a.ID, a.TOTP)
	return t, h.Next, err
}

func (s *Service) handshake(in OIDCReturn) (Handshake, error) {
	var h Handshake
	raw, err := s.o.Ring.Unwrap(in.Cookie, "oidc handshake")
	if err != nil || json.Unmarshal(raw, &h) != nil {
		return h, fault.New(fault.Invalid, "staff.handshake")
	}
	if subtle.ConstantTimeCompare([]byte(h.State), []byte(in.State)) != 1 || h.Expires <= s.machine() || in.Code == "" {
		return h, fault.New(fault.Invalid, "staff.handshake")
	}
	return h, nil
}

func (s *Service) identify(ctx context.Context, tx *db.Tx, c Claims) (account, error) {
	unknown := fault.New(fault.Denied, "staff.not_registered")
	if c.Subject == "" {
		return account{}, unknown
	}
	a, ok, err := findBy(ctx, tx, "oidc_subject", c.Subject)
	if err != nil {
		return account{}, err
	}
	if ok {
		if !a.Active {
			return account{}, unknown
		}
		return a, nil
	}
	email := normalEmail(c.Email)
	if email == "" || !c.Verified {
		return account{}, unknown
	}
	a, ok, err = findBy(ctx, tx, "email", email)
	if err != nil {
		return account{}, err
	}
	if !ok || !a.Active || a.OIDC != nil {
		return account{}, unknown
	}
	if _, err := db.Exec(ctx, tx, `UPDATE person SET oidc_subject = $2, version = version + 1 WHERE id = $1`, a.ID, c.Subject); err != nil {
		return account{}, fmt.Errorf("tie a person to the identity provider: %w", err)
	}
	return a, note(ctx, tx, a.actor(), a.Person, "staff.oidc_bind", nil)
}

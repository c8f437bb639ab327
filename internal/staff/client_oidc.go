package staff

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/rehu-heat/rehu/internal/fault"
)

// OIDCConfig says where the identity provider is and how it knows us.
type OIDCConfig struct {
	Issuer, ClientID, ClientSecret string
	Redirect                       string           // our address that the provider sends the browser back to
	Machine                        func() time.Time // for the expiry of its tokens
	Client                         *http.Client     // nil = one with a timeout of ten seconds
}

// OIDC is an identity provider that speaks OpenID Connect: code flow with PKCE. It is asked for its addresses at the
// first login, so that a provider that is down does not keep the program from starting.
type OIDC struct {
	c  OIDCConfig
	mu sync.Mutex
	p  *oidc.Provider
}

// NewOIDC makes the client.
func NewOIDC(c OIDCConfig) *OIDC {
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 10 * time.Second}
	}
	return &OIDC{c: c}
}

func (o *OIDC) provider(ctx context.Context) (*oidc.Provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.p != nil {
		return o.p, nil
	}
	// The provider keeps the context for fetching keys later: it must outlive this request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), o.c.Client), o.c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("ask the identity provider: %w", err)
	}
	o.p = p
	return p, nil
}

func (o *OIDC) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: o.c.ClientID, ClientSecret: o.c.ClientSecret, RedirectURL: o.c.Redirect,
		Endpoint: p.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// Address implements Provider.
func (o *OIDC) Address(ctx context.Context, h Handshake) (string, error) {
	p, err := o.provider(ctx)
	if err != nil {
		return "", err
	}
	return o.oauth(p).AuthCodeURL(h.State, oidc.Nonce(h.Nonce), oauth2.S256ChallengeOption(h.Verifier)), nil
}

// Redeem implements Provider.
func (o *OIDC) Redeem(ctx context.Context, code string, h Handshake) (Claims, error) {
	p, err := o.provider(ctx)
	if err != nil {
		return Claims{}, fault.Wrap(err, fault.Down, "staff.provider_down")
	}
	ctx = oidc.ClientContext(ctx, o.c.Client)
	token, err := o.oauth(p).Exchange(ctx, code, oauth2.VerifierOption(h.Verifier))
	if err != nil {
		if _, refused := errors.AsType[*oauth2.RetrieveError](err); refused {
			return Claims{}, fault.Wrap(err, fault.Invalid, "staff.handshake")
		}
		return Claims{}, fault.Wrap(err, fault.Down, "staff.provider_down")
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.VerifierContext(ctx, &oidc.Config{ClientID: o.c.ClientID, Now: o.c.Machine}).Verify(ctx, raw)
	if err != nil {
		return Claims{}, fault.Wrap(err, fault.Invalid, "staff.handshake")
	}
	if id.Nonce != h.Nonce {
		return Claims{}, fault.New(fault.Invalid, "staff.handshake")
	}
	var c struct {
		Email    string `json:"email"`
		Verified any    `json:"email_verified"` // some providers send a string
	}
	if err := id.Claims(&c); err != nil {
		return Claims{}, fault.Wrap(err, fault.Invalid, "staff.handshake")
	}
	return Claims{Subject: id.Issuer + " " + id.Subject, Email: c.Email, Verified: c.Verified == true || c.Verified == "true"}, nil
}

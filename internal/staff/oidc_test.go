package staff_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/staff"
)

// provider is an identity provider that checks what it is sent: client, code and the PKCE verifier.
type provider struct {
	*httptest.Server
	key    *rsa.PrivateKey
	claims map[string]any // beside issuer, audience, expiry and nonce
	codes  map[string]url.Values
	now    func() time.Time
}

func newProvider(t *testing.T, now func() time.Time) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, codes: map[string]url.Values{}, now: now}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
			"n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("/token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	asked, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	if !ok || id != "rehu" || secret != "s3cret" || asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != b64(sum[:]) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	claims := map[string]any{"iss": p.URL, "aud": "rehu", "exp": p.now().Add(time.Minute).Unix(), "iat": p.now().Unix(), "nonce": asked.Get("nonce")}
	maps.Copy(claims, p.claims)
	body, _ := json.Marshal(claims)
	signed := b64([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + b64(body)
	digest := sha256.Sum256([]byte(signed))
	sig, _ := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, digest[:])
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": signed + "." + b64(sig)})
}

// visit is what the browser does: it goes to the provider and comes back with a code.
func (p *provider) visit(t *testing.T, start staff.OIDCStart) staff.OIDCReturn {
	t.Helper()
	u, err := url.Parse(start.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	code := rand.Text()
	p.codes[code] = q
	return staff.OIDCReturn{Cookie: start.Cookie, State: q.Get("state"), Code: code}
}

func TestLoginThroughAnIdentityProvider(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		now := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
		p := newProvider(t, func() time.Time { return now })
		k := newDeskWith(t, d, staff.NewOIDC(staff.OIDCConfig{
			Issuer: p.URL, ClientID: "rehu", ClientSecret: "s3cret",
			Redirect: "https://heat.example.cn/login/return", Machine: func() time.Time { return now },
		}))
		wang := k.person(t, "wang", "centre")
		must[staff.Person](t)(k.EditPerson(ctx, k.root, staff.Edit{Person: wang.ID, Name: "王", Email: "wang@example.cn", Org: "centre", Version: 1}))
		try := func(claims map[string]any) (staff.Ticket, string, error) {
			p.claims = claims
			return k.FinishOIDC(ctx, p.visit(t, must[staff.OIDCStart](t)(k.BeginOIDC(ctx, "/c/990100/seat"))))
		}
		for name, claims := range map[string]map[string]any{
			"unverified e-mail": {"sub": "7", "email": "wang@example.cn", "email_verified": false},
			"nobody":            {"sub": "8", "email": "other@example.cn", "email_verified": true},
			"no e-mail":         {"sub": "7"},
		} {
			if _, _, err := try(claims); !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v; want Denied", name, err)
			}
		}
		tk, next, err := try(map[string]any{"sub": "7", "email": "Wang@example.cn", "email_verified": true})
		if err != nil || next != "/c/990100/seat" {
			t.Fatalf("verified e-mail: %v, next %q", err, next)
		}
		if who, ok, _ := k.Authenticate(ctx, tk.Token); !ok || who.Actor.ID != wang.ID {
			t.Errorf("session of %+v, %v; want wang's", who.Actor, ok)
		}
		if _, _, err := try(map[string]any{"sub": "7", "email": "changed@example.cn"}); err != nil {
			t.Errorf("known subject with another e-mail: %v", err)
		}
		if _, _, err := try(map[string]any{"sub": "9", "email": "wang@example.cn", "email_verified": true}); !fault.Is(err, fault.Denied) {
			t.Errorf("another subject with the e-mail of somebody already tied: %v; want Denied", err)
		}
		for name, claims := range map[string]map[string]any{
			"other audience": {"sub": "7", "aud": "shop"}, "expired": {"sub": "7", "exp": now.Add(-time.Hour).Unix()}, "other nonce": {"sub": "7", "nonce": "x"},
		} {
			if _, _, err := try(claims); fault.Of(err).Key != "staff.handshake" {
				t.Errorf("%s: %v; want staff.handshake", name, err)
			}
		}
		p.claims = map[string]any{"sub": "7"}
		back := p.visit(t, must[staff.OIDCStart](t)(k.BeginOIDC(ctx, "")))
		forged := back
		forged.State = "x"
		if _, _, err := k.FinishOIDC(ctx, forged); fault.Of(err).Key != "staff.handshake" {
			t.Errorf("forged state: %v", err)
		}
		stolen := back
		stolen.Cookie = must[staff.OIDCStart](t)(k.BeginOIDC(ctx, "")).Cookie
		if _, _, err := k.FinishOIDC(ctx, stolen); fault.Of(err).Key != "staff.handshake" {
			t.Errorf("a code in another browser: %v", err)
		}
		k.advance(11 * time.Minute)
		if _, _, err := k.FinishOIDC(ctx, back); fault.Of(err).Key != "staff.handshake" {
			t.Errorf("too late: %v", err)
		}
		p.Close()
		k2 := newDeskAgain(t, d, staff.NewOIDC(staff.OIDCConfig{Issuer: p.URL, ClientID: "rehu", Machine: k.machine}))
		if _, err := k2.BeginOIDC(ctx, ""); !fault.Is(err, fault.Down) {
			t.Errorf("provider gone: %v; want Down", err)
		}
	})
}

package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"
)

// proofLife is how long a proof to a push service holds. RFC 8292 allows a day.
const proofLife = 12 * time.Hour

// Key is the installation's key: browsers tie their subscription to it, and push services know the sender by it.
type Key struct {
	private *ecdsa.PrivateKey
	public  string
	secret  string
}

// NewKey draws a key.
func NewKey() (Key, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("draw the push key: %w", err)
	}
	return keyOf(k)
}

// ParseKey reads a key as Secret wrote it: the private number, base64url.
func ParseKey(s string) (Key, error) {
	raw, err := unbase(strings.TrimSpace(s))
	if err != nil {
		return Key{}, err
	}
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		return Key{}, fmt.Errorf("the push key: %w", err)
	}
	return keyOf(k)
}

func keyOf(k *ecdsa.PrivateKey) (Key, error) {
	point, err := k.PublicKey.Bytes()
	if err != nil {
		return Key{}, fmt.Errorf("the push key: %w", err)
	}
	raw, err := k.Bytes()
	if err != nil {
		return Key{}, fmt.Errorf("the push key: %w", err)
	}
	return Key{k, base64.RawURLEncoding.EncodeToString(point), base64.RawURLEncoding.EncodeToString(raw)}, nil
}

// Public is the key as browsers want it.
func (k Key) Public() string { return k.public }

// Secret is the key as the settings keep it.
func (k Key) Secret() string { return k.secret }

// claims are what a proof says (RFC 8292, section 2).
type claims struct {
	Aud string `json:"aud"`
	Exp int64  `json:"exp"`
	Sub string `json:"sub,omitempty"`
}

// Prove is the Authorization of a request to a push service: for its origin, for a while, with whom it can write to.
func (k Key) Prove(endpoint, contact string, now time.Time) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("address of a push service: %w", err)
	}
	head, body := `{"typ":"JWT","alg":"ES256"}`, claims{Aud: u.Scheme + "://" + u.Host, Exp: now.Add(proofLife).Unix(), Sub: contact}
	said, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("write the proof: %w", err)
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + base64.RawURLEncoding.EncodeToString(said)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign the proof: %w", err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return "vapid t=" + signed + "." + base64.RawURLEncoding.EncodeToString(sig) + ", k=" + k.public, nil
}

// Proof is a proof that was found good.
type Proof struct {
	Key string // public, as the browser was given it
	Sub string
}

// CheckProof verifies an Authorization as a push service does: signature, audience, time and the contact.
func CheckProof(authorization, origin string, now time.Time) (Proof, error) {
	rest, ok := strings.CutPrefix(authorization, "vapid ")
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	signed, sig, dot := cutLast(fields["t"], ".")
	point, err := unbase(fields["k"])
	if !ok || !dot || err != nil {
		return Proof{}, fmt.Errorf("no proof: %q", authorization)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return Proof{}, fmt.Errorf("key of the proof: %w", err)
	}
	raw, err := unbase(sig)
	sum := sha256.Sum256([]byte(signed))
	if err != nil || len(raw) != 64 || !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])) {
		return Proof{}, fmt.Errorf("the signature of the proof is wrong")
	}
	var head struct{ Alg string }
	var body claims
	h, b, _ := strings.Cut(signed, ".")
	if err := unjson(h, &head); err != nil {
		return Proof{}, err
	}
	if err := unjson(b, &body); err != nil {
		return Proof{}, err
	}
	exp := time.Unix(body.Exp, 0)
	switch {
	case head.Alg != "ES256":
		return Proof{}, fmt.Errorf("algorithm %q", head.Alg)
	case body.Aud != origin:
		return Proof{}, fmt.Errorf("the proof is for %q, not for %q", body.Aud, origin)
	case !now.Before(exp):
		return Proof{}, fmt.Errorf("the proof is too old")
	case exp.After(now.Add(24 * time.Hour)):
		return Proof{}, fmt.Errorf("the proof holds too long")
	case !strings.HasPrefix(body.Sub, "mailto:") && !strings.HasPrefix(body.Sub, "https:"):
		return Proof{}, fmt.Errorf("the proof names nobody to write to: %q", body.Sub)
	}
	return Proof{fields["k"], body.Sub}, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func unjson(s string, v any) error {
	b, err := unbase(s)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read the proof: %w", err)
	}
	return nil
}

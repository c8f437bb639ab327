package notice

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Signed is a request to or from the SMS gateway with the four headers that prove who sent it.
type Signed struct {
	Account   string // X-Rehu-Account
	Timestamp string // X-Rehu-Timestamp, Unix seconds
	Nonce     string // X-Rehu-Nonce
	Signature string // X-Rehu-Signature
	Path      string // the path that was asked for
	Body      []byte
}

// Signer signs requests and checks signatures: HMAC-SHA256 over path, time, nonce and the hash of the body, a line each.
type Signer struct {
	Account string
	Secret  string
	Machine func() time.Time
}

// MaxSkew is how far the clocks of the two sides may be apart; older requests are refused.
const MaxSkew = 5 * time.Minute

// Sign makes a signed request for a path.
func (s *Signer) Sign(path string, body []byte) Signed {
	nonce := make([]byte, 12)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	in := Signed{
		Account: s.Account, Timestamp: strconv.FormatInt(s.Machine().Unix(), 10), Nonce: hex.EncodeToString(nonce), Path: path, Body: body,
	}
	in.Signature = s.signature(in)
	return in
}

// Verify refuses a request that the holder of the secret did not make just now.
func (s *Signer) Verify(in Signed) error {
	denied := fault.New(fault.Denied, "notice.bad_signature")
	at, err := strconv.ParseInt(in.Timestamp, 10, 64)
	if err != nil || s.Secret == "" || in.Account != s.Account || in.Nonce == "" {
		return denied
	}
	if skew := s.Machine().Sub(time.Unix(at, 0)).Abs(); skew > MaxSkew {
		return denied
	}
	if !equal(s.signature(in), in.Signature) {
		return denied
	}
	return nil
}

func (s *Signer) signature(in Signed) string {
	sum := sha256.Sum256(in.Body)
	h := hmac.New(sha256.New, []byte(s.Secret))
	h.Write([]byte(strings.Join([]string{in.Path, in.Timestamp, in.Nonce, hex.EncodeToString(sum[:])}, "\n")))
	return hex.EncodeToString(h.Sum(nil))
}

func equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

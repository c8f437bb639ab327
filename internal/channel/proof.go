package channel

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the signature that WeChat and others prescribe
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/fault"
)

// MaxSkew is how far the clocks of the two sides may be apart, and so how long a proof can be used.
const MaxSkew = 5 * time.Minute

// Same compares two signatures in a time that does not tell how much of them agrees.
func Same(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

// SignatureSHA256 is the HMAC-SHA256 of the parts, joined by line feeds, in hex.
func SignatureSHA256(secret string, parts ...string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(h.Sum(nil))
}

// SignatureSorted is the SHA-1 of the parts sorted and joined, in hex: how WeChat and Weibo sign what they push.
func SignatureSorted(parts ...string) string {
	sorted := slices.Sorted(slices.Values(parts))
	sum := sha1.Sum([]byte(strings.Join(sorted, ""))) //nolint:gosec // prescribed by the other side
	return hex.EncodeToString(sum[:])
}

// Proof is what a pushed request proves itself with. Nonce is any word that the sender never uses twice; a signature will
// do where the channel has none.
type Proof struct {
	Timestamp string // Unix seconds
	Nonce     string
	Got, Want string // the signature that came, and the one that ought to have
}

// Check refuses a proof that is wrong or too old. Whether it was used before is asked of Service.UseNonce afterwards, so
// that only the owner of the secret can fill the table of nonces.
func (p Proof) Check(machine time.Time) error {
	denied := fault.New(fault.Denied, "channel.bad_signature")
	at, err := strconv.ParseInt(p.Timestamp, 10, 64)
	if err != nil || p.Nonce == "" || !Same(p.Got, p.Want) {
		return denied
	}
	if machine.Sub(time.Unix(at, 0)).Abs() > MaxSkew {
		return denied
	}
	return nil
}

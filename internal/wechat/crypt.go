package wechat

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // WeChat's signatures are SHA-1
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Sign is WeChat's signature: the SHA-1 of the sorted parts, the first of which is the account's token.
func Sign(token string, parts ...string) string {
	all := append([]string{token}, parts...)
	slices.Sort(all)
	sum := sha1.Sum([]byte(strings.Join(all, ""))) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// signed compares a signature in constant time.
func signed(token, signature string, parts ...string) bool {
	return subtle.ConstantTimeCompare([]byte(Sign(token, parts...)), []byte(strings.ToLower(signature))) == 1
}

// Cipher encrypts and decrypts the messages of one account.
type Cipher struct {
	app   string
	iv    []byte
	block cipher.Block
}

// block32 is the size that messages are padded to.
const block32 = 32

// errSealed hides which part of a message did not fit.
var errSealed = errors.New("wechat: the message does not open with this key for this account")

// NewCipher takes the account's EncodingAESKey: 43 characters of base64 that stand for 32 bytes.
func NewCipher(app, encodingKey string) (*Cipher, error) {
	key, err := base64.StdEncoding.DecodeString(encodingKey + "=")
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("wechat: the AES key of %s must be 43 characters of base64", app)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("wechat: AES key of %s: %w", app, err)
	}
	return &Cipher{app: app, iv: key[:aes.BlockSize], block: block}, nil
}

// Encrypt seals a message: 16 random bytes, its length, itself and the account, padded to 32.
func (c *Cipher) Encrypt(plain []byte) string {
	var b bytes.Buffer
	head := make([]byte, 20)
	_, _ = rand.Read(head[:16])                               // never fails
	binary.BigEndian.PutUint32(head[16:], uint32(len(plain))) //nolint:gosec // bounded by MaxBody
	b.Write(head)
	b.Write(plain)
	b.WriteString(c.app)
	pad := block32 - b.Len()%block32
	b.Write(bytes.Repeat([]byte{byte(pad)}, pad))
	out := b.Bytes()
	cipher.NewCBCEncrypter(c.block, c.iv).CryptBlocks(out, out)
	return base64.StdEncoding.EncodeToString(out)
}

// Decrypt opens a message. Whatever does not fit (key, padding, length, account) is the same error.
func (c *Cipher) Decrypt(sealed string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil, errSealed
	}
	cipher.NewCBCDecrypter(c.block, c.iv).CryptBlocks(raw, raw)
	pad := int(raw[len(raw)-1])
	if pad < 1 || pad > block32 || pad > len(raw) || !bytes.Equal(raw[len(raw)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errSealed
	}
	raw = raw[:len(raw)-pad]
	const head = 20
	if len(raw) < head {
		return nil, errSealed
	}
	n := int64(binary.BigEndian.Uint32(raw[16:head]))
	rest := raw[head:]
	if n > int64(len(rest)) || string(rest[n:]) != c.app {
		return nil, errSealed
	}
	return rest[:n], nil
}

// nonce is a random text for a signature.
func nonce() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

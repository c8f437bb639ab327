package webpush

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// The sizes of RFC 8188 and RFC 8291.
const (
	pointSize = 65 // an uncompressed point of P-256
	saltSize  = 16
	authSize  = 16
	tagSize   = 16
	record    = 4096
	headSize  = saltSize + 4 + 1 + pointSize
	// MostPlain is what a push service has to take at least (RFC 8030, section 7.2), after what the encryption adds.
	MostPlain = record - headSize - tagSize - 1
)

// Keys are what a browser gives so that only it can read: its public key and its secret, both as it writes them.
type Keys struct {
	P256DH string `json:"p256dh" form:"p256dh"`
	Auth   string `json:"auth" form:"auth"`
}

// open takes the keys apart.
func (k Keys) open() (*ecdh.PublicKey, []byte, error) {
	point, err := unbase(k.P256DH)
	if err != nil {
		return nil, nil, err
	}
	public, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return nil, nil, fmt.Errorf("a browser's public key: %w", err)
	}
	auth, err := unbase(k.Auth)
	if err != nil {
		return nil, nil, err
	}
	if len(auth) != authSize {
		return nil, nil, fmt.Errorf("a browser's secret has %d bytes", len(auth))
	}
	return public, auth, nil
}

// unbase reads base64url with or without its padding.
func unbase(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(string(bytes.TrimRight([]byte(s), "=")))
	if err != nil {
		return nil, fmt.Errorf("base64url: %w", err)
	}
	return b, nil
}

// Envelope is the sender's half of one encryption: a key and a salt that are never used twice.
type Envelope struct {
	Key  *ecdh.PrivateKey
	Salt []byte
}

// NewEnvelope draws one.
func NewEnvelope() (Envelope, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return Envelope{}, fmt.Errorf("draw a key: %w", err)
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails, see its documentation
	return Envelope{key, salt}, nil
}

// Seal encrypts for one browser, in the one record of aes128gcm that RFC 8291 asks for.
func (e Envelope) Seal(plain []byte, to Keys) ([]byte, error) {
	if len(plain) > MostPlain {
		return nil, fmt.Errorf("%d bytes are too many for a push message", len(plain))
	}
	public, auth, err := to.open()
	if err != nil {
		return nil, err
	}
	shared, err := e.Key.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("agree on a secret: %w", err)
	}
	own := e.Key.PublicKey().Bytes()
	gcm, nonce, err := derive(secrets{shared, auth, e.Salt, public.Bytes(), own})
	if err != nil {
		return nil, err
	}
	out := append([]byte{}, e.Salt...)
	out = binary.BigEndian.AppendUint32(out, record)
	out = append(out, byte(len(own)))
	out = append(out, own...)
	const last = 2 // the delimiter of the last record
	return gcm.Seal(out, nonce, append(bytes.Clone(plain), last), nil), nil
}

// Unseal decrypts as the browser does that holds the private key.
func Unseal(sealed []byte, private *ecdh.PrivateKey, auth []byte) ([]byte, error) {
	if len(sealed) < headSize+tagSize+1 || int(sealed[saltSize+4]) != pointSize || binary.BigEndian.Uint32(sealed[saltSize:]) != record {
		return nil, errors.New("no push message of one record")
	}
	sender, err := ecdh.P256().NewPublicKey(sealed[saltSize+5 : headSize])
	if err != nil {
		return nil, fmt.Errorf("the sender's key: %w", err)
	}
	shared, err := private.ECDH(sender)
	if err != nil {
		return nil, fmt.Errorf("agree on a secret: %w", err)
	}
	gcm, nonce, err := derive(secrets{shared, auth, sealed[:saltSize], private.PublicKey().Bytes(), sender.Bytes()})
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, sealed[headSize:], nil)
	if err != nil {
		return nil, fmt.Errorf("open a push message: %w", err)
	}
	plain = bytes.TrimRight(plain, "\x00")
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, errors.New("the last record has no end")
	}
	return plain[:len(plain)-1], nil
}

// secrets are what both sides derive the same key from.
type secrets struct{ shared, auth, salt, browser, sender []byte }

// derive follows RFC 8291, section 3.4, and RFC 8188, section 2.2.
func derive(s secrets) (cipher.AEAD, []byte, error) {
	info := append([]byte("WebPush: info\x00"), s.browser...)
	ikm, err := hkdf.Key(sha256.New, s.shared, s.auth, string(append(info, s.sender...)), 32)
	if err != nil {
		return nil, nil, fmt.Errorf("derive the key of a push message: %w", err)
	}
	key, err := hkdf.Key(sha256.New, ikm, s.salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, nil, fmt.Errorf("derive the key of a push message: %w", err)
	}
	nonce, err := hkdf.Key(sha256.New, ikm, s.salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, nil, fmt.Errorf("derive the nonce of a push message: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, fmt.Errorf("cipher of a push message: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	return gcm, nonce, err
}

package wechat

import (
	"strconv"
	"time"

	"github.com/rehu-heat/rehu/internal/fault"
)

// Query is what WeChat writes behind the address of the server.
type Query struct {
	Signature   string
	Timestamp   string
	Nonce       string
	Echo        string // echostr, when the address is set up
	EncryptType string // aes
	MsgSig      string // msg_signature, of an encrypted message
}

// denied is the one answer to whatever is not WeChat's.
func denied() error { return fault.New(fault.Denied, "wechat.not_wechat") }

// fresh reports whether a time of WeChat's is near the server's.
func fresh(timestamp string, machine time.Time) bool {
	s, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	off := machine.Sub(time.Unix(s, 0))
	return off < Window && off > -Window
}

// Prove checks the signature of the address.
func (a *Account) Prove(q Query, machine time.Time) error {
	if q.Nonce == "" || !signed(a.secrets.Token, q.Signature, q.Timestamp, q.Nonce) || !fresh(q.Timestamp, machine) {
		return denied()
	}
	return nil
}

// Open checks a pushed message and reads it: the address's signature, the message's, its key and account, its form.
func (a *Account) Open(q Query, body []byte, machine time.Time) (Inbound, error) {
	if err := a.Prove(q, machine); err != nil {
		return Inbound{}, err
	}
	if q.EncryptType != "" && q.EncryptType != "aes" || q.EncryptType == "" && !a.Plain {
		return Inbound{}, denied()
	}
	if q.EncryptType == "aes" {
		var e envelope
		if err := decode(body, &e); err != nil || a.cipher == nil {
			return Inbound{}, denied()
		}
		if !signed(a.secrets.Token, q.MsgSig, q.Timestamp, q.Nonce, e.Encrypt) {
			return Inbound{}, denied()
		}
		inner, err := a.cipher.Decrypt(e.Encrypt)
		if err != nil {
			return Inbound{}, denied()
		}
		body = inner
	}
	p, err := parse(body)
	if err != nil || a.Original != "" && p.To != a.Original {
		return Inbound{}, denied()
	}
	return p.inbound(a.ID), nil
}

// nothing is the answer that tells WeChat not to push again and says nothing to the resident.
const nothing = "success"

// Answer writes the passive answer to a message, encrypted as the message was; an empty text says nothing to the resident.
func (a *Account) Answer(q Query, in Inbound, text string, machine time.Time) ([]byte, error) {
	if text == "" {
		return []byte(nothing), nil
	}
	out, err := encode(reply{To: cdata{in.OpenID}, From: cdata{in.To}, Created: machine.Unix(), Type: cdata{"text"}, Content: cdata{text}})
	if err != nil || q.EncryptType != "aes" {
		return out, err
	}
	sealed, n := a.cipher.Encrypt(out), nonce()
	return encode(sealedReply{
		Encrypt: cdata{sealed}, Timestamp: machine.Unix(), Nonce: cdata{n},
		Signature: cdata{Sign(a.secrets.Token, strconv.FormatInt(machine.Unix(), 10), n, sealed)},
	})
}

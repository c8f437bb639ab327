package webpush_test

import (
	"crypto/ecdh"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/webpush"
)

func raw(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The example of RFC 8291, section 5 and appendix A.
func TestTheExampleOfTheRFC(t *testing.T) {
	t.Parallel()
	const (
		plain   = "When I grow up, I want to be a watermelon"
		sender  = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
		browser = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
		public  = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
		auth    = "BTBZMqHH6r4Tts7J_aSIgg"
		salt    = "DGv6ra1nlYgDCS1FRnbzlw"
		want    = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
	)
	key, err := ecdh.P256().NewPrivateKey(raw(t, sender))
	if err != nil {
		t.Fatal(err)
	}
	got, err := webpush.Envelope{Key: key, Salt: raw(t, salt)}.Seal([]byte(plain), webpush.Keys{P256DH: public, Auth: auth})
	if err != nil || base64.RawURLEncoding.EncodeToString(got) != want {
		t.Fatalf("sealed %s, %v", base64.RawURLEncoding.EncodeToString(got), err)
	}
	own, err := ecdh.P256().NewPrivateKey(raw(t, browser))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := webpush.Unseal(got, own, raw(t, auth)); err != nil || string(back) != plain {
		t.Errorf("opened %q, %v", back, err)
	}
	got[len(got)-1] ^= 1
	if _, err := webpush.Unseal(got, own, raw(t, auth)); err == nil {
		t.Error("a changed message opens")
	}
}

func TestWhatCannotBeSealed(t *testing.T) {
	t.Parallel()
	const public = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	const auth = "BTBZMqHH6r4Tts7J_aSIgg"
	env, err := webpush.NewEnvelope()
	if err != nil {
		t.Fatal(err)
	}
	most := make([]byte, webpush.MostPlain)
	if sealed, err := env.Seal(most, webpush.Keys{P256DH: public + "=", Auth: auth + "=="}); err != nil || len(sealed) != 4096 {
		t.Errorf("the longest message: %d bytes, %v", len(sealed), err)
	}
	for what, in := range map[string]struct {
		plain []byte
		keys  webpush.Keys
	}{
		"too long":     {append(most, 0), webpush.Keys{P256DH: public, Auth: auth}},
		"no point":     {nil, webpush.Keys{P256DH: strings.Replace(public, "BC", "BD", 1), Auth: auth}},
		"short secret": {nil, webpush.Keys{P256DH: public, Auth: auth[:8]}},
		"no base64":    {nil, webpush.Keys{P256DH: "???", Auth: auth}},
	} {
		if _, err := env.Seal(in.plain, in.keys); err == nil {
			t.Errorf("%s: sealed", what)
		}
	}
}

func TestProof(t *testing.T) {
	t.Parallel()
	drawn, err := webpush.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := webpush.ParseKey(drawn.Secret())
	if err != nil || key.Public() != drawn.Public() {
		t.Fatalf("read back: %v", err)
	}
	now := time.Unix(1_800_000_000, 0)
	proof, err := key.Prove("https://push.example.com/send/abc", "mailto:heat@example.cn", now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := webpush.CheckProof(proof, "https://push.example.com", now)
	if err != nil || got.Key != key.Public() || got.Sub != "mailto:heat@example.cn" {
		t.Fatalf("proof %+v, %v", got, err)
	}
	other, err := webpush.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := key.Prove("https://push.example.com/", "", now)
	if err != nil {
		t.Fatal(err)
	}
	for what, check := range map[string]func() error{
		"another service": func() error { _, err := webpush.CheckProof(proof, "https://evil.example.com", now); return err },
		"too late": func() error {
			_, err := webpush.CheckProof(proof, "https://push.example.com", now.Add(13*time.Hour))
			return err
		},
		"too long": func() error {
			_, err := webpush.CheckProof(proof, "https://push.example.com", now.Add(-13*time.Hour))
			return err
		},
		"another key": func() error {
			_, err := webpush.CheckProof(strings.Replace(proof, key.Public(), other.Public(), 1), "https://push.example.com", now)
			return err
		},
		"nobody":   func() error { _, err := webpush.CheckProof(nobody, "https://push.example.com", now); return err },
		"no proof": func() error { _, err := webpush.CheckProof("Bearer x", "https://push.example.com", now); return err },
	} {
		if check() == nil {
			t.Errorf("%s: taken", what)
		}
	}
}

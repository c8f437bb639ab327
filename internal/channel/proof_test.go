package channel_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
)

func TestProofs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a, err := w.service.Access(ctx, city, cases.Weibo, "main")
		if err != nil || a.Credential["token"] != "s3cret" || !a.Credential.Fake() {
			t.Fatalf("access %+v, %v", a, err)
		}
		proof := func(at time.Time, nonce, key string) channel.Proof {
			stamp := strconv.FormatInt(at.Unix(), 10)
			return channel.Proof{
				Timestamp: stamp, Nonce: nonce, Got: channel.SignatureSorted(key, stamp, nonce), Want: channel.SignatureSorted("s3cret", stamp, nonce),
			}
		}
		now := time.Now()
		for name, c := range map[string]struct {
			proof channel.Proof
			ok    bool
		}{
			"right":          {proof(now, "n1", "s3cret"), true},
			"another secret": {proof(now, "n2", "guess"), false},
			"too old":        {proof(now.Add(-6*time.Minute), "n3", "s3cret"), false},
			"from tomorrow":  {proof(now.Add(24*time.Hour), "n4", "s3cret"), false},
			"no nonce":       {proof(now, "", "s3cret"), false},
			"no signature":   {channel.Proof{Timestamp: strconv.FormatInt(now.Unix(), 10), Nonce: "n5"}, false},
			"no time":        {channel.Proof{Timestamp: "soon", Nonce: "n6", Got: "x", Want: "x"}, false},
		} {
			if err := w.service.Prove(ctx, a.Account, c.proof); (err == nil) != c.ok || (err != nil && !fault.Is(err, fault.Denied)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.service.Prove(ctx, a.Account, proof(now, "n1", "s3cret")); fault.Of(err).Key != "channel.replayed" {
			t.Errorf("the same request again: %v", err)
		}
		if !strings.Contains(w.log.String(), "pushed message refused") || strings.Contains(w.log.String(), "s3cret") {
			t.Errorf("log: %s", w.log.String())
		}
	})
}

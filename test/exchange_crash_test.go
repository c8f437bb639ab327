package test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/exchange"
	"github.com/rehu-heat/rehu/internal/exchange/platformfake"
	"github.com/rehu-heat/rehu/internal/notice"
)

// api sends a request with the installation's key; out may be nil.
func (v *victim) api(ctx context.Context, method, path, key string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, v.URL+"/api/v1/cities/"+cmp.Or(v.city, "990100")+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+v.Key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode == http.StatusTooManyRequests {
		time.Sleep(200 * time.Millisecond)
		return v.api(ctx, method, path, key, in, out)
	}
	if a.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: status %d", method, path, a.StatusCode)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(a.Body).Decode(out)
}

// TestKilledDuringExchange kills the server with no warning while tickets go to and fro and the platform fails in its own
// ways, three times over: afterwards each ticket is one case, and the platform has every word of ours once and in order.
func TestKilledDuringExchange(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(context.Background(), 9*time.Minute)
	defer stop()
	v := &victim{t: t, data: t.TempDir()}
	v.prepare(ctx)
	v.start(ctx)
	const code, base = "hot12345", "/c/990100/hooks/exchange/hot12345"
	signer := notice.Signer{Account: "rehu", Secret: "0123456789abcdef0123", Machine: time.Now}
	fake := platformfake.New(platformfake.Options{
		Signer: signer, Base: base, Prefix: "TY", Now: func() civil.Instant { return civil.At(time.Now()) },
		Post: func(ctx context.Context, path string, in notice.Signed) (int, []byte, error) {
			return platformfake.Over(v.URL, http.DefaultClient)(ctx, path, in)
		},
	})
	server := httptest.NewServer(fake)
	defer server.Close()
	platform := map[string]any{"name": "12345", "kind": "hotline", "url": server.URL, "account": "rehu", "secret": signer.Secret, "gap_minutes": 1, "active": true}
	if err := v.api(ctx, http.MethodPost, "/platforms/"+code, "", platform, nil); err != nil {
		t.Fatal(err)
	}
	const rounds, each, words = 3, 12, 2
	for round := range rounds {
		v.exchange(ctx, fake, round, each)
		v.start(ctx)
	}
	total := rounds * each
	if err := flushed(ctx, fake); err != nil {
		t.Fatal(err)
	}
	ids := v.tickets(ctx)
	if len(ids) != total {
		t.Fatalf("%d tickets here for %d there", len(ids), total)
	}
	for no, id := range ids {
		for n := range words { // said again under the same key: it may or may not have been taken before the server died
			in := map[string]any{"event": "note", "text": fmt.Sprintf("第%d句", n)}
			if err := v.api(ctx, http.MethodPost, "/tickets/"+id+"/say", fmt.Sprintf("%s/%d", no, n), in, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	v.arrived(ctx, fake, total*words)
	for _, ticket := range fake.Tickets() {
		var said []string
		for i, m := range ticket.Taken {
			if m.Seq != int64(i+1) {
				t.Errorf("%s: number %d stands at %d", ticket.No, m.Seq, i+1)
			}
			if m.Event == exchange.Note {
				said = append(said, m.Text)
			}
		}
		if len(said) != words || said[0] != "第0句" && said[0] != "第1句" || said[0] == said[1] {
			t.Errorf("%s: the platform has %q", ticket.No, said)
		}
	}
	if wrong := fake.Wrong(); len(wrong) > 0 {
		t.Errorf("the platform was sent what no platform takes: %q", wrong)
	}
	var n struct{ N int }
	if err := v.api(ctx, http.MethodGet, "/cases/count?q=%E5%AF%B9%E6%8E%A5%E6%BC%94%E7%BB%83", "", nil, &n); err != nil || n.N != total {
		t.Errorf("%d cases for %d tickets, %v", n.N, total, err)
	}
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait()
}

// exchange has tickets come in and words go out until enough of both happened, and kills the server in the middle of it.
func (v *victim) exchange(ctx context.Context, fake *platformfake.Platform, round, each int) {
	for i := range each {
		fake.Open(exchange.Details{Text: fmt.Sprintf("对接演练第%d轮第%d件，家里不热", round, i), ReceivedAt: civil.At(time.Now()), Address: "对接演练小区1号楼"})
	}
	fake.Fail(platformfake.TakenGone, platformfake.Down, platformfake.TakenHalf)
	var dead atomic.Bool
	go func() {
		for n := 0; !dead.Load() && n < 3; n++ { // what the others said is said while more comes in
			for no, id := range v.tickets(ctx) {
				_ = v.api(ctx, http.MethodPost, "/tickets/"+id+"/say", fmt.Sprintf("%s/%d", no, n%2), map[string]any{"event": "note", "text": fmt.Sprintf("第%d句", n%2)}, nil)
			}
		}
	}()
	for range each / 2 {
		_ = fake.Flush(ctx) // what does not arrive is sent again
	}
	time.AfterFunc(time.Duration(100+200*round)*time.Millisecond, func() { _ = v.cmd.Process.Kill() })
	_ = v.cmd.Wait()
	dead.Store(true)
	fake.Heal()
}

// tickets are the ids of the tickets by the platform's numbers; none while the server is away.
func (v *victim) tickets(ctx context.Context) map[string]string {
	out := map[string]string{}
	var list struct {
		Items []struct {
			ID     string `json:"id"`
			Ticket string `json:"ticket"`
		} `json:"items"`
	}
	if err := v.api(ctx, http.MethodGet, "/tickets?size=200", "", nil, &list); err != nil {
		return out
	}
	for _, t := range list.Items {
		out[t.Ticket] = t.ID
	}
	return out
}

// flushed sends until the centre has everything.
func flushed(ctx context.Context, fake *platformfake.Platform) error {
	for {
		err := fake.Flush(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// arrived waits until the platform has so many words.
func (v *victim) arrived(ctx context.Context, fake *platformfake.Platform, want int) {
	v.t.Helper()
	for {
		n := 0
		for _, t := range fake.Tickets() {
			for _, m := range t.Taken {
				if m.Event == exchange.Note {
					n++
				}
			}
		}
		if n >= want {
			return
		}
		if ctx.Err() != nil {
			v.t.Fatalf("%d of %d words arrived", n, want)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

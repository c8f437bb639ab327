package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// victim is a server that is killed in the middle of its work and started again on the same data.
type victim struct {
	t    *testing.T
	data string
	city string   // its code; empty is the demonstration's
	more []string // further flags of the server
	cmd  *exec.Cmd
	URL  string `json:"url"`
	Key  string `json:"api_token"`
}

// prepare makes an installation with a city and a key, and leaves it.
func (v *victim) prepare(ctx context.Context) {
	v.t.Helper()
	cmd := exec.CommandContext(ctx, binary, "demo", "--data", v.data, "--listen", "127.0.0.1:0", "--json", "--speed", "0", "--households", "400", "--at", "2025-11-16T08:00")
	out, err := cmd.StdoutPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		v.t.Fatalf("the demonstration did not start: %v", err)
	}
	if err := json.Unmarshal(line, v); err != nil {
		v.t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		v.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		v.t.Fatalf("the demonstration ended with %v", err)
	}
}

// start serves the installation.
func (v *victim) start(ctx context.Context) {
	v.t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		v.t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	v.URL = "http://" + addr
	v.cmd = exec.CommandContext(ctx, binary, append([]string{"serve", "--data", v.data, "--listen", addr}, v.more...)...)
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	for {
		r, err := http.Get(v.URL + "/readyz")
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		if ctx.Err() != nil {
			v.t.Fatalf("never ready: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// report sends one report under a key; the number is empty when no answer came.
func (v *victim) report(ctx context.Context, key int) (no string, err error) {
	body, err := json.Marshal(map[string]any{
		"text": fmt.Sprintf("断电演练第%d件，家里不热", key), "address": "断电演练小区1号楼", "caller": map[string]string{"phone": fmt.Sprintf("138%08d", key)},
	})
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.URL+"/api/v1/cities/990100/cases", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+v.Key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", fmt.Sprintf("crash-%d", key))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer a.Body.Close()
	if a.StatusCode == http.StatusTooManyRequests {
		time.Sleep(200 * time.Millisecond)
		return v.report(ctx, key)
	}
	var got struct {
		Case struct {
			No string `json:"no"`
		} `json:"case"`
	}
	if err := json.NewDecoder(a.Body).Decode(&got); err != nil {
		return "", err
	}
	if got.Case.No == "" {
		return "", fmt.Errorf("status %d", a.StatusCode)
	}
	return got.Case.No, nil
}

// TestKilledUnderLoad kills the server with no warning while reports come in, three times over: whatever was acknowledged
// is there afterwards, and a report that is sent again is not taken twice.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
	defer stop()
	v := &victim{t: t, data: t.TempDir()}
	v.prepare(ctx)
	v.start(ctx)
	var mu sync.Mutex
	acked := map[int]string{}
	var next atomic.Int64
	for range 3 {
		v.shower(ctx, &next, func(key int, no string) {
			mu.Lock()
			defer mu.Unlock()
			acked[key] = no
		})
		v.start(ctx)
	}
	if len(acked) == 0 {
		t.Fatal("nothing was acknowledged before the server died")
	}
	seen := map[string]int{}
	for key := 1; key <= int(next.Load()); key++ {
		no, err := v.report(ctx, key)
		if err != nil {
			t.Fatalf("report %d after the restart: %v", key, err)
		}
		if was, ok := acked[key]; ok && was != no {
			t.Errorf("report %d was acknowledged as %s and is %s now", key, was, no)
		}
		if other, twice := seen[no]; twice {
			t.Errorf("reports %d and %d are both %s", other, key, no)
		}
		seen[no] = key
	}
	if n := v.count(ctx); n != int(next.Load()) {
		t.Errorf("%d cases for %d reports", n, next.Load())
	}
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait()
}

// shower reports from several hands until enough was acknowledged, and kills the server in the middle of it.
func (v *victim) shower(ctx context.Context, next *atomic.Int64, ack func(key int, no string)) {
	const hands, enough = 6, 30
	var wg sync.WaitGroup
	var got atomic.Int64
	dead := make(chan struct{})
	var once sync.Once
	for range hands {
		wg.Go(func() {
			for {
				select {
				case <-dead:
					return
				case <-ctx.Done():
					return
				default:
				}
				key := int(next.Add(1))
				no, err := v.report(ctx, key)
				if err != nil {
					continue // it may or may not have been taken: the same key will tell
				}
				ack(key, no)
				if got.Add(1) == enough {
					once.Do(func() { _ = v.cmd.Process.Kill(); close(dead) })
				}
			}
		})
	}
	wg.Wait()
	_ = v.cmd.Wait()
}

func (v *victim) count(ctx context.Context) int {
	v.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.URL+"/api/v1/cities/990100/cases/count?q=%E6%96%AD%E7%94%B5%E6%BC%94%E7%BB%83", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+v.Key)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode == http.StatusTooManyRequests { // as many reports as the key may send came just before
		time.Sleep(200 * time.Millisecond)
		return v.count(ctx)
	}
	if a.StatusCode != http.StatusOK {
		v.t.Fatalf("counting the cases: %s", a.Status)
	}
	var got struct{ N int }
	if err := json.NewDecoder(a.Body).Decode(&got); err != nil {
		v.t.Fatal(err)
	}
	return got.N
}

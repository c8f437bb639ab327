package outward_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/outward"
)

func TestReachable(t *testing.T) {
	t.Parallel()
	allow := []netip.Prefix{netip.MustParsePrefix("10.8.0.0/16")}
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "2400:3200::1": true, "10.8.1.1": true, "::ffff:10.8.1.1": true, "10.9.1.1": false, "127.0.0.1": false, "::1": false, "192.168.1.1": false,
		"172.16.0.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "fd00::1": false,
		"fe80::1": false, "::ffff:127.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "198.18.0.1": false, "240.0.0.1": false,
	} {
		if got := outward.Reachable(netip.MustParseAddr(addr), allow); got != want {
			t.Errorf("Reachable(%s) = %v, want %v", addr, got, want)
		}
	}
}

func TestGoodURL(t *testing.T) {
	t.Parallel()
	allow := []netip.Prefix{netip.MustParsePrefix("10.8.0.0/16")}
	for address, want := range map[string]bool{
		"https://push.example.com/x": true, "https://8.8.8.8/x": true, "http://10.8.1.1/x": true, "http://push.example.com/x": false, "https://127.0.0.1/": false,
		"https://a:b@push.example.com/": false, "ftp://push.example.com/": false, "https:///x": false, "https://[::1]/": false, "https://push.example.com/#x": false, "": false,
	} {
		if got := outward.GoodURL(address, allow); got != want {
			t.Errorf("GoodURL(%q) = %v, want %v", address, got, want)
		}
	}
}

// A name that leads inside is found at the connection, and a redirect is not followed.
func TestClient(t *testing.T) {
	t.Parallel()
	called := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called++
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	t.Cleanup(srv.Close)
	call := func(allow []netip.Prefix) (int, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := outward.Client(allow, 5*time.Second).Do(req)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, res.Body.Close()
	}
	if _, err := call(nil); !errors.Is(err, outward.ErrInside) || called != 0 {
		t.Errorf("an address inside: %v, called %d times", err, called)
	}
	if status, err := call([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}); err != nil || status != http.StatusFound || called != 1 {
		t.Errorf("an allowed address: %d, %v, called %d times", status, err, called)
	}
}

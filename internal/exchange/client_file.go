package exchange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/outward"
)

// fileTime is how long the bytes of a file may take.
const fileTime = time.Minute

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// fetchFile gets the bytes of a file and checks that they are what was said: size, hash, and what they really are. Invalid:
// they never will be. Any other error: later.
func (s *Service) fetchFile(ctx context.Context, p Platform, t Ticket, f File) ([]byte, error) {
	if f.Size > blob.MaxBytes {
		return nil, fault.New(fault.Invalid, "exchange.file_too_big", "max", blob.MaxBytes>>20)
	}
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	res, err := s.askFile(ctx, p, t, f)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	switch {
	case refuses(res.StatusCode) || res.StatusCode/100 == 3: // an address that sends elsewhere is not followed
		return nil, fault.Wrap(fmt.Errorf("%d", res.StatusCode), fault.Invalid, "exchange.file_gone")
	case res.StatusCode != http.StatusOK:
		return nil, fault.Wrap(fmt.Errorf("%d", res.StatusCode), fault.Down, "exchange.down")
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, f.Size+1))
	if err != nil {
		return nil, fault.Wrap(plain(err), fault.Down, "exchange.half_answer")
	}
	return raw, f.same(raw)
}

// askFile asks for a file: the platform's own program, signed, or the address that the message names.
func (s *Service) askFile(ctx context.Context, p Platform, t Ticket, f File) (*http.Response, error) {
	own := *s.o.Client
	own.Timeout = fileTime
	client := &own
	var req *http.Request
	var err error
	if f.URL == "" {
		body, failed := json.Marshal(FileAsked{Ticket: t.No, OpenedBy: t.OpenedBy, SHA256: f.SHA256})
		if failed != nil {
			return nil, failed
		}
		req, err = s.signed(ctx, p, "/files", body)
	} else {
		var u *url.URL
		if u, err = url.Parse(f.URL); err == nil {
			if !p.onOwnHost(u) {
				if u.Scheme != "https" {
					return nil, fault.New(fault.Invalid, "exchange.file_private")
				}
				client = s.outside
			}
			req, err = http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
		}
	}
	if err != nil {
		return nil, fault.Wrap(plain(err), fault.Invalid, "exchange.file_gone")
	}
	res, err := client.Do(req)
	switch {
	case errors.Is(err, outward.ErrInside):
		return nil, fault.Wrap(outward.ErrInside, fault.Invalid, "exchange.file_private")
	case err != nil:
		return nil, fault.Wrap(plain(err), fault.Down, "exchange.down")
	}
	return res, nil
}

// same reports what of the bytes is not as the message said. Fewer than said are half an answer, not another file.
func (f File) same(raw []byte) error {
	sum := sha256.Sum256(raw)
	switch {
	case int64(len(raw)) < f.Size:
		return fault.New(fault.Down, "exchange.half_answer")
	case int64(len(raw)) > f.Size:
		return fault.New(fault.Invalid, "exchange.file_other_size", "size", f.Size)
	case hex.EncodeToString(sum[:]) != f.SHA256:
		return fault.New(fault.Invalid, "exchange.file_other_hash")
	case !f.isVoice() && !sameType(http.DetectContentType(raw), f.Media):
		return fault.New(fault.Invalid, "exchange.file_other_type", "said", f.Media, "is", http.DetectContentType(raw))
	}
	return nil
}

// isVoice reports whether a file says that it is a recording, whose content is looked at when it is kept.
func (f File) isVoice() bool { return strings.HasPrefix(f.Media, "audio/") }

func sameType(is, said string) bool {
	s, _, err := mime.ParseMediaType(said)
	return err == nil && strings.ReplaceAll(s, "image/jpg", "image/jpeg") == is
}

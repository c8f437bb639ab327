package platformfake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	"github.com/rehu-heat/rehu/internal/exchange"
)

// Attach keeps a file and gives its reference, for a message that names it.
func (p *Platform) Attach(name, media string, raw []byte) exchange.Attachment {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := hashOf(raw)
	p.files[sum] = raw
	return exchange.Attachment{Name: name, MediaType: media, Size: int64(len(raw)), SHA256: sum}
}

// FailFiles makes the next requests for a file fail, one way each.
func (p *Platform) FailFiles(ways ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = append(p.failing, ways...)
}

// Got are the centre's files by their hash, as far as Collect fetched them.
func (p *Platform) Got() map[string][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.got)
}

// give answers a request for a file of ours.
func (p *Platform) give(body []byte) (int, any) {
	var q exchange.FileAsked
	if json.Unmarshal(body, &q) != nil {
		return http.StatusBadRequest, "not JSON"
	}
	t, ok := p.tickets[key(q.OpenedBy, q.Ticket)]
	raw, here := p.files[q.SHA256]
	if !ok || !here || !named(t.Said, q.SHA256) {
		return p.no(http.StatusNotFound, "no such file of "+q.Ticket)
	}
	way := Fault("")
	if len(p.failing) > 0 {
		way, p.failing = p.failing[0], p.failing[1:]
	}
	switch way {
	case FileDown:
		return http.StatusServiceUnavailable, "down"
	case FileGone:
		return http.StatusNotFound, "gone"
	case FileMoved:
		return http.StatusFound, "elsewhere"
	case FileHalf:
		return http.StatusOK, raw[:len(raw)/2]
	case FileMore:
		return http.StatusOK, append(bytes.Clone(raw), "more"...)
	case FileOther:
		other := bytes.Clone(raw)
		other[len(other)-1]++
		return http.StatusOK, other
	default:
		return http.StatusOK, raw
	}
}

func named(list []exchange.Message, sum string) bool {
	for _, m := range list {
		for _, a := range m.Attachments {
			if a.SHA256 == sum {
				return true
			}
		}
	}
	return false
}

// Collect fetches the files that the centre named and checks that they are what it said.
func (p *Platform) Collect(ctx context.Context) error {
	for _, t := range p.Tickets() {
		for _, m := range t.Taken {
			for _, a := range m.Attachments {
				if _, have := p.Got()[a.SHA256]; have {
					continue
				}
				raw, err := p.Fetch(ctx, exchange.FileAsked{Ticket: t.No, OpenedBy: t.OpenedBy, SHA256: a.SHA256})
				if err != nil {
					return err
				}
				if int64(len(raw)) != a.Size || hashOf(raw) != a.SHA256 {
					return fmt.Errorf("file %s of %s is not what was said", a.Name, t.No)
				}
				p.mu.Lock()
				p.got[a.SHA256] = raw
				p.mu.Unlock()
			}
		}
	}
	return nil
}

// Fetch asks the centre for a file.
func (p *Platform) Fetch(ctx context.Context, q exchange.FileAsked) ([]byte, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	path := p.base + "/files"
	status, raw, err := p.post(ctx, path, p.signer.Sign(path, body))
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, raw)
	}
	return raw, err
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

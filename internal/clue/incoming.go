package clue

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
)

// incoming is an entry of a feed as the channel keeps it. An entry without an id is known by its words; the author of an
// article is the author at that site.
func (e Entry) incoming(city int, account string) channel.Incoming {
	id := e.ID
	if id == "" || len(id) > 180 {
		sum := sha256.Sum256([]byte(e.Author + "\n" + e.Title + "\n" + e.Text))
		id = "sha256:" + hex.EncodeToString(sum[:16])
	}
	extra := map[string]string{}
	if e.Title != "" {
		extra[ExtraTitle] = e.Title
	}
	if e.Repost != "" {
		extra[ExtraRepost] = e.Repost
	}
	link := e.Link
	if !strings.HasPrefix(link, "https://") && !strings.HasPrefix(link, "http://") || len(link) > 1000 {
		link = "" // nothing else is an address that a page may lead to
	}
	in := channel.Incoming{
		City: city, Channel: cases.Opinion, Account: account, ID: id, Form: channel.Post, At: e.At, SenderName: e.Author, Text: e.Text, Link: link,
		Lng: e.Lng, Lat: e.Lat, Extra: extra, Raw: []byte(id + "\n" + e.Title + "\n" + e.Text),
		Other: func(kept, now string) bool { return !near(kept, now) && !edited(kept, now) },
	}
	if e.Author != "" {
		in.SenderID = account + "\n" + e.Author
	}
	return in
}

// edited reports whether a post only grew or was cut: the words of one stand in the other.
func edited(a, b string) bool {
	x, y := string(bare(a)), string(bare(b))
	return x != "" && y != "" && (strings.Contains(x, y) || strings.Contains(y, x))
}

// gather hands entries on in batches.
type gather struct {
	batch []channel.Incoming
	got   func([]channel.Incoming) error
}

func (g *gather) add(in channel.Incoming) error {
	if g.batch = append(g.batch, in); len(g.batch) < channel.BatchSize {
		return nil
	}
	return g.flush()
}

func (g *gather) flush() error {
	if len(g.batch) == 0 {
		return nil
	}
	err := g.got(g.batch)
	g.batch = g.batch[:0]
	return err
}

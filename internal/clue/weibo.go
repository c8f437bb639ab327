package clue

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// WeiboStatus is a post that names us, as the open API writes it.
type WeiboStatus struct {
	ID      int64        `json:"id"`
	MID     string       `json:"mid,omitempty"`
	Created string       `json:"created_at"`
	Text    string       `json:"text"`
	User    WeiboUser    `json:"user"`
	Geo     *WeiboGeo    `json:"geo,omitempty"`
	Pics    []WeiboPic   `json:"pic_urls,omitempty"`
	Of      *WeiboStatus `json:"retweeted_status,omitempty"`
}

// WeiboUser is an author.
type WeiboUser struct {
	ID   int64  `json:"id"`
	Name string `json:"screen_name"`
}

// WeiboGeo is where a post was written: latitude first.
type WeiboGeo struct {
	Coordinates []float64 `json:"coordinates"`
}

// WeiboPic is a picture of a post.
type WeiboPic struct {
	Thumbnail string `json:"thumbnail_pic"`
}

// WeiboDirect is a private message, as the open API and the push of the fans' service write it.
type WeiboDirect struct {
	ID       int64           `json:"id"`
	Type     string          `json:"type"` // text, image, voice, position, event, mention
	Created  string          `json:"created_at"`
	Text     string          `json:"text"`
	Sender   int64           `json:"sender_id"`
	Receiver int64           `json:"receiver_id"`
	Name     string          `json:"sender_screen_name,omitempty"`
	Data     WeiboDirectData `json:"data"`
}

// WeiboDirectData is what comes beside the text.
type WeiboDirectData struct {
	Longitude string `json:"longitude,omitempty"`
	Latitude  string `json:"latitude,omitempty"`
	Subtype   string `json:"subtype,omitempty"`
	VFID      int64  `json:"vfid,omitempty"`
	TOVFID    int64  `json:"tovfid,omitempty"`
	Key       string `json:"key,omitempty"` // of a mention: the post or comment that names us
}

// weiboTime is how the open API writes a moment.
const weiboTime = "Mon Jan 02 15:04:05 -0700 2006"

func weiboAt(s string) civil.Instant {
	t, err := time.Parse(weiboTime, s)
	if err != nil {
		return 0
	}
	return civil.At(t)
}

// incoming is a mention as the channel keeps it.
func (s WeiboStatus) incoming(city int, account string) channel.Incoming {
	id := strconv.FormatInt(s.ID, 10)
	in := channel.Incoming{
		City: city, Channel: cases.Weibo, Account: account, ID: id, Form: channel.Mention, At: weiboAt(s.Created),
		SenderID: strconv.FormatInt(s.User.ID, 10), SenderName: s.User.Name, Text: strip(s.Text),
		Link: fmt.Sprintf("https://weibo.com/%d/%s", s.User.ID, cmp.Or(s.MID, id)), Handle: map[string]string{"status": id}, Raw: raw(s),
	}
	if s.Of != nil {
		in.Extra = map[string]string{ExtraRepost: strconv.FormatInt(s.Of.ID, 10)}
		if own := bare(in.Text); len(own) < shortly {
			in.Text = strings.TrimSpace(in.Text + " //" + strip(s.Of.Text))
		}
	}
	if s.Geo != nil && len(s.Geo.Coordinates) == 2 {
		in.Lat, in.Lng = &s.Geo.Coordinates[0], &s.Geo.Coordinates[1]
	}
	for _, p := range s.Pics {
		in.Media = append(in.Media, channel.Media{Kind: "image", Ref: p.Thumbnail})
	}
	return in
}

// incoming is a private message as the channel keeps it; false for what says nothing, such as a new follower.
func (d WeiboDirect) incoming(city int, account string) (channel.Incoming, bool) {
	sender := strconv.FormatInt(d.Sender, 10)
	in := channel.Incoming{
		City: city, Channel: cases.Weibo, Account: account, ID: d.key(), Form: channel.Direct, At: weiboAt(d.Created),
		SenderID: sender, SenderName: d.Name, Text: strip(d.Text), Handle: map[string]string{"receiver": sender}, Raw: raw(d),
	}
	switch d.Type {
	case "position":
		lng, err1 := strconv.ParseFloat(d.Data.Longitude, 64)
		lat, err2 := strconv.ParseFloat(d.Data.Latitude, 64)
		if err1 == nil && err2 == nil {
			in.Lng, in.Lat = &lng, &lat
		}
	case "image", "voice":
		in.Media = []channel.Media{{Kind: d.Type, Ref: strconv.FormatInt(cmp.Or(d.Data.TOVFID, d.Data.VFID), 10)}}
	case "mention":
		in.Form, in.Handle = channel.Mention, map[string]string{}
		if d.Data.Subtype != "comment" && d.Data.Key != "" { // the same post as polling brings; a comment is read, not answered here
			in.ID, in.Handle["status"] = d.Data.Key, d.Data.Key
		}
	case "event":
		return in, false
	}
	return in, d.Sender != 0 && (in.Text != "" || len(in.Media) > 0)
}

// key tells a repeat. What is pushed has no id, so that a message is known by who wrote what when; polling brings the same.
func (d WeiboDirect) key() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%s\n%s\n%d", d.Sender, d.Created, d.Type, strip(d.Text), cmp.Or(d.Data.TOVFID, d.Data.VFID)))
	return "dm-" + hex.EncodeToString(sum[:16])
}

func raw(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return nil // of plain values, which always can be written
	}
	return b
}

// WeiboPushed reads what the fans' service pushed. The request was proved by then.
func WeiboPushed(city int, account string, body []byte) (channel.Incoming, bool, error) {
	var d WeiboDirect
	if err := json.Unmarshal(body, &d); err != nil {
		return channel.Incoming{}, false, fault.Wrap(err, fault.Invalid, "clue.weibo.broken")
	}
	in, ok := d.incoming(city, account)
	return in, ok, nil
}

// WeiboProof is how a push proves itself: the SHA-1 of the application's secret, the time and the nonce, sorted.
func WeiboProof(secret, timestamp, nonce, signature string) channel.Proof {
	return channel.Proof{Timestamp: timestamp, Nonce: nonce, Got: signature, Want: channel.SignatureSorted(secret, timestamp, nonce)}
}

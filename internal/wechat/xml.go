package wechat

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/geo"
)

// The bounds of a pushed message: WeChat's own are far below.
const (
	MaxBody  = 64 << 10
	maxDepth = 6
	maxNodes = 300
	maxText  = 4000 // characters of what a resident wrote
	maxKey   = 200
	maxLists = 20 // templates of one window that asks for consent
)

var errXML = errors.New("wechat: not a message")

// envelope is an encrypted push.
type envelope struct {
	To      string `xml:"ToUserName"`
	Encrypt string `xml:"Encrypt"`
}

// push is a message as WeChat writes it, inside the envelope.
type push struct {
	To          string `xml:"ToUserName"`
	From        string `xml:"FromUserName"`
	Created     int64  `xml:"CreateTime"`
	Type        string `xml:"MsgType"`
	ID          string `xml:"MsgId"`
	Content     string `xml:"Content"`
	Media       string `xml:"MediaId"`
	Format      string `xml:"Format"`
	Recognition string `xml:"Recognition"`
	X           string `xml:"Location_X"` // latitude
	Y           string `xml:"Location_Y"` // longitude
	Label       string `xml:"Label"`
	Event       string `xml:"Event"`
	EventKey    string `xml:"EventKey"`
	Latitude    string `xml:"Latitude"`
	Longitude   string `xml:"Longitude"`
	JobID       string `xml:"MsgID"` // of a report on a template message
	Status      string `xml:"Status"`
	Popup       []word `xml:"SubscribeMsgPopupEvent>List"`
	Change      []word `xml:"SubscribeMsgChangeEvent>List"`
	SentList    []word `xml:"SubscribeMsgSentEvent>List"`
}

// word is one template in an event about subscription messages.
type word struct {
	Template string `xml:"TemplateId"`
	Status   string `xml:"SubscribeStatusString"`
	MsgID    string `xml:"MsgID"`
	Code     string `xml:"ErrorCode"`
	Why      string `xml:"ErrorStatus"`
}

// plain checks that a text is XML of elements and words alone: no document type, no entities of its own, no instructions, no
// attributes, and neither deeper nor longer than a message of WeChat ever is.
func plain(body []byte) error {
	if len(body) > MaxBody || !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 {
		return errXML
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	depth, nodes, roots := 0, 0, 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errXML
		}
		if nodes++; nodes > maxNodes {
			return errXML
		}
		switch x := t.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				roots++
			}
			if depth > maxDepth || len(x.Attr) > 0 || x.Name.Space != "" || depth == 1 && (roots > 1 || x.Name.Local != "xml") {
				return errXML
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(x)) > 0 {
				return errXML
			}
		default:
			return errXML
		}
	}
	if depth != 0 || roots != 1 {
		return errXML
	}
	return nil
}

func decode(body []byte, into any) error {
	if err := plain(body); err != nil {
		return err
	}
	if err := xml.Unmarshal(body, into); err != nil {
		return errXML
	}
	return nil
}

// parse reads a decrypted message.
func parse(body []byte) (push, error) {
	var p push
	if err := decode(body, &p); err != nil {
		return p, err
	}
	if !openID.MatchString(p.From) || p.Created <= 0 || p.Type == "" || len(p.ID) > maxKey {
		return p, errXML
	}
	return p, nil
}

// inbound brings a message into our words.
func (p push) inbound(app string) Inbound {
	in := Inbound{App: app, To: p.To, OpenID: p.From, At: time.Unix(p.Created, 0), Key: p.key(app)}
	switch p.Type {
	case "text":
		in.Kind, in.Text = Text, cut(p.Content, maxText)
	case "image":
		in.Kind, in.Media = Image, p.Media
	case "voice":
		in.Kind, in.Media, in.Format, in.Text = Voice, p.Media, p.Format, cut(p.Recognition, maxText)
	case "location":
		in.Kind, in.Label, in.Point = Location, cut(p.Label, maxKey), point(p.X, p.Y)
	case "event":
		p.event(&in)
	default:
		in.Kind = Other
	}
	if in.Kind == Location && in.Point == nil || (in.Kind == Image || in.Kind == Voice) && in.Media == "" {
		in.Kind = Other
	}
	return in
}

func (p push) event(in *Inbound) {
	switch p.Event {
	case "subscribe":
		in.Kind, in.Scene = Subscribe, cut(strings.TrimPrefix(p.EventKey, "qrscene_"), maxKey)
	case "unsubscribe":
		in.Kind = Unsubscribe
	case "CLICK":
		in.Kind, in.Text = Menu, cut(p.EventKey, maxKey)
	case "LOCATION":
		in.Kind, in.Point = Other, point(p.Latitude, p.Longitude) // sent on every visit: nobody asked for it, it is not kept
		in.Point = nil
	case "TEMPLATESENDJOBFINISH":
		in.Kind, in.Outcome = Sent, &Outcome{Message: p.JobID, Delivered: p.Status == "success", Why: cut(p.Status, maxKey)}
	case "subscribe_msg_sent_event":
		in.Kind = Other
		if len(p.SentList) > 0 {
			w := p.SentList[0]
			in.Kind, in.Outcome = Sent, &Outcome{Message: w.MsgID, Template: w.Template, Delivered: w.Code == "0", Why: cut(w.Why, maxKey)}
		}
	case "subscribe_msg_popup_event":
		in.Kind, in.Allowances = Consents, allowances(p.Popup, true)
	case "subscribe_msg_change_event":
		in.Kind, in.Allowances = Consents, allowances(p.Change, false)
	default:
		in.Kind = Other
	}
}

func allowances(words []word, popup bool) []Allowance {
	var out []Allowance
	for _, w := range words[:min(len(words), maxLists)] {
		out = append(out, Allowance{Template: w.Template, Accepted: w.Status == "accept", Popup: popup})
	}
	return out
}

// key names a message: WeChat's id of it, or for events sender, time and what happened.
func (p push) key(app string) string {
	if p.Type != "event" && p.ID != "" {
		return app + ":m:" + p.ID
	}
	what := []string{p.Event, p.EventKey, p.JobID}
	for _, w := range p.SentList {
		what = append(what, w.MsgID)
	}
	return fmt.Sprintf("%s:e:%s", app, Sign(p.From, strconv.FormatInt(p.Created, 10), strings.Join(what, ":")))
}

// point reads a location, which WeChat gives in GCJ-02.
func point(lat, lng string) *geo.Point {
	y, err1 := strconv.ParseFloat(lat, 64)
	x, err2 := strconv.ParseFloat(lng, 64)
	if err1 != nil || err2 != nil || y < -90 || y > 90 || x < -180 || x > 180 {
		return nil
	}
	p := geo.FromGCJ02(geo.Point{Lng: x, Lat: y})
	return &p
}

func cut(s string, most int) string {
	r := []rune(strings.TrimSpace(s))
	return string(r[:min(len(r), most)])
}

// cdata is a text in the form that WeChat writes.
type cdata struct {
	Text string `xml:",cdata"`
}

type reply struct {
	XMLName xml.Name `xml:"xml"`
	To      cdata    `xml:"ToUserName"`
	From    cdata    `xml:"FromUserName"`
	Created int64    `xml:"CreateTime"`
	Type    cdata    `xml:"MsgType"`
	Content cdata    `xml:"Content"`
}

type sealedReply struct {
	XMLName   xml.Name `xml:"xml"`
	Encrypt   cdata    `xml:"Encrypt"`
	Signature cdata    `xml:"MsgSignature"`
	Timestamp int64    `xml:"TimeStamp"`
	Nonce     cdata    `xml:"Nonce"`
}

func encode(v any) ([]byte, error) {
	b, err := xml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write the answer to WeChat: %w", err)
	}
	return b, nil
}

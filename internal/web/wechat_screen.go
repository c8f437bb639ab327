package web

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"regexp"
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/httpx"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/internal/wechat/wechatfake"
)

// Phone is the telephone of the demonstration: a resident in a WeChat that sends nothing.
type Phone struct {
	City     int
	Fake     *wechatfake.Server
	Official string // app id
	Name     string // of the official account
}

// wxPhoneRoutes are there only beside the fake.
func (w *Web) wxPhoneRoutes() []Route {
	if w.Phone == nil {
		return nil
	}
	return []Route{get("/c/{city}/demo/wechat", public, w.wxPhone), post("/c/{city}/demo/wechat", public, w.wxTap)}
}

// wxInput is what somebody does on the telephone.
type wxInput struct {
	Do   string `form:"do"` // follow, leave, say, tap, photo, place
	Text string `form:"text"`
	Key  string `form:"key"`
}

const wxCookie = "demo_wechat"

var wxID = regexp.MustCompile(`^oDemo[0-9a-f]{16}$`)

// whose is the visitor's openid; each browser is a resident of its own.
func (w *Web) whose(rw http.ResponseWriter, r *http.Request) string {
	if k, err := r.Cookie(wxCookie); err == nil && wxID.MatchString(k.Value) {
		return k.Value
	}
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	id := "oDemo" + hex.EncodeToString(b)
	w.cookies.Set(rw, wxCookie, id, 0)
	return id
}

// wxScreen is the screen.
type wxScreen struct {
	city    int
	name    string
	cards   []wechatfake.Card
	menu    []wechatfake.Button
	follows bool
}

func (w *Web) wxScreen(rw http.ResponseWriter, r *http.Request) (wxScreen, error) {
	p := w.Phone
	if httpx.City(r.Context()) != p.City {
		return wxScreen{}, fault.New(fault.NotFound, "not_found")
	}
	id := w.whose(rw, r)
	v := wxScreen{city: p.City, name: p.Name, cards: p.Fake.Cards(p.Official, id), menu: p.Fake.MenuOf(p.Official), follows: p.Fake.Follows(p.Official, id)}
	slices.SortStableFunc(v.cards, func(a, b wechatfake.Card) int { return cmp.Compare(a.At.UnixMilli(), b.At.UnixMilli()) })
	return v, nil
}

func (w *Web) wxPhone(rw http.ResponseWriter, r *http.Request) error {
	v, err := w.wxScreen(rw, r)
	if err != nil {
		return err
	}
	rw.Header().Set("Cache-Control", "no-store")
	return w.showBare(rw, r, Page{Title: text.Msg("wechatpage.phone"), Body: wxBody(v), Part: wxTalk(v)})
}

// wxTap does what the visitor does; the fake pushes it to this installation as WeChat would.
func (w *Web) wxTap(rw http.ResponseWriter, r *http.Request) error {
	in, err := httpx.Bind[wxInput](r)
	if err != nil {
		return err
	}
	if err := turn(w.reports, r); err != nil {
		return err
	}
	p, id, ctx := w.Phone, w.whose(rw, r), r.Context()
	if httpx.City(ctx) != p.City {
		return fault.New(fault.NotFound, "not_found")
	}
	const most = 200
	switch in.Do {
	case "follow":
		_, err = p.Fake.Follow(ctx, p.Official, id)
	case "leave":
		err = p.Fake.Leave(ctx, p.Official, id)
	case "tap":
		_, err = p.Fake.Tap(ctx, p.Official, id, in.Key)
	case "photo":
		var b []byte
		if b, err = thermometer(); err == nil {
			_, err = p.Fake.Photo(ctx, p.Official, id, "image/jpeg", b)
		}
	case "say":
		if said := []rune(in.Text); len(said) > 0 {
			_, err = p.Fake.Write(ctx, p.Official, id, string(said[:min(len(said), most)]))
		}
	default:
		err = fault.New(fault.Invalid, "field.not_one_of", "allowed", "follow, leave, tap, photo, say")
	}
	if err != nil {
		return err
	}
	return w.to(rw, r, at("/c/{city}/demo/wechat", p.City))
}

// thermometer is a picture that a resident might send.
func thermometer() ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, 120, 160))
	for y := range 160 {
		for x := range 120 {
			c := color.RGBA{R: 238, G: 242, B: 245, A: 255}
			if x > 50 && x < 70 && y > 90 && y < 140 {
				c = color.RGBA{R: 179, G: 22, B: 27, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, nil)
	return b.Bytes(), err
}

// clock is the time on a card, on the machine's clock as WeChat's would be.
func wxClock(c wechatfake.Card) string { return civil.At(c.At).Clock() }

// mine reports whether the visitor wrote a card.
func mineCard(c wechatfake.Card) bool { return c.From == wechatfake.Resident }

// keywordsOf are the keywords of a template in a steady order.
func keywordsOf(c wechatfake.Card) []string {
	out := make([]string, 0, len(c.Data))
	for k := range c.Data {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

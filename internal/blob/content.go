package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/rehu-heat/rehu/internal/fault"
)

// kind is what content really is, whatever its name says.
type kind int

const (
	unknown kind = iota
	jpegKind
	pngKind
	webpKind
	heicKind
	pdfKind
	amrKind
	mp3Kind
)

func kindOf(b []byte) kind {
	has := func(at int, s string) bool { return len(b) >= at+len(s) && string(b[at:at+len(s)]) == s }
	switch {
	case has(0, "\xff\xd8\xff"):
		return jpegKind
	case has(0, "\x89PNG\r\n\x1a\n"):
		return pngKind
	case has(0, "RIFF") && has(8, "WEBP"):
		return webpKind
	case has(4, "ftyp") && len(b) >= 12 && slices.Contains([]string{"heic", "heix", "heim", "heis", "hevc", "mif1", "msf1", "avif"}, string(b[8:12])):
		return heicKind
	case has(0, "%PDF-"):
		return pdfKind
	case has(0, "#!AMR\n"), has(0, "#!AMR-WB\n"):
		return amrKind
	case has(0, "ID3"), has(0, "\xff\xfb"), has(0, "\xff\xf3"), has(0, "\xff\xf2"):
		return mp3Kind
	}
	return unknown
}

// treated is content as it is kept.
type treated struct {
	bytes      []byte
	media, ext string
}

// treat checks content and writes images anew.
func (s *Service) treat(ctx context.Context, raw []byte, purpose string) (treated, error) {
	k := kindOf(raw)
	if purpose == Voice || k == amrKind || k == mp3Kind {
		return recording(raw, k, purpose)
	}
	switch k {
	case jpegKind, pngKind, webpKind:
		select {
		case s.turns <- struct{}{}:
		case <-ctx.Done():
			return treated{}, fault.Wrap(ctx.Err(), fault.Down, "blob.down")
		}
		defer func() { <-s.turns }()
		out, err := renew(raw, k)
		return treated{out, "image/jpeg", ".jpg"}, err
	case pdfKind:
		if purpose == Photo {
			return treated{}, fault.New(fault.Invalid, "blob.not_image")
		}
		if !bytes.Contains(raw[max(0, len(raw)-2048):], []byte("%%EOF")) {
			return treated{}, fault.New(fault.Invalid, "blob.broken")
		}
		return treated{raw, "application/pdf", ".pdf"}, nil
	case heicKind:
		return treated{}, fault.New(fault.Invalid, "blob.heic")
	case unknown, amrKind, mp3Kind:
	}
	if purpose == Photo {
		return treated{}, fault.New(fault.Invalid, "blob.not_image")
	}
	return treated{}, fault.New(fault.Invalid, "blob.unsupported")
}

// recording takes a recording where one is wanted, and nothing else there.
func recording(raw []byte, k kind, purpose string) (treated, error) {
	switch {
	case purpose == Voice && k == amrKind:
		return treated{raw, "audio/amr", ".amr"}, nil
	case purpose == Voice && k == mp3Kind:
		return treated{raw, "audio/mpeg", ".mp3"}, nil
	case purpose == Voice:
		return treated{}, fault.New(fault.Invalid, "blob.not_recording")
	case purpose == Photo:
		return treated{}, fault.New(fault.Invalid, "blob.not_image")
	}
	return treated{}, fault.New(fault.Invalid, "blob.unsupported")
}

// renew decodes an image, makes it at most 2048 pixels long and upright, and writes it as JPEG without metadata. The
// size is read before anything is decoded: a small file can claim to be an enormous picture.
func renew(raw []byte, k kind) ([]byte, error) {
	most := maxOtherPixels
	if k == jpegKind {
		most = maxJPEGPixels
	}
	cfg, err := size(raw, k)
	if err != nil || cfg.Width <= 0 || cfg.Height <= 0 {
		return nil, fault.Wrap(err, fault.Invalid, "blob.broken")
	}
	if int64(cfg.Width)*int64(cfg.Height) > int64(most) {
		return nil, fault.New(fault.Invalid, "blob.too_many_pixels", "width", cfg.Width, "height", cfg.Height, "max", most/1_000_000)
	}
	img, err := decode(raw, k)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "blob.broken")
	}
	upright := turn(shrink(img), orientation(raw, k))
	var b bytes.Buffer
	if err := jpeg.Encode(&b, upright, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("write the image anew: %w", err)
	}
	return b.Bytes(), nil
}

func size(raw []byte, k kind) (image.Config, error) {
	r := bytes.NewReader(raw)
	switch k {
	case pngKind:
		return png.DecodeConfig(r)
	case webpKind:
		return webp.DecodeConfig(r)
	case jpegKind, heicKind, pdfKind, unknown, amrKind, mp3Kind:
	}
	return jpeg.DecodeConfig(r)
}

func decode(raw []byte, k kind) (image.Image, error) {
	r := bytes.NewReader(raw)
	switch k {
	case pngKind:
		return png.Decode(r)
	case webpKind:
		return webp.Decode(r)
	case jpegKind, heicKind, pdfKind, unknown, amrKind, mp3Kind:
	}
	return jpeg.Decode(r)
}

// shrink puts the image on white, since JPEG knows no transparency, at most longEdge long.
func shrink(img image.Image) *image.RGBA {
	from := img.Bounds()
	w, h := from.Dx(), from.Dy()
	if long := max(w, h); long > longEdge {
		w, h = max(1, w*longEdge/long), max(1, h*longEdge/long)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	if w == from.Dx() {
		draw.Draw(out, out.Bounds(), img, from.Min, draw.Over)
		return out
	}
	draw.BiLinear.Scale(out, out.Bounds(), img, from, draw.Over, nil)
	return out
}

// turn applies an EXIF orientation (1 to 8).
func turn(img *image.RGBA, o int) *image.RGBA {
	if o <= 1 || o > 8 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	ow, oh := w, h
	if o >= 5 {
		ow, oh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, ow, oh))
	for y := range oh {
		for x := range ow {
			sx, sy := source(o, x, y, w, h)
			copy(out.Pix[out.PixOffset(x, y):][:4], img.Pix[img.PixOffset(sx, sy):][:4])
		}
	}
	return out
}

// source is the pixel of a w × h image that stands at x, y once it is upright.
func source(o, x, y, w, h int) (int, int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

package paper

import (
	"bytes"
	"errors"
	"fmt"
	stdimage "image"
	"image/color"
	stddraw "image/draw"
	"image/jpeg"
	_ "image/png" // signatures are drawn as PNG

	"golang.org/x/image/draw"
)

// picture is an image that fits its box, in points.
type picture struct {
	data []byte
	w, h float64
}

const (
	maxPixels = 40_000_000 // more is no photo of a room but an attempt at the memory
	perPoint  = 2.1        // pixels kept for each point: 150 to the inch
)

var errTooLarge = errors.New("picture has too many pixels")

// shrink fits a picture into a box and keeps no more pixels than print shows, so that ten photos make a document that can be sent.
func shrink(data []byte, w, h float64) (picture, error) {
	cfg, _, err := stdimage.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return picture{}, fmt.Errorf("read the picture: %w", err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width*cfg.Height > maxPixels {
		return picture{}, errTooLarge
	}
	src, _, err := stdimage.Decode(bytes.NewReader(data))
	if err != nil {
		return picture{}, fmt.Errorf("read the picture: %w", err)
	}
	scale := min(w/float64(cfg.Width), h/float64(cfg.Height))
	out := picture{w: float64(cfg.Width) * scale, h: float64(cfg.Height) * scale}
	pw, ph := min(cfg.Width, int(out.w*perPoint)+1), min(cfg.Height, int(out.h*perPoint)+1)
	page := stdimage.NewRGBA(stdimage.Rect(0, 0, pw, ph))
	stddraw.Draw(page, page.Bounds(), stdimage.NewUniform(color.White), stdimage.Point{}, stddraw.Src)
	draw.ApproxBiLinear.Scale(page, page.Bounds(), src, src.Bounds(), draw.Over, nil)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, page, &jpeg.Options{Quality: 85}); err != nil {
		return picture{}, fmt.Errorf("pack the picture: %w", err)
	}
	out.data = b.Bytes()
	return out, nil
}

package blob

import (
	"bytes"
	"encoding/binary"
)

// orientation is how a camera was held (EXIF 1 to 8), 1 when nothing is said.
func orientation(raw []byte, k kind) int {
	switch k {
	case jpegKind:
		return tiffOrientation(jpegExif(raw))
	case pngKind:
		return tiffOrientation(chunk(raw, 8, binary.BigEndian, "eXIf", 4))
	case webpKind:
		return tiffOrientation(bytes.TrimPrefix(chunk(raw, 12, binary.LittleEndian, "EXIF", 0), []byte("Exif\x00\x00")))
	case heicKind, pdfKind, unknown, amrKind, mp3Kind:
	}
	return 1
}

// jpegExif finds the EXIF block among the segments before the picture.
func jpegExif(b []byte) []byte {
	for at := 2; at+4 <= len(b) && b[at] == 0xff; {
		marker, n := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if marker == 0xda || n < 2 || at+2+n > len(b) { // start of scan
			return nil
		}
		body := b[at+4 : at+2+n]
		if exif, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); ok && marker == 0xe1 {
			return exif
		}
		at += 2 + n
	}
	return nil
}

// chunk finds a chunk of a PNG (length before the name, four bytes of checksum after) or WebP file (name before the
// length, padded to even).
func chunk(b []byte, at int, order binary.ByteOrder, name string, tail int) []byte {
	for at >= 0 && at+8 <= len(b) {
		id, length := b[at:at+4], b[at+4:at+8]
		if tail > 0 {
			id, length = length, id
		}
		n := int(order.Uint32(length))
		if n < 0 || n > len(b)-at-8 {
			return nil
		}
		if string(id) == name {
			return b[at+8 : at+8+n]
		}
		at += 8 + n + tail
		if tail == 0 {
			at += n & 1
		}
	}
	return nil
}

// tiffOrientation reads tag 0x0112 of the first directory.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int(order.Uint32(b[4:]))
	if at < 8 || at+2 > len(b) {
		return 1
	}
	for i := range int(order.Uint16(b[at:])) {
		entry := at + 2 + 12*i
		if entry+12 > len(b) {
			return 1
		}
		if order.Uint16(b[entry:]) == 0x0112 {
			if v := int(order.Uint16(b[entry+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

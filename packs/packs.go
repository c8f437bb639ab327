// Package packs embeds the city packs, so that the program knows the rules of its cities without any other file.
package packs

import "embed"

// FS holds the packs.
//
//go:embed *.yaml
var FS embed.FS

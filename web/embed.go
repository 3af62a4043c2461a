// Package web holds the built page.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist returns the built page's files; index.html is at its root. The only error
// is a build without them.
func Dist() (fs.FS, error) { return fs.Sub(dist, "dist") }

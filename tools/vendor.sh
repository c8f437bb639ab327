#!/usr/bin/env bash
# Fetches the few browser files that are kept in the tree, once, by hand, when a version changes. The build never calls it.
# usage: tools/vendor.sh   (needs npm and node's registry)
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
out=$top/internal/web/static/vendor
axe=$top/internal/web/webtest/testdata
htmx=2.0.11 sse=2.2.4 leaflet=1.9.4 lucide=1.62.0 axecore=4.14.1
icons=$(cat "$out/icons.txt")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
get() { npm pack --silent "$1@$2" >/dev/null; mkdir "$3"; tar xzf "${1##*/}-$2.tgz" -C "$3" --strip-components=1; }
get htmx.org $htmx htmx; get htmx-ext-sse $sse sse; get leaflet $leaflet leaflet; get lucide-static $lucide lucide; get axe-core $axecore axe

rm -f "$out"/*.js "$out"/*.css "$out"/*.svg "$axe"/axe-*.js
cp htmx/dist/htmx.min.js "$out/htmx-$htmx.js"
cp sse/sse.js "$out/htmx-ext-sse-$sse.js"
cp leaflet/dist/leaflet.js "$out/leaflet-$leaflet.js"
cp axe/axe.min.js "$axe/axe-$axecore.min.js"
# Unlayered rules beat every layer, so the map's rules go into the lowest one.
{ echo "@layer vendor {"; cat leaflet/dist/leaflet.css; echo "}"; } >"$out/leaflet-$leaflet.css"
{
  echo '<svg xmlns="http://www.w3.org/2000/svg">'
  for i in $icons; do
    body=$(grep -vE '^<!--' "lucide/icons/$i.svg" | tr '\n' ' ' | sed -E 's/<svg[^>]*>//; s/<\/svg>//; s/[[:space:]]+/ /g; s/ \/>/\/>/g')
    echo "<symbol id=\"$i\" viewBox=\"0 0 24 24\">${body}</symbol>"
  done
  echo '</svg>'
} >"$out/icons-$lucide.svg"

cd "$out"
{
  echo "# Files of others"
  echo
  echo "Made by tools/vendor.sh; never edited by hand. axe-core serves the browser tests only and is not in the binary."
  echo
  echo "| file | source | version | licence | sha256 |"
  echo "|---|---|---|---|---|"
  row() { echo "| $1 | npm $2 | $3 | $4 | $(sha256sum "$5" | cut -d' ' -f1) |"; }
  row "htmx-$htmx.js" htmx.org $htmx 0BSD "htmx-$htmx.js"
  row "htmx-ext-sse-$sse.js" htmx-ext-sse $sse 0BSD "htmx-ext-sse-$sse.js"
  row "leaflet-$leaflet.js" leaflet $leaflet BSD-2-Clause "leaflet-$leaflet.js"
  row "leaflet-$leaflet.css (wrapped in a layer)" leaflet $leaflet BSD-2-Clause "leaflet-$leaflet.css"
  row "icons-$lucide.svg (sprite of icons.txt)" lucide-static $lucide ISC "icons-$lucide.svg"
  row "../../webtest/testdata/axe-$axecore.min.js" axe-core $axecore MPL-2.0 "$axe/axe-$axecore.min.js"
} >README.md

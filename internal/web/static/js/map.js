// Draws GeoJSON on a map. A feature's properties: name (shown), fill 1-8 (colour of its company), href (opened by a click),
// kind "line" for streets and rivers, note (shown beside the pointer). Everything is text, never HTML.
import '../vendor/leaflet-1.9.4.js'

const L = window.L
const FILLS = ['#ccd5de', '#9cc3ea', '#f3c98b', '#a9d8b8', '#d9b8e3', '#f2b5b0', '#c9cf8a', '#b9c4d6', '#9fd6d6']

function styleSheet(href) {
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve()
  return new Promise(done => {
    const link = document.createElement('link')
    link.rel = 'stylesheet'
    link.href = href
    link.onload = link.onerror = done
    document.head.append(link)
  })
}

// How what lies under a map is drawn: over the areas, so that it can be seen, and never in the way of a click.
const BASE = {
  water: { color: '#4f9fc9', weight: 1, fill: true, fillColor: '#a9d5ea', fillOpacity: 0.9 }, river: { color: '#4f9fc9', weight: 5, opacity: 0.8 },
  rail: { color: '#44525f', weight: 2, dashArray: '8 5' }, ring: { color: '#fff', weight: 5, opacity: 0.95 }, arterial: { color: '#fff', weight: 3, opacity: 0.9 },
  road: { color: '#fff', weight: 1, opacity: 0.75 }, district: { color: '#14202e', weight: 2, dashArray: '2 6', opacity: 0.8 }, street: { color: '#44525f', weight: 1, dashArray: '1 6', opacity: 0.6 },
}

const json = url => fetch(url, { headers: { Accept: 'application/geo+json, application/json' } }).then(r => r.ok ? r.json() : Promise.reject(new Error(String(r.status))))

// The names of rivers and districts stand there always, those of roads only when one looks closely.
function names(map, base) {
  const near = L.layerGroup()
  const put = (f, at, group) => {
    const el = document.createElement('span')
    el.textContent = f.properties.name
    group.addLayer(L.tooltip({ permanent: true, direction: 'center', className: 'name under ' + f.properties.kind, interactive: false }).setLatLng(at).setContent(el))
  }
  const far = L.layerGroup().addTo(map)
  const said = new Set()
  base.eachLayer(l => {
    const p = l.feature.properties
    if (!p.name || said.has(p.kind + p.name) || p.kind === 'street') return
    said.add(p.kind + p.name)
    const line = l.getLatLngs().flat(3)
    const at = p.at ? [p.at[1], p.at[0]] : line[Math.floor(line.length / 2)]
    put(l.feature, at, p.kind === 'river' || p.kind === 'district' ? far : near)
  })
  const zoomed = () => { map.getZoom() >= map.rehuWhole + 1.5 ? near.addTo(map) : near.remove() }
  map.on('zoomend', zoomed)
}

// Names never lie over each other: those of companies stand first, and one that has no room beside the others steps a line
// up or down, or stays away until one looks closer. The table beside the map says them all.
const STEPS = [0, 15, -15, 30, -30]
function space(map) {
  const rank = el => ['under', 'district', 'river'].findIndex(c => el.classList.contains(c)) < 0 ? 0 : el.classList.contains('district') ? 1 : el.classList.contains('river') ? 2 : 3
  const all = [...map.getPane('tooltipPane').querySelectorAll('.name')].sort((a, b) => rank(a) - rank(b))
  const put = []
  const free = r => put.every(o => r.right + 2 < o.left || o.right + 2 < r.left || r.bottom < o.top || o.bottom < r.top)
  for (const el of all) {
    el.style.marginTop = ''
    el.style.visibility = ''
    const r = el.getBoundingClientRect()
    const at = STEPS.map(dy => ({ dy, left: r.left, right: r.right, top: r.top + dy + 3, bottom: r.bottom + dy - 3 })).find(free)
    if (at) {
      put.push(at)
      if (at.dy) el.style.marginTop = `${at.dy}px`
    } else {
      el.style.visibility = 'hidden'
    }
  }
}

function under(map, data) {
  const pane = map.createPane('under')
  pane.style.zIndex = 410
  pane.style.pointerEvents = 'none'
  const base = L.geoJSON(data, { pane: 'under', interactive: false, style: f => ({ fill: false, lineJoin: 'round', ...BASE[f.properties.kind] }) }).addTo(map)
  names(map, base)
}

const look = f => {
  const p = f.properties || {}
  if (p.kind === 'line') return { color: '#fff', weight: p.weight || 3, opacity: 0.9, fill: false, interactive: false }
  if (p.chosen) return { color: '#b3161b', weight: 4, fillOpacity: 0.9, fillColor: FILLS[p.fill || 0] }
  return { color: '#44525f', weight: 1, fillOpacity: 0.9, fillColor: FILLS[p.fill || 0] }
}

function name(layer, p) {
  const el = document.createElement('span')
  el.textContent = p.name
  layer.bindTooltip(el, { permanent: true, direction: 'center', className: 'name' })
}

function note(layer, p) {
  const el = document.createElement('span')
  el.textContent = p.note
  layer.bindTooltip(el, { sticky: true })
}

export async function draw(box) {
  const [data, base] = await Promise.all([
    json(box.dataset.map),
    box.dataset.base ? json(box.dataset.base) : { features: [] },
    styleSheet(box.dataset.css),
  ])
  const many = (data.features || []).length
  box.textContent = ''
  const map = L.map(box, { preferCanvas: many > 1000, attributionControl: Boolean(box.dataset.attribution), zoomSnap: 0.25, fadeAnimation: false, zoomAnimation: !matchMedia('(prefers-reduced-motion: reduce)').matches })
  map.zoomControl.setPosition('topright')
  if (box.dataset.tiles) L.tileLayer(box.dataset.tiles, { attribution: '', maxZoom: 18 }).addTo(map)
  if (box.dataset.attribution) map.attributionControl.setPrefix(false).addAttribution(box.dataset.attribution.replace(/[<>&]/g, ''))
  const layer = L.geoJSON(data, {
    style: look,
    pointToLayer: (f, at) => L.circleMarker(at, { radius: f.properties.radius || 7, color: '#14202e', weight: 2, fillOpacity: 0.95, fillColor: FILLS[f.properties.fill || 0] }),
    onEachFeature(f, l) {
      const p = f.properties || {}
      if (p.name && p.kind !== 'line' && many <= 300) name(l, p)
      else if (p.note || p.name) note(l, { note: p.note || p.name })
      if (p.href) l.on('click', () => location.assign(p.href))
    },
  }).addTo(map)
  const chosen = (data.features || []).find(f => f.properties && f.properties.chosen)
  const bounds = chosen ? L.geoJSON(chosen).getBounds().pad(0.6) : layer.getBounds()
  map.fitBounds(bounds.isValid() ? bounds : [[39.8, 116.2], [40, 116.5]], { padding: [8, 8] })
  map.rehuWhole = map.getZoom()
  if (base.features.length) under(map, base)
  if (box.dataset.review) {
    const el = document.createElement('span')
    el.className = 'review'
    el.textContent = box.dataset.review
    box.append(el)
  }
  const again = () => requestAnimationFrame(() => space(map))
  map.on('zoomend resize', again)
  again()
  box.dispatchEvent(new CustomEvent('rehu:map', { bubbles: true, detail: { map, layer } }))
}

// The keyboard of a table: arrows or J and K move, Enter opens, Esc closes and comes back, / searches, letters press the
// buttons that show them. Off while typing, in a dialog, while an input method composes, and with Ctrl, Alt or Meta.
const rowsOf = table => [...table.tBodies].flatMap(b => [...b.rows]).filter(r => r.id || r.querySelector('a[href]'))
const table = () => document.querySelector('[data-rows]')
let chosen = '' // the id or address of the row that is chosen, to find it again after a swap

const nameOf = row => row.id || (row.querySelector('a[href]') || {}).href || ''

function choose(row, focus) {
  const t = table()
  if (!row || !t) return
  for (const r of rowsOf(t)) {
    r.tabIndex = r === row ? 0 : -1
  }
  chosen = nameOf(row)
  if (focus) {
    row.focus({ preventScroll: true })
    row.scrollIntoView({ block: 'nearest' })
  }
}

function mark(row) {
  for (const r of rowsOf(table())) r.setAttribute('aria-selected', String(r === row))
}

export function start() {
  const t = table()
  if (!t) return
  const rows = rowsOf(t)
  if (!rows.length) return
  const now = rows.find(r => nameOf(r) === chosen) || rows.find(r => r.getAttribute('aria-selected') === 'true') || rows[0]
  choose(now, t.dataset.held === 'true')
  t.dataset.held = 'false'
}

// A dialog that was just closed keeps the cursor until the browser paints again; nobody types there.
function typing(e) {
  const el = e.target
  if (el.closest('dialog:not([open])')) return false
  return e.isComposing || e.ctrlKey || e.altKey || e.metaKey || el.isContentEditable || el.closest('dialog') ||
    /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName)
}

function open(row) {
  const link = row.querySelector('a[data-row-link]') || row.querySelector('a[href]')
  if (!link) return
  if (link.hasAttribute('hx-get')) mark(row)
  link.click()
}

function back() {
  const shut = document.querySelector('[data-shut]')
  if (shut) shut.click()
  const row = rowsOf(table() || document.createElement('table')).find(r => nameOf(r) === chosen)
  if (row) choose(row, true)
}

function press(key) {
  for (const el of document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)) {
    if (!el.disabled && el.offsetParent !== null) {
      el.click()
      return true
    }
  }
  return false
}

function onKey(e) {
  if (e.key === 'Escape' && !e.target.closest('dialog') && !e.isComposing) return back()
  if (typing(e)) return
  const t = table()
  const rows = t ? rowsOf(t) : []
  const at = rows.findIndex(r => nameOf(r) === chosen)
  const moves = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: rows.length - 1 }
  if (rows.length && e.key in moves) {
    choose(rows[Math.max(0, Math.min(rows.length - 1, moves[e.key]))], true)
  } else if (e.key === 'Enter' && e.target.tagName === 'TR') {
    open(e.target)
  } else if (e.key === '/') {
    const box = document.querySelector('[data-search]')
    if (!box) return
    box.focus()
  } else if (e.key === '?') {
    const help = document.getElementById('keys-help')
    if (!help || !help.showModal) return
    help.showModal()
  } else if (e.key.length !== 1 || !press(e.key.toLowerCase())) {
    return
  }
  e.preventDefault() // else the key lands in the field that opens
}

export function once() {
  document.addEventListener('keydown', onKey)
  document.addEventListener('click', e => {
    const row = e.target.closest('[data-rows] tbody tr')
    if (!row || !table() || !table().contains(row)) return
    choose(row, false)
    const link = e.target.closest('a')
    if (link && link.hasAttribute('hx-get')) mark(row)
    if (!link && !e.target.closest('button,input,label,select') && !String(getSelection())) open(row)
  })
  document.addEventListener('htmx:beforeSwap', e => {
    const t = table()
    if (t && e.detail.target && e.detail.target.contains(t)) t.dataset.held = String(t.contains(document.activeElement))
  })
}

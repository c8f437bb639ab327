// The list of cases lives: rows that are shown change in place and keep what the reader had chosen; new cases only raise a
// bar, so that no row moves from under the pointer.
const waiting = new Set()
let held = ''
let stale = false // the case that is open changed meanwhile

function raise(words) {
  const bar = document.querySelector('[data-fresh]')
  if (!bar) return
  bar.textContent = words
  bar.hidden = false
}

// Rows that are not shown are none of this page's business.
function rows(e) {
  e.preventDefault()
  const sent = new DOMParser().parseFromString(`<table><tbody>${e.detail.data}</tbody></table>`, 'text/html')
  const shown = [...sent.querySelectorAll('tr')].filter((row) => document.getElementById(row.id))
  if (shown.some((row) => document.getElementById(row.id).getAttribute('aria-selected') === 'true')) stale = true
  if (shown.length) window.htmx.swap(e.target, shown.map((row) => row.outerHTML).join(''), { swapStyle: 'none' })
  renew()
}

// The case beside the list follows its row, but never from under a form that somebody is filling in.
function renew() {
  if (!stale || document.querySelector('dialog[open]') || !document.querySelector('#side .drawer')) return
  stale = false
  window.htmx.ajax('GET', location.href, { target: '#side' })
}

function message(e) {
  if (e.detail.type === 'row') return rows(e)
  if (e.detail.type !== 'new') return
  e.preventDefault()
  for (const id of JSON.parse(e.detail.data)) {
    if (!document.getElementById('c-' + id)) waiting.add(id)
  }
  const bar = document.querySelector('[data-fresh]')
  if (waiting.size && bar) raise(bar.dataset.fresh.replace('{n}', waiting.size))
}

// The new row takes over what belongs to the reader: the mark, the tick, the place of the keyboard.
function keep(e) {
  const old = e.detail.target
  const row = e.detail.fragment && e.detail.fragment.querySelector('tr')
  if (!row || old.tagName !== 'TR') return
  row.setAttribute('aria-selected', old.getAttribute('aria-selected'))
  row.tabIndex = old.tabIndex
  const was = old.querySelector('input[name=ids]'), now = row.querySelector('input[name=ids]')
  if (was && now && was.checked) now.setAttribute('checked', '')
  held = old.contains(document.activeElement) ? old.id : ''
}

function giveBack() {
  const row = held && document.getElementById(held)
  held = ''
  if (row) row.focus({ preventScroll: true })
}

// A dialog that was answered goes; without one, the keyboard returns to the row that is open.
function answered(e) {
  if (!e.detail.target || e.detail.target.id !== 'ask' || e.detail.target.querySelector('dialog')) return
  const row = document.querySelector('[data-rows] tr[aria-selected=true]')
  if (row) row.focus({ preventScroll: true })
}

export function once() {
  document.addEventListener('htmx:sseBeforeMessage', message)
  document.addEventListener('htmx:oobBeforeSwap', keep)
  document.addEventListener('htmx:oobAfterSwap', giveBack)
  document.addEventListener('htmx:afterSwap', answered)
  document.addEventListener('close', renew, true) // of a dialog
  document.addEventListener('refresh', e => raise(e.target.dataset.words))
  document.addEventListener('click', e => {
    if (e.target.closest('[data-fresh]')) location.reload()
  })
}

// The seat's screen asks the server what it knows while the form is being filled in: who is responsible, what is still to
// ask, who called before, what may be read out. What was typed is never touched.
import { once as keys } from './seatkeys.js'

let timer = 0
let asked = null
let chosen = false // the category was chosen by hand

const screen = () => document.querySelector('[data-seat]')
const form = () => document.getElementById('seat-form')

// typedIn is what was typed; files are not asked about.
function typedIn(f) {
  const out = new URLSearchParams()
  for (const [name, value] of new FormData(f)) if (typeof value === 'string') out.append(name, value)
  return out
}

async function ask() {
  if (asked) asked.abort()
  asked = new AbortController()
  try {
    const answer = await fetch(screen().dataset.seat, {
      method: 'POST', body: typedIn(form()), headers: { 'HX-Request': 'true' }, signal: asked.signal,
    })
    if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), 'text/html'))
  } catch { /* a newer question, or no network: what is shown stays */ }
}

// put shows the parts of an answer, but leaves those alone in which the keyboard stands.
function put(page) {
  for (const part of page.querySelectorAll('[data-into]')) {
    const box = document.getElementById(part.dataset.into)
    if (!box || box.contains(document.activeElement)) continue
    if (part.dataset.category && !chosen) form().elements.category.value = part.dataset.category
    if (same(box, part)) continue
    box.replaceChildren(...part.childNodes)
  }
  mark()
}

// same keeps what has not changed, so that a screen reader does not say it again and what was unfolded stays open.
const same = (a, b) => a.childNodes.length === b.childNodes.length && [...a.childNodes].every((n, i) => n.isEqualNode(b.childNodes[i]))

// mark shows at the fields themselves which of them the entry standard still misses.
function mark() {
  for (const f of form().querySelectorAll('.field.open')) f.classList.remove('open')
  for (const a of document.querySelectorAll('[data-missing]')) {
    const field = document.getElementById(a.dataset.missing)
    if (field) field.closest('.field').classList.add('open')
  }
}

function soon(wait) {
  clearTimeout(timer)
  timer = setTimeout(ask, wait)
}

function set(fields) {
  for (const [name, value] of Object.entries(fields)) {
    const el = form().elements[name]
    if (el) el.value = value
  }
  soon(0)
}

function clicked(e) {
  const b = e.target.closest('[data-fields],[data-pick],[data-set]')
  if (!b || !screen().contains(b)) return
  e.preventDefault()
  if (b.dataset.fields) set(JSON.parse(b.dataset.fields))
  else if (b.dataset.pick) set({ community: b.dataset.pick.split('|')[0], company: b.dataset.pick.split('|')[1] })
  else {
    chosen = true
    set({ [b.dataset.set]: b.dataset.value })
  }
  if (b.dataset.fields || b.dataset.pick) form().elements.text.focus()
}

// typed forgets what belonged to the address before.
function typed(e) {
  if (e.isComposing || !e.target.form || e.target.form !== form() || e.target.name === '_find') return
  if (e.target.name === 'address') set({ community: '', account: '', company: '' })
  soon(300)
}

function changed(e) {
  if (!e.target.form || e.target.form !== form()) return
  if (e.target.name === 'category' || e.target.name === '_find') chosen = true
  soon(50)
}

export function once() {
  document.addEventListener('input', typed)
  document.addEventListener('compositionend', typed)
  document.addEventListener('change', changed)
  document.addEventListener('click', clicked)
  keys()
}

export function start() {
  if (!form()) return
  chosen = false
  mark()
  if (['caller.phone', 'address', 'text'].some(name => form().elements[name].value)) soon(0) // typed before this listened
}

// The keys of the seat's screen: every step of a call without the mouse. Off while an input method composes; every key
// also has a button that shows it.
let before = null // where the cursor stood in the form

const screen = () => document.querySelector('[data-seat]')
const form = () => document.getElementById('seat-form')
const inside = (el, css) => el && el.closest && el.closest(css)

// fields are the controls of the form, of radio buttons the one that Tab would reach.
const fields = () => [...form().querySelectorAll('input:not([type=hidden]), select, textarea, button')]
  .filter(el => el.offsetParent !== null && (el.type !== 'radio' || el.checked || !form().querySelector(`[name="${el.name}"]:checked`)))

function next(el) {
  const all = fields()
  let at = all.indexOf(el) + 1
  while (all[at] && el.type === 'radio' && all[at].name === el.name) at++
  if (all[at]) all[at].focus()
}

// answer chooses the radio button that begins with the key that was pressed.
function answer(radio, key) {
  for (const el of form().elements[radio.name]) {
    if (el.type !== 'radio' || el.parentElement.textContent.trim()[0].toLowerCase() !== key.toLowerCase()) continue
    el.click()
    el.focus()
    return true
  }
  return false
}

function step(el, css, by) {
  const all = [...document.querySelectorAll(css)]
  const to = all[Math.max(0, Math.min(all.length - 1, all.indexOf(inside(el, css)) + by))]
  if (to) to.focus()
  return true
}

const places = {
  F3: () => document.querySelector('[data-case]') || document.getElementById('seat-near-h'),
  F6: () => document.getElementById('seat-find'),
  F8: () => document.getElementById('seat-peak') || document.getElementById('seat-h'),
}

function onKey(e) {
  if (!screen() || e.isComposing || e.ctrlKey || e.metaKey || inside(e.target, 'dialog')) return
  const name = e.altKey ? 'Alt+' + e.key : e.key
  const button = document.querySelector(`[data-f="${CSS.escape(name)}"]`)
  if (places[name]) places[name]().focus()
  else if (button && button.offsetParent !== null) button.click()
  else if (e.altKey || !/^F[1-9]$/.test(name) && !plain(e) || name === 'F5') return
  e.preventDefault()
}

const oneLine = /^(text|tel|radio|select-one|datetime-local|checkbox)$/

// plain are the keys without F and Alt; false leaves the key to the browser.
function plain(e) {
  const el = e.target
  if (e.key === 'Escape' && screen().contains(el) && !form().contains(el)) {
    (before || form().elements['caller.phone']).focus()
    return true
  }
  if (e.key === 'Enter' && form().contains(el) && oneLine.test(el.type)) {
    next(el)
    return true
  }
  if (e.key === 'Enter' && el.id === 'seat-find') return step(null, '[data-article]', 1)
  if (el.type === 'radio' && form().contains(el) && e.key.length === 1) return answer(el, e.key)
  return ['[data-case]', '[data-article]'].some(css => inside(el, css) && row(e, el, css))
}

// row are the keys of an earlier case or an article: arrows move, letters and Enter act.
function row(e, el, css) {
  if (e.key === 'ArrowDown' || e.key === 'ArrowUp') return step(el, css, e.key === 'ArrowDown' ? 1 : -1)
  if (el.matches('button, a, input') && e.key === 'Enter') return false
  const key = inside(el, css).querySelector(e.key === 'Enter' ? '[name=_answer]' : `[data-letter="${CSS.escape(e.key.toLowerCase())}"]`)
  if (!key) return false
  const control = key.tagName === 'BUTTON' ? key : key.querySelector('input')
  control.click()
  return true
}

export function once() {
  document.addEventListener('keydown', onKey)
  document.addEventListener('focusin', e => {
    if (form() && form().contains(e.target)) before = e.target
  })
}

// Proposes while an address or a name is typed: from two characters on, arrows choose, free text always stays allowed.
// data-suggest is an address that answers ?q= with [{"value", "label", "hint", "set"}], set being other fields of the form
// that go with the choice; the list is a native datalist-like box.
let timer = 0

async function ask(input) {
  const q = input.value.trim()
  const list = document.getElementById(input.getAttribute('aria-controls'))
  if (!list) return
  if ([...q].length < 2) return shut(input, list)
  try {
    const url = new URL(input.dataset.suggest, location.href)
    url.searchParams.set('q', q)
    const answer = await fetch(url, { headers: { Accept: 'application/json' } })
    if (!answer.ok || input.value.trim() !== q) return
    fill(input, list, await answer.json())
  } catch {
    shut(input, list)
  }
}

function fill(input, list, items) {
  list.textContent = ''
  items.slice(0, 8).forEach((item, n) => {
    const el = document.createElement('li')
    el.id = `${list.id}-${n}`
    el.setAttribute('role', 'option')
    el.setAttribute('aria-selected', 'false')
    el.dataset.value = item.value
    el.dataset.set = JSON.stringify(item.set || {})
    el.append(item.label || item.value)
    if (item.hint) {
      const hint = document.createElement('small')
      hint.textContent = item.hint
      el.append(' ', hint)
    }
    el.addEventListener('pointerdown', e => {
      e.preventDefault()
      take(input, list, el)
    })
    list.append(el)
  })
  list.hidden = items.length === 0
  input.setAttribute('aria-expanded', String(!list.hidden))
}

function shut(input, list) {
  list.hidden = true
  input.setAttribute('aria-expanded', 'false')
  input.removeAttribute('aria-activedescendant')
}

function take(input, list, el) {
  input.value = el.dataset.value
  for (const [name, value] of Object.entries(JSON.parse(el.dataset.set))) {
    const other = input.form && input.form.elements[name]
    if (other) other.value = value
  }
  shut(input, list)
  input.dispatchEvent(new Event('change', { bubbles: true }))
}

function move(input, list, by) {
  const all = [...list.children]
  const at = all.findIndex(o => o.getAttribute('aria-selected') === 'true')
  const next = all[(at + by + all.length) % all.length]
  for (const o of all) o.setAttribute('aria-selected', String(o === next))
  input.setAttribute('aria-activedescendant', next.id)
}

export function start(root) {
  for (const input of root.querySelectorAll('input[data-suggest]:not([data-ready])')) {
    input.dataset.ready = 'true'
    const list = document.getElementById(input.getAttribute('aria-controls'))
    if (!list) continue
    input.addEventListener('input', () => {
      clearTimeout(timer)
      timer = setTimeout(ask, 150, input)
    })
    input.addEventListener('blur', () => shut(input, list))
    input.addEventListener('keydown', e => {
      if (list.hidden || e.isComposing) return
      if (e.key === 'ArrowDown') move(input, list, 1)
      else if (e.key === 'ArrowUp') move(input, list, -1)
      else if (e.key === 'Escape') shut(input, list)
      else if (e.key === 'Enter' && list.querySelector('[aria-selected=true]')) take(input, list, list.querySelector('[aria-selected=true]'))
      else return
      e.preventDefault()
    })
  }
}

// Reads a form into a list that IndexedDB can keep, and puts such a list back: texts, choices, signatures, photographs.
export function read(form, button) {
  return [...new FormData(form, button)]
    .map(([name, value]) => value instanceof File ? [name, value, value.name] : [name, value])
    .filter(f => !(f[2] === '' && f[1].size === 0))
}

const typed = el => el.type !== 'hidden' || el.hasAttribute('data-drawn') || el.name.startsWith('device.')

export function write(form, fields) {
  for (const el of form.elements) {
    if (!el.name || el.name.startsWith('_') || !typed(el)) continue
    const mine = fields.filter(f => f[0] === el.name)
    if (el.type === 'file') files(el, mine)
    else if (/^(radio|checkbox)$/.test(el.type)) el.checked = mine.some(f => f[1] === el.value)
    else if (el.tagName === 'SELECT' && el.multiple) for (const o of el.options) o.selected = mine.some(f => f[1] === o.value)
    else if (mine.length) el.value = mine[mine.length - 1][1]
  }
  form.dispatchEvent(new CustomEvent('refilled', { bubbles: true }))
}

function files(input, mine) {
  if (!mine.length || !window.DataTransfer) return
  const list = new DataTransfer()
  for (const [, file, name] of mine) list.items.add(new File([file], name, { type: file.type }))
  input.files = list.files
  thumbs(input)
}

// thumbs shows what was chosen.
export function thumbs(input) {
  const show = document.getElementById(input.id + '-shots')
  if (!show) return
  show.textContent = ''
  for (const file of input.files) {
    const img = document.createElement('img')
    img.src = URL.createObjectURL(file)
    img.alt = file.name
    show.append(img)
  }
}

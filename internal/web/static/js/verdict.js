// Says what the readings mean against the city's standard while they are typed, and notes when each was read. The server
// judges again when it has them.
import { instant } from './place.js'

function judge(form) {
  const box = form.querySelector('[data-verdict]')
  const standards = JSON.parse(box.dataset.standards || '{}')
  const low = []
  let lowest = null
  for (const row of form.querySelectorAll('[data-room]')) {
    const type = row.querySelector('select')
    const t = Number((row.querySelector('[name$=temp_c]').value || '').replace('，', '.').replace(',', '.'))
    const standard = type && standards[type.value]
    if (!row.querySelector('[name$=temp_c]').value || isNaN(t) || standard === undefined) continue
    low.push(t < Number(standard))
    lowest = lowest === null ? t : Math.min(lowest, t)
  }
  box.hidden = lowest === null
  if (lowest === null) return
  const below = low.some(Boolean)
  box.className = 'verdict ' + (below ? 'below' : 'meets')
  box.textContent = box.dataset[below ? 'below' : 'meets'].replace('{n}', lowest.toFixed(1))
}

export function start(root) {
  for (const box of root.querySelectorAll('[data-verdict]')) {
    const form = box.closest('form')
    form.addEventListener('input', e => {
      const row = e.target.closest('[data-room]')
      if (row && /temp_c$/.test(e.target.name)) row.querySelector('[data-read-at]').value = instant()
      judge(form)
    })
    form.addEventListener('change', () => judge(form))
    form.addEventListener('refilled', () => judge(form))
    judge(form)
  }
}

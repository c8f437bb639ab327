// Counts how long windows have been closed and says when the reading may be taken. The city's clock is at +08:00.
import { instant } from './place.js'

function tell(p) {
  const since = Date.parse((p.closest('form').querySelector('[name=windows_closed_since]').value || '') + ':00+08:00')
  p.hidden = isNaN(since)
  if (p.hidden) return
  const left = Math.ceil(Number(p.dataset.windows) - (Date.parse(instant()) - since) / 60000)
  const words = left > 0 ? p.dataset.wait.replace('{n}', left) : p.dataset.ready
  if (p.textContent !== words) p.textContent = words // said aloud once
}

export function start(root) {
  for (const p of root.querySelectorAll('[data-windows]')) {
    const form = p.closest('form')
    for (const event of ['input', 'change', 'refilled']) form.addEventListener(event, () => tell(p))
    setInterval(() => tell(p), 5000)
    tell(p)
  }
}

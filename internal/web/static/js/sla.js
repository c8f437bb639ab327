// Counts down what is left of a time limit, and moves the clock in the bar, on the server's time.
const shift = Number(document.documentElement.dataset.now || Date.now()) - Date.now()
const words = document.documentElement.dataset
const pad = n => String(n).padStart(2, '0')

function say(ms) {
  const min = Math.floor(Math.abs(ms) / 60000)
  const d = Math.floor(min / 1440), h = Math.floor(min / 60) % 24, m = min % 60
  if (d > 0 && h === 0) return (words.timeD || '{d}d').replace('{d}', d)
  if (d > 0) return (words.timeDh || '{d}d {h}h').replace('{d}', d).replace('{h}', h)
  if (h > 0 && m === 0) return (words.timeH || '{h}h').replace('{h}', h)
  if (h > 0) return (words.timeHm || '{h}h {m}m').replace('{h}', h).replace('{m}', m)
  return (words.timeM || '{m}m').replace('{m}', m)
}

function tick() {
  const now = Date.now() + shift
  for (const el of document.querySelectorAll('[data-due]')) {
    const left = Number(el.dataset.due) - now
    const over = left < 0
    el.textContent = over ? (words.timeOver || '-{t}').replace('{t}', say(left)) : say(left)
    el.classList.toggle('over', over)
    el.classList.toggle('soon', !over && left < 7200000)
  }
  for (const el of document.querySelectorAll('[data-clock]')) {
    const t = new Date(now + 8 * 3600000) // Asia/Shanghai, whatever zone this computer is set to
    el.textContent = `${t.getUTCFullYear()}-${pad(t.getUTCMonth() + 1)}-${pad(t.getUTCDate())} ${pad(t.getUTCHours())}:${pad(t.getUTCMinutes())}`
  }
}

export function start() { tick() }
export function once() { setInterval(tick, 10000) }

// Shows whether live updates arrive, and fetches everything again after a break.
let broken = false

function set(state) {
  for (const el of document.querySelectorAll('[data-live]')) {
    el.dataset.state = state
    el.textContent = el.dataset[state]
    el.hidden = false
  }
}

export function once() {
  document.addEventListener('htmx:sseOpen', () => {
    set('on')
    if (broken) {
      broken = false
      document.dispatchEvent(new CustomEvent('rehu:reconnected'))
      const again = document.querySelector('[data-refresh]')
      if (again && window.htmx) window.htmx.trigger(again, 'refresh')
    }
  })
  document.addEventListener('htmx:sseError', () => {
    broken = true
    set('off')
  })
}

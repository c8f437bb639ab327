// Messages at the corner: success goes after four seconds, a failure stays until it is read.
const box = () => document.querySelector('[data-toasts]')

export function show(message, bad) {
  const list = box()
  if (!list || !message) return
  const el = document.createElement('div')
  el.className = bad ? 'toast bad' : 'toast'
  el.setAttribute('role', bad ? 'alert' : 'status')
  el.textContent = message
  const shut = document.createElement('button')
  shut.type = 'button'
  shut.textContent = '×'
  shut.setAttribute('aria-label', list.dataset.shut)
  shut.addEventListener('click', () => el.remove())
  el.append(shut)
  list.append(el)
  if (!bad) setTimeout(() => el.remove(), 4000)
}

function failed(e) {
  const xhr = e.detail && e.detail.xhr
  let message = ''
  if (xhr && xhr.responseText) {
    const page = new DOMParser().parseFromString(xhr.responseText, 'text/html').querySelector('[data-error]')
    message = page ? page.textContent.trim() : ''
  }
  show(message || box().dataset.offline, true)
}

export function once() {
  document.addEventListener('htmx:responseError', failed)
  document.addEventListener('htmx:sendError', failed)
  document.addEventListener('htmx:timeout', failed)
  document.addEventListener('rehu:toast', e => show(e.detail.message, e.detail.bad))
}

export function start(root) {
  for (const el of root.querySelectorAll('[data-gone]')) {
    if (!el.dataset.set) setTimeout(() => el.remove(), 4000)
    el.dataset.set = 'true'
  }
}

// Sends one form that was kept: its photographs first, in pieces, then the form under its key. Gives what became of it:
// { state: received | refused | conflict | wait, … }. A network that fails, or a login that ended, is thrown.
import { upload } from './upload.js'

export async function send(item, progress) {
  const body = item.multipart ? new FormData() : new URLSearchParams()
  for (const [name, value, file, id] of item.fields) {
    if (file === undefined) body.append(name, value)
    else if (!item.uploads || !id) body.append(name, value, file)
    else {
      const wrong = await upload(item.uploads, id, value, file, progress)
      if (wrong) return { state: 'refused', message: wrong }
      body.append('upload', id)
    }
  }
  const response = await fetch(item.url, { method: 'POST', body, headers: { Accept: 'text/html', 'Idempotency-Key': item.key, 'Rehu-Queue': '1' } })
  if (response.status === 401 || new URL(response.url).pathname === '/login') throw new Error('log in first')
  if (response.status >= 500 || response.status === 429) throw new Error(String(response.status))
  if (/json/.test(response.headers.get('Content-Type') || '')) return response.json()
  if (response.ok) return { state: 'received' }
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  const why = page.querySelector('[data-summary]') || page.querySelector('main p')
  return { state: 'refused', message: why ? why.textContent.trim().replace(/\s+/g, ' ') : String(response.status) }
}

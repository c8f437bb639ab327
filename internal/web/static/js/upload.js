// Sends a photograph in pieces, so that one that is cut goes on where it stopped: announce it, hear how much is there, send
// the piece that begins there. Its id is made when the form is kept, so that it is one upload however often it begins.
const PIECE = 128 << 10

export const freshKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('')

async function hash(file) {
  if (!window.crypto.subtle) return ''
  const sum = await crypto.subtle.digest('SHA-256', await new Response(file).arrayBuffer())
  return [...new Uint8Array(sum)].map(b => b.toString(16).padStart(2, '0')).join('')
}

async function ask(url, body) {
  const response = await fetch(url, { method: 'POST', body, headers: { Accept: 'application/json', 'Rehu-Queue': '1' } })
  if (response.status === 401 || response.status === 429 || response.status >= 500 || new URL(response.url).pathname === '/login') throw new Error(String(response.status))
  const answer = await response.json()
  answer.status = response.status
  return answer
}

// upload gives '' when all of it is there, or what is wrong with it.
export async function upload(base, id, file, name, progress) {
  let at = await ask(base, new URLSearchParams({ id, name, size: String(file.size), sha256: await hash(file) }))
  while (!at.done) {
    if (at.got === undefined) return at.message || String(at.status)
    if (progress) progress(at.got / file.size)
    at = await ask(`${base}/${id}/piece?at=${at.got}`, file.slice(at.got, at.got + PIECE))
  }
  return ''
}

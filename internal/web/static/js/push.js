// Lets a resident switch notifications on in their own browser. Where the browser has none the page says that text messages
// are used, which is also what it says without scripts.
const box = document.querySelector('[data-push]')
const able = box && 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window

const show = (name, on) => { for (const e of document.querySelectorAll('[data-push-' + name + ']')) e.hidden = !on }

function bytes(base64) {
  const s = atob(base64.replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(s, c => c.charCodeAt(0))
}

async function worker() {
  const r = await navigator.serviceWorker.register(box.dataset.worker, { scope: box.dataset.scope })
  await navigator.serviceWorker.ready
  return r
}

// A subscription of before may belong to another key of the installation or to somebody else: it is given up.
async function subscribe() {
  const r = await worker()
  const old = await r.pushManager.getSubscription()
  if (old) await old.unsubscribe()
  const s = await r.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(box.dataset.push) })
  return s.toJSON()
}

async function switchOn(form) {
  if (await Notification.requestPermission() !== 'granted') return 'blocked'
  const s = await subscribe()
  form.elements.endpoint.value = s.endpoint
  form.elements.p256dh.value = s.keys.p256dh
  form.elements.auth.value = s.keys.auth
  form.submit()
  return ''
}

async function switchOff(form) {
  const r = await navigator.serviceWorker.getRegistration(box.dataset.scope)
  const s = r && await r.pushManager.getSubscription()
  if (s) await s.unsubscribe()
  if (r) await r.unregister()
  form.submit()
}

if (able) {
  show('none', false)
  show('able', true)
  document.addEventListener('submit', e => {
    const on = e.target.matches('form[data-push-on]'), off = e.target.matches('form[data-push-off]')
    if (!on && !off) return
    e.preventDefault()
    show('blocked', false)
    show('failed', false)
    const done = on ? switchOn(e.target) : switchOff(e.target)
    done.then(why => { if (why) show(why, true) }, () => { if (on) show('failed', true); else e.target.submit() })
  })
}

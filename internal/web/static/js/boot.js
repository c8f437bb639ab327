// Loaded by every staff page: finds what a page uses by its data- attributes and loads only that.
import './live.js' // must listen before the stream of events opens

const parts = [
  ['[data-rows]', './rows.js'], ['[data-due],[data-clock]', './sla.js'], ['[data-open],dialog', './dialog.js'],
  ['[data-toasts]', './toast.js'], ['form[method=post]', './form.js'], ['[data-copy]', './copy.js'],
  ['[data-outbox]', './queue.js'], ['[data-map]', './mapbox.js'], ['[data-auto]', './auto.js'], ['input[data-photo]', './photo.js'],
  ['[data-suggest]', './suggest.js'], ['[data-print]', './print.js'], ['[data-cases]', './cases.js'],
  ['[data-seat]', './seat.js'], ['[data-phone]', './phone.js'], ['form[data-queue][data-draft]', './draft.js'], ['[data-made],[data-place]', './place.js'],
  ['form[data-call]', './call.js'], ['[data-keep]', './keep.js'], ['form[data-wipe]', './leave.js'], ['canvas[data-sign]', './sign.js'], ['[data-verdict]', './verdict.js'], ['[data-verdict]', './windows.js'],
]
const loaded = new Set()

async function part(file, root) {
  const module = await import(file)
  if (!loaded.has(file) && module.once) module.once()
  loaded.add(file)
  if (module.start) module.start(root)
}

function look(root) {
  const uses = where => root.querySelector(where) || root.matches && root.matches(where)
  return Promise.all(parts.filter(([where]) => uses(where)).map(([, file]) => part(file, root)))
}

look(document).then(() => { document.documentElement.dataset.ready = 'true' })
for (const here of document.querySelectorAll('.tabs [aria-current]')) here.scrollIntoView({ block: 'nearest', inline: 'center' })
for (const event of ['htmx:afterSwap', 'htmx:oobAfterSwap']) {
  document.addEventListener(event, e => look(e.detail.target && e.detail.target.parentElement || document))
}

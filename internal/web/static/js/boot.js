// Loaded by every staff page: finds what a page uses by its data- attributes and loads only that.
const parts = [
  ['[data-rows]', './rows.js'], ['[data-due],[data-clock]', './sla.js'], ['[data-open],dialog', './dialog.js'],
  ['[data-toasts]', './toast.js'], ['form[method=post]', './form.js'], ['[data-copy]', './copy.js'],
  ['[data-map]', './mapbox.js'], ['[data-live]', './live.js'], ['[data-auto]', './auto.js'], ['input[data-photo]', './photo.js'],
  ['[data-suggest]', './suggest.js'], ['[data-print]', './print.js'],
]
const loaded = new Set()

async function look(root) {
  for (const [where, file] of parts) {
    if (!root.querySelector(where) && !(root.matches && root.matches(where))) continue
    const module = await import(file)
    if (!loaded.has(file) && module.once) module.once()
    loaded.add(file)
    if (module.start) module.start(root)
  }
}

look(document)
for (const event of ['htmx:afterSwap', 'htmx:oobAfterSwap']) {
  document.addEventListener(event, e => look(e.detail.target && e.detail.target.parentElement || document))
}

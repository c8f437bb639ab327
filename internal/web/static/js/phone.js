// The telephone on the seat's screen: a call that rings fills an empty form in; a form that somebody is writing in is left
// alone and offers a key instead.
const form = () => document.getElementById('seat-form')
const box = () => document.querySelector('#phone [data-pop]')
const value = name => form().elements[name] ? form().elements[name].value : ''
const empty = () => ['caller.phone', 'caller.name', 'address', 'account', 'text'].every(name => value(name) === '')

function take() {
  for (const [name, v] of Object.entries(JSON.parse(box().dataset.pop))) {
    const el = form().elements[name]
    if (el) el.value = v
  }
  form().elements['caller.phone'].dispatchEvent(new Event('change', { bubbles: true })) // the screen asks what is known
  offer()
}

// offer shows the key only while the form is about somebody else.
function offer() {
  const key = document.querySelector('#phone [data-take]')
  if (key) key.hidden = value('_call') === JSON.parse(box().dataset.pop)._call
}

export function once() {
  document.addEventListener('click', e => {
    if (e.target.closest('#phone [data-take]')) take()
    const key = e.target.closest('#phone [name=do]')
    const company = document.getElementById('phone-company')
    const advice = document.querySelector('.seat-advice[data-company]')
    if (key && company && company.value === '' && advice) company.value = advice.dataset.company // who the screen says is responsible
  }, true)
}

export function start() {
  if (!form() || !box()) return
  const shown = JSON.parse(box().dataset.pop)
  if (value('_call') !== shown._call && empty()) take()
  else offer()
}

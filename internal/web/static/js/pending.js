// The list below every page of the field: what waits on this phone, what was received, what was refused, what needs a
// decision. Its words stand in the page (data- attributes), in the reader's language.
import { all, who } from './outbox.js'

const box = () => document.querySelector('[data-outbox]')
const say = (name, n) => (box().dataset[name] || '').replace('{n}', n)
const el = (tag, words, kind) => {
  const e = document.createElement(tag)
  if (words) e.textContent = words
  if (kind) e.className = kind
  return e
}

const looks = { received: 'green', refused: 'red', conflict: 'amber' }

function line(item, now) {
  const li = el('li')
  const row = el('div', '', 'row')
  const state = looks[item.state] ? item.state : 'queued'
  const words = say(state)
  if (words) row.append(el('span', words, 'chip ' + (looks[item.state] || 'blue')))
  row.append(el('span', item.title))
  li.append(row)
  if (item.receipt) li.append(el('p', say('receipt', item.receipt), 'soft'))
  if (now.busy === item.id && now.part !== undefined) {
    const meter = el('div', '', 'meter')
    const bar = el('i')
    bar.style.width = Math.round(now.part * 100) + '%'
    meter.append(bar)
    li.append(meter)
  }
  if (item.wrong && item.state !== 'received') {
    li.append(el('p', item.wrong, item.state === 'wait' ? 'soft' : 'bad'))
    if (item.state !== 'wait') actions(li, item)
  }
  return li
}

function actions(li, item) {
  const link = el('a', say(item.state === 'conflict' ? 'decide' : 'correct'), 'btn')
  link.href = `${item.page}${/\?/.test(item.page) ? '&' : '?'}kept=1#kept-${item.id}`
  li.append(link)
  if (!say('drop')) return
  const b = el('button', say('drop'), 'danger')
  b.type = 'button'
  b.dataset.dropItem = item.id
  li.append(b)
}

function list(items, now) {
  const ul = el('ul', '', 'queue')
  ul.append(...items.map(i => line(i, now)))
  return ul
}

// show draws the list; now says what is under way.
export async function show(now = {}) {
  const b = box()
  if (!b) return
  b.id = 'outbox'
  const everything = await all()
  const items = everything.filter(i => (i.who || '') === who())
  const others = everything.filter(i => i.state !== 'received' && (i.who || '') !== who()).length
  const done = items.filter(i => i.state === 'received')
  const open = items.filter(i => i.state !== 'received')
  const stuck = open.filter(i => i.state === 'refused' || i.state === 'conflict').length
  const net = document.querySelector('[data-network]')
  if (net) {
    net.textContent = navigator.onLine ? '' : net.dataset.offline
    if (open.length && say('queued')) {
      const link = el('a', `${say('queued')} ${open.length}`)
      link.href = '#outbox'
      net.append(link)
    }
  }
  b.textContent = ''
  b.hidden = !open.length && !others && !(done.length && say('received'))
  b.className = open.length || others ? 'card note warn' : 'card'
  for (const [name, n] of [[navigator.onLine ? 'waiting' : 'offline', open.length - stuck], ['stuck', stuck], ['others', others]]) {
    if (n) b.append(el('p', say(name, n)))
  }
  if (now.login) b.append(el('p', say('login'), 'bad'))
  if (open.length) b.append(list(open, now))
  if (!done.length || !say('received')) return
  const more = el('details')
  more.append(el('summary', say('done', done.length)), list(done.reverse(), now))
  b.append(more)
}

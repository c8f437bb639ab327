// How times and numbers are written: the city's clock, as the installation sends it.

function pad(n) { return n < 10 ? '0' + n : '' + n; }

// minute writes 2026-01-15T08:00:00+08:00 as 01-15 08:00; the city's own clock, whatever the telephone's is.
function minute(instant) {
  const m = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})/.exec(instant || '');
  return m ? m[2] + '-' + m[3] + ' ' + m[4] + ':' + m[5] : '';
}

// left says how much time there is until an instant: {late, days, hours, minutes}.
function left(due, now) {
  const at = Date.parse(due);
  if (isNaN(at)) return null;
  const ms = Math.abs(at - now);
  const minutes = Math.floor(ms / 60000);
  return { late: at < now, days: Math.floor(minutes / 1440), hours: Math.floor(minutes / 60) % 24, minutes: minutes % 60 };
}

// spell writes left in words.
function spell(l, t) {
  if (!l) return '';
  const parts = [];
  if (l.days) parts.push(t('time.days', { n: l.days }));
  if (l.hours) parts.push(t('time.hours', { n: l.hours }));
  if (!l.days && l.minutes) parts.push(t('time.minutes', { n: l.minutes }));
  if (!parts.length) parts.push(t('time.minutes', { n: 1 }));
  return t(l.late ? 'time.late' : 'time.left', { time: parts.join(t('time.joint')) });
}

function mobile(s) { return /^1[3-9]\d{9}$/.test((s || '').replace(/[\s-]/g, '')); }

// key is a random word that makes a repeated sending one sending.
function key(random) {
  let out = '';
  for (let i = 0; i < 24; i++) out += Math.floor(random() * 16).toString(16);
  return out;
}

module.exports = { minute: minute, left: left, spell: spell, mobile: mobile, key: key, pad: pad };

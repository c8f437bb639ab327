// The draft of a report: what is asked, what is missing, and what the server is sent.

const MATTERS = ['cold', 'cool', 'leak', 'other'];
const SINCES = ['today', 'yesterday', 'days', 'long'];

function draft(me) {
  const homes = (me && me.homes) || [];
  return {
    matter: '', address: homes.length ? homes[0].address : '', account: homes.length ? homes[0].account : '',
    since: '', test: '', text: '', photos: [],
  };
}

function needsTest(d) { return d.matter === 'cold' || d.matter === 'cool'; }

// check gives the fields that still need an answer, by the text that says so.
function check(d) {
  const missing = {};
  if (MATTERS.indexOf(d.matter) < 0) missing.matter = 'report.need_matter';
  if (!d.address.trim()) missing.address = 'report.need_address';
  if (needsTest(d)) {
    if (SINCES.indexOf(d.since) < 0) missing.since = 'report.need_since';
    if (d.test !== 'yes' && d.test !== 'no') missing.test = 'report.need_test';
  } else if (!d.text.trim() && d.matter) {
    missing.text = 'report.need_text';
  }
  return missing;
}

// input is what is sent: the words a seat would write down, in Chinese, whatever the screen speaks.
function input(d, words) {
  const out = { text: d.text.trim() || words('zh', 'report.matter.' + d.matter), address: d.address.trim() };
  if (d.text.trim() && d.matter !== 'other') out.text = words('zh', 'report.matter.' + d.matter) + '。' + d.text.trim();
  if (d.account) out.account = d.account;
  if (needsTest(d)) {
    out.since = words('zh', 'report.since.' + d.since);
    out.test_request = d.test;
  }
  return out;
}

// choose changes one answer; an address in other words is no longer the bound home.
function choose(d, field, value) {
  const next = Object.assign({}, d);
  next[field] = value;
  if (field === 'address') next.account = '';
  return next;
}

module.exports = { MATTERS: MATTERS, SINCES: SINCES, draft: draft, check: check, input: input, choose: choose, needsTest: needsTest };

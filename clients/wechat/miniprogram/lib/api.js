// Speaks to /api/v1 of the city's installation. Nothing of WeChat stands here: whoever makes it says how a request is sent.
//
// deps.send({method, url, header, data}) gives a promise of {status, data, header}; deps.token() the session's token or '',
// deps.renewed(token) is told when the session has a new one: it changes daily.

function createApi(deps) {
  const root = deps.base.replace(/\/+$/, '') + '/api/v1/cities/' + deps.city + '/mine';

  function headers(extra) {
    const h = { 'Content-Type': 'application/json', 'Accept-Language': deps.lang() };
    const token = deps.token();
    if (token) h.Authorization = 'Bearer ' + token;
    return Object.assign(h, extra || {});
  }

  // headerOf finds a header whatever its spelling: telephones differ.
  function headerOf(all, name) {
    const key = Object.keys(all || {}).filter(function (k) { return k.toLowerCase() === name; })[0];
    return key ? all[key] : '';
  }

  // A failure is {status, key, message, fields}: what the server said, or that there was no answer at all (status 0).
  function failure(status, data) {
    const d = data || {};
    const fields = {};
    (d.fields || []).forEach(function (f) { fields[f.name] = f.message; });
    const words = Object.keys(fields).map(function (k) { return fields[k]; });
    return { status: status, message: words.length ? words.join(' ') : d.detail || d.title || '', fields: fields };
  }

  function call(method, path, data, extra) {
    return deps.send({ method: method, url: root + path, header: headers(extra), data: data }).then(function (res) {
      const next = headerOf(res.header, 'rehu-session');
      if (next) deps.renewed(next);
      if (res.status >= 200 && res.status < 300) return res.data;
      throw failure(res.status, res.data);
    }, function () {
      throw failure(0);
    });
  }

  function keyed(key) { return { 'Idempotency-Key': key }; }
  function of(token) { return '/cases/' + encodeURIComponent(token); }

  return {
    enter: function (code) { return call('POST', '/enter', { code: code }); },
    askCode: function (phone) { return call('POST', '/codes', { phone: phone }); },
    bind: function (ticket, phone, code) { return call('POST', '/bind', { ticket: ticket, phone: phone, code: code }); },
    me: function () { return call('GET', ''); },
    cases: function () { return call('GET', '/cases'); },
    one: function (token) { return call('GET', of(token)); },
    report: function (report, key) { return call('POST', '/cases', report, keyed(key)); },
    remind: function (token, text, key) { return call('POST', of(token) + '/remind', { text: text }, keyed(key)); },
    reopen: function (token, text, key) { return call('POST', of(token) + '/reopen', { text: text }, keyed(key)); },
    rate: function (token, rating, key) { return call('POST', of(token) + '/rate', rating, keyed(key)); },
    consent: function (tap, templates) { return call('POST', '/consents', { tap: tap, templates: templates }); },
    photoURL: function (token) { return root + of(token) + '/photos'; },
    headers: headers,
  };
}

module.exports = { createApi: createApi };

// Who uses the mini program: a session of the installation, renewed with a code of WeChat whenever it no longer holds.
//
// deps.login() gives a promise of WeChat's code; deps.store keeps {get, set, remove}.

const TOKEN = 'token';
const TEMPLATES = 'templates';

function createSession(deps) {
  let ticket = '';
  let entering = null;

  function keep(login) {
    ticket = login.ticket || '';
    deps.store.set(TEMPLATES, login.templates || {});
    if (login.token) deps.store.set(TOKEN, login.token);
    else deps.store.remove(TOKEN);
    return login.bound;
  }

  // enter gives true when a telephone is bound; several pages that ask at once share one login.
  function enter() {
    if (!entering) {
      const done = function (v) { entering = null; return v; };
      const failed = function (e) { entering = null; throw e; };
      entering = deps.login().then(function (code) { return deps.api().enter(code); }).then(keep).then(done, failed);
    }
    return entering;
  }

  function bound() { return !!deps.store.get(TOKEN); }

  return {
    enter: enter,
    bound: bound,
    token: function () { return deps.store.get(TOKEN) || ''; },
    templates: function () { return deps.store.get(TEMPLATES) || {}; },
    // bind proves a telephone; a ticket that is over is fetched anew once.
    bind: function (phone, code) {
      function once() { return deps.api().bind(ticket, phone, code).then(keep); }
      if (!ticket) return enter().then(function (is) { return is || once(); });
      return once().catch(function (e) {
        if (e.status !== 404) throw e;
        return enter().then(function (is) { return is || once(); });
      });
    },
    // with runs what needs a session: without one, or with one that just ended, WeChat's login comes first. It fails with
    // {status: 401} when no telephone is bound yet.
    with: function (work) {
      function again() {
        return enter().then(function (is) {
          if (!is) throw { status: 401, message: '', fields: {} };
          return work();
        });
      }
      if (!bound()) return again();
      return work().catch(function (e) {
        if (e.status !== 401) throw e;
        deps.store.remove(TOKEN);
        return again();
      });
    },
    renewed: function (token) { deps.store.set(TOKEN, token); },
    leave: function () { deps.store.remove(TOKEN); ticket = ''; },
  };
}

module.exports = { createSession: createSession };

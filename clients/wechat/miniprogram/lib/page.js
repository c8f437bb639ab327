// What every page shares: its texts, its size of type, and what to do with a failure.

function base(rehu, prefixes) {
  return { t: rehu.texts(prefixes), size: rehu.size(), lang: rehu.lang(), phone: rehu.config.phone, busy: false, problem: '' };
}

// failed tells what went wrong in words; whoever is not bound yet is led to the login.
function failed(rehu, page, e) {
  page.setData({ busy: false });
  if (e && e.status === 401) {
    rehu.go('/pages/login/login');
    return;
  }
  const words = !e || e.status === undefined ? '' : e.status === 0 ? rehu.t('app.offline') : e.message;
  page.setData({ problem: words || rehu.t('app.failed') });
}

module.exports = { base: base, failed: failed };

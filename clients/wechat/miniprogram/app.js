// Joins the parts with WeChat. Only this file and the pages know wx.
const config = require('./config');
const { createApi } = require('./lib/api');
const { createSession } = require('./lib/session');
const consent = require('./lib/consent');
const format = require('./lib/format');
const texts = require('./lib/texts');

function promised(fn, options) {
  return new Promise(function (done, failed) { fn(Object.assign({}, options || {}, { success: done, fail: failed })); });
}

const store = {
  get: function (k) { return wx.getStorageSync(k); },
  set: function (k, v) { wx.setStorageSync(k, v); },
  remove: function (k) { wx.removeStorageSync(k); },
};

function createRehu() {
  const rehu = { config: config, format: format };
  rehu.lang = function () { return store.get('lang') || 'zh'; };
  rehu.size = function () { return store.get('size') || 'large'; };
  rehu.set = function (k, v) { store.set(k, v); };
  rehu.t = function (key, params) { return texts.t(rehu.lang(), key, params); };
  rehu.texts = function (prefixes) { return texts.of(rehu.lang(), ['app'].concat(prefixes)); };
  rehu.say = texts.t;
  rehu.key = function () { return format.key(Math.random); };
  rehu.now = function () { return Date.now(); };
  rehu.session = createSession({
    store: store,
    api: function () { return rehu.api; },
    login: function () { return promised(wx.login).then(function (r) { return r.code; }); },
  });
  rehu.api = createApi({
    base: config.base,
    city: config.city,
    lang: rehu.lang,
    token: rehu.session.token,
    renewed: rehu.session.renewed,
    send: function (o) {
      return promised(wx.request, { method: o.method, url: o.url, header: o.header, data: o.data, timeout: 15000 }).then(function (r) {
        return { status: r.statusCode, data: r.data, header: r.header };
      });
    },
  });
  // askLeave must be called in the handler of a tap: WeChat opens its window only then.
  rehu.askLeave = function () {
    return consent.atTap({
      templates: rehu.session.templates,
      ask: function (ids) { return promised(wx.requestSubscribeMessage, { tmplIds: ids }); },
      count: function (tap, ids) { return rehu.session.with(function () { return rehu.api.consent(tap, ids); }); },
      tap: rehu.key,
    });
  };
  rehu.choosePhotos = function (most) {
    return promised(wx.chooseMedia, { count: most, mediaType: ['image'], sizeType: ['compressed'] }).then(function (r) {
      return r.tempFiles.map(function (f) { return f.tempFilePath; });
    });
  };
  rehu.sendPhoto = function (token, path) {
    const header = rehu.api.headers({ 'Idempotency-Key': rehu.key() });
    delete header['Content-Type'];
    return promised(wx.uploadFile, { url: rehu.api.photoURL(token), filePath: path, name: 'photos', header: header }).then(function (r) {
      if (r.statusCode >= 300) throw { status: r.statusCode, message: '', fields: {} };
    });
  };
  rehu.go = function (url) { wx.navigateTo({ url: url }); };
  rehu.replace = function (url) { wx.redirectTo({ url: url }); };
  rehu.back = function () { wx.navigateBack({ fail: function () { wx.reLaunch({ url: '/pages/home/home' }); } }); };
  rehu.toast = function (title) { wx.showToast({ title: title, icon: 'none', duration: 3000 }); };
  rehu.title = function (title) { wx.setNavigationBarTitle({ title: title }); };
  rehu.call = function () { wx.makePhoneCall({ phoneNumber: config.phone }); };
  return rehu;
}

App({ rehu: createRehu() });

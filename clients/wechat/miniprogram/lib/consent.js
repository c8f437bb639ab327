// Leave to send messages: WeChat asks the resident at a tap, and each yes is good for one message. What is asked for is what
// the installation can send on the occasions that may follow the tap; at most three at once.
//
// deps.ask(ids) gives a promise of {id: 'accept' | 'reject' | …}.

const MOST = 3;
const ORDER = ['message.case.dispatch', 'message.case.feed_back', 'message.case.close', 'message.case.answer', 'message.case.reopen'];

function wanted(templates) {
  const ids = [];
  ORDER.concat(Object.keys(templates).sort()).forEach(function (k) {
    const id = templates[k];
    if (id && ids.indexOf(id) < 0 && ids.length < MOST) ids.push(id);
  });
  return ids;
}

// atTap asks and counts the answers; whatever goes wrong with it never stops what the resident came to do.
function atTap(deps) {
  const ids = wanted(deps.templates());
  if (!ids.length) return Promise.resolve([]);
  return deps.ask(ids).then(function (said) {
    const yes = ids.filter(function (id) { return said[id] === 'accept'; });
    return yes.length ? deps.count(deps.tap(), yes).then(function () { return yes; }) : [];
  }).catch(function () { return []; });
}

module.exports = { wanted: wanted, atTap: atTap, MOST: MOST };

// What the pages of these tests load where a site has its matomo.js: the commands that the tests use, sent as the
// tracking API describes them. Ours; MATOMO_JS=PATH makes the tests load a real one instead.
(() => {
  const state = {};
  const commands = {
    setTrackerUrl: (url) => (state.tracker = url),
    setSiteId: (idsite) => (state.idsite = idsite),
    setUserId: (uid) => (state.uid = uid),
    setVisitorId: (id) => (state._id = id),
    setCustomUrl: (url) => (state.url = url),
    setDocumentTitle: (title) => (state.title = title),
    trackPageView: () => send({ action_name: state.title }),
    trackEvent: (category, action, name, value) => send({ e_c: category, e_a: action, e_n: name, e_v: value, ca: 1 }),
  };

  function send(parameters) {
    const now = new Date();
    const all = {
      ...parameters,
      idsite: state.idsite,
      rec: 1,
      url: state.url,
      uid: state.uid,
      _id: state._id,
      res: `${screen.width}x${screen.height}`,
      h: now.getHours(),
      m: now.getMinutes(),
      s: now.getSeconds(),
      send_image: 0,
    };
    const query = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined && value !== ''));
    const nothing = new Blob([], { type: 'application/x-www-form-urlencoded; charset=UTF-8' });
    navigator.sendBeacon(`${state.tracker}?${query}`, nothing);
  }

  const run = ([name, ...values]) => commands[name]?.(...values); // others are settings that change nothing here
  const waiting = window._paq;
  window._paq = { push: (...all) => all.forEach(run) };
  waiting.forEach(run);
})();

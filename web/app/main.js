'use strict';
// @ts-check
// The page: routes, the header, the second's tick and the poll every other.

(() => {
  const { h, patch } = spelarDom;
  const { t, choices, remember, spell } = spelarText;
  const POLL_MS = 2000;
  const VERSION_MS = 60000;
  const THEMES = ['auto', 'light', 'dark'];

  /** Cards that hang on the address are made of it; `also` are files that they look things up in.
   * @typedef {{name: string, link: string, cards: Card[] | ((place: Place) => Card[]), also?: string[]}} Route */
  const INDEX = ['pm_markets_index.json', 'pm_paper_candidates.csv'];
  /** @type {Record<string, Route>} */
  const ROUTES = {
    overview: { name: 'nav.overview', link: '#/start/overview', cards: spelarOverview.cards },
    why: { name: 'nav.why', link: '#/pm/candidates', cards: spelarWhy.cards },
    edge: { name: 'nav.edge', link: '#/pm/edge', cards: spelarMarkets.edge, also: INDEX },
    trades: { name: 'nav.trades', link: '#/trades', cards: spelarLists.trades },
    positions: { name: 'nav.positions', link: '#/positions', cards: spelarLists.positions },
    orders: { name: 'nav.orders', link: '#/orders', cards: spelarLists.orders, also: INDEX },
    kraken: { name: 'nav.kraken', link: '#/kraken', cards: spelarLists.kraken },
    replay: { name: 'nav.replay', link: '#/replay', cards: spelarReplay.cards, also: [spelarReplay.INDEX] },
    health: { name: 'nav.health', link: '#/health', cards: spelarHealth.cards },
    about: { name: 'nav.about', link: '#/about', cards: spelarHealth.about },
    market: { name: 'nav.market', link: '#/pm/edge', cards: spelarMarkets.market, also: INDEX },
  };
  /** Addresses without parameters in them. @type {Record<string, string>} */
  const PATHS = {
    '': 'overview', start: 'overview', 'start/overview': 'overview', 'pm/edge': 'edge', 'pm/candidates': 'why', why: 'why', trades: 'trades', positions: 'positions',
    orders: 'orders', kraken: 'kraken', replay: 'replay', health: 'health', data: 'health', about: 'about',
    'about/strategies': 'about', 'about/paper': 'about', 'about/licences': 'about',
  };

  /** @param {string} id @returns {HTMLElement} */
  const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

  /** @type {Place} */
  let place = { path: [], params: new URLSearchParams() };
  let route = '';
  /** Where the reader was before, and which cards lie in the document. */
  let went = '';
  let mounted = '';
  /** @type {ReturnType<typeof spelarCards.build>[]} */
  let shown = [];
  let announced = '';
  let theme = spelarText.remembered('theme', 'auto');

  /** @returns {Place} */
  function read() {
    const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
    return { path: path.split('/').filter(Boolean).map(decoded), params: new URLSearchParams(query) };
  }

  /** @param {string} text */
  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  /** The route of a place, '' when there is none. @param {Place} where */
  function routeOf({ path }) {
    if (path.length === 2 && path[0] === 'market') return 'market';
    if (path.length === 2 && path[0] === 'replay') return 'replay';
    const found = path.join('/');
    return Object.hasOwn(PATHS, found) ? PATHS[found] : '';
  }

  /** Go where the address says. */
  function navigate() {
    place = read();
    const language = place.params.get('lang');
    if (language === 'sv' || language === 'en') choices.language = language;
    route = routeOf(place);
    if (route === 'market') spelarCharts.repaint();
    draw();
    const moved = went !== '' && went !== place.path.join('/');
    went = place.path.join('/') || '/';
    if (moved) {
      scrollTo(0, 0);
      at('title').focus({ preventScroll: true });
    }
    void poll();
  }

  /** @returns {Card[]} */
  function cardsHere() {
    const { cards } = ROUTES[route] || { cards: [] };
    return typeof cards === 'function' ? cards(place) : cards;
  }

  /** Everything that the files and the second change. */
  function draw() {
    header();
    mount(cardsHere());
    const mood = `${choices.language} ${choices.zone} ${location.hash}`;
    shown.forEach((one) => spelarCards.update(one, place, mood));
    patch(at('lost'), ROUTES[route] ? [] : lost());
  }

  /** Put the cards into the document, unless they are there. @param {Card[]} cards */
  function mount(cards) {
    const wanted = `${route} ${cards.map(({ id, files }) => [id, ...files].join(' ')).join(', ')}`;
    if (wanted === mounted) return;
    mounted = wanted;
    spelarCharts.clear();
    shown = cards.map(spelarCards.build);
    at('cards').replaceChildren(...shown.map(({ element }) => element));
  }

  function lost() {
    const asked = place.path.join('/');
    const near = Object.keys(PATHS).filter(Boolean).map((path) => ({ path, far: distance(path, asked) })).sort((a, b) => a.far - b.far)[0];
    const nearest = ROUTES[PATHS[near.path]];
    return [
      h('p', { class: 'lead', 'data-testid': 'lost' }, t('lost.text', { address: `#/${asked}` })),
      h('p', {}, h('a', { href: `#/${near.path}` }, t('lost.nearest', { name: t(nearest.name) }))),
    ];
  }

  /** How many letters differ (Levenshtein). @param {string} one @param {string} other */
  function distance(one, other) {
    let row = Array.from({ length: other.length + 1 }, (_, i) => i);
    for (let i = 1; i <= one.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= other.length; j += 1) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(one[i - 1] !== other[j - 1]));
      row = next;
    }
    return row[other.length];
  }

  let framed = '';
  /** What changes only with the reader's choices, then the second's news. */
  function header() {
    const frame = [route, choices.language, choices.zone, theme].join(' ');
    if (frame !== framed) surround();
    framed = frame;
    heartbeat();
  }

  function surround() {
    const name = ROUTES[route] ? t(ROUTES[route].name) : t('nav.lost');
    document.documentElement.lang = choices.language;
    document.title = `${name} · spelar`;
    patch(at('title'), [name]);
    patch(at('skip'), [t('skip')]);
    at('nav').setAttribute('aria-label', t('nav'));
    patch(at('nav-list'), Object.entries(ROUTES).filter(([key]) => key !== 'market').map(([key, { name: title, link }]) =>
      h('li', {}, h('a', { href: link, 'aria-current': key === route ? 'page' : null }, t(title))),
    ));
    patch(at('footer'), [h('p', {}, t('footer'))]);
    switches();
  }

  function switches() {
    patch(at('switches'), [
      h('button', { type: 'button', 'data-act': 'language', 'aria-label': t('set.language.label'), lang: choices.language === 'sv' ? 'en' : 'sv' }, t('set.language')),
      h('button', { type: 'button', 'data-act': 'theme' }, t('set.theme', { name: t(`theme.${theme}`) })),
      h('button', { type: 'button', 'data-act': 'zone' }, t('set.zone', { name: t(`zone.${choices.zone}`) })),
    ]);
  }

  /** How old the numbers are, said aloud only when the state changes. */
  function heartbeat() {
    const { seconds, silent, state, tick } = spelarData.heartbeat();
    const live = spelarData.source('live_status.json').json;
    document.body.dataset.state = state;
    if (seconds === null) delete document.body.dataset.ageS;
    else document.body.dataset.ageS = String(Math.round(seconds));
    const parts = [h('strong', { class: 'pulse' }, t(`pulse.${state}`))];
    if (tick !== null) parts.push(h('span', {}, t('body.tick', { n: spelarText.whole(tick) })));
    if (seconds !== null) parts.push(h('span', {}, seconds < -2 ? t('body.ahead', { age: spell(-seconds) }) : t('body.age', { age: spell(Math.max(seconds, 0)) })));
    if (silent > 2) parts.push(h('span', {}, t('body.silent', { age: spell(silent) })));
    patch(at('freshness'), parts);
    patch(at('mode'), live ? [`${live.strategy_mode} · ${live.trading_mode === 'paper' ? t('paper') : live.trading_mode}`, live.killswitch ? h('strong', { class: 'bad' }, ` ${t('killswitch')}`) : null] : []);
    const news = `${state} ${choices.language}`;
    if (news !== announced) patch(at('news'), [t(`body.${state}`)]);
    announced = news;
  }

  /** The files that this view's cards show. */
  const about = () => cardsHere().flatMap(({ files }) => files);

  /** The files that this view needs, and those of the header. */
  function needed() {
    const names = [...about(), ...((ROUTES[route] || {}).also || [])];
    const all = ['overview', 'health'].includes(route) && !spelarData.hasManifest() ? spelarOverview.STRIP : [];
    return [...new Set(['live_status.json', 'pm_paper_portfolio.json', ...names, ...all])];
  }

  let polling = false;
  let again = false;
  async function poll() {
    again = polling;
    if (document.hidden || polling) return;
    polling = true;
    const changed = await spelarData.poll(needed, route === 'overview' ? [] : about());
    polling = false;
    if (again) void poll();
    // What the manifest names and nobody shows has a state all the same.
    spelarOverview.STRIP.filter((name) => !needed().includes(name)).forEach(spelarData.glance);
    if (changed) draw();
    document.body.dataset.ready = 'true';
  }

  async function run() {
    await poll();
    setTimeout(run, POLL_MS);
  }

  /** A new edition of the page is loaded once; an address that already carries it is not loaded again. */
  async function upgrade() {
    const mine = document.documentElement.dataset.version || '';
    try {
      const { version } = await (await fetch('version.json', { cache: 'no-store' })).json();
      if (typeof version !== 'string' || version === mine || spelarText.remembered('reloaded', '') === version) return;
      remember('reloaded', version);
      if (spelarText.remembered('reloaded', '') === version) location.reload();
    } catch {
      // The next minute asks again.
    }
  }

  function paint() {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    spelarCharts.repaint();
    shown.forEach((one) => (one.drawn = ''));
  }

  /** @type {Record<string, (button: HTMLElement) => void>} */
  const ACTS = {
    language: () => {
      choices.language = choices.language === 'sv' ? 'en' : 'sv';
      remember('language', choices.language);
      spelarCharts.repaint();
    },
    zone: () => {
      choices.zone = choices.zone === 'utc' ? 'local' : 'utc';
      remember('zone', choices.zone);
      spelarCharts.repaint();
    },
    theme: () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      remember('theme', theme);
      paint();
    },
    fit: (button) => spelarCharts.fit(button.dataset.name || ''),
    csv: (button) => spelarTable.download(button.dataset.name || '', (button.dataset.filters || '').split(' ').filter(Boolean), place),
  };

  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target.closest('[data-act]') : null;
    if (target instanceof HTMLElement && target.dataset.act) {
      ACTS[target.dataset.act](target);
      draw();
    }
  });
  document.addEventListener('change', (event) => {
    const field = event.target;
    if (!(field instanceof HTMLSelectElement || field instanceof HTMLInputElement) || !field.dataset.param) return;
    location.hash = spelarTable.link(place, { [field.dataset.param]: field.value, page: null });
  });
  document.addEventListener('visibilitychange', () => void poll());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    paint();
    draw();
  });
  at('skip').addEventListener('click', (event) => {
    event.preventDefault();
    at('title').focus();
  });

  void spelarText.load(document.documentElement.dataset.version || '').then(() => {
    paint();
    addEventListener('hashchange', navigate);
    navigate();
    setInterval(draw, 1000);
    setInterval(() => void upgrade(), VERSION_MS);
    void run();
  });
})();

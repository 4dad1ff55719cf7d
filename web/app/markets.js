'use strict';
// @ts-check
// Edges ranked against their thresholds, and one market in depth.

const spelarMarkets = (() => {
  const { h, svg } = spelarDom;
  const { t, said, price, fine, signed, tone } = spelarText;
  const { source } = spelarData;
  const { number, record, cell } = spelarCsv;
  const F = spelarFacts;
  const SHOWN = 100;

  /** @param {Row} row */
  const net = (row) => number(row.edge_net) ?? -Infinity;

  function ranked() {
    const file = source('edge_signals_live.csv').table;
    return file ? file.rows.map((row) => record(file, row)).sort((a, b) => net(b) - net(a)).slice(0, SHOWN) : [];
  }

  function edges() {
    const rows = ranked();
    if (!rows.length) return null;
    const { enter, exit } = F.thresholds();
    const values = rows.flatMap((row) => [number(row.edge), number(row.edge_net)]).concat(enter, exit).filter((value) => value !== null);
    const [low, high] = [Math.min(...values, 0), Math.max(...values, 0)];
    /** @type {Column[]} */
    const columns = [
      { name: 'market', kind: 'wide', show: (row) => F.marketLink(F.tokenOf(row.market), row.market) },
      { name: 'edge', kind: 'number', show: (row) => signed(row.edge, fine) },
      spelarLists.numeric('cost_est', fine),
      { name: 'edge_net', kind: 'number', show: (row) => h('strong', {}, signed(row.edge_net, fine)), tone: (row) => tone(row.edge_net) },
      { name: 'bar', kind: 'bar', show: (row) => edgeBar(row, low, high, enter, exit) },
      spelarLists.numeric('fair_p', price), spelarLists.numeric('pm_price', price), spelarLists.numeric('spread', price),
      { name: 'notes', kind: 'wide' },
    ];
    const note = t('edge.note', { enter: fine(enter), exit: fine(exit), unit: said('unit', F.mode()) });
    return [spelarTable.table(t('edge.title'), columns, rows, { key: (row) => row.market }), h('p', { class: 'note' }, note)];
  }

  /** Gross as a thin line, net as a bar, the thresholds across. @param {Row} row @param {number} low @param {number} high @param {number | null} enter @param {number | null} exit */
  function edgeBar(row, low, high, enter, exit) {
    /** @param {number} value */
    const at = (value) => ((value - low) / Math.max(high - low, 1e-9)) * 100;
    /** @param {number | null} value @param {string} name @param {number} y @param {number} height */
    const from = (value, name, y, height) => value !== null && svg('rect', { class: name, x: `${at(Math.min(value, 0))}%`, width: `${Math.abs(at(value) - at(0))}%`, y, height });
    /** @param {number | null} value @param {string} name */
    const line = (value, name) => value !== null && svg('line', { class: name, x1: `${at(value)}%`, x2: `${at(value)}%`, y1: 0, y2: 20 });
    const [gross, rest] = [number(row.edge), number(row.edge_net)];
    return svg(
      'svg',
      { class: `edge ${tone(rest)}`, 'aria-hidden': 'true', height: 20 },
      from(gross, 'gross', 3, 4), from(rest, 'fill', 9, 8), line(0, 'axis'), line(exit, 'exit'), line(enter, 'enter'),
    );
  }

  /** The token that the address names, or on the edge page the one of the best edge. @param {Place} place */
  function tokenAt(place) {
    if (place.path[0] === 'market') return place.path[1] || '';
    const market = place.params.get('market') || (ranked()[0] || {}).market;
    if (market) return F.tokenOf(market);
    const file = source('pm_prices.csv').table;
    const row = file ? file.rows.findLast((one) => number(cell(file, one, 'edge')) !== null) : undefined;
    return file && row ? cell(file, row, 'token') : '';
  }

  /** The markets whose prices the latest tick gave. */
  function priced() {
    const file = source('pm_prices.csv').table;
    return file ? [...new Set(F.latest(file).map((row) => cell(file, row, 'market')))].sort() : [];
  }

  /** The rows of a token in the prices file. @param {Place} place */
  function pricesOf(place) {
    const file = source('pm_prices.csv').table;
    const token = tokenAt(place);
    const market = place.params.get('market');
    const rows = file && (token || market) ? file.rows.filter((row) => (token ? cell(file, row, 'token') === token : cell(file, row, 'market') === market)) : [];
    const last = rows.at(-1);
    return { file, rows, name: file && last ? cell(file, last, 'market') : token };
  }

  /** @param {Place} place @returns {Drawing | null} */
  function edgeDrawing(place) {
    const { file, rows, name } = pricesOf(place);
    const points = file ? spelarCharts.series(file, rows, 'edge') : [];
    const last = points.at(-1);
    if (!last) return null;
    const { enter, exit } = F.thresholds();
    const levels = [{ value: enter, text: t('line.enter'), tone: '--up' }, { value: exit, text: t('line.exit'), tone: '--late' }];
    return {
      label: t('edge.over.label', { market: name, value: fine(last.value) }),
      lines: [{ name: t('col.edge'), tone: '--accent', points, digits: 4, levels: /** @type {{value: number, text: string, tone: string}[]} */ (levels.filter(({ value }) => value !== null)) }],
    };
  }

  /** @param {Place} place @returns {Drawing | null} */
  function priceDrawing(place) {
    const { file, rows, name } = pricesOf(place);
    if (!file) return null;
    /** @param {string} column */
    const points = (column) => spelarCharts.series(file, rows, column);
    const mid = points('mid');
    const last = mid.at(-1);
    if (!last) return null;
    const reference = points('reference');
    /** @type {Line[]} */
    const lines = [
      { name: t('col.mid'), tone: '--accent', points: mid, digits: 4 },
      { name: t('col.bid'), tone: '--up', points: points('bid'), thin: true, digits: 4 },
      { name: t('col.ask'), tone: '--down', points: points('ask'), thin: true, digits: 4 },
    ];
    if (reference.length) lines.push({ name: t('col.reference'), tone: '--late', points: reference, thin: true, side: 'left', digits: 2 });
    return { label: t('market.label', { market: name, value: price(last.value) }), marks: F.marks(tokenAt(place)), lines };
  }

  /** @param {string} id @param {string} title @param {string} empty @param {string[]} files @param {(place: Place) => Drawing | null} drawing @param {boolean} [chooses] @returns {Card} */
  function chart(id, title, empty, files, drawing, chooses = false) {
    /** @type {Drawing | null} */
    let drawn = null;
    /** @type {Card['draw']} */
    const draw = (place) => {
      drawn = drawing(place);
      if (!drawn && !chooses) return null;
      const body = drawn ? spelarCharts.place(`${id}-chart`, drawn) : [h('p', { class: 'empty' }, t(empty))];
      if (!chooses) return body;
      return [h('div', { class: 'filters' }, spelarTable.choice('market', priced(), place, (value) => value, t('edge.best')), h('span', { class: 'count' }, pricesOf(place).name)), ...body];
    };
    const after = () => {
      if (drawn) spelarCharts.draw(`${id}-chart`, drawn);
    };
    return { id, title, files, empty, span: /** @type {const} */ ('wide'), draw, after };
  }

  /** @param {Place} place */
  function decisions(place) {
    const file = source('pm_paper_candidates.csv').table;
    const token = tokenAt(place);
    const rows = file ? file.rows.filter((row) => cell(file, row, 'token') === token).slice(-30).reverse() : [];
    if (!file || !rows.length) return null;
    /** @type {Column[]} */
    const columns = [
      { name: 'ts', kind: 'time' },
      { name: 'decision', show: (row) => said('decision', row.decision) },
      { name: 'reason', kind: 'wide', show: (row) => said('reason', F.reasonOf(row.reason || '')) },
      ...['gate_value', 'gate_threshold', 'pm_bid', 'pm_ask', 'edge', 'edge_net'].map((name) => spelarLists.numeric(name, fine)),
    ];
    return [spelarTable.table(t('market.decisions'), columns, rows.map((row) => record(file, row)), { key: (row) => row.ts })];
  }

  /** @param {Place} place */
  function facts(place) {
    const index = (source('pm_markets_index.json').json || {}).markets;
    const found = Array.isArray(index) ? index.find((one) => one && one.token === tokenAt(place)) : null;
    if (!found) return null;
    const reference = found.reference ? `${found.reference.source} ${found.reference.symbol} ${found.reference.field || ''}` : spelarText.DASH;
    return [
      h('dl', { class: 'figures' },
        spelarOverview.figure(t('col.market'), String(found.name)), spelarOverview.figure(t('col.outcome'), String(found.outcome)),
        spelarOverview.figure(t('col.reference'), reference), spelarOverview.figure(t('col.fee'), fine(found.fee_rate))),
      found.event && h('p', {}, spelarDom.outside(`https://polymarket.com/event/${encodeURIComponent(String(found.event))}`, t('market.venue'))),
      h('p', {}, h('code', { class: 'token' }, String(found.token))),
    ];
  }

  /** Levels of a book: `{token: {bids: [[price, shares]], asks: [...]}}`, best first. @param {Place} place */
  function ladder(place) {
    const books = source('pm_books.json').json;
    const book = books ? (books.books || books)[tokenAt(place)] : null;
    if (!book || !Array.isArray(book.bids) || !Array.isArray(book.asks)) return null;
    const cap = number(F.settings().LEAD_LAG_SLIPPAGE_CAP) || 0;
    /** @param {unknown[]} levels @returns {[number, number][]} */
    const read = (levels) => levels.map((level) => /** @type {[number, number]} */ (Array.isArray(level) ? level.map(Number) : [Number(Reflect.get(Object(level), 'price')), Number(Reflect.get(Object(level), 'size'))]));
    const asks = read(book.asks).sort((a, b) => a[0] - b[0]).slice(0, 10);
    const bids = read(book.bids).sort((a, b) => b[0] - a[0]).slice(0, 10);
    const most = Math.max(...[...asks, ...bids].map(([, size]) => size), 1e-9);
    /** @param {[number, number]} level @param {string} side @param {number} best */
    const line = ([at, size], side, best) =>
      h('tr', { class: Math.abs(at - best) <= cap + 1e-9 ? `${side} band` : side },
        h('th', { scope: 'row', class: 'number' }, price(at)), h('td', { class: 'number' }, fine(size)),
        h('td', { class: 'bar' }, svg('svg', { class: 'bar', width: '100%', height: 8, 'aria-hidden': 'true' }, svg('rect', { class: 'fill', x: 0, y: 0, height: 8, width: `${(size / most) * 100}%` }))));
    const rows = [...asks.map((level) => line(level, 'down', asks[0][0])).reverse(), ...bids.map((level) => line(level, 'up', bids[0][0]))];
    const head = h('tr', {}, h('th', { scope: 'col', class: 'number' }, t('col.price')), h('th', { scope: 'col', class: 'number' }, t('col.size_at')), h('td'));
    return [
      h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('ladder.title') },
        h('table', { class: 'ladder' }, h('caption', { class: 'hidden' }, t('ladder.title')), h('thead', {}, head), h('tbody', {}, rows))),
      h('p', { class: 'note' }, t('ladder.note', { cap: price(cap) })),
    ];
  }

  const PRICES = ['pm_prices.csv', 'edge_signals_live.csv', 'pm_markets_index.json', 'pm_paper_candidates.csv'];
  return {
    /** @type {Card[]} */
    edge: [
      { id: 'edges', title: 'edge.title', files: ['edge_signals_live.csv'], draw: edges, empty: 'edge.empty', span: 'wide' },
      chart('edge-over', 'edge.over', 'edge.over.empty', ['pm_prices.csv'], edgeDrawing, true),
    ],
    /** @type {Card[]} */
    market: [
      { id: 'facts', title: 'market.facts', files: ['pm_markets_index.json'], draw: facts, empty: 'market.facts.empty', span: 'wide' },
      chart('price', 'market.title', 'market.empty', ['pm_prices.csv', 'pm_paper_trades.csv'], priceDrawing),
      chart('market-edge', 'edge.over', 'edge.over.empty', ['pm_prices.csv'], edgeDrawing),
      { id: 'ladder', title: 'ladder.title', files: ['pm_books.json'], draw: ladder, empty: 'ladder.empty', span: 'half' },
      { id: 'decisions', title: 'market.decisions', files: ['pm_paper_candidates.csv'], draw: decisions, empty: 'market.decisions.empty', span: 'wide' },
    ],
    PRICES,
  };
})();

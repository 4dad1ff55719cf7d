'use strict';
// @ts-check
// The overview: is it alive, what did it earn after fees, and why does it not trade now.

const spelarOverview = (() => {
  const { h } = spelarDom;
  const { t, said, money, price, fine, signed, tone, spell } = spelarText;
  const { source } = spelarData;
  const { number, record } = spelarCsv;
  const F = spelarFacts;
  /** The files that the runbook names. */
  const STRIP = Object.keys(spelarData.FILES).filter((name) => name !== 'pm_books.json');

  /** @param {string} name @param {Child} value @param {string} [colour] */
  const figure = (name, value, colour = '') => h('div', {}, h('dt', {}, name), h('dd', { class: colour || null }, value));

  function account() {
    const book = source('pm_paper_portfolio.json').json;
    if (!book) return null;
    const [equity, start] = [number(book.equity_usd), number(book.start_balance_usd)];
    const gain = equity === null || start === null ? null : equity - start;
    const part = gain === null || !start ? null : (gain / start) * 100;
    return [
      h(
        'p',
        { class: 'hero' },
        h('span', { class: 'big', 'data-testid': 'equity' }, money(equity)),
        h('span', { class: `change ${tone(gain)}` }, `${signed(gain)} (${signed(part)} %) ${t('since')}`),
      ),
      h(
        'dl',
        { class: 'figures' },
        figure(t('cash'), money(book.cash_usd)),
        figure(t('realised'), signed(book.realized_pnl_usd), tone(book.realized_pnl_usd)),
        figure(t('unrealised'), signed(book.unrealized_pnl_usd), tone(book.unrealized_pnl_usd)),
        figure(t('open'), fine(book.open_positions)),
        figure(t('opening'), money(start)),
      ),
    ];
  }

  function split() {
    const book = source('pm_paper_portfolio.json').json;
    const [equity, start, fees] = book ? [number(book.equity_usd), number(book.start_balance_usd), number(book.fees_usd)] : [null, null, null];
    if (equity === null || start === null || fees === null) return null;
    const { cost, fees: paid, known } = F.spreadCost();
    // Fees are known of all fills: what part of them the file's fills paid says how much of the spread is known.
    const part = fees > 0 ? Math.min((paid / fees) * 100, 100) : 100;
    const gross = equity - start + fees;
    /** @type {[string, number][]} */
    const parts = known ? [[part > 99 ? 'split.price' : 'split.rest', gross + cost], ['split.spread', -cost]] : [['split.gross', gross]];
    parts.push(['split.fees', -fees], ['split.total', equity - start]);
    const most = Math.max(...parts.map(([, value]) => Math.abs(value)), 1e-9);
    const lines = parts.map(([name, value]) =>
      h('div', { class: name === 'split.total' ? 'part total' : 'part' }, h('dt', {}, t(name)), h('dd', { class: tone(value) || null }, signed(value)), bar(value, most)),
    );
    return [h('dl', { class: 'parts' }, lines), h('p', { class: 'note' }, known ? t(part > 99 ? 'split.note' : 'split.part', { n: known, part: spelarText.whole(part) }) : t('split.nothing'))];
  }

  /** A bar to the left or right of the middle. @param {number} value @param {number} most */
  function bar(value, most) {
    const width = Math.min((Math.abs(value) / most) * 50, 50);
    return spelarDom.svg(
      'svg',
      { class: `bar ${tone(value)}`, 'aria-hidden': 'true', width: '100%', height: 8 },
      spelarDom.svg('rect', { class: 'fill', x: `${value < 0 ? 50 - width : 50}%`, y: 0, width: `${width}%`, height: 8 }),
      spelarDom.svg('rect', { class: 'axis', x: '50%', y: 0, width: 1, height: 8 }),
    );
  }

  function strip() {
    return [
      h(
        'ul',
        { class: 'strip' },
        STRIP.map((name) => {
          const state = spelarData.state(name);
          const { data } = spelarData.ages(name);
          const quiet = spelarData.FILES[name].event && data !== null ? ` · ${t('card.quiet', { age: spell(data) })}` : '';
          const gone = state === 'missing' || state === 'error' || state === 'loading';
          return h(
            'li',
            { 'data-key': name, 'data-testid': `age-${name}`, 'data-of': name, 'data-state': state },
            h('span', { class: 'dot', 'aria-hidden': 'true' }),
            h('span', { class: 'name' }, name),
            h('span', { class: 'age' }, gone ? t(`state.${state}`) : `${t(`state.${state}`)} · ${spell(spelarData.age(name))}${quiet}`),
          );
        }),
      ),
    ];
  }

  /** The curve, and the worst drawdown in percent. @param {string} equity @param {string} trades @returns {{drawing: Drawing, worst: number} | null} */
  function curve(equity, trades) {
    const file = source(equity).table;
    const points = file ? spelarCharts.series(file, file.rows, 'equity_usd') : [];
    const last = points.at(-1);
    if (!last) return null;
    let peak = -Infinity;
    const falls = points.map(({ time, value, outage }) => {
      peak = Math.max(peak, value);
      return { time, value: peak > 0 ? ((value - peak) / peak) * 100 : 0, outage };
    });
    const drawn = spelarCharts.outline(points);
    const drawing = {
      label: t('curve.label', { value: money(last.value) }),
      marks: F.marks('', trades),
      lines: [
        { name: t('equity'), tone: '--accent', points: drawn.map((at) => points[at]), digits: 2 },
        { name: t('drawdown'), tone: '--down', points: drawn.map((at) => falls[at]), pane: 1, area: true, digits: 2 },
      ],
    };
    return { drawing, worst: falls.reduce((least, { value }) => Math.min(least, value), 0) };
  }

  /** The card of an equity file and its fills. @param {string} id @param {string} equity @param {string} trades @returns {Card} */
  function curveCard(id, equity, trades) {
    const chart = id === 'curve' ? 'equity-chart' : `${id}-chart`;
    /** @type {Drawing | null} */
    let drawing = null;
    const draw = () => {
      const found = curve(equity, trades);
      drawing = found && found.drawing;
      return found && [...spelarCharts.place(chart, found.drawing), h('p', { class: 'note' }, t('drawdown.worst', { value: money(found.worst) }))];
    };
    const after = () => {
      if (drawing) spelarCharts.draw(chart, drawing);
    };
    return { id, title: 'curve.title', files: [equity, trades], draw, after, empty: 'curve.empty', span: 'wide' };
  }

  function positions() {
    const file = source('pm_paper_positions.csv').table;
    if (!file || !file.rows.length) return null;
    return [spelarTable.table(t('positions.title'), spelarLists.POSITION_COLUMNS.slice(0, 7), file.rows.slice(0, 10).map((row) => record(file, row)), { key: (row) => row.token })];
  }

  function events() {
    const file = source('pm_paper_trades.csv').table;
    if (!file || !file.rows.length) return null;
    const rows = file.rows.slice(-8).reverse().map((row) => record(file, row));
    const items = rows.map((row) => {
      const filled = row.status !== 'rejected';
      const result = filled && row.action !== 'BUY' && row.realized_pnl ? h('span', { class: tone(row.realized_pnl) }, signed(row.realized_pnl)) : null;
      return h(
        'li',
        { 'data-key': row.trade_id || `${row.ts} ${row.token} ${row.action}` },
        h('time', { datetime: row.ts }, spelarText.time(row.ts)),
        h('span', { class: filled ? 'what' : 'what down' }, filled ? said('action', row.action) : `${said('action', row.action)}: ${said('status', row.status)}`),
        h('span', { class: 'where' }, F.marketLink(row.token, row.market)),
        h('span', { class: 'how' }, `${fine(row.shares)} × ${price(row.price)}`, result && ' ', result),
      );
    });
    return [h('ol', { class: 'events' }, items)];
  }

  function why() {
    const file = source('pm_paper_candidates.csv').table;
    if (!file || !file.rows.length) return null;
    const rows = F.latest(file).map((row) => record(file, row));
    const skipped = rows.filter((row) => row.decision === 'skip');
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const row of skipped) counts.set(F.reasonOf(row.reason), (counts.get(F.reasonOf(row.reason)) || 0) + 1);
    const top = [...counts].sort((a, b) => b[1] - a[1])[0];
    const more = h('p', {}, h('a', { href: '#/pm/candidates' }, t('top.more')));
    if (!top) return [h('p', { class: 'lead' }, t('top.none')), more];
    const close = F.nearest(skipped.filter((row) => F.reasonOf(row.reason) === top[0]));
    const setting = close ? close.setting : (F.GATES.find(([name]) => name === top[0]) || ['', ''])[1];
    return [
      h('p', { class: 'lead', 'data-testid': 'top-reason' }, t('top.text', { n: top[1], of: rows.length, reason: said('reason', top[0]) })),
      close && setting && h('p', {}, t('top.near', { value: fine(close.value), limit: fine(close.limit), market: close.row.market })),
      setting && h('p', {}, t('top.setting', { setting })),
      more,
    ];
  }

  /** @type {Card[]} */
  const cards = [
    { id: 'account', title: 'account.title', files: ['pm_paper_portfolio.json'], draw: account, empty: 'account.empty' },
    { id: 'split', title: 'split.title', files: ['pm_paper_portfolio.json', 'pm_paper_trades.csv'], draw: split, empty: 'account.empty' },
    { id: 'top', title: 'top.title', files: ['pm_paper_candidates.csv'], draw: why, empty: 'candidates.empty' },
    curveCard('curve', 'pm_paper_equity.csv', 'pm_paper_trades.csv'),
    { id: 'positions', title: 'positions.title', files: ['pm_paper_positions.csv'], draw: positions, empty: 'positions.empty', span: 'half' },
    { id: 'events', title: 'events.title', files: ['pm_paper_trades.csv'], draw: events, empty: 'trades.empty', span: 'half' },
    { id: 'strip', title: 'strip.title', files: [], draw: strip, empty: '', span: 'wide', ages: true },
  ];
  return { cards, STRIP, figure, curveCard };
})();

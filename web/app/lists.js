'use strict';
// @ts-check
// The lists: trades, positions, orders and what concerns Kraken. A rejected order is never shown as bought.

const spelarLists = (() => {
  const { h } = spelarDom;
  const { t, said, money, price, fine, signed, tone, spell } = spelarText;
  const { source } = spelarData;
  const { number, cell } = spelarCsv;
  const F = spelarFacts;

  /** @type {Column} */
  const MARKET = { name: 'market', kind: 'wide', show: (row) => F.marketLink(row.token || F.tokenOf(row.market), row.market || spelarText.DASH) };
  /** @param {string} name @param {(value: unknown) => string} show @returns {Column} */
  const numeric = (name, show) => ({ name, kind: 'number', show: (row) => show(row[name]) });
  /** @param {string} name @returns {Column} */
  const result = (name) => ({ name, kind: 'number', show: (row) => signed(row[name]), tone: (row) => tone(row[name]) });
  /** @param {string} group @returns {Column} */
  const word = (group) => ({ name: group, show: (row) => said(group, row[group] || spelarText.DASH) });
  /** @param {string} names @returns {Column[]} */
  const plain = (names) => names.split(' ').map((name) => ({ name, kind: name === 'ts' ? 'time' : ['notes', 'market'].includes(name) ? 'wide' : /^(qty|price|fee|confidence|edge|ref_price|size)$/.test(name) ? 'number' : '' }));

  /** @type {Column} */
  const TIME = { name: 'ts', kind: 'time' };
  /** @type {Column[]} */
  const TRADE_COLUMNS = [
    TIME, MARKET, { name: 'outcome' },
    { name: 'action', show: (row) => (row.status === 'rejected' ? h('s', {}, said('action', row.action)) : said('action', row.action)) },
    { name: 'status', show: (row) => h('span', { class: row.status === 'rejected' ? 'tag bad' : 'tag' }, said('status', row.status)) },
    numeric('shares', fine), numeric('price', price), numeric('notional', money), numeric('fee', price), result('realized_pnl'), numeric('cash_after', money),
    { name: 'notes', kind: 'wide' },
  ];

  /** Since when a position is held: the portfolio says, else its last buy from nothing. @param {Row} row */
  function openedAt(row) {
    const positions = (source('pm_paper_portfolio.json').json || {}).positions || {};
    return Object.hasOwn(positions, row.token) ? Date.parse((positions[row.token] || {}).opened_at) : NaN;
  }

  /** @param {Row} row */
  function heldFor(row) {
    const opened = openedAt(row);
    return Number.isNaN(opened) ? null : (Date.parse(row.ts) - opened) / 1000;
  }

  /** @param {Row} row */
  function held(row) {
    const limit = F.maxHold();
    return limit ? `${spell(heldFor(row))} / ${spell(limit)}` : spell(heldFor(row));
  }

  /** The newest edge of a position's token. @param {Row} row */
  function edgeOf(row) {
    const file = source('pm_paper_candidates.csv').table;
    const found = file ? F.latest(file).find((one) => cell(file, one, 'token') === row.token) : undefined;
    return file && found ? number(cell(file, found, 'edge')) : null;
  }

  /** @type {Column[]} */
  const POSITION_COLUMNS = [
    MARKET, { name: 'outcome' }, numeric('shares', fine), numeric('avg_entry', price), numeric('last_price', price), numeric('value', money), result('unrealized_pnl'),
    { name: 'held', kind: 'number', show: held, by: heldFor },
    numeric('adds', fine),
    {
      name: 'to_exit', kind: 'number', by: edgeOf,
      show: (row) => {
        const { exit } = F.thresholds();
        return exit === null ? fine(edgeOf(row)) : `${fine(edgeOf(row))} (${fine(exit)})`;
      },
    },
    TIME,
  ];

  /** A card that is one file as a list. @param {string} id @param {string} name @param {Column[]} columns @param {string[]} filters @param {string[]} [beside] @returns {Card} */
  const listed = (id, name, columns, filters, beside = []) => ({
    id, title: `${id}.title`, files: [name, ...beside], empty: `${id}.empty`, span: 'wide',
    draw: (place) => spelarTable.list(name, t(`${id}.title`), columns, filters, place),
  });

  const ORDERS = [TIME, MARKET, word('side'), numeric('price', price), numeric('size', fine), word('status'), { name: 'tx_id' }, { name: 'notes', kind: 'wide' }];
  ORDERS[2].show = (row) => said('action', row.side);

  return {
    TRADE_COLUMNS, POSITION_COLUMNS, MARKET, numeric, plain,
    trades: [listed('trades', 'pm_paper_trades.csv', TRADE_COLUMNS, ['market', 'action', 'status'])],
    positions: [listed('positions', 'pm_paper_positions.csv', POSITION_COLUMNS, ['market'], ['pm_paper_portfolio.json', 'pm_paper_candidates.csv'])],
    orders: [listed('orders', 'pm_orders.csv', ORDERS, ['market', 'status'])],
    kraken: [
      listed('signals', 'kraken_futures_signals.csv', plain('ts symbol signal confidence edge ref_price notes'), ['symbol']),
      listed('fills', 'kraken_futures_fills.csv', plain('ts symbol side qty price fee order_id position_id notes'), ['symbol']),
      listed('executed', 'executed_trades.csv', plain('ts venue symbol side qty price status notes'), ['symbol']),
    ],
  };
})();

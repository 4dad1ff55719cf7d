'use strict';
// @ts-check
// Replays and sweeps: what a tape's ticks would have come to, read from data/replay/, which lies outside the manifest.

const spelarReplay = (() => {
  const { h } = spelarDom;
  const { t, said, money, fine, signed, tone, spell, whole } = spelarText;
  const { source } = spelarData;
  const { number } = spelarCsv;
  const INDEX = 'replay/index.json';
  const SHOWN = 100;

  /** @typedef {{id: string, kind: string, [name: string]: unknown}} Run */

  /** @returns {Run[]} */
  function runs() {
    const listed = (source(INDEX).json || {}).runs;
    return Array.isArray(listed) ? listed.filter((one) => one && typeof one.id === 'string') : [];
  }

  /** @param {unknown} value @returns {Record<string, any>} */
  const record = (value) => (typeof value === 'object' && value !== null ? /** @type {Record<string, any>} */ (value) : {});
  /** @param {unknown} value */
  const share = (value) => (number(value) === null ? spelarText.DASH : `${spelarText.figure(Number(value) * 100, 0, 1)} %`);
  /** @param {string} name @returns {Column} */
  const amount = (name) => ({ name, kind: 'number', show: (row) => signed(row[name]), tone: (row) => tone(row[name]) });

  function list() {
    const rows = runs().map((run) => Object.fromEntries(Object.entries(run).map(([name, value]) => [name, value === null ? '' : String(value)])));
    if (!rows.length) return null;
    /** @type {Column[]} */
    const columns = [
      { name: 'id', kind: 'wide', show: (row) => h('a', { href: `#/replay/${encodeURIComponent(row.id)}` }, row.id) },
      { name: 'kind', show: (row) => said('run', row.kind) },
      { name: 'at', kind: 'time' },
      { name: 'tape', kind: 'wide' }, { name: 'strategy_mode' },
      spelarLists.numeric('trades', whole), amount('pnl_usd'), spelarLists.numeric('fees_usd', money), spelarLists.numeric('max_drawdown_usd', money),
    ];
    return [spelarTable.table(t('replay.title'), columns, rows.slice(0, SHOWN), { key: (row) => row.id })];
  }

  /** The cards of an address: the list, or one run as its kind asks. @param {Place} place @returns {Card[]} */
  function cards({ path }) {
    const [, id] = path;
    if (!id) return [{ id: 'replay', title: 'replay.title', files: [INDEX], draw: list, empty: 'replay.empty', span: 'wide' }];
    const kind = (runs().find((run) => run.id === id) || { kind: '' }).kind;
    const folder = `replay/${encodeURIComponent(id)}`;
    if (kind === 'replay') return replayed(folder);
    if (kind === 'sweep') return swept(`${folder}/sweep.json`);
    return [{ id: 'replay', title: 'replay.title', files: [INDEX], draw: () => [h('p', { class: 'empty' }, t('replay.unknown', { id })), h('p', {}, h('a', { href: '#/replay' }, t('replay.all')))], empty: 'replay.empty', span: 'wide' }];
  }

  // --- one replay ---

  /** @param {string} folder @returns {Card[]} */
  function replayed(folder) {
    const [report, equity, trades] = ['report.json', 'pm_paper_equity.csv', 'pm_paper_trades.csv'].map((name) => `${folder}/${name}`);
    return [
      { id: 'result', title: 'replay.result', files: [report], draw: () => result(record(source(report).json)), empty: 'replay.empty', span: 'half' },
      { id: 'coverage', title: 'replay.coverage', files: [report], draw: () => coverage(record(source(report).json)), empty: 'replay.empty', span: 'half' },
      spelarOverview.curveCard('replay-curve', equity, trades),
      { id: 'trades', title: 'trades.title', files: [trades], draw: (place) => spelarTable.list(trades, t('trades.title'), spelarLists.TRADE_COLUMNS, ['market', 'action', 'status'], place), empty: 'trades.empty', span: 'wide' },
      { id: 'settings', title: 'health.settings', files: [report], draw: () => spelarHealth.settingsTable(record(source(report).json).settings), empty: 'replay.empty', span: 'wide' },
    ];
  }

  /** @param {[string, Child, string?][]} parts */
  const figures = (parts) => h('dl', { class: 'figures' }, parts.map(([name, value, colour]) => spelarOverview.figure(name, value, colour)));

  /** @param {Record<string, any>} report */
  function result(report) {
    const markouts = Object.entries(record(report.markout)).map(([after, one]) => /** @type {[string, Child]} */ ([t('replay.markout', { after }), signed(record(one).price, fine)]));
    return [
      h('p', { class: 'hero' }, h('span', { class: `big ${tone(report.pnl_usd)}` }, signed(report.pnl_usd)), h('span', { class: 'change' }, t('replay.after'))),
      figures([
        [t('replay.trades'), Object.entries(record(report.trades)).map(([action, count]) => `${said('action', action)} ${whole(count)}`).join(', ') || spelarText.DASH],
        [t('split.fees'), money(report.fees_usd)], [t('replay.drawdown'), money(report.max_drawdown_usd)], [t('replay.hits'), share(report.hit_rate)],
        [t('replay.market'), spell(number(report.time_in_market_s))], [t('open'), whole(report.open_positions)], ...markouts,
      ]),
      h('p', { class: 'note' }, t('replay.note')),
      h('p', {}, h('a', { href: '#/replay' }, t('replay.all'))),
    ];
  }

  /** @param {Record<string, any>} report */
  function coverage(report) {
    const seen = record(report.coverage);
    const gaps = Array.isArray(report.gaps) ? report.gaps.map(record) : [];
    return [
      figures([
        [t('col.tape'), String(report.tape || spelarText.DASH)], [t('col.strategy_mode'), String(report.strategy_mode || spelarText.DASH)],
        [t('replay.from'), spelarText.time(seen.from)], [t('replay.to'), spelarText.time(seen.to)], [t('replay.ticks'), whole(seen.ticks)], [t('replay.share'), share(seen.share)],
      ]),
      h('p', {}, gaps.length ? t('replay.gaps', { n: whole(gaps.length) }) : t('replay.nogaps')),
      gaps.length > 0 && h('ul', { class: 'plain' }, gaps.slice(0, 20).map((gap) => h('li', {}, `${spelarText.time(gap.from)} – ${spelarText.time(gap.to)} (${spell(number(gap.seconds))})`))),
    ];
  }

  // --- one sweep ---

  /** @param {string} file @returns {Card[]} */
  function swept(file) {
    /** @param {(sweep: Record<string, any>) => Child[] | null} draw */
    const of = (draw) => () => draw(record(source(file).json));
    return [
      { id: 'verdict', title: 'sweep.verdict', files: [file], draw: of(verdict), empty: 'replay.empty', span: 'wide' },
      { id: 'best', title: 'sweep.best', files: [file], draw: of(best), empty: 'sweep.none', span: 'wide' },
      { id: 'heat', title: 'sweep.heat', files: [file], draw: of(heat), empty: 'sweep.noheat', span: 'wide' },
      { id: 'folds', title: 'sweep.folds', files: [file], draw: of(folds), empty: 'sweep.nofolds', span: 'wide' },
    ];
  }

  /** @param {Record<string, any>} sweep */
  function verdict(sweep) {
    const [luck, walk, near] = [record(sweep.luck), record(sweep.walk_forward), record(sweep.neighbours)];
    const warnings = Array.isArray(sweep.warnings) ? sweep.warnings : [];
    return [
      warnings.length > 0 && h('ul', { class: 'alarms' }, warnings.map((text) => h('li', {}, String(text)))),
      figures([
        [t('sweep.trials'), whole(sweep.trials)], [t('sweep.in'), fine(walk.in_sample)], [t('sweep.out'), fine(walk.out_of_sample), tone(walk.out_of_sample)],
        [t('sweep.walk'), signed(walk.pnl_usd), tone(walk.pnl_usd)], [t('sweep.lucky'), fine(luck.expected_best)], [t('sweep.deflated'), share(luck.deflated_sharpe)],
        [t('sweep.near'), fine(near.middle)],
      ]),
      h('p', { class: 'note' }, t('sweep.note', { period: spell(number(sweep.period_s)), purge: spell(number(sweep.purge_s)) })),
      h('p', {}, h('a', { href: '#/replay' }, t('replay.all'))),
    ];
  }

  /** @param {Record<string, any>} sweep */
  function best(sweep) {
    const rows = (Array.isArray(sweep.best) ? sweep.best : []).map((row) => Object.fromEntries(Object.entries(record(row)).map(([name, value]) => [name, value === null ? '' : String(value)])));
    if (!rows.length) return null;
    const names = Array.isArray(sweep.names) ? sweep.names.map(String) : [];
    /** @type {Column[]} */
    const columns = [
      ...names.map((name) => ({ name, kind: 'number' })),
      spelarLists.numeric('score', fine), spelarLists.numeric('trades', whole), amount('pnl_usd'), spelarLists.numeric('fees_usd', money),
      spelarLists.numeric('max_drawdown_usd', money), spelarLists.numeric('hit_rate', share),
    ];
    return [spelarTable.table(t('sweep.best'), columns, rows.slice(0, SHOWN), { key: (row, at) => `${at} ${names.map((name) => row[name]).join(' ')}` })];
  }

  /** The mean score by the two variables that tell most; the colour says how good, the number says it too. @param {Record<string, any>} sweep */
  function heat(sweep) {
    const { x, y, xs, ys, mean } = record(sweep.heat);
    if (![xs, ys, mean].every(Array.isArray)) return null;
    const scores = mean.flat().map(number).filter((/** @type {number | null} */ score) => score !== null);
    const [low, high] = [Math.min(...scores), Math.max(...scores)];
    /** @param {unknown} value */
    const cell = (value) => {
      const score = number(value);
      const step = score === null ? 0 : 1 + Math.round((4 * (score - low)) / Math.max(high - low, 1e-12));
      return h('td', { class: `number heat-${step}` }, fine(value));
    };
    const head = h('tr', {}, h('th', { scope: 'col' }, `${y} ↓ ${x} →`), xs.map((/** @type {unknown} */ value) => h('th', { scope: 'col', class: 'number' }, String(value))));
    const lines = ys.map((/** @type {unknown} */ value, /** @type {number} */ at) => h('tr', {}, h('th', { scope: 'row', class: 'number' }, String(value)), mean[at].map(cell)));
    return [
      h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('sweep.heat') }, h('table', { class: 'heat' }, h('caption', { class: 'hidden' }, t('sweep.heat')), h('thead', {}, head), h('tbody', {}, lines))),
      h('p', { class: 'note' }, t('sweep.heatnote')),
    ];
  }

  /** @param {Record<string, any>} sweep */
  function folds(sweep) {
    const rows = (Array.isArray(sweep.folds) ? sweep.folds : []).map((fold) => {
      const { from, to, settings: chosen, ...scores } = record(fold);
      return { from: String(from), to: String(to), settings: Object.entries(record(chosen)).map(([name, value]) => `${name}=${value}`).join(' '), ...Object.fromEntries(Object.entries(scores).map(([name, value]) => [name, value === null ? '' : String(value)])) };
    });
    if (!rows.length) return null;
    /** @type {Column[]} */
    const columns = [
      { name: 'from', kind: 'time' }, { name: 'to', kind: 'time' }, { name: 'settings', kind: 'wide' },
      spelarLists.numeric('in_sample', fine), { ...spelarLists.numeric('out_of_sample', fine), tone: (row) => tone(row.out_of_sample) }, amount('pnl_usd'),
    ];
    return [spelarTable.table(t('sweep.folds'), columns, rows.slice(0, SHOWN), { key: (row) => row.from })];
  }

  return { INDEX, cards };
})();

'use strict';
// @ts-check
// Why not: the gates in their order, what each stopped, the nearest miss, and the variable that would have changed it.

const spelarWhy = (() => {
  const { h, svg } = spelarDom;
  const { t, said, fine, whole } = spelarText;
  const { source } = spelarData;
  const { record, cell } = spelarCsv;
  const F = spelarFacts;
  const FILE = 'pm_paper_candidates.csv';

  /** The rows of the chosen period and market; null when the file holds none. @param {Place} place */
  function chosen(place) {
    const file = source(FILE).table;
    if (!file || !file.rows.length) return null;
    const market = place.params.get('market');
    const rows = F.spanned(file, place.params.get('span') || 'hour').map((row) => record(file, row));
    return market ? rows.filter((row) => row.market === market) : rows;
  }

  /** @param {Place} place */
  function filters(place) {
    const file = source(FILE).table;
    const markets = file ? [...new Set(F.latest(file).map((row) => cell(file, row, 'market')))].sort() : [];
    const span = place.params.get('span') || 'hour';
    const options = ['tick', 'hour', 'all'].map((value) => h('option', { value: value === 'hour' ? '' : value, selected: value === span }, t(`span.${value}`)));
    return h(
      'div',
      { class: 'filters' },
      h('label', { 'data-key': 'span' }, t('why.span'), h('select', { 'data-param': 'span' }, options)),
      spelarTable.choice('market', markets, place, (value) => value),
    );
  }

  /** @param {Row[]} rows @returns {Map<string, Row[]>} */
  const byReason = (rows) => F.grouped(rows, (row) => F.reasonOf(row.reason || '?'));

  /** @param {Place} place */
  function funnel(place) {
    const rows = chosen(place);
    if (!rows) return null;
    const flat = rows.filter((row) => row.decision === 'skip' || row.decision === 'enter');
    const groups = byReason(flat.filter((row) => row.decision === 'skip'));
    const known = F.GATES.map(([name]) => name).filter((name) => groups.has(name));
    const order = [...known, ...[...groups.keys()].filter((name) => !known.includes(name))];
    let left = flat.length;
    const lines = order.map((reason) => {
      const stopped = groups.get(reason) || [];
      left -= stopped.length;
      return gateLine(reason, stopped, left, flat.length);
    });
    const titles = ['why.gate', 'why.stopped', 'why.left', 'why.near', 'why.setting'].map((name, at) => h('th', { scope: 'col', class: at === 1 || at === 2 ? 'number' : null }, t(name)));
    const first = h('tr', { class: 'first' }, h('th', { scope: 'row' }, t('why.all')), h('td'), h('td', { class: 'number' }, whole(flat.length)), h('td'), h('td'));
    const entries = flat.filter((row) => row.decision === 'enter').length;
    const last = h('tr', { class: 'total' }, h('th', { scope: 'row' }, t('why.passed')), h('td'), h('td', { class: 'number', 'data-testid': 'entries' }, whole(entries)), h('td'), h('td'));
    return [
      filters(place),
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('why.title') },
        h('table', { class: 'funnel' }, h('caption', { class: 'hidden' }, t('why.title')), h('thead', {}, h('tr', {}, titles)), h('tbody', {}, first, lines, last)),
      ),
      h('p', { class: 'note' }, t('why.note')),
      gateless() && h('p', { class: 'note' }, t('why.nogates')),
    ];
  }

  function gateless() {
    const file = source(FILE).table;
    return file !== null && !file.columns.has('gate_value');
  }

  /** @param {string} reason @param {Row[]} stopped @param {number} left @param {number} all */
  function gateLine(reason, stopped, left, all) {
    const close = F.nearest(stopped);
    const gate = F.GATES.find(([name]) => name === reason);
    const setting = close && close.setting ? close.setting : gate ? gate[1] : '';
    const bar = svg('svg', { class: 'bar', 'aria-hidden': 'true', width: '100%', height: 6 }, svg('rect', { class: 'fill', x: 0, y: 0, width: `${(left / Math.max(all, 1)) * 100}%`, height: 6 }));
    return h(
      'tr',
      { 'data-key': reason, 'data-testid': `gate-${reason}` },
      h('th', { scope: 'row' }, h('span', {}, said('reason', reason)), h('code', {}, reason)),
      h('td', { class: 'number' }, whole(stopped.length)),
      h('td', { class: 'number' }, whole(left), bar),
      h('td', {}, close && setting ? t('why.of', { value: fine(close.value), limit: fine(close.limit) }) : spelarText.DASH),
      h('td', {}, setting ? h('code', {}, setting) : spelarText.DASH),
    );
  }

  /** @param {Place} place */
  function nearest(place) {
    const rows = chosen(place);
    if (!rows) return null;
    const close = F.nearest(rows.filter((row) => row.decision === 'skip'), true);
    if (!close) return [h('p', {}, t('near.none'))];
    const { row, value, limit, setting, reason } = close;
    return [
      h('p', { class: 'lead', 'data-testid': 'nearest' }, t('why.of', { value: fine(value), limit: fine(limit) })),
      h('p', {}, F.marketLink(row.token, row.market), ` · ${t('near.when', { reason: said('reason', reason), time: spelarText.time(row.ts) })}`),
      setting && h('p', {}, t('near.change', { setting, value: fine(value), now: fine(limit) })),
    ];
  }

  /** @param {Place} place */
  function held(place) {
    const rows = chosen(place);
    const kept = rows ? rows.filter((row) => ['hold', 'scale_in', 'exit'].includes(row.decision)) : [];
    if (!kept.length) return null;
    const groups = [...F.grouped(kept, (row) => `${row.decision} ${F.reasonOf(row.reason || '?')}`)].sort((a, b) => b[1].length - a[1].length);
    const columns = [
      { name: 'decision', show: (/** @type {Row} */ row) => said('decision', row.decision) },
      { name: 'reason', kind: 'wide', show: (/** @type {Row} */ row) => said('reason', row.reason) },
      { name: 'rows', kind: 'number' },
    ];
    return [spelarTable.table(t('held.title'), columns, groups.map(([, [row, ...more]]) => ({ decision: row.decision, reason: F.reasonOf(row.reason || '?'), rows: String(more.length + 1) })))];
  }

  /** @param {Place} place */
  function cross(place) {
    const rows = chosen(place);
    if (!rows || !rows.length) return null;
    const counts = F.grouped(rows, (row) => row.market);
    const markets = [...counts.keys()].sort().slice(0, 100);
    const reasons = [...byReason(rows)].sort((a, b) => b[1].length - a[1].length).map(([reason]) => reason);
    const head = h('tr', {}, h('th', { scope: 'col' }, t('col.market')), reasons.map((reason) => h('th', { scope: 'col', class: 'number turned' }, said('reason', reason))), h('th', { scope: 'col', class: 'number' }, t('whole.sum')));
    const lines = markets.map((market) => {
      const mine = counts.get(market) || [];
      const groups = byReason(mine);
      return h(
        'tr',
        { 'data-key': market },
        h('th', { scope: 'row' }, F.marketLink(mine[0].token, market)),
        reasons.map((reason) => h('td', { class: 'number' }, whole((groups.get(reason) || []).length || null))),
        h('td', { class: 'number' }, whole(mine.length)),
      );
    });
    return [
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('cross.title') },
        h('table', {}, h('caption', { class: 'hidden' }, t('cross.title')), h('thead', {}, head), h('tbody', {}, lines)),
      ),
    ];
  }

  /** @type {Card[]} */
  const cards = [
    { id: 'nearest', title: 'near.title', files: [FILE], draw: nearest, empty: 'candidates.empty', span: 'half' },
    { id: 'held', title: 'held.title', files: [FILE], draw: held, empty: 'held.empty', span: 'half' },
    { id: 'funnel', title: 'why.title', files: [FILE], draw: funnel, empty: 'candidates.empty', span: 'wide' },
    { id: 'cross', title: 'cross.title', files: [FILE], draw: cross, empty: 'candidates.empty', span: 'wide' },
  ];
  return { cards };
})();

'use strict';
// @ts-check
// Tables: sorted and filtered by the address, at most a hundred rows in the document, all of them as CSV.

/** @typedef {Record<string, string>} Row */
/** `show` gives the cell (the column's text when absent), `by` what to sort on. `kind`: number, time, wide or ''.
 * @typedef {{name: string, kind?: string, show?: (row: Row) => Child, by?: (row: Row) => string | number | null, tone?: (row: Row) => string}} Column */

const spelarTable = (() => {
  const { h } = spelarDom;
  const { t } = spelarText;
  const PAGE = 100;

  /** A plain table in a box that scrolls by itself.
   * @param {string} caption @param {Column[]} columns @param {Row[]} rows
   * @param {{place?: Place, key?: (row: Row, at: number) => string}} [more] with `place` the titles sort */
  function table(caption, columns, rows, more = {}) {
    const head = columns.map((column) => headCell(column, more.place));
    const lines = rows.map((row, at) =>
      h('tr', { 'data-key': more.key ? more.key(row, at) : null }, columns.map((column) => bodyCell(column, row))),
    );
    return h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      h('table', {}, h('caption', { class: 'hidden' }, caption), h('thead', {}, h('tr', {}, head)), h('tbody', {}, lines)),
    );
  }

  /** @param {Column} column @param {Row} row */
  function bodyCell(column, row) {
    const tone = column.tone ? column.tone(row) : '';
    const kind = column.kind || '';
    return h('td', { class: `${kind} ${tone}`.trim() || null }, shown(column, row));
  }

  /** @param {Column} column @param {Row} row @returns {Child} */
  function shown(column, row) {
    if (column.show) return column.show(row);
    const text = row[column.name] || '';
    if (column.kind === 'time') return spelarText.time(text);
    if (column.kind === 'number') return spelarText.fine(text);
    return text || spelarText.DASH;
  }

  /** @param {Column} column @param {Place} [place] */
  function headCell(column, place) {
    const title = spelarText.said('col', column.name);
    if (!place || column.kind === 'bar') return h('th', { scope: 'col', class: column.kind || null }, title);
    const [name, down] = order(place);
    const active = name === column.name;
    const next = active && down ? column.name : `-${column.name}`;
    const sort = active ? (down ? 'descending' : 'ascending') : 'none';
    const mark = h('span', { 'aria-hidden': 'true', class: 'mark' }, active ? (down ? ' ↓' : ' ↑') : '');
    return h('th', { scope: 'col', class: column.kind || null, 'aria-sort': sort }, h('a', { href: link(place, { sort: next, page: null }) }, title, mark));
  }

  /** @param {Place} place @returns {[string, boolean]} */
  function order(place) {
    const sort = place.params.get('sort') || '-ts';
    return [sort.replace(/^-/, ''), sort.startsWith('-')];
  }

  /** The address of this view with some parameters changed. @param {Place} place @param {Record<string, string | null>} changes */
  function link(place, changes) {
    const params = new URLSearchParams(place.params);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === '') params.delete(name);
      else params.set(name, value);
    }
    const query = params.toString();
    return `#/${place.path.map(encodeURIComponent).join('/')}${query ? `?${query}` : ''}`;
  }

  /** The rows of a file, newest first, that the address's filters let through.
   * @param {CsvTable} file @param {Place} place @param {string[]} filters */
  function filtered(file, place, filters) {
    const [from, to] = [place.params.get('from') || '', place.params.get('to') || ''];
    const wanted = filters.map((name) => [name, place.params.get(name) || '']).filter(([, value]) => value);
    const found = [];
    for (let at = file.rows.length - 1; at >= 0; at -= 1) {
      const row = file.rows[at];
      if (wanted.some(([name, value]) => spelarCsv.cell(file, row, name) !== value)) continue;
      const day = from || to ? spelarText.day(spelarCsv.cell(file, row, 'ts')) : '';
      if ((!from || day >= from) && (!to || day <= to)) found.push(row);
    }
    return found;
  }

  /** @param {CsvTable} file @param {string[][]} rows @param {Column[]} columns @param {Place} place */
  function sorted(file, rows, columns, place) {
    const [name, down] = order(place);
    const column = columns.find((one) => one.name === name);
    if (!column || (name === 'ts' && down)) return rows;
    /** @param {string[]} row */
    const by = (row) => {
      if (column.by) return column.by(spelarCsv.record(file, row));
      const text = spelarCsv.cell(file, row, name);
      return column.kind === 'number' ? spelarCsv.number(text) : text;
    };
    const keyed = rows.map((row) => ({ row, key: by(row) }));
    const way = down ? -1 : 1;
    keyed.sort((a, b) => {
      if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
      return a.key < b.key ? -way : a.key > b.key ? way : 0;
    });
    return keyed.map(({ row }) => row);
  }

  /** A file as a list: filters, table, pages, download. Null when the file holds no row.
   * @param {string} name @param {string} caption @param {Column[]} columns @param {string[]} filters @param {Place} place @returns {Child[] | null} */
  function list(name, caption, columns, filters, place) {
    const file = spelarData.source(name).table;
    if (!file || !file.rows.length) return null;
    const rows = sorted(file, filtered(file, place, filters), columns, place);
    const page = Math.min(Math.max(Number(place.params.get('page')) || 1, 1), Math.ceil(rows.length / PAGE) || 1);
    const seen = rows.slice((page - 1) * PAGE, page * PAGE).map((row) => spelarCsv.record(file, row));
    return [
      filterBar(name, file, filters, place, rows.length),
      seen.length ? table(caption, columns, seen, { place, key: keyed() }) : h('p', { class: 'empty' }, t('trades.none')),
      rows.length > PAGE && pages(place, page, rows.length),
    ];
  }

  /** A key for each row that stays with it: its time and token, numbered where they repeat. */
  function keyed() {
    /** @type {Map<string, number>} */
    const seen = new Map();
    /** @param {Row} row */
    return (row) => {
      const name = row.trade_id || row.tx_id || `${row.ts} ${row.token || row.market || row.symbol}`;
      const before = seen.get(name) || 0;
      seen.set(name, before + 1);
      return before ? `${name} ${before}` : name;
    };
  }

  /** @param {string} name @param {CsvTable} file @param {string[]} filters @param {Place} place @param {number} count */
  function filterBar(name, file, filters, place, count) {
    const fields = filters.map((filter) => choice(filter, [...new Set(file.rows.map((row) => spelarCsv.cell(file, row, filter)))].sort(), place));
    const days = ['from', 'to'].map((end) =>
      h('label', { 'data-key': end }, t(`filter.${end}`), h('input', { type: 'date', 'data-param': end, value: place.params.get(end) || '' })),
    );
    const dirty = [...filters, 'from', 'to'].some((filter) => place.params.get(filter));
    return h(
      'div',
      { class: 'filters' },
      fields,
      days,
      dirty && h('a', { class: 'button', href: link(place, Object.fromEntries([...filters, 'from', 'to', 'page'].map((filter) => [filter, null]))) }, t('table.clear')),
      h('span', { class: 'count', 'data-key': 'count' }, t('table.rows', { n: spelarText.whole(count) })),
      h('button', { type: 'button', 'data-act': 'csv', 'data-name': name, 'data-filters': filters.join(' '), 'data-key': 'csv' }, t('table.csv')),
    );
  }

  /** A choice that goes into the address; `any` is what no choice means.
   * @param {string} name @param {string[]} values @param {Place} place @param {(value: string) => string} [text] @param {string} [any] */
  function choice(name, values, place, text = (value) => spelarText.said(name, value), any = t('table.any')) {
    const chosen = place.params.get(name) || '';
    const options = ['', ...values.filter(Boolean)].map((value) =>
      h('option', { value, selected: value === chosen }, value ? text(value) : any),
    );
    return h('label', { 'data-key': name }, t(`col.${name}`), h('select', { 'data-param': name }, options));
  }

  /** @param {Place} place @param {number} page @param {number} count */
  function pages(place, page, count) {
    const last = Math.ceil(count / PAGE);
    /** @param {number} to @param {string} text */
    const turn = (to, text) => (to < 1 || to > last ? null : h('a', { class: 'button', href: link(place, { page: String(to) }) }, text));
    const here = t('table.page', { from: (page - 1) * PAGE + 1, to: Math.min(page * PAGE, count), of: spelarText.whole(count) });
    return h('p', { class: 'pages' }, turn(page - 1, t('table.newer')), h('span', {}, here), turn(page + 1, t('table.older')));
  }

  /** The rows of the current filter as a file for the reader. @param {string} name @param {string[]} filters @param {Place} place */
  function download(name, filters, place) {
    const file = spelarData.source(name).table;
    if (!file) return;
    const rows = filtered(file, place, filters);
    const address = URL.createObjectURL(new Blob(['\uFEFF', spelarCsv.write(file.header, rows)], { type: 'text/csv' }));
    const anchor = document.createElement('a');
    anchor.href = address;
    anchor.download = name;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  return { table, list, link, choice, download };
})();

'use strict';
// @ts-check
// CSV out of bytes: the tail of a big file first, then only what was appended; and CSV for the reader to keep.

/** `bytes` is the whole edition, `tail` how many of its last ones were read at first, `skipped` counts rows that could not be
 * understood, `partial` says that the head was not read.
 * @typedef {{bytes: Uint8Array, tail: number, header: string[], rows: string[][], skipped: number, partial: boolean, columns: Map<string, number>}} CsvTable */

const spelarCsv = (() => {
  const NEWLINE = 10;
  const QUOTE = 34;
  const MOST_ROWS = 10000;
  /** How near its end a file may differ from its last edition and still count as continued, bytes. */
  const REWRITTEN = 4096;

  const decoder = new TextDecoder();

  /** The cells of a CSV text, RFC 4180. @param {string} text @returns {string[][]} */
  function cells(text) {
    const papa = Reflect.get(globalThis, 'Papa');
    const newline = text.includes('\r\n') ? '\r\n' : '\n';
    if (papa) return papa.parse(text, { delimiter: ',', newline, skipEmptyLines: true }).data;
    const pattern = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/y;
    const rows = [];
    /** @type {string[]} */
    let row = [];
    while (pattern.lastIndex < text.length) {
      const found = pattern.exec(text);
      if (!found) break;
      row.push(found[1] === undefined ? found[2] : found[1].replace(/""/g, '"'));
      if (found[3] === ',') continue;
      if (row.length > 1 || row[0]) rows.push(row);
      row = [];
    }
    return rows;
  }

  /** @param {Uint8Array} bytes */
  const headEnd = (bytes) => bytes.indexOf(NEWLINE) + 1 || bytes.length;

  /** Read a file anew, at most its last `tail` bytes. @param {Uint8Array} bytes @param {number} tail @returns {CsvTable} */
  function read(bytes, tail) {
    const head = headEnd(bytes);
    const header = (cells(decoder.decode(bytes.subarray(0, head)).trimEnd())[0] || []).map((name) => name.trim());
    const partial = bytes.length - head > tail;
    const start = partial ? bytes.indexOf(NEWLINE, bytes.length - tail) + 1 || head : head;
    /** @type {CsvTable} */
    const table = { bytes, tail, header, rows: [], skipped: 0, partial, columns: new Map(header.map((name, i) => [name, i])) };
    add(table, start);
    return table;
  }

  /** @param {CsvTable} table @param {number} from */
  function add(table, from) {
    for (const row of cells(decoder.decode(table.bytes.subarray(from)))) {
      if (row.length === table.header.length) table.rows.push(row);
      else table.skipped += 1;
    }
  }

  /** The next edition of a table: what both editions share is not read again, but for a longer tail. @param {CsvTable | null} before @param {Uint8Array} bytes @param {number} tail */
  function next(before, bytes, tail) {
    const step = before && !(before.partial && before.tail < tail) && continued(before.bytes, bytes);
    if (!before || !step) return read(bytes, tail);
    const rows = before.rows;
    const table = { ...before, bytes };
    const many = rows.length;
    if (step.undo) rows.splice(rows.length - step.undo);
    if (!table.partial) rows.splice(0, step.drop);
    add(table, step.from);
    // The end of a file stays as long as it was read.
    rows.splice(0, rows.length - (table.partial ? many : MOST_ROWS));
    return table;
  }

  /** Where the new bytes begin, how many rows went at the front and how many of the last ones were rewritten; null: read anew.
   * @param {Uint8Array} old @param {Uint8Array} now */
  function continued(old, now) {
    const head = headEnd(old);
    const shared = sharedPrefix(old, now);
    if (shared < head || old[old.length - 1] !== NEWLINE) return null;
    if (old.length - shared < REWRITTEN) {
      const from = old.lastIndexOf(NEWLINE, shared - 1) + 1;
      const rewritten = old.subarray(from);
      return rewritten.includes(QUOTE) ? null : { from, drop: 0, undo: lines(rewritten) };
    }
    const cut = place(old, now.subarray(head, now.indexOf(NEWLINE, head) + 1), head);
    if (cut < 0 || old.subarray(head, cut).includes(QUOTE)) return null;
    const kept = old.subarray(cut);
    if (sharedPrefix(kept, now.subarray(head)) < kept.length) return null;
    return { from: head + kept.length, drop: lines(old.subarray(head, cut)), undo: 0 };
  }

  /** @param {Uint8Array} one @param {Uint8Array} other */
  function sharedPrefix(one, other) {
    const most = Math.min(one.length, other.length);
    let at = 0;
    while (at < most && one[at] === other[at]) at += 1;
    return at;
  }

  /** @param {Uint8Array} bytes */
  function lines(bytes) {
    let count = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
    return count;
  }

  /** The line of `bytes` from `from` on that equals `line`, -1 when none does. @param {Uint8Array} bytes @param {Uint8Array} line @param {number} from */
  function place(bytes, line, from) {
    if (!line.length) return -1;
    for (let at = from; at < bytes.length && at > 0; at = bytes.indexOf(NEWLINE, at) + 1) {
      if (sharedPrefix(bytes.subarray(at, at + line.length), line) === line.length) return at;
    }
    return -1;
  }

  /** A cell by its column's name, '' where the file has no such column. @param {CsvTable} table @param {string[]} row @param {string} name */
  function cell(table, row, name) {
    const at = table.columns.get(name);
    return at === undefined ? '' : row[at];
  }

  /** A row as an object. @param {CsvTable} table @param {string[]} row @returns {Record<string, string>} */
  const record = (table, row) => Object.fromEntries(table.header.map((name, i) => [name, row[i]]));

  /** A number, or null for what is none: an empty cell is not zero. @param {unknown} value */
  function number(value) {
    if (value === '' || value === null || value === undefined || typeof value === 'boolean') return null;
    const found = Number(value);
    return Number.isFinite(found) ? found : null;
  }

  /** A cell that no spreadsheet takes for a formula; numbers stay numbers. @param {string} text */
  function safe(text) {
    const plain = /^[=+\-@\t\r]/.test(text) && number(text) === null ? `'${text}` : text;
    return /[",\r\n]/.test(plain) ? `"${plain.replace(/"/g, '""')}"` : plain;
  }

  /** @param {string[]} header @param {string[][]} rows */
  const write = (header, rows) => [header, ...rows].map((row) => row.map(safe).join(',')).join('\r\n') + '\r\n';

  return { next, cell, record, number, write };
})();

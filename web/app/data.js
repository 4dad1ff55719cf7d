'use strict';
// @ts-check
// The files of data/: what is fetched when, how old it is, and the last good copy of each. The browser's clock is never asked.

/** @typedef {'loading' | 'ok' | 'empty' | 'late' | 'stale' | 'missing' | 'error'} State */
/** One file of data/. `fetched` is what its last fetch gave; `newest` and `changed` are UTC ms; `version` counts editions.
 * @typedef {{name: string, fetched: State, table: CsvTable | null, json: any, version: number, problem: string, entry: string,
 *   modified: string, changed: number | null, newest: number | null, retryAt: number, busy: boolean}} Source */
/** @typedef {{rows: number, newest: string | null, bytes: number}} Entry */
/** @typedef {{tick: number, ts: string, ledger_id: string, interval_s?: number, files: Record<string, Entry>}} Manifest */

const spelarData = (() => {
  /** How much of a file's end is read: at first, and where a view is about this file, bytes. */
  const SHALLOW = 200000;
  const DEEP = 4000000;
  const TIMEOUT_MS = 10000;
  const RETRY_MS = 10000;
  /** Below this age a file may change again within the second that its header counts, s. */
  const YOUNG_S = 3;
  /** Data further ahead of the server's clock than this has an age that nobody knows, s. */
  const AHEAD_S = 60;

  /** `event`: a quiet file is no fault. `tail`: bytes read at least. @typedef {{event?: boolean, tail?: number, columns?: string}} Kind */
  /** @type {Record<string, Kind>} */
  const FILES = {
    'live_status.json': {},
    'sources_health.json': {},
    'edge_signals_live.csv': { columns: 'ts,market,fair_p,pm_price,edge,spread,cost_est,edge_net,sources,notes' },
    'kraken_futures_signals.csv': { event: true, columns: 'ts,symbol,signal,confidence,edge,ref_price,notes' },
    'pm_orders.csv': { event: true, columns: 'ts,market,side,token,price,size,status,tx_id,notes' },
    'kraken_futures_fills.csv': { event: true, columns: 'ts,symbol,side,qty,price,fee,order_id,position_id,notes' },
    'executed_trades.csv': { event: true, columns: 'ts,venue,symbol,side,qty,price,status,notes' },
    'pm_paper_portfolio.json': {},
    'pm_paper_positions.csv': {
      columns: 'ts,market,token,outcome,shares,avg_entry,last_price,value,unrealized_pnl,adds,last_mid,last_scale_at',
    },
    'pm_paper_trades.csv': {
      event: true,
      columns: 'ts,market,token,outcome,action,price,shares,notional,cash_after,status,notes,trade_id,fee,realized_pnl,book_hash',
    },
    'pm_paper_candidates.csv': {
      columns: 'ts,market,market_ref,token,outcome,pm_bid,pm_ask,pm_mid,odds,odds_allowed,fair_p,ev,edge,spread,cost_est,edge_net,signal,decision,reason,gate_value,gate_threshold,gate_setting',
    },
    'pm_paper_equity.csv': { tail: DEEP, columns: 'ts,equity_usd,cash_usd,realized_pnl_usd,unrealized_pnl_usd,open_positions' },
    'pm_prices.csv': { columns: 'ts,market,token,reference,bid,ask,mid,edge' },
    'pm_scan_candidates.csv': { event: true, columns: 'ts,market,slug,url,kind,liquidity_usdc,spread,kept,reason,notes' },
    'pm_markets_index.json': {},
    'pm_books.json': {},
  };

  /** What is known of a file by its name; those of a replay lie in a folder of their own. @param {string} name @returns {Kind} */
  const kindOf = (name) => FILES[name.slice(name.lastIndexOf('/') + 1)] || {};
  /** Files in a folder are of the past: the manifest does not list them, and they do not grow old. @param {string} name */
  const past = (name) => name.includes('/');

  /** @type {Map<string, Source>} */
  const sources = new Map();
  /** The files that are read deep, because a view is about them. @type {Set<string>} */
  const deep = new Set();
  /** Counts every new edition and every change of state of any file. */
  let changes = 0;
  /** @type {Manifest | null} */
  let manifest = null;
  /** Until when no manifest is asked for, ms of `performance.now()`. */
  let manifestRetryAt = 0;
  /** Since when the server has not answered, ms of `performance.now()`; null while it does. @type {number | null} */
  let silentSince = null;
  /** The server's first and latest `Date`, with the `performance.now()` of each. @type {{first: [number, number], last: [number, number]} | null} */
  let clock = null;

  /** @param {string} name @returns {Source} */
  function source(name) {
    let found = sources.get(name);
    if (!found) {
      found = {
        name, fetched: 'loading', table: null, json: null, version: 0, problem: '', entry: '',
        modified: '', changed: null, newest: null, retryAt: 0, busy: false,
      };
      sources.set(name, found);
    }
    return found;
  }

  /** How fast the server's clock runs against ours: 1, or more for a demo that plays in its own time. */
  function pace() {
    if (!clock) return 1;
    const [[date, at], [lastDate, lastAt]] = [clock.first, clock.last];
    const rate = (lastDate - date) / Math.max(lastAt - at, 1);
    return lastAt - at > 4000 && rate > 1.5 ? rate : 1;
  }

  /** The server's time now, UTC ms; null before its first answer. */
  const now = () => (clock ? clock.last[0] + (performance.now() - clock.last[1]) * pace() : null);

  /** @param {Response} response */
  function heard(response) {
    silentSince = null;
    const date = Date.parse(response.headers.get('Date') || '');
    if (Number.isNaN(date)) return;
    const sample = /** @type {[number, number]} */ ([date, performance.now()]);
    const setBack = clock && date < clock.last[0] - 1500;
    clock = { first: clock && !setBack ? clock.first : sample, last: sample };
  }

  /** An answer and its whole body; one that breaks off on its way is silence. @param {string} name @param {string} since */
  async function get(name, since) {
    try {
      const headers = since ? { 'If-Modified-Since': since } : undefined;
      const response = await fetch(`data/${name}`, { cache: 'no-store', headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const bytes = response.ok ? new Uint8Array(await response.arrayBuffer()) : new Uint8Array();
      heard(response);
      return { response, bytes };
    } catch (error) {
      silentSince = silentSince === null ? performance.now() : silentSince;
      throw error;
    }
  }

  /** Fetch the manifest, then what changed of the files that are needed then; `about` are those that the view is about. Never throws.
   * Says whether anything changed. @param {() => string[]} needed @param {string[]} about */
  async function poll(needed, about) {
    const before = changes;
    about.forEach(deepen);
    await pollManifest();
    if (silentSince === null) await Promise.all(needed().map((name) => pollFile(source(name))));
    return changes !== before;
  }

  /** Read more of a file, now and from now on. @param {string} name */
  function deepen(name) {
    const { table } = source(name);
    if (!deep.has(name) && table && table.partial) {
      source(name).table = spelarCsv.next(table, table.bytes, DEEP);
      changed(source(name));
    }
    deep.add(name);
  }

  /** @param {Source} file */
  function changed(file) {
    file.version += 1;
    changes += 1;
  }

  async function pollManifest() {
    if (performance.now() < manifestRetryAt) return;
    try {
      const { response, bytes } = await get('manifest.json', '');
      if (response.status === 404) {
        manifest = null;
        manifestRetryAt = performance.now() + RETRY_MS;
      } else if (response.ok) {
        const found = JSON.parse(new TextDecoder().decode(bytes));
        if (typeof found.tick === 'number' && typeof found.files === 'object' && !Number.isNaN(Date.parse(found.ts))) manifest = found;
      }
    } catch {
      // An unreadable manifest leaves the last good one, whose age goes on growing.
    }
  }

  /** @param {Source} file */
  async function pollFile(file) {
    const listing = past(file.name) ? null : manifest;
    const entry = listing ? listing.files[file.name] : undefined;
    if (listing && !entry) {
      if (file.fetched !== 'missing') lost(file);
      return;
    }
    const key = listing ? `${listing.ledger_id} ${JSON.stringify(entry)}` : '';
    const waiting = file.retryAt > performance.now() && (!listing || key === file.entry);
    if (file.busy || waiting || (listing && key === file.entry && !file.retryAt)) return;
    file.busy = true;
    try {
      take(file, await get(file.name, listing || young(file) ? '' : file.modified));
      file.entry = key;
    } catch (error) {
      if (silentSince === null) failed(file, error instanceof Error ? error.message : String(error), key);
    } finally {
      file.busy = false;
    }
  }

  /** @param {Source} file */
  const young = (file) => file.changed === null || (now() || 0) - file.changed < YOUNG_S * 1000;

  /** @param {Source} file @param {string} problem @param {string} key */
  function failed(file, problem, key) {
    Object.assign(file, { fetched: 'error', problem, entry: key, retryAt: performance.now() + RETRY_MS, modified: '' });
    changed(file);
  }

  /** @param {Source} file */
  function lost(file) {
    Object.assign(file, { fetched: 'missing', table: null, json: null, newest: null, changed: null, modified: '', entry: '', retryAt: 0 });
    changed(file);
  }

  /** @param {Source} file @param {{response: Response, bytes: Uint8Array}} answer */
  function take(file, { response, bytes }) {
    if (response.status === 304) return;
    if (response.status === 404 || response.status === 410) {
      if (file.fetched !== 'missing') lost(file);
      file.retryAt = performance.now() + RETRY_MS;
      return;
    }
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const was = file.table ? file.table.bytes : null;
    file.modified = response.headers.get('Last-Modified') || '';
    file.changed = Date.parse(file.modified) || null;
    if (file.fetched !== 'error' && was && same(was, bytes)) return;
    if (file.name.endsWith('.json')) takeJson(file, bytes);
    else takeTable(file, bytes);
    Object.assign(file, { problem: '', retryAt: 0 });
    changed(file);
  }

  /** @param {Uint8Array} one @param {Uint8Array} other */
  const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

  /** @param {Source} file @param {Uint8Array} bytes */
  function takeJson(file, bytes) {
    const json = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof json !== 'object' || json === null) throw new Error('no object');
    file.json = json;
    file.newest = Date.parse(json.ts || json.generated_at) || null;
    file.fetched = Object.keys(json).length ? 'ok' : 'empty';
  }

  /** @param {Source} file @param {Uint8Array} bytes */
  function takeTable(file, bytes) {
    const known = columnsOf(file.name);
    const end = bytes.indexOf(10);
    const head = new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
    if (known.filter((name) => head.includes(name)).length < 2) throw new Error('header');
    const table = spelarCsv.next(file.table, bytes, deep.has(file.name) ? DEEP : kindOf(file.name).tail || SHALLOW);
    file.table = table;
    const last = table.rows.at(-1);
    file.newest = last ? Date.parse(spelarCsv.cell(table, last, 'ts')) || null : null;
    file.fetched = last ? 'ok' : 'empty';
  }

  /** @param {string} name */
  const columnsOf = (name) => (kindOf(name).columns || '').split(',').filter(Boolean);

  /** Seconds between ticks, as far as the files tell. */
  function interval() {
    const settings = (source('live_status.json').json || {}).settings || {};
    return (manifest && manifest.interval_s) || Number(settings.INTERVAL_S) || 15;
  }

  /** What a file's age is: when it was published and of when its newest datum is, s; null where that is unknown.
   * @param {string} name */
  function ages(name) {
    const file = source(name);
    const time = now();
    const entry = manifest ? manifest.files[name] : undefined;
    const published = manifest && !past(name) ? Date.parse(manifest.ts) : file.changed;
    const newest = entry ? (entry.newest ? Date.parse(entry.newest) : null) : file.newest;
    /** @param {number | null} at */
    const since = (at) => (time === null || at === null ? null : (time - at) / 1000);
    return { file: since(published), data: since(newest) };
  }

  /** The age that counts, s: the worse of the two, but of an event log when it was published. @param {string} name */
  function age(name) {
    const both = ages(name);
    if (kindOf(name).event && both.file !== null) return both.file;
    if (both.file === null && both.data === null) return null;
    return Math.max(both.file === null ? -Infinity : both.file, both.data === null ? -Infinity : both.data);
  }

  /** @param {number | null} seconds @returns {State} */
  function freshness(seconds) {
    if (seconds === null) return 'ok';
    if (seconds > Math.max(10 * interval(), 30)) return 'stale';
    return seconds < -AHEAD_S || seconds > Math.max(3 * interval(), 10) ? 'late' : 'ok';
  }

  /** What to say of a file now. @param {string} name @returns {State} */
  function state(name) {
    const { fetched } = source(name);
    if (past(name) || fetched === 'error' || fetched === 'missing' || fetched === 'loading') return fetched;
    const fresh = freshness(age(name));
    return fresh === 'ok' ? fetched : fresh;
  }

  /** The last tick's age and state, whichever files tell it. */
  function heartbeat() {
    const files = ['live_status.json', 'pm_paper_portfolio.json'];
    const time = now();
    const known = files.map(age).filter((seconds) => seconds !== null);
    const seconds = manifest && time !== null ? (time - Date.parse(manifest.ts)) / 1000 : known.length ? Math.min(...known) : null;
    const silent = silentSince === null ? 0 : (performance.now() - silentSince) / 1000;
    /** @type {State} */
    let pulse = seconds === null ? (files.every((name) => source(name).fetched === 'loading') && !silent ? 'loading' : 'missing') : freshness(seconds);
    if (silent > 30 && pulse !== 'missing') pulse = 'stale';
    return { seconds, silent, state: pulse, tick: manifest ? manifest.tick : null };
  }

  return {
    FILES, kindOf, source, poll, state, age, ages, interval, heartbeat, now, columnsOf,
    /** @param {string} name */
    entry: (name) => (manifest ? manifest.files[name] : undefined),
    hasManifest: () => manifest !== null,
    /** Take the state of a file that is not shown from the manifest alone. @param {string} name */
    glance: (name) => {
      const file = source(name);
      if (manifest && (file.fetched === 'loading' || !file.version)) file.fetched = !manifest.files[name] ? 'missing' : manifest.files[name].rows ? 'ok' : 'empty';
    },
  };
})();

'use strict';
// @ts-check
// The plain portal: polls data/manifest.json and shows the newest numbers as text.

(() => {
  const POLL_MS = 2000;
  const TRADES_SHOWN = 15;
  const REASONS_SHOWN = 12;
  const TAIL_CHARACTERS = 200000;
  const MINUS = '\u2212';

  /** @typedef {{rows: number, newest: string | null, bytes: number}} Entry */
  /** @typedef {{tick: number, ts: string, ledger_id: string, interval_s?: number, files: Object<string, Entry>}} Manifest */

  /** @type {Manifest | null} */
  let manifest = null;
  /** Server time minus `performance.now()`, ms; the browser's own clock is never asked. @type {number | null} */
  let serverOffset = null;
  let failing = false;
  /** What each file's manifest entry was when it was last shown. @type {Object<string, string>} */
  const shown = {};

  /** @param {string} id @returns {HTMLElement} */
  const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

  /** @param {string} name @returns {Promise<Response>} */
  async function get(name) {
    const response = await fetch(`data/${name}`, { cache: 'no-store' });
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    const date = Date.parse(response.headers.get('Date') || '');
    if (!Number.isNaN(date)) serverOffset = date - performance.now();
    return response;
  }

  /** A CSV text as objects by column name, RFC 4180; the last `tail` characters' whole rows when it is longer. */
  /** @param {string} text @returns {Object<string, string>[]} */
  function table(text) {
    text = text.replace(/^\uFEFF/, '');
    const headerEnd = text.indexOf('\n') + 1 || text.length;
    const header = cells(text.slice(0, headerEnd))[0] || [];
    let start = headerEnd;
    if (text.length - start > TAIL_CHARACTERS) start = text.indexOf('\n', text.length - TAIL_CHARACTERS) + 1;
    return cells(text.slice(start))
      .filter((row) => row.length === header.length)
      .map((row) => Object.fromEntries(header.map((name, i) => [name, row[i]])));
  }

  /** @param {string} text @returns {string[][]} */
  function cells(text) {
    const rows = [];
    let row = [];
    const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
    while (pattern.lastIndex < text.length) {
      const found = pattern.exec(text);
      if (!found) break;
      row.push(found[1] === undefined ? found[2] : found[1].replace(/""/g, '"'));
      if (found[3] === ',') continue;
      rows.push(row);
      row = [];
    }
    return rows;
  }

  const money = new Intl.NumberFormat('sv-SE', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const price = new Intl.NumberFormat('sv-SE', { minimumFractionDigits: 2, maximumFractionDigits: 4 });
  const fine = new Intl.NumberFormat('sv-SE', { maximumFractionDigits: 4 });

  /** @param {Intl.NumberFormat} format @param {string | number | null | undefined} value */
  function figure(format, value) {
    const known = value !== '' && value !== null && value !== undefined && Number.isFinite(Number(value));
    return known ? format.format(Number(value)) : '–';
  }

  /** @param {string | number} value */
  const signed = (value) => (Number(value) > 0 ? '+' : '') + figure(money, value).replace('-', MINUS);

  /** @param {string | number} value */
  const tone = (value) => (Number(value) > 0 ? 'up' : Number(value) < 0 ? 'down' : '');

  /** @param {string} tag @param {string} [text] @param {string} [name] */
  function element(tag, text = '', name = '') {
    const made = document.createElement(tag);
    made.textContent = text;
    if (name) made.className = name;
    return made;
  }

  /** A table into its place; each column is [title, class, text of a row, class of a row]. */
  /** @typedef {[string, string, (row: Object<string, string>) => string, ((row: Object<string, string>) => string)?]} Column */
  /** @param {string} id @param {Column[]} columns @param {Object<string, string>[]} rows @param {string} empty */
  function fill(id, columns, rows, empty) {
    const place = at(id);
    const left = place.scrollLeft;
    place.dataset.state = rows.length ? 'full' : 'empty';
    if (!rows.length) {
      place.replaceChildren(element('p', empty, 'empty'));
      return;
    }
    const whole = document.createElement('table');
    const head = whole.createTHead().insertRow();
    for (const [title, kind] of columns) {
      const cell = /** @type {HTMLTableCellElement} */ (element('th', title, kind));
      cell.scope = 'col';
      head.append(cell);
    }
    const body = whole.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const [, kind, text, extra] of columns) line.append(element('td', text(row), `${kind} ${extra ? extra(row) : ''}`.trim()));
    }
    place.replaceChildren(whole);
    place.scrollLeft = left;
  }

  /** @param {string} iso */
  const clock = (iso) => {
    const when = new Date(iso);
    return Number.isNaN(when.getTime()) ? '–' : when.toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
  };

  const ACTIONS = { BUY: 'köp', SELL: 'sälj', SETTLE: 'avräkning' };
  const STATES = { filled: 'genomförd', rejected: 'avvisad' };
  const DECISIONS = { enter: 'köp', scale_in: 'öka', exit: 'sälj', hold: 'behåll', skip: 'avstå' };
  /** @param {Object<string, string>} words @param {string} word */
  const said = (words, word) => (Object.hasOwn(words, word) ? words[word] : word);

  const DRAWN = {
    /** @param {string} text */
    'pm_paper_portfolio.json': (text) => {
      const book = JSON.parse(text);
      const figures = [
        ['Eget kapital', figure(money, book.equity_usd), 'first', ''],
        ['Kontanter', figure(money, book.cash_usd), '', ''],
        ['Realiserat', signed(book.realized_pnl_usd), '', tone(book.realized_pnl_usd)],
        ['Orealiserat', signed(book.unrealized_pnl_usd), '', tone(book.unrealized_pnl_usd)],
        ['Avgifter', figure(money, book.fees_usd), '', ''],
        ['Öppna positioner', figure(fine, book.open_positions), '', ''],
        ['Startkapital', figure(money, book.start_balance_usd), '', ''],
      ];
      at('account').replaceChildren(...figures.map(([name, value, kind, colour]) => {
        const pair = element('div', '', kind);
        pair.append(element('dt', name), element('dd', value, colour));
        return pair;
      }));
    },
    /** @param {string} text */
    'pm_paper_positions.csv': (text) => fill('positions', [
      ['Marknad', 'wide', (row) => row.market],
      ['Utfall', '', (row) => row.outcome],
      ['Andelar', 'number', (row) => figure(fine, row.shares)],
      ['Inköp', 'number', (row) => figure(price, row.avg_entry)],
      ['Kurs nu', 'number', (row) => figure(price, row.last_price)],
      ['Värde', 'number', (row) => figure(money, row.value)],
      ['Resultat', 'number', (row) => signed(row.unrealized_pnl), (row) => tone(row.unrealized_pnl)],
      ['Ökningar', 'number', (row) => row.adds],
    ], table(text).slice(0, 50), 'Ingen position är öppen. Här syns de tokens som agenten köpt och ännu inte sålt.'),
    /** @param {string} text */
    'pm_paper_candidates.csv': (text) => {
      const all = table(text);
      const newest = all.length ? all[all.length - 1].ts : '';
      fill('reasons', [
        ['Beslut', '', (row) => said(DECISIONS, row.decision)],
        ['Skäl', 'wide', (row) => row.reason],
        ['Antal', 'number', (row) => row.count],
        ['Mätt', 'number', (row) => figure(fine, row.gate_value)],
        ['Gräns', 'number', (row) => figure(fine, row.gate_threshold)],
        ['Exempel', 'wide', (row) => row.market],
      ], counted(all.filter((row) => row.ts === newest)), 'Inget beslut än. Här syns varför agenten köper, säljer eller avstår.');
    },
    /** @param {string} text */
    'pm_paper_trades.csv': (text) => fill('trades', [
      ['Tid', '', (row) => clock(row.ts)],
      ['Marknad', 'wide', (row) => row.market],
      ['Utfall', '', (row) => row.outcome],
      ['Affär', '', (row) => said(ACTIONS, row.action)],
      ['Läge', '', (row) => said(STATES, row.status)],
      ['Andelar', 'number', (row) => figure(fine, row.shares)],
      ['Kurs', 'number', (row) => figure(price, row.price)],
      ['Belopp', 'number', (row) => figure(money, row.notional)],
      ['Avgift', 'number', (row) => figure(price, row.fee)],
      ['Resultat', 'number', (row) => signed(row.realized_pnl), (row) => tone(row.realized_pnl)],
      ['Anteckning', 'wide', (row) => row.notes],
    ], table(text).slice(-TRADES_SHOWN).reverse(), 'Ingen affär än. Här syns de senaste köpen och försäljningarna.'),
    /** @param {string} text */
    'live_status.json': (text) => {
      const live = JSON.parse(text);
      at('mode').textContent = `${live.strategy_mode} · ${live.trading_mode}${live.killswitch ? ' · NÖDSTOPP' : ''}`;
      const parts = [
        `${live.markets} marknader`,
        `tick ${live.tick}${live.tick_ms === null ? '' : ` på ${figure(fine, Math.round(live.tick_ms))} ms`}`,
        `startad ${clock(live.started_at)}`,
        `version ${live.versions.spelar}`,
      ];
      if (live.last_error) parts.push(`senaste fel: ${live.last_error}`);
      at('run').textContent = parts.join(' · ');
    },
  };

  /** The decisions of one tick, most common reason first. @param {Object<string, string>[]} rows */
  function counted(rows) {
    /** @type {Map<string, Object<string, string>>} */
    const groups = new Map();
    for (const row of rows) {
      const key = `${row.decision} ${row.reason}`;
      const before = groups.get(key);
      groups.set(key, { ...(before || row), count: String(Number(before ? before.count : 0) + 1) });
    }
    return [...groups.values()].sort((a, b) => Number(b.count) - Number(a.count)).slice(0, REASONS_SHOWN);
  }

  /** Fetch the files whose manifest entry moved; one bad file leaves the others alone. @param {Manifest} next */
  async function refresh(next) {
    await Promise.all(Object.entries(DRAWN).map(async ([name, draw]) => {
      const entry = `${next.ledger_id} ${next.tick} ${JSON.stringify(next.files[name])}`;
      if (shown[name] === entry) return;
      try {
        draw(await (await get(name)).text());
        shown[name] = entry;
      } catch (error) {
        const place = document.querySelector(`[data-file="${name}"]`);
        if (place instanceof HTMLElement) {
          place.dataset.state = 'error';
          if (!place.childElementCount) place.append(element('p', `Filen ${name} kunde inte läsas.`, 'empty'));
        }
      }
    }));
  }

  /** @param {number} seconds */
  function spoken(seconds) {
    if (seconds < 120) return `${Math.round(seconds)} s`;
    if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
    return `${Math.round(seconds / 3600)} h`;
  }

  /** Say how old the numbers are. */
  function age() {
    const body = document.body;
    if (!manifest) {
      body.dataset.state = failing ? 'error' : 'loading';
      at('freshness').textContent = failing ? 'Ingen data ännu. Den kommer när agenten startar.' : 'Hämtar data …';
      return;
    }
    if (serverOffset === null) return;
    const seconds = Math.max(0, (performance.now() + serverOffset - Date.parse(manifest.ts)) / 1000);
    const interval = manifest.interval_s || 15;
    const stale = seconds > Math.max(10 * interval, 30);
    const late = seconds > Math.max(3 * interval, 10);
    body.dataset.state = stale ? 'stale' : late ? 'late' : 'fresh';
    body.dataset.ageS = String(Math.round(seconds));
    at('freshness').textContent = `Tick ${manifest.tick} · data är ${spoken(seconds)} gammal${failing ? ' · servern svarar inte' : ''}`;
  }

  async function poll() {
    if (document.hidden) return;
    try {
      /** @type {Manifest} */
      const next = await (await get('manifest.json')).json();
      if (typeof next.tick !== 'number' || typeof next.files !== 'object') throw new Error('manifest.json');
      failing = false;
      await refresh(next);
      manifest = next;
    } catch (error) {
      failing = true;
    }
    age();
    document.body.dataset.ready = 'true';
  }

  async function run() {
    await poll();
    setTimeout(run, POLL_MS);
  }

  document.addEventListener('visibilitychange', () => { if (!document.hidden) void poll(); });
  setInterval(age, 1000);
  void run();
})();

'use strict';
// @ts-check
// What the files say, put together: rows of the latest tick, gates, costs, names and addresses of markets.

const spelarFacts = (() => {
  const { cell, number } = spelarCsv;
  const { source } = spelarData;

  /** The reasons of the gates in the order in which they are tried, each with the variable that sets it and the candidate column that it measures.
   * @type {[string, string, string][]} */
  const GATES = [
    ['order_pending', '', ''],
    ['no_token', '', ''],
    ['no_orderbook', '', ''],
    ['one_sided_book', '', ''],
    ['crossed_book', '', ''],
    ['ghost_book', '', ''],
    ['missing_reference', '', ''],
    ['reference_spike', '', ''],
    ['stale_input', 'FRESHNESS_MAX_AGE_SECS', ''],
    ['clock_jump', 'INTERVAL_S', ''],
    ['warmup', 'LEAD_LAG_LOOKBACK_POINTS', ''],
    ['market_closed', '', ''],
    ['killswitch', 'KILLSWITCH_FILE', ''],
    ['daily_loss', 'PM_MAX_DAILY_LOSS_USDC', ''],
    ['drawdown', 'PM_MAX_DRAWDOWN_PCT', ''],
    ['losses_in_a_row', 'PM_MAX_LOSSES_IN_A_ROW', ''],
    ['stop_cooldown', 'PM_STOP_COOLDOWN_S', ''],
    ['stale_book', 'LEAD_LAG_MAX_BOOK_AGE_SECS', ''],
    ['avoid_price_zone', 'LEAD_LAG_AVOID_PRICE_BELOW', ''],
    ['wide_spread', 'LEAD_LAG_MAX_SPREAD', 'spread'],
    ['spot_move_too_small', 'LEAD_LAG_SPOT_MOVE_MIN_PCT', ''],
    ['low_edge', 'LEAD_LAG_EDGE_MIN_PCT', 'edge'],
    ['trend_move_too_small', 'PM_TREND_MOVE_MIN_PCT', 'edge'],
    ['not_best_side', 'PM_TREND_AUTO_SIDE', ''],
    ['other_side_open', 'PM_TREND_AUTO_SIDE', ''],
    ['not_3way', 'PM_DRAW_REQUIRE_3WAY', ''],
    ['draw_too_expensive', 'PM_DRAW_MAX_PRICE', 'pm_ask'],
    ['favourite_out_of_range', 'PM_DRAW_FAV_MIN', ''],
    ['draw_edge_too_small', 'PM_DRAW_EDGE_MIN_PCT', 'edge'],
    ['missing_fair_model', 'MARKET_MAP_PATH', ''],
    ['below_threshold', 'EDGE_THRESHOLD', 'edge'],
    ['spread_too_high', 'LEAD_LAG_SPREAD_COST_CAP_PCT', ''],
    ['net_edge_too_low', 'LEAD_LAG_NET_EDGE_MIN_PCT', 'edge_net'],
    ['lag_too_short', 'LEAD_LAG_MIN_MARKET_LAG_MS', ''],
    ['insufficient_liquidity', 'LEAD_LAG_MIN_TRADE_NOTIONAL_USDC', ''],
    ['below_min_order_size', 'PM_ORDER_SIZE_SHARES', ''],
    ['market_exposure', 'PM_MAX_EXPOSURE_MARKET_USDC', ''],
    ['event_exposure', 'PM_MAX_EXPOSURE_EVENT_USDC', ''],
    ['total_exposure', 'PM_MAX_EXPOSURE_USDC', ''],
    ['insufficient_cash', 'PM_ORDER_SIZE_SHARES', ''],
    ['throttled', 'PM_MAX_ORDERS_PER_TICK', ''],
  ];
  /** Gates whose limit nobody is to weigh by how near it was: they say that something is absent or the agent busy, or they protect. */
  const ABSENT = ['stale_input', 'clock_jump', 'warmup', 'killswitch', 'missing_fair_model', 'not_best_side', 'other_side_open', 'not_3way', 'insufficient_cash', 'throttled', 'daily_loss', 'drawdown', 'losses_in_a_row', 'stop_cooldown', 'market_exposure', 'event_exposure', 'total_exposure'];

  /** Of each strategy: the variables of entering and leaving, holding, and the rest. @type {Record<string, {enter: string, exit: string, hold: string, more: string[]}>} */
  const STRATEGIES = {
    lead_lag: { enter: 'LEAD_LAG_EDGE_MIN_PCT', exit: 'LEAD_LAG_EDGE_EXIT_PCT', hold: 'LEAD_LAG_MAX_HOLD_SECS', more: ['LEAD_LAG_SPOT_MOVE_MIN_PCT', 'LEAD_LAG_LOOKBACK_POINTS', 'LEAD_LAG_SPOT_NOISE_MULT', 'LEAD_LAG_PM_STOP_PCT', 'LEAD_LAG_NET_EDGE_MIN_PCT', 'LEAD_LAG_MAX_SPREAD'] },
    pm_trend: { enter: 'PM_TREND_MOVE_MIN_PCT', exit: 'PM_TREND_EXIT_MOVE_MIN_PCT', hold: 'LEAD_LAG_MAX_HOLD_SECS', more: ['PM_TREND_LOOKBACK_POINTS', 'PM_TREND_AUTO_SIDE'] },
    pm_draw: { enter: 'PM_DRAW_EDGE_MIN_PCT', exit: 'PM_DRAW_EDGE_EXIT_PCT', hold: 'PM_DRAW_MAX_HOLD_SECS', more: ['PM_DRAW_BASELINE_P', 'PM_DRAW_BOOK_PROB_MULT', 'PM_DRAW_MAX_PRICE', 'PM_DRAW_REQUIRE_3WAY', 'PM_DRAW_FAV_MIN', 'PM_DRAW_FAV_MAX'] },
    fair_model: { enter: 'EDGE_THRESHOLD', exit: '', hold: 'FAIR_MODEL_MAX_HOLD_SECS', more: [] },
  };

  /** @typedef {{row: Row, reason: string, value: number, limit: number, setting: string, miss: number}} Near */

  /** @returns {Record<string, string>} */
  const settings = () => (source('live_status.json').json || {}).settings || {};
  const mode = () => String((source('live_status.json').json || {}).strategy_mode || 'lead_lag');

  /** The edges at which the strategy in force enters and leaves; null where the files do not say. */
  function thresholds() {
    const names = STRATEGIES[mode()] || STRATEGIES.lead_lag;
    return { enter: number(settings()[names.enter]), exit: names.exit ? number(settings()[names.exit]) : mode() === 'fair_model' ? 0 : null };
  }

  /** How long the strategy in force holds at most, s; null for ever. */
  const maxHold = () => number(settings()[(STRATEGIES[mode()] || STRATEGIES.lead_lag).hold]) || null;

  /** The rows of a file from a time on, UTC ms. @param {CsvTable} file @param {number} from */
  function since(file, from) {
    let at = file.rows.length;
    while (at > 0 && Date.parse(cell(file, file.rows[at - 1], 'ts')) >= from) at -= 1;
    return file.rows.slice(at);
  }

  /** The rows of a file's latest tick. @param {CsvTable} file */
  function latest(file) {
    const last = file.rows.at(-1);
    return last ? since(file, Date.parse(cell(file, last, 'ts'))) : [];
  }

  /** The rows of the latest tick, of the last hour, or all. @param {CsvTable} file @param {string} span */
  function spanned(file, span) {
    if (span === 'all') return file.rows;
    const newest = file.rows.at(-1);
    if (span === 'tick' || !newest) return latest(file);
    return since(file, Date.parse(cell(file, newest, 'ts')) - 3600000);
  }

  /** The reason's own word: other agents write its numbers beside it. @param {string} text */
  const reasonOf = (text) => (text.match(/^[a-z0-9_]+/i) || [text])[0];

  /** What a row's gate measured and its limit, from its own columns or else from what the setting says; null when there is no number.
   * @param {Row} row @returns {Near | null} */
  function near(row) {
    const reason = reasonOf(row.reason || '');
    const gate = GATES.find(([name]) => name === reason);
    const setting = row.gate_setting || (gate ? gate[1] : '');
    const value = number(row.gate_value ?? (gate && gate[2] ? row[gate[2]] : ''));
    const limit = number(row.gate_threshold ?? settings()[setting]);
    if (value === null || limit === null) return null;
    return { row, reason, value, limit, setting, miss: Math.abs(value - limit) / Math.max(Math.abs(limit), 1e-9) };
  }

  /** The smallest miss of some rows. @param {Row[]} rows @param {boolean} [weighable] only of gates whose limit can be weighed */
  function nearest(rows, weighable = false) {
    /** @type {Near | null} */
    let best = null;
    for (const row of rows) {
      const found = near(row);
      if (!found || (weighable && (!found.setting || ABSENT.includes(found.reason)))) continue;
      if (!best || found.miss < best.miss) best = found;
    }
    return best;
  }

  /** The address of a market's page. @param {string} token @param {string} text @returns {Child} */
  const marketLink = (token, text) => (token ? spelarDom.h('a', { href: `#/market/${encodeURIComponent(token)}` }, text) : text);

  /** The token of a market by its name, for files that do not carry it. @param {string} market */
  function tokenOf(market) {
    const index = (source('pm_markets_index.json').json || {}).markets;
    const found = Array.isArray(index) ? index.find((one) => one && one.name === market) : null;
    if (found && typeof found.token === 'string') return found.token;
    const candidates = source('pm_paper_candidates.csv').table;
    const row = candidates ? candidates.rows.findLast((one) => cell(candidates, one, 'market') === market) : undefined;
    return candidates && row ? cell(candidates, row, 'token') : '';
  }

  /** The mids of the decisions of some ticks, by tick and token: for fills that do not note theirs. @param {Set<string>} ticks @returns {Map<string, number>} */
  function midsAt(ticks) {
    const found = new Map();
    const file = ticks.size ? source('pm_paper_candidates.csv').table : null;
    for (const row of file ? file.rows : []) {
      const ts = file ? cell(file, row, 'ts') : '';
      const mid = file && ticks.has(ts) ? number(cell(file, row, 'pm_mid')) : null;
      if (file && mid !== null) found.set(`${ts} ${cell(file, row, 'token')}`, mid);
    }
    return found;
  }

  /** Cost of the spread in the fills whose book has a known mid, USDC, how many they are, and the fees that they paid. */
  function spreadCost() {
    const trades = source('pm_paper_trades.csv').table;
    const fills = trades ? trades.rows.filter((row) => ['BUY', 'SELL'].includes(cell(trades, row, 'action')) && cell(trades, row, 'status') === 'filled') : [];
    const found = { cost: 0, fees: 0, known: 0 };
    if (!trades) return found;
    /** @param {string[]} row */
    const noted = (row) => number((cell(trades, row, 'notes').match(/\bmid=([\d.]+)/) || ['', ''])[1]);
    const mids = midsAt(new Set(fills.filter((row) => noted(row) === null).map((row) => cell(trades, row, 'ts'))));
    for (const row of fills) {
      const mid = noted(row) ?? mids.get(`${cell(trades, row, 'ts')} ${cell(trades, row, 'token')}`);
      const [price, shares] = [number(cell(trades, row, 'price')), number(cell(trades, row, 'shares'))];
      if (mid === undefined || price === null || shares === null) continue;
      found.cost += (cell(trades, row, 'action') === 'BUY' ? price - mid : mid - price) * shares;
      found.fees += number(cell(trades, row, 'fee')) || 0;
      found.known += 1;
    }
    return found;
  }

  /** Fills as marks of a chart, of one token or of all. @param {string} [token] @param {string} [name] of the file @returns {Mark[]} */
  function marks(token, name = 'pm_paper_trades.csv') {
    const file = source(name).table;
    if (!file) return [];
    return file.rows
      .filter((row) => cell(file, row, 'status') !== 'rejected' && (!token || cell(file, row, 'token') === token))
      .map((row) => {
        const notes = cell(file, row, 'notes');
        const add = /\bscale_in\b/.test(notes);
        return { time: Date.parse(cell(file, row, 'ts')) / 1000, up: cell(file, row, 'action') === 'BUY', text: !token ? '' : spelarText.said('decision', add ? 'scale_in' : cell(file, row, 'action') === 'BUY' ? 'enter' : 'exit') };
      })
      .filter(({ time }) => Number.isFinite(time))
      .sort((a, b) => a.time - b.time);
  }

  /** Rows by a word of theirs. @param {Row[]} rows @param {(row: Row) => string} by @returns {Map<string, Row[]>} */
  function grouped(rows, by) {
    const found = new Map();
    for (const row of rows) {
      const key = by(row);
      const group = found.get(key);
      if (group) group.push(row);
      else found.set(key, [row]);
    }
    return found;
  }

  return { grouped, GATES, STRATEGIES, settings, mode, thresholds, maxHold, latest, spanned, reasonOf, near, nearest, marketLink, tokenOf, spreadCost, marks };
})();

'use strict';
// @ts-check
// Health: every file, every source with its alarms, the tick, the settings in force. And what there is to know about it all.

const spelarHealth = (() => {
  const { h, outside } = spelarDom;
  const { t, whole, fine, spell } = spelarText;
  const { source } = spelarData;
  const F = spelarFacts;

  function files() {
    const rows = spelarOverview.STRIP.map((name) => {
      const { file, data } = spelarData.ages(name);
      const entry = spelarData.entry(name);
      const { table } = source(name);
      return {
        file: name, state: spelarData.state(name), file_age: spell(file), data_age: spell(data),
        rows: whole(entry ? entry.rows : table ? table.rows.length : null), bytes: whole(entry ? entry.bytes : table ? table.bytes.length : null),
      };
    });
    /** @type {Column[]} */
    const columns = [
      { name: 'file', show: (row) => h('code', {}, row.file) },
      { name: 'state', show: (row) => h('span', { class: 'tag', 'data-state': row.state }, t(`state.${row.state}`)) },
      ...['file_age', 'data_age', 'rows', 'bytes'].map((name) => ({ name, kind: 'number', show: (/** @type {Row} */ row) => row[name] })),
    ];
    const note = t(spelarData.hasManifest() ? 'health.manifest' : 'health.nomanifest');
    return [spelarTable.table(t('health.files'), columns, rows, { key: (row) => row.file }), h('p', { class: 'note' }, note)];
  }

  function sources() {
    const report = source('sources_health.json').json;
    if (!report || !Object.keys(report).length) return null;
    const known = Object.entries(report).filter(([, one]) => one && typeof one === 'object');
    const rows = known.map(([name, one]) => {
      const latency = one.latency_ms || {};
      return {
        source: name, state: one.ok ? 'ok' : 'error', last_ok: String(one.last_ok_at || ''), p50: whole(latency.p50), p95: whole(latency.p95),
        errors: pairs(one.errors), alarms: whole(Object.keys(one.alarms || {}).length),
      };
    });
    /** @type {Column[]} */
    const columns = [
      { name: 'source' },
      { name: 'state', show: (row) => h('span', { class: 'tag', 'data-state': row.state }, row.state === 'ok' ? 'ok' : t('col.errors').toLowerCase()) },
      { name: 'last_ok', kind: 'time' },
      { name: 'p50', kind: 'number', show: (row) => row.p50 }, { name: 'p95', kind: 'number', show: (row) => row.p95 },
      { name: 'errors', kind: 'wide' }, { name: 'alarms', kind: 'number', show: (row) => row.alarms },
    ];
    const alarms = known.flatMap(([name, one]) =>
      Object.entries(one.alarms || {}).map(([subject, text]) => h('li', { 'data-key': `${name} ${subject}` }, t('health.alarm', { source: name, subject, text }))),
    );
    return [alarms.length ? h('ul', { class: 'alarms', 'data-testid': 'alarms' }, alarms) : null, spelarTable.table(t('health.sources'), columns, rows, { key: (row) => row.source })];
  }

  /** @param {unknown} counts */
  const pairs = (counts) => Object.entries(Object(counts)).map(([name, count]) => `${name} ${count}`).join(', ');

  function agent() {
    const live = source('live_status.json').json;
    if (!live) return null;
    const failures = pairs((live.disk || {}).write_failures);
    const figure = spelarOverview.figure;
    return [
      h('dl', { class: 'figures' },
        figure('Tick', whole(live.tick)), figure('Tick ms', fine(Math.round(Number(live.tick_ms) * 10) / 10)), figure('INTERVAL_S', fine(spelarData.interval())),
        figure('STRATEGY_MODE', String(live.strategy_mode)), figure('started_at', spelarText.time(live.started_at)), figure('spelar', String((live.versions || {}).spelar || spelarText.DASH))),
      live.last_error && h('p', { class: 'alarms' }, String(live.last_error)),
      failures && h('p', { class: 'alarms' }, t('health.failing', { text: failures })),
    ];
  }

  /** Settings in force, by variable. @param {Record<string, unknown>} values */
  function settingsTable(values) {
    const rows = Object.entries(values || {}).map(([variable, value]) => ({ variable, setting: String(value) }));
    if (!rows.length) return null;
    /** @type {Column[]} */
    const columns = [{ name: 'variable', show: (row) => h('code', {}, row.variable) }, { name: 'setting', kind: 'wide', show: (row) => row.setting || t('health.off') }];
    return [spelarTable.table(t('health.settings'), columns, rows.slice(0, 150), { key: (row) => row.variable })];
  }

  /** @param {Place} place */
  function scan(place) {
    const columns = [...spelarLists.plain('ts market kind'), spelarLists.numeric('liquidity_usdc', whole), spelarLists.numeric('spread', spelarText.price), spelarLists.numeric('kept', fine), ...spelarLists.plain('reason notes')];
    columns.splice(2, 0, { name: 'url', show: (row) => outside(row.url || '', row.slug || row.url || spelarText.DASH) });
    return spelarTable.list('pm_scan_candidates.csv', t('scan.title'), columns, ['kind', 'reason'], place);
  }

  function strategies() {
    const now = F.mode();
    return Object.entries(F.STRATEGIES).map(([name, { enter, exit, hold, more }]) => {
      const values = [enter, exit, hold, ...more].filter(Boolean).map((variable) => {
        const value = F.settings()[variable];
        return h('li', {}, h('code', {}, variable), ' ', value === undefined ? spelarText.DASH : value || t('health.off'));
      });
      return h('div', { class: 'strategy' }, h('h3', {}, name, name === now && h('span', { class: 'tag' }, t('about.now'))), h('p', {}, t(`about.${name}`)), h('ul', { class: 'plain' }, values));
    });
  }

  const paper = () => [h('ul', {}, [1, 2, 3, 4, 5].map((n) => h('li', {}, t(`about.paper.${n}`))))];

  const licences = () => [
    h('p', {}, t('about.lwc'), ' ', outside('https://www.tradingview.com/', 'https://www.tradingview.com/')),
    h('p', {}, t('about.papa'), ' ', outside('https://www.papaparse.com/', 'https://www.papaparse.com/')),
    h('p', {}, t('about.texts')),
    h('p', {}, t('about.third')),
  ];

  /** @type {Card[]} */
  const cards = [
    { id: 'agent', title: 'health.agent', files: ['live_status.json'], draw: agent, empty: 'health.agent.empty', span: 'half' },
    { id: 'sources', title: 'health.sources', files: ['sources_health.json'], draw: sources, empty: 'health.sources.empty', span: 'half' },
    { id: 'files', title: 'health.files', files: [], draw: files, empty: '', span: 'wide', ages: true },
    { id: 'scan', title: 'scan.title', files: ['pm_scan_candidates.csv'], draw: scan, empty: 'scan.empty', span: 'wide' },
    { id: 'settings', title: 'health.settings', files: ['live_status.json'], draw: () => settingsTable(F.settings()), empty: 'health.settings.empty', span: 'wide' },
  ];
  /** @type {Card[]} */
  const about = [
    { id: 'strategies', title: 'about.strategies', files: ['live_status.json'], draw: strategies, empty: '', span: 'wide' },
    { id: 'paper', title: 'about.paper', files: [], draw: paper, empty: '', span: 'half' },
    { id: 'licences', title: 'about.licences', files: [], draw: licences, empty: '', span: 'half' },
  ];
  return { cards, about, settingsTable };
})();

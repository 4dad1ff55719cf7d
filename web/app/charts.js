'use strict';
// @ts-check
// Charts over lightweight-charts: a line is a name, a colour and points; the reader's zoom and cursor stay where they are.

/** `outage`: nothing is known between the point before and this one. @typedef {{time: number, value: number, outage?: boolean}} Point */
/** `pane` 1 lies below; `side` is the scale; `digits` of its values; `lines` are levels with a name.
 * @typedef {{name: string, tone: string, points: Point[], pane?: number, side?: 'left' | 'right', area?: boolean, thin?: boolean, digits: number,
 *   levels?: {value: number, text: string, tone: string}[]}} Line */
/** @typedef {{time: number, up: boolean, text: string}} Mark */
/** @typedef {{label: string, lines: Line[], marks?: Mark[]}} Drawing */

const spelarCharts = (() => {
  const { h, patch } = spelarDom;
  const { t } = spelarText;
  const MOST_GAPS = 400;
  const MOST_MARKS = 300;
  /** A long line is outlined in at most so many stretches. */
  const STRETCHES = 800;
  /** More fills than these are dots. */
  const FEW_MARKS = 40;

  /** @typedef {{chart: any, series: any[], shape: string, markers: any, touched: boolean, drawing: Drawing, cursor: number | null, box: HTMLElement, legend: HTMLElement}} Live */
  /** @type {Map<string, Live>} */
  const live = new Map();

  const library = () => Reflect.get(globalThis, 'LightweightCharts');

  /** Where a chart goes; `data-keep` leaves what it draws alone. @param {string} id @param {Drawing} drawing @returns {Child[]} */
  function place(id, drawing) {
    if (!library()) return [h('p', { class: 'empty', 'data-testid': 'vendor-missing' }, t('vendor.missing')), listed(drawing)];
    return [
      h(
        'div',
        { class: 'chart', 'data-key': id },
        h('div', { class: 'legend', 'data-keep': id, id: `${id}-legend` }),
        h('div', { class: 'canvas', 'data-keep': id, id, tabindex: 0, role: 'img', 'aria-label': drawing.label, 'aria-describedby': `${id}-hint` }),
        h('div', { class: 'under' }, h('span', { id: `${id}-hint`, class: 'note' }, t('chart.hint')), h('button', { type: 'button', 'data-act': 'fit', 'data-name': id }, t('chart.fit'))),
      ),
      listed(drawing),
    ];
  }

  /** The newest points as a table, for those who do not see the drawing. @param {Drawing} drawing */
  function listed({ label, lines }) {
    const main = lines[0];
    const rows = main.points.slice(-20).reverse().map(({ time, value }) => ({ ts: new Date(time * 1000).toISOString(), value: String(value) }));
    const columns = [{ name: 'ts', kind: 'time' }, { name: 'value', kind: 'number', show: (/** @type {Row} */ row) => spelarText.figure(row.value, 0, main.digits) }];
    return h('details', {}, h('summary', {}, t('chart.data')), spelarTable.table(label, columns, rows));
  }

  /** Draw into the place. @param {string} id @param {Drawing} drawing */
  function draw(id, drawing) {
    const box = document.getElementById(id);
    if (!library() || !box) return;
    let found = live.get(id);
    if (found && found.box !== box) remove(id);
    found = live.get(id) || open(id, box, drawing);
    found.drawing = drawing;
    const shape = drawing.lines.map((line) => line.name).join('|');
    if (found.shape !== shape) shapeSeries(found, drawing, shape);
    fill(found);
  }

  /** @param {string} id @param {HTMLElement} box @param {Drawing} drawing @returns {Live} */
  function open(id, box, drawing) {
    const chart = library().createChart(box, { ...look(), width: box.clientWidth, height: box.clientHeight, autoSize: true });
    const legend = /** @type {HTMLElement} */ (document.getElementById(`${id}-legend`));
    /** @type {Live} */
    const made = { chart, series: [], shape: '', markers: null, touched: false, drawing, cursor: null, box, legend };
    live.set(id, made);
    chart.subscribeCrosshairMove((/** @type {any} */ at) => tell(made, at.time === undefined ? null : at.time));
    box.addEventListener('pointerdown', () => (made.touched = true));
    box.addEventListener('wheel', (event) => {
      made.touched = made.touched || event.ctrlKey;
      chart.applyOptions({ handleScale: { mouseWheel: event.ctrlKey } });
    }, { capture: true, passive: true });
    box.addEventListener('keydown', (event) => step(made, event));
    box.addEventListener('blur', () => {
      made.cursor = null;
      legend.removeAttribute('aria-live');
      chart.clearCrosshairPosition();
    });
    return made;
  }

  /** Colours and habits. */
  function look() {
    const [ink, line, ground] = ['--quiet', '--line', '--card'].map(colour);
    /** @param {number} time @param {Intl.DateTimeFormatOptions} options */
    const stamp = (time, options) => spelarText.stamp(time * 1000, options);
    return {
      layout: { attributionLogo: false, background: { color: ground }, textColor: ink, fontFamily: 'system-ui, sans-serif', fontSize: 12, panes: { separatorColor: line } },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      rightPriceScale: { borderColor: line },
      leftPriceScale: { borderColor: line },
      timeScale: {
        borderColor: line, timeVisible: true, secondsVisible: false, minBarSpacing: 0.02, enableConflation: true, lockVisibleTimeRangeOnResize: true,
        tickMarkFormatter: (/** @type {number} */ time, /** @type {number} */ kind) =>
          stamp(time, kind < 3 ? { day: 'numeric', month: 'short' } : kind === 3 ? { timeStyle: 'short' } : { timeStyle: 'medium' }),
      },
      localization: { timeFormatter: (/** @type {number} */ time) => stamp(time, { dateStyle: 'short', timeStyle: 'medium' }) },
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
      handleScale: { mouseWheel: false },
      kineticScroll: { touch: false, mouse: false },
    };
  }

  /** @param {string} name */
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /** @param {Live} made @param {Drawing} drawing @param {string} shape */
  function shapeSeries(made, drawing, shape) {
    made.series.forEach((series) => made.chart.removeSeries(series));
    const LWC = library();
    made.series = drawing.lines.map((line) => {
      const hue = colour(line.tone);
      const options = {
        color: hue, lineColor: hue, topColor: `${hue}44`, bottomColor: `${hue}08`, lineWidth: line.thin ? 1 : 2, priceScaleId: line.side || 'right',
        priceLineVisible: false, lastValueVisible: !line.thin, crosshairMarkerVisible: !line.thin,
        priceFormat: { type: 'custom', minMove: 10 ** -line.digits, formatter: (/** @type {number} */ value) => spelarText.figure(value, Math.min(line.digits, 2), line.digits) },
      };
      const series = made.chart.addSeries(line.area ? LWC.AreaSeries : LWC.LineSeries, options, line.pane || 0);
      for (const level of line.levels || []) {
        series.createPriceLine({ price: level.value, color: colour(level.tone), lineWidth: 1, lineStyle: 2, axisLabelVisible: true, title: level.text });
      }
      return series;
    });
    made.chart.applyOptions({ leftPriceScale: { visible: drawing.lines.some((line) => line.side === 'left') } });
    const panes = made.chart.panes();
    if (panes.length > 1) panes[0].setStretchFactor(3);
    made.markers = LWC.createSeriesMarkers(made.series[0], []);
    made.shape = shape;
  }

  /** @param {Live} made */
  function fill(made) {
    const { chart, drawing } = made;
    const scale = chart.timeScale();
    const [range, seen] = made.touched ? [scale.getVisibleLogicalRange(), scale.getVisibleRange()] : [null, null];
    const before = seen && scale.timeToIndex(seen.to, true);
    drawing.lines.forEach((line, at) => made.series[at].setData(gapped(line.points)));
    const marks = (drawing.marks || []).slice(-MOST_MARKS);
    const many = marks.length > FEW_MARKS;
    const [rise, fall] = ['--up', '--down'].map(colour);
    made.markers.setMarkers(
      marks.map(({ time, up, text }) => ({
        time, color: up ? rise : fall, text: many ? '' : text, size: many ? 0.5 : 1,
        position: many ? 'inBar' : up ? 'belowBar' : 'aboveBar', shape: many ? 'circle' : up ? 'arrowUp' : 'arrowDown',
      })),
    );
    if (range && seen) {
      // Points that went at the left moved all others; the library knows its new axis one frame later.
      const moved = scale.timeToIndex(seen.to, true) - before;
      requestAnimationFrame(() => live.has(made.box.id) && scale.setVisibleLogicalRange({ from: range.from + moved, to: range.to + moved }));
    } else {
      scale.fitContent();
    }
    tell(made, made.cursor === null ? null : drawing.lines[0].points[made.cursor]?.time ?? null);
  }

  /** An outage takes its room on the axis, as times without a value, and no line crosses it. @param {Point[]} points */
  function gapped(points) {
    const clear = { color: 'transparent', lineColor: 'transparent', topColor: 'transparent', bottomColor: 'transparent' };
    /** @type {(Partial<Point> & Record<string, unknown>)[]} */
    const found = [];
    let left = MOST_GAPS;
    for (const [at, { time, value, outage }] of points.entries()) {
      if (outage && at) {
        // A point's colour is that of the line that leaves it.
        found.push({ ...found.pop(), ...clear });
        const before = points[at - 1].time;
        const missing = Math.min(Math.round((time - before) / usual(points.slice(Math.max(at - 5, 0), at + 5))) - 1, left);
        left -= missing;
        for (let i = 1; i <= missing; i += 1) found.push({ time: before + (i * (time - before)) / (missing + 1) });
      }
      found.push({ time, value });
    }
    return found;
  }

  /** The usual time from point to point. @param {Point[]} points */
  function usual(points) {
    const steps = new Float64Array(Math.max(points.length - 1, 0)).map((_, at) => points[at + 1].time - points[at].time).sort();
    return steps[Math.floor(steps.length / 2)] || 1;
  }

  /** Name the outages: where some usual steps are missing before a point. @param {Point[]} points */
  function marked(points) {
    const most = 3.5 * usual(points);
    for (let at = 1; at < points.length; at += 1) points[at].outage = points[at].time - points[at - 1].time > most;
    return points;
  }

  /** Say the values under the cursor, the latest ones when there is none. @param {Live} made @param {number | null} time */
  function tell(made, time) {
    const values = made.drawing.lines.map((line) => {
      const point = time === null ? line.points.at(-1) : nearest(line.points, time);
      return h('span', { class: `key ${line.tone.slice(2)}` }, `${line.name} ${point ? spelarText.figure(point.value, Math.min(line.digits, 2), line.digits) : spelarText.DASH}`);
    });
    const main = made.drawing.lines[0].points;
    const at = time === null ? main.at(-1)?.time : time;
    patch(made.legend, [h('span', { class: 'when' }, at === undefined ? '' : spelarText.time(at * 1000)), ...values]);
  }

  /** The last point at or before a time. @param {Point[]} points @param {number} time */
  function nearest(points, time) {
    let [low, high] = [0, points.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle].time <= time) low = middle + 1;
      else high = middle;
    }
    return points[low - 1];
  }

  /** Move the cursor by key. @param {Live} made @param {KeyboardEvent} event */
  function step(made, event) {
    const { points: all } = made.drawing.lines[0];
    const last = all.length - 1;
    const now = made.cursor === null ? last : Math.min(made.cursor, last);
    const far = event.shiftKey ? 10 : 1;
    const to = /** @type {Record<string, number>} */ ({ ArrowLeft: now - far, ArrowRight: now + far, Home: 0, End: last })[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    made.legend.setAttribute('aria-live', 'polite');
    made.cursor = Math.min(Math.max(to, 0), last);
    const point = all[made.cursor];
    made.chart.setCrosshairPosition(point.value, point.time, made.series[0]);
    tell(made, point.time);
  }

  /** Show all of it again. @param {string} id */
  function fit(id) {
    const found = live.get(id);
    if (!found) return;
    found.touched = false;
    found.chart.timeScale().fitContent();
  }

  /** @param {string} id */
  function remove(id) {
    const found = live.get(id);
    if (found) found.chart.remove();
    live.delete(id);
  }

  /** New colours, or another language or zone. */
  function repaint() {
    for (const made of live.values()) {
      made.chart.applyOptions(look());
      made.shape = '';
    }
  }

  /** Which points draw a long line: of each stretch its first, lowest and highest, and the last before an outage. Stretches
   * stand fast in time, so that the axis stays even and a point more moves none of the others. @param {Point[]} points @returns {number[]} */
  function outline(points) {
    if (points.length <= 2 * STRETCHES) return [...points.keys()];
    const width = 2 ** Math.ceil(Math.log2((points[points.length - 1].time - points[0].time) / STRETCHES));
    const kept = [];
    for (let start = 0, at = 0; start < points.length; start = at) {
      const end = (Math.floor(points[start].time / width) + 1) * width;
      let [low, high] = [start, start];
      for (at = start + 1; at < points.length && points[at].time < end && !points[at].outage; at += 1) {
        if (points[at].value < points[low].value) low = at;
        if (points[at].value > points[high].value) high = at;
      }
      const last = at === points.length || points[at].outage ? at - 1 : start;
      kept.push(...[...new Set([start, low, high, last])].sort((one, other) => one - other));
    }
    return kept;
  }

  /** Points of a file's column by its times: sorted, unique, finite. @param {CsvTable} file @param {string[][]} rows @param {string} column @returns {Point[]} */
  function series(file, rows, column) {
    /** @type {Point[]} */
    const found = [];
    let before = -Infinity;
    let ordered = true;
    for (const row of rows) {
      const [time, value] = [Date.parse(spelarCsv.cell(file, row, 'ts')) / 1000, spelarCsv.number(spelarCsv.cell(file, row, column))];
      if (Number.isNaN(time) || value === null) continue;
      if (time === before) found.pop();
      ordered = ordered && time >= before;
      before = time;
      found.push({ time, value, outage: false });
    }
    return marked(ordered ? found : [...new Map(found.map((point) => [point.time, point])).values()].sort((a, b) => a.time - b.time));
  }

  return { place, draw, fit, repaint, series, outline, clear: () => [...live.keys()].forEach(remove) };
})();

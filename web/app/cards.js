'use strict';
// @ts-check
// A card: a title, the files it stands on, the state they are in, and a body that is patched, never replaced.

/** What a card shows of: the route's parameters, and whether this is its first draw.
 * @typedef {{path: string[], params: URLSearchParams}} Place */
/** `draw` gives the body, or null when there is nothing to show yet: then `empty` says what would fill it.
 * `after` runs when the body is in the document. `ages` redraws every second.
 * @typedef {{id: string, title: string, files: string[], draw: (place: Place) => Child[] | null, empty: string, span?: 'wide' | 'half',
 *   after?: (body: HTMLElement, place: Place) => void, ages?: boolean}} Card */

const spelarCards = (() => {
  const { h, patch } = spelarDom;
  const { t, spell } = spelarText;
  /** @type {State[]} */
  const WORST = ['error', 'missing', 'stale', 'late', 'loading', 'empty', 'ok'];

  /** @typedef {{card: Card, element: HTMLElement, status: HTMLElement, body: HTMLElement, drawn: string, hollow: boolean, broken: string}} Shown */

  /** @param {Card} card @returns {Shown} */
  function build(card) {
    const title = h('h2');
    const status = h('p', { class: 'status' });
    const body = h('div', { class: 'body' });
    const element = h(
      'section',
      { class: `card ${card.span || ''}`.trim(), 'data-testid': card.id, 'data-file': card.files.join(' '), 'data-state': 'loading' },
      h('div', { class: 'head' }, title, status),
      body,
    );
    return { card, element, status, body, drawn: '', hollow: true, broken: '' };
  }

  /** The worst state of the card's files: an empty companion is no news, an empty main file is. @param {Card} card @returns {State} */
  function stateOf(card) {
    const states = card.files.map(spelarData.state);
    const main = states[0] || 'ok';
    return WORST.find((state) => (state === 'empty' || state === 'loading' ? main === state : states.includes(state))) || 'ok';
  }

  /** Whether the main file was never read. @param {Card} card */
  function isWaiting(card) {
    const main = card.files.length ? spelarData.source(card.files[0]) : null;
    return main !== null && main.version === 0 && main.fetched !== 'missing';
  }

  /** Bring a card up to date. @param {Shown} shown @param {Place} place @param {string} mood what else changes all bodies */
  function update(shown, place, mood) {
    const { card, element } = shown;
    const edition = `${mood} ${card.files.map((name) => `${spelarData.source(name).version}`).join(' ')}`;
    if (edition !== shown.drawn || card.ages) redraw(shown, place);
    shown.drawn = edition;
    const state = shown.broken ? 'error' : isWaiting(card) ? 'loading' : stateOf(card);
    const seen = shown.hollow && state === 'ok' ? 'empty' : state;
    const ages = card.files.map(spelarData.age).filter((age) => age !== null);
    attribute(element, 'data-state', seen);
    attribute(element, 'data-age-s', ages.length ? String(Math.round(Math.max(...ages))) : null);
    patch(shown.status, [said(shown, seen)]);
  }

  /** @param {Element} element @param {string} name @param {string | null} value */
  function attribute(element, name, value) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  /** @param {Shown} shown @param {Place} place */
  function redraw(shown, place) {
    const { card, element, body } = shown;
    const heading = /** @type {HTMLElement} */ (element.querySelector('h2'));
    patch(heading, [t(card.title)]);
    try {
      const waiting = isWaiting(card);
      const drawn = waiting ? null : card.draw(place);
      shown.hollow = drawn === null;
      shown.broken = '';
      patch(body, drawn ? [...drawn, ...remarks(card)] : [h('p', { class: 'empty' }, waiting ? t('card.loading') : t(card.empty))]);
      if (card.after && drawn) card.after(body, place);
    } catch (error) {
      shown.broken = error instanceof Error ? error.message : String(error);
      if (!body.childElementCount) patch(body, [h('p', { class: 'empty' }, t('card.broken', { problem: shown.broken }))]);
    }
  }

  /** The state in words, beside the title. @param {Shown} shown @param {State} state */
  function said(shown, state) {
    const { card } = shown;
    if (shown.broken) return t('card.broken', { problem: shown.broken });
    const bad = card.files.filter((name) => spelarData.state(name) === state);
    const file = bad[0] || card.files[0] || '';
    if (state === 'missing') return t('card.missing', { files: bad.join(', ') });
    if (state === 'error') {
      const { problem, table, json } = spelarData.source(file);
      return t(table || json ? 'card.error' : 'card.unread', { file, problem: spelarText.said('problem', problem) });
    }
    if (state === 'late' || state === 'stale') {
      const age = spelarData.age(file) || 0;
      return age < 0 ? t('body.ahead', { age: spell(-age) }) : t(`card.${state}`, { age: spell(age) });
    }
    const quiet = card.files[0] && spelarData.kindOf(card.files[0]).event ? spelarData.ages(card.files[0]).data : null;
    return quiet === null ? '' : t('card.quiet', { age: spell(quiet) });
  }

  /** What of the files was not understood or not read. @param {Card} card @returns {Child[]} */
  function remarks(card) {
    const lines = card.files.flatMap((name) => {
      const { table } = spelarData.source(name);
      if (!table) return [];
      const known = spelarData.columnsOf(name);
      const lacking = known.filter((column) => !table.columns.has(column));
      const strange = table.header.filter((column) => !known.includes(column));
      return [
        table.partial && card.span === 'wide' && name === card.files[0] && t('card.partial', { n: spelarText.whole(table.rows.length) }),
        table.skipped > 0 && t('card.skipped', { n: spelarText.whole(table.skipped) }),
        lacking.length > 0 && t('card.lacking', { names: lacking.join(', ') }),
        strange.length > 0 && t('card.strange', { names: strange.join(', ').slice(0, 200) }),
      ].filter((line) => line !== false);
    });
    return lines.map((line) => h('p', { class: 'note' }, line));
  }

  return { build, update };
})();

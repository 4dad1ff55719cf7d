'use strict';
// @ts-check
// Elements from values, as text only, and the patch that keeps scroll, focus and selection where they are.

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Attributes */

const spelarDom = (() => {
  const SVG = 'http://www.w3.org/2000/svg';
  /** Hosts that a link may lead to; every other address is shown as text. */
  const HOSTS = ['polymarket.com', 'www.kraken.com', 'futures.kraken.com', 'www.tradingview.com', 'www.papaparse.com'];

  /** Longer texts are cut where they are shown: a name of ten kilobytes costs seconds of layout. */
  const MOST_LETTERS = 300;

  /** @param {string | number} value */
  function legible(value) {
    const text = String(value);
    return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
  }

  /** @param {Element} made @param {Attributes} attributes @param {(Child | Child[])[]} children */
  function dress(made, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === false || value === null || value === undefined) continue;
      made.setAttribute(name, value === true ? '' : String(value));
    }
    for (const child of children.flat()) {
      if (child !== null && child !== undefined && child !== false) made.append(child instanceof Node ? child : legible(/** @type {string | number} */ (child)));
    }
  }

  /** An element. @param {string} tag @param {Attributes} [attributes] @param {...(Child | Child[])} children @returns {HTMLElement} */
  function h(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    dress(made, attributes, children);
    return made;
  }

  /** An element of a drawing. @param {string} tag @param {Attributes} attributes @param {...Child} children @returns {SVGElement} */
  function svg(tag, attributes, ...children) {
    const made = document.createElementNS(SVG, tag);
    dress(made, attributes, children);
    return made;
  }

  /** A link out of the page, or the text alone when it leads anywhere unknown. @param {string} address @param {string} text */
  function outside(address, text) {
    const url = URL.canParse(address) ? new URL(address) : null;
    if (!url || url.protocol !== 'https:' || url.username || !HOSTS.includes(url.host)) return h('span', {}, text);
    return h('a', { href: url.href, rel: 'noopener noreferrer', target: '_blank', class: 'outside' }, text);
  }

  /** @param {Node} node */
  const keyOf = (node) => (node instanceof Element ? node.getAttribute('data-key') : null);

  /** Make the children of `parent` equal to `children` while touching as little as possible.
   * @param {Element} parent @param {Child[]} children */
  function patch(parent, children) {
    /** @type {ChildNode | null} */
    let at = parent.firstChild;
    for (const child of children) {
      if (child === null || child === undefined || child === false) continue;
      const next = child instanceof Node ? child : document.createTextNode(legible(child));
      at = reach(at, keyOf(next));
      if (at && alike(at, next)) {
        morph(at, next);
        at = at.nextSibling;
      } else {
        parent.insertBefore(next, at);
      }
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  }

  /** Move on to the sibling with this key when there is one, dropping what lies between. @param {ChildNode | null} at @param {string | null} key */
  function reach(at, key) {
    if (key === null || !at || keyOf(at) === key) return at;
    /** @type {ChildNode | null} */
    let found = at;
    while (found && keyOf(found) !== key) found = found.nextSibling;
    if (!found) return at;
    while (at && at !== found) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
    return at;
  }

  /** @param {Node} old @param {Node} next */
  const alike = (old, next) => old.nodeName === next.nodeName && keyOf(old) === keyOf(next);

  /** @param {Node} old @param {Node} next */
  function morph(old, next) {
    if (old instanceof Text && next instanceof Text) {
      if (old.data !== next.data) old.data = next.data;
    } else if (old instanceof Element && next instanceof Element) {
      redress(old, next);
      if (next.hasAttribute('data-keep')) return;
      patch(old, [...next.childNodes]);
      if (old instanceof HTMLSelectElement && next instanceof HTMLSelectElement && document.activeElement !== old) old.value = next.value;
      if (old instanceof HTMLInputElement && next instanceof HTMLInputElement && document.activeElement !== old) old.value = next.value;
    }
  }

  /** What the reader opened stays open. @param {Element} old @param {Element} next */
  function redress(old, next) {
    for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (name !== 'open' && !next.hasAttribute(name)) old.removeAttribute(name);
  }

  return { h, svg, outside, patch };
})();

'use strict';
// @ts-check
// How things are said: language, numbers and times, always by an explicit locale. The words are in words.json.

const spelarText = (() => {
  const MINUS = '\u2212';
  const DASH = '–';
  /** @type {Record<string, string>} */
  const LOCALES = { sv: 'sv-SE', en: 'en-GB' };
  const choices = { language: remembered('language', 'sv'), zone: remembered('zone', 'local') };

  /** Every text of the page by its key, Swedish and English. @type {Record<string, [string, string]>} */
  let words = {};

  /** Fetch the words. Without them the page shows their keys. @param {string} edition */
  async function load(edition) {
    try {
      words = await (await fetch(`app/words.json?v=${edition}`)).json();
    } catch {
      words = {};
    }
  }

  /** What the reader chose before; a browser that keeps nothing is no fault. @param {string} name @param {string} otherwise */
  function remembered(name, otherwise) {
    try {
      return localStorage.getItem(`spelar.${name}`) || otherwise;
    } catch {
      return otherwise;
    }
  }

  /** @param {string} name @param {string} value */
  function remember(name, value) {
    try {
      localStorage.setItem(`spelar.${name}`, value);
    } catch {
      // It lasts until the page is closed.
    }
  }

  const english = () => choices.language === 'en';
  const locale = () => LOCALES[english() ? 'en' : 'sv'];

  /** A text in the reader's language, `{name}` filled in. @param {string} key @param {Record<string, unknown>} [values] */
  function t(key, values = {}) {
    const pair = Object.hasOwn(words, key) ? words[key] : [key, key];
    return pair[english() ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  /** A word of the files in the reader's language, itself when it is unknown. @param {string} group @param {string} word */
  const said = (group, word) => (Object.hasOwn(words, `${group}.${word}`) ? t(`${group}.${word}`) : word);

  /** @type {Map<string, Intl.NumberFormat>} */
  const formats = new Map();
  /** @param {number} least @param {number} most */
  function format(least, most) {
    const key = `${locale()} ${least} ${most}`;
    let found = formats.get(key);
    if (!found) formats.set(key, (found = new Intl.NumberFormat(locale(), { minimumFractionDigits: least, maximumFractionDigits: most })));
    return found;
  }

  /** @param {unknown} value @param {number} least @param {number} most */
  function figure(value, least, most) {
    const found = spelarCsv.number(value);
    if (found === null) return DASH;
    const text = format(least, most).format(found).replace('-', MINUS);
    return /[1-9]/.test(text) ? text : text.replace(MINUS, '');
  }

  /** @param {unknown} value */
  const money = (value) => figure(value, 2, 2);
  /** @param {unknown} value */
  const price = (value) => figure(value, 2, 4);
  /** @param {unknown} value */
  const fine = (value) => figure(value, 0, 4);
  /** @param {unknown} value */
  const whole = (value) => figure(value, 0, 0);
  /** @param {unknown} value @param {(value: unknown) => string} [as] */
  const signed = (value, as = money) => {
    const text = as(value);
    return Number(value) > 0 && /[1-9]/.test(text) ? `+${text}` : text;
  };
  /** @param {unknown} value */
  const tone = (value) => (Number(value) > 0 ? 'up' : Number(value) < 0 ? 'down' : '');

  /** @type {Map<string, Intl.DateTimeFormat>} */
  const clocks = new Map();
  /** @param {number} ms @param {Intl.DateTimeFormatOptions} options */
  function stamp(ms, options) {
    const key = `${locale()} ${choices.zone} ${JSON.stringify(options)}`;
    let found = clocks.get(key);
    const zone = choices.zone === 'utc' ? { timeZone: 'UTC' } : {};
    if (!found) clocks.set(key, (found = new Intl.DateTimeFormat(locale(), { ...options, ...zone })));
    return found.format(ms);
  }

  /** A time of a file, with the date. @param {unknown} value */
  function time(value) {
    const ms = typeof value === 'number' ? value : Date.parse(String(value || ''));
    return Number.isNaN(ms) ? DASH : stamp(ms, { dateStyle: 'short', timeStyle: 'medium' });
  }

  /** The date of a time, as a filter writes it. @param {string} value */
  function day(value) {
    const ms = Date.parse(value);
    if (Number.isNaN(ms)) return '';
    if (choices.zone === 'utc') return new Date(ms).toISOString().slice(0, 10);
    const at = new Date(ms);
    return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;
  }

  /** How long, in the largest unit that tells it. @param {number | null} seconds @returns {string} */
  function spell(seconds) {
    if (seconds === null || !Number.isFinite(seconds)) return DASH;
    if (seconds < 0) return `${MINUS}${spell(-seconds)}`;
    if (seconds < 120) return `${Math.round(seconds)} s`;
    if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
    return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : t('days', { n: Math.round(seconds / 86400) });
  }

  return {
    load, t, said, money, price, fine, whole, signed, tone, time, day, spell, figure, remembered, remember, choices, stamp, DASH,
  };
})();

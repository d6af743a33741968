// What the pages share: words in both languages, from the server, and the reader's choice between them.

export const data = JSON.parse(document.getElementById('data').textContent);
export const at = (id) => document.getElementById(id);
const STORED_LANGUAGE = 'kokodoko-lang';
const listeners = [];

export let language = document.documentElement.lang;

/** A sentence in the reader's language; `values` fill its {places}. */
export function say(name, values = {}) {
  const words = data.words[language][name];
  return words.replace(/\{(\w+)\}/g, (place, key) => (key in values ? values[key] : place));
}

export function areaName(area) {
  const names = data.areas.find((known) => known.area === area);
  return language === 'en' && names ? names.name_en : area;
}

/** As the bot says it in chats: never more certain than it is. */
export function percent(share) {
  const rounded = Math.round(share * 100);
  if (share > 0 && rounded < 1) return '<1%';
  if (share < 1 && rounded > 99) return '>99%';
  return `${rounded}%`;
}

/** Has `listener` called whenever the language changes, and once by `startLanguages`. */
export function onLanguage(listener) {
  listeners.push(listener);
}

function setLanguage(chosen) {
  language = chosen;
  document.documentElement.lang = chosen;
  for (const element of document.querySelectorAll('[data-word]')) {
    element.textContent = data.words[chosen][element.dataset.word];
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute(element.tagName === 'IMG' ? 'alt' : 'aria-label', data.words[chosen][element.dataset.label]);
  }
  for (const link of document.querySelectorAll('.languages a')) {
    link.setAttribute('aria-current', String(link.lang === chosen));
  }
  for (const listener of listeners) listener();
}

function remembered() {
  try {
    const stored = localStorage.getItem(STORED_LANGUAGE);
    return stored in data.words ? stored : null;
  } catch {
    return null; // Storage may be forbidden; the page then starts in the browser's language.
  }
}

function remember(chosen) {
  try {
    localStorage.setItem(STORED_LANGUAGE, chosen);
  } catch {
    // As above: nothing is lost but the memory.
  }
}

/** Takes the language that the address, the reader's memory or the browser asks for, and listens for another. */
export function startLanguages() {
  for (const link of document.querySelectorAll('.languages a')) {
    link.addEventListener('click', (event) => {
      event.preventDefault();
      remember(link.lang);
      setLanguage(link.lang);
    });
  }
  const asked = new URLSearchParams(location.search).get('lang');
  setLanguage((asked in data.words && asked) || remembered() || language);
}

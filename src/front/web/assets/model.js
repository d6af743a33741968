// The page about the model: what the bot says to /gallery, /confusions and /atlas.

import { at, data, language, onLanguage, say, startLanguages } from './words.js';

const buttons = [...document.querySelectorAll('[data-about]')];
let about = new URLSearchParams(location.search).get('about');
if (!buttons.some((button) => button.dataset.about === about)) about = 'gallery';
let request = null;

/** Asks for what is chosen; a newer choice ends an older one. */
async function show() {
  request?.abort();
  request = new AbortController();
  for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.about === about));
  at('choice').hidden = about === 'confusions';
  document.body.dataset.state = 'busy';
  at('words').textContent = say('model-page-wait');
  at('pictures').replaceChildren();
  const area = about === 'confusions' ? '' : at('area').value;
  try {
    const { signal } = request;
    const response = await fetch(`/api/v1/model/${about}?${new URLSearchParams({ area, lang: language })}`, { signal });
    const found = await response.json();
    at('words').textContent = response.ok ? found.text : found.detail;
    if (response.ok) at('pictures').replaceChildren(...found.pictures.map(picture));
  } catch (error) {
    if (error.name === 'AbortError') return;
    at('words').textContent = say('page-offline');
  }
  document.body.dataset.state = 'shown';
}

function picture({ picture: url, alt }) {
  const image = document.createElement('img');
  image.src = url;
  image.alt = alt;
  return image;
}

/** The areas in the reader's language, the chosen one kept. */
function listAreas() {
  const chosen = at('area').value;
  const option = (value, words) => {
    const element = document.createElement('option');
    element.value = value;
    element.textContent = words;
    return element;
  };
  const names = data.areas.map(({ area, name_en }) => option(area, language === 'en' ? name_en : area));
  at('area').replaceChildren(option('', say('model-page-all')), ...names);
  at('area').value = chosen;
}

for (const button of buttons) {
  button.addEventListener('click', () => {
    about = button.dataset.about;
    show();
  });
}
at('area').addEventListener('change', show);
onLanguage(() => {
  listAreas();
  show();
});
startLanguages();

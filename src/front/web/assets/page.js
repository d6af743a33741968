// The page's behaviour: photos come in from the picker, the camera, a drop, a paste or the samples, go to the
// API one by one, and their answers are shown. Words come from the server, in both languages.

import { areaName, at, data, language, onLanguage, percent, say, startLanguages } from './words.js';

/**
 * Photos by their order: { blob, url, number, truth, list, state, answer, problem, heatmaps, area, whyNot, similar, maps }: the
 * heatmap speaks for `area` or, with `whyNot`, for the best area rather than for `area`; maps by language.
 */
const photos = [];
let current = null;

// --- asking ---

class Refusal extends Error {
  constructor(words, mayPass) {
    super(words);
    /** Whether asking again may help. */
    this.mayPass = mayPass;
  }
}

/** Most areas in the list of an answer: a model of the world has many. */
const LISTED = 20;

/** The answer as JSON; throws a Refusal with the server's sentence. */
async function ask(blob, parameters, signal) {
  if (blob.size > data.max_bytes) {
    const tenths = Math.ceil((blob.size * 10) / (1 << 20)) / 10;
    throw new Refusal(say('error-too-many-bytes', { size: tenths }), false);
  }
  let response;
  try {
    response = await fetch(`/api/v1/locate?${new URLSearchParams(parameters)}`, {
      method: 'POST',
      headers: { 'Accept-Language': language, 'Content-Type': blob.type || 'application/octet-stream' },
      body: blob,
      signal,
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal(say('page-offline'), true);
  }
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer.detail, [408, 429].includes(response.status) || response.status >= 500);
  return answer;
}

async function locate(photo) {
  photo.request?.abort();
  photo.request = new AbortController();
  photo.state = 'busy';
  if (photo === current) announce(say('page-thinking'));
  render();
  try {
    photo.answer = await ask(photo.blob, { top: Math.min(data.areas.length, LISTED), heatmap: 'true' }, photo.request.signal);
    photo.area = photo.answer.heatmap_area;
    photo.whyNot = false;
    photo.heatmaps = { [mapOf(photo)]: photo.answer.heatmap };
    photo.similar = null;
    if (photo.answer.file_area) photo.gift ??= {};
    photo.maps = {};
    photo.state = 'answer';
  } catch (error) {
    if (error.name === 'AbortError') return;
    if (!(error instanceof Refusal)) throw error;
    photo.problem = error.message;
    photo.mayPass = error.mayPass;
    photo.state = 'error';
  }
  if (photo !== current) return;
  render();
  announce(photo.state === 'answer' ? headline(photo.answer) : photo.problem);
  // A cell says little without its map.
  if (photo.state === 'answer' && photo.answer.areas[0].cell) showMap(photo);
}

/** Sends the photo once more, which is the consent to keep it, or takes it back. */
async function gift(photo, path, method, body) {
  photo.gift.busy = true;
  renderGift(photo);
  let said;
  try {
    const response = await fetch(path, {
      method,
      headers: { 'Accept-Language': language, 'Content-Type': 'application/octet-stream' },
      body,
    });
    const answer = await response.json();
    said = response.ok ? { done: answer.text, key: answer.gift } : { ...photo.gift, problem: answer.detail };
  } catch {
    said = { ...photo.gift, problem: say('page-offline') };
  }
  photo.gift = { ...said, busy: false };
  announce(photo.gift.problem ?? photo.gift.done);
  if (photo === current) renderGift(photo);
}

/** Names the heatmap that is chosen. */
function mapOf({ area, whyNot }) {
  return `${whyNot ? 'not' : 'for'} ${area}`;
}

/** Shows the evidence for an area, or what speaks for the best area rather than for it; asks for it the first time. */
async function showEvidence(photo, area, whyNot = false) {
  photo.area = area;
  photo.whyNot = whyNot;
  render();
  const map = mapOf(photo);
  if (!photo.heatmaps[map]) {
    try {
      photo.heatmaps[map] = (await ask(photo.blob, { top: 1, [whyNot ? 'why_not' : 'heatmap']: area })).heatmap;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      announce(error.message);
      at('aside').textContent = error.message;
      return;
    }
  }
  if (photo !== current || mapOf(photo) !== map) return;
  render();
  announce(evidenceWords(photo));
}

/** What the heatmap shows, in a few words. */
function evidenceWords(photo) {
  const area = areaName(photo.area);
  if (!photo.whyNot) return say('page-evidence-of', { area });
  return say('page-evidence-against', { area: areaName(photo.answer.areas[0].area), other: area });
}

/** More about a photo, asked for by a button that is off meanwhile; null where it is refused, which is said. */
async function askMore(photo, button, parameters) {
  at(button).disabled = true;
  try {
    return await ask(photo.blob, { top: 1, ...parameters });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    announce(error.message);
    at('aside').textContent = error.message;
    return null;
  } finally {
    at(button).disabled = false;
  }
}

/** Shows photos of other places that look alike. */
async function showSimilar(photo) {
  const answer = await askMore(photo, 'similar-ask', { similar: 'true' });
  if (!answer) return;
  photo.similar = answer.similar;
  if (photo !== current) return;
  render();
  announce(say('similar-intro'));
}

/** Shows where the answer lies, on a map with words in the reader's language. */
async function showMap(photo) {
  const wanted = language;
  const answer = await askMore(photo, 'map-ask', { map: 'true', lang: wanted });
  if (!answer) return;
  photo.maps[wanted] = answer.map;
  if (photo === current) render();
}

// --- showing ---

function announce(words) {
  at('live').textContent = words;
}

function headline(answer) {
  if (!answer.street) return say('answer-no-street');
  const [best] = answer.areas;
  const values = { area: areaName(best.area), percent: percent(best.probability) };
  return answer.known ? say('answer-known', values) : say('answer-unknown', values);
}

function render() {
  document.body.dataset.state = current ? current.state : 'idle';
  at('stage').hidden = !current;
  at('model').textContent = `${data.model.name} ${data.model.version} · ${data.model.backend}`;
  for (const photo of photos) photo.thumb?.setAttribute('aria-pressed', String(photo === current));
  if (!current) return;
  renderWords(current);
  renderPlate(current);
  renderTruth(current);
  renderGift(current);
  renderBars(current);
  renderMap(current);
  renderSimilar(current);
  renderEvidence(current);
}

function renderWords(photo) {
  const words = {
    busy: () => [say('page-thinking'), ''],
    error: () => [say('page-failed'), photo.problem],
    answer: () => [headline(photo.answer), below(photo.answer)],
  };
  const [title, aside] = words[photo.state]();
  at('headline').textContent = title;
  at('aside').textContent = aside;
  at('again').hidden = photo.state !== 'error' || !photo.mayPass;
}

/** That most photos that look like it show another area, if they do. */
function doubt({ second_opinion: second }) {
  return !second || second.agrees ? '' : say('similar-doubt', { other: areaName(second.area) });
}

function renderMap(photo) {
  const guess = photo.state === 'answer' ? photo.answer.guess : null;
  at('map').hidden = !guess;
  if (!guess) return;
  const [lat, lng] = [guess.lat, guess.lng].map((degrees) => degrees.toFixed(3));
  const picture = photo.maps[language];
  at('map-at').textContent = say('map-position', { position: `${lat}, ${lng}` });
  at('map-ask').hidden = Boolean(picture);
  at('map-picture').hidden = !picture;
  if (!picture) return;
  at('map-picture').src = picture;
  at('map-picture').alt = say('map-alt', { area: areaName(photo.answer.areas[0].area) });
}

function renderSimilar(photo) {
  // Only a model with an index has a second opinion.
  const has = photo.state === 'answer' && Boolean(photo.answer.second_opinion);
  at('similar').hidden = !has;
  if (!has) return;
  at('similar-ask').hidden = Boolean(photo.similar);
  at('similar-intro').hidden = !photo.similar;
  const [best] = photo.answer.areas;
  at('similar-list').replaceChildren(...(photo.similar ?? []).map((found) => lookAlike(found, best.area)));
}

function lookAlike(found, best) {
  const item = document.createElement('li');
  const part = (tag, words, name = '') => {
    const element = document.createElement(tag);
    element.textContent = words;
    element.className = name;
    item.append(element);
    return element;
  };
  if (found.photo) {
    const picture = part('img', '');
    [picture.src, picture.alt] = [found.photo, ''];
  } else {
    part('p', say('similar-gone'), 'gone');
  }
  part('b', `${areaName(found.area)} ${found.town}`);
  if (found.distance_km !== null) {
    const km = found.distance_km.toFixed(found.distance_km < 10 ? 1 : 0);
    part('span', say('similar-distance', { area: areaName(best), km }), 'quiet');
  }
  const owed = [found.attribution, found.licence].filter(Boolean).join(', ');
  if (/^https?:/.test(found.link ?? '')) {
    const link = part('a', owed, 'quiet');
    [link.href, link.rel, link.target] = [found.link, 'noreferrer', '_blank'];
  } else {
    part('span', owed, 'quiet');
  }
  return item;
}

/** What is said under the headline of an answer. */
function below(answer) {
  if (!answer.street) return '';
  return answer.known ? doubt(answer) : say('page-unknown-why');
}

function renderPlate(photo) {
  const [best] = photo.state === 'answer' ? photo.answer.areas : [];
  const known = photo.state === 'answer' && photo.answer.known;
  const name = known ? best.municipality : { answer: '？', busy: '…', error: '！' }[photo.state];
  at('plate').className = `plate${known ? '' : ' blank'}${photo.state === 'error' ? ' fault' : ''}`;
  at('plate-prefecture').textContent = known ? best.prefecture : '';
  at('plate-name').textContent = name;
  at('plate-name').classList.toggle('long', name.length > 3);
  at('plate-percent').textContent = known ? percent(best.probability) : '';
}

function renderGift(photo) {
  const { gift } = photo;
  const shown = photo.state === 'answer' && gift && !gift.refused;
  at('gift').hidden = !shown;
  if (!shown) return;
  const question = say('page-gift', { area: areaName(photo.answer.file_area) });
  at('gift-text').textContent = gift.problem ?? gift.done ?? question;
  for (const id of ['gift-yes', 'gift-no']) at(id).hidden = Boolean(gift.done);
  at('gift-back').hidden = !gift.key;
  for (const id of ['gift-yes', 'gift-no', 'gift-back']) at(id).disabled = Boolean(gift.busy);
}

function renderTruth(photo) {
  const shown = photo.state === 'answer' && photo.truth && photo.answer.street;
  at('truth').hidden = !shown;
  if (!shown) return;
  const { areas } = photo.answer;
  // Where cells are answered, a municipality's name is neither right nor wrong.
  const known = photo.answer.known && !areas[0].cell;
  const right = photo.truth === areas[0].area;
  const values = { area: areaName(photo.truth) };
  at('truth').textContent = known && right ? say('page-truth-right', values) : say('page-truth', values);
  // Who does not know is neither right nor wrong.
  at('truth').className = `truth ${{ true: right ? 'right' : 'wrong', false: 'open' }[known]}`;
}

function renderBars(photo) {
  const shown = photo.state === 'answer' && photo.answer.street;
  at('candidates').hidden = !shown;
  if (!shown) return;
  const rows = photo.answer.areas.map((found) => {
    const button = document.getElementById(`row-${found.area}`) ?? row(found.area);
    fillRow(button, found, photo.area === found.area);
    return button;
  });
  const list = at('bars');
  const items = rows.map((button) => button.closest('li') ?? wrap(button));
  // Moving a focused button would take the focus from it.
  if (items.some((item, index) => list.children[index] !== item)) list.replaceChildren(...items);
  const ms = Object.fromEntries(Object.entries(photo.answer.ms).map(([name, value]) => [name, value.toFixed(1)]));
  at('timing').textContent = say('page-timing', ms);
}

function wrap(button) {
  const item = document.createElement('li');
  item.append(button);
  return item;
}

function row(area) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'row';
  button.id = `row-${area}`;
  for (const part of ['name', 'percent', 'bar']) {
    const span = document.createElement('span');
    span.className = part;
    button.append(span);
  }
  button.querySelector('.bar').append(document.createElement('i'));
  button.addEventListener('click', () => showEvidence(current, area));
  return button;
}

function fillRow(button, found, pressed) {
  const shown = { area: areaName(found.area), percent: percent(found.probability) };
  button.querySelector('.name').textContent = shown.area;
  button.querySelector('.percent').textContent = shown.percent;
  button.querySelector('i').style.setProperty('--share', `${found.probability * 100}%`);
  button.setAttribute('aria-pressed', String(pressed));
  button.setAttribute('aria-label', say('page-row', shown));
}

function renderEvidence(photo) {
  if (at('photo').getAttribute('src') !== photo.url) at('photo').src = photo.url;
  const shown = photo.state === 'answer' && photo.answer.street;
  const heatmap = shown ? photo.heatmaps[mapOf(photo)] : null;
  at('overlay').hidden = !heatmap;
  at('evidence').hidden = !shown;
  if (!shown) return;
  at('evidence-of').textContent = evidenceWords(photo);
  renderQuestion(photo);
  if (!heatmap) return;
  const [area, best] = [photo.area, photo.answer.areas[0].area].map(areaName);
  at('overlay').src = heatmap;
  at('overlay').alt = photo.whyNot ? say('why-not-alt', { area: best, other: area }) : say('answer-heatmap-alt', { area });
}

/** The choice between what speaks for an area and what speaks against it; against the best one nothing is set. */
function renderQuestion(photo) {
  at('question').hidden = photo.area === photo.answer.areas[0].area;
  const area = areaName(photo.area);
  at('ask-why').textContent = say('page-ask-why', { area });
  at('ask-why-not').textContent = say('page-ask-why-not', { area });
  at('ask-why').setAttribute('aria-pressed', String(!photo.whyNot));
  at('ask-why-not').setAttribute('aria-pressed', String(photo.whyNot));
}

// --- choosing ---

function add(blob, list, truth = null) {
  const number = photos.filter((photo) => photo.list === list).length + 1;
  const photo = { blob, url: URL.createObjectURL(blob), list, number, truth, state: 'new', heatmaps: {} };
  photos.push(photo);
  return photo;
}

function choose(photo) {
  current = photo;
  at('strength').value = 100;
  at('overlay').style.opacity = 1;
  if (photo.state === 'new') locate(photo);
  else render();
  at('stage').scrollIntoView({ block: 'start', behavior: 'smooth' });
}

function take(files) {
  if (files.length === 0) return;
  const taken = [...files].slice(0, data.max_photos).map((file) => add(file, 'mine'));
  for (const photo of taken) addThumb('mine-list', photo, photo.url, () => choose(photo));
  at('mine').hidden = false;
  labelThumbs();
  choose(taken[0]);
  if (files.length > taken.length) announce(say('page-too-many'));
}

function addThumb(list, photo, url, pick) {
  const image = document.createElement('img');
  image.src = url;
  image.alt = '';
  image.loading = 'lazy';
  photo.thumb = document.createElement('button');
  photo.thumb.type = 'button';
  photo.thumb.className = 'thumb';
  photo.thumb.append(image);
  photo.thumb.addEventListener('click', pick);
  at(list).append(wrap(photo.thumb));
}

function labelThumbs() {
  for (const { thumb, list, number } of photos.filter((photo) => photo.thumb)) {
    thumb.setAttribute('aria-label', list === 'mine' ? say('page-mine-photo', { number }) : say('page-sample', { number }));
  }
}

function addSamples() {
  data.samples.forEach((sample, index) => {
    const photo = { blob: null, url: sample.url, list: 'samples', number: index + 1, truth: sample.area, state: 'new', heatmaps: {} };
    photos.push(photo);
    addThumb('samples-list', photo, sample.url, () => chooseSample(photo));
  });
  at('samples').hidden = data.samples.length === 0;
}

async function chooseSample(photo) {
  try {
    photo.blob ??= await (await fetch(photo.url)).blob();
    choose(photo);
  } catch {
    announce(say('page-offline'));
  }
}

// --- listening ---

function listenForFiles() {
  for (const input of [at('file'), at('camera')]) {
    input.addEventListener('change', () => {
      take(input.files);
      input.value = ''; // The same file may be chosen again.
    });
  }
  document.addEventListener('paste', (event) => take(event.clipboardData?.files ?? []));
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.dataset.over = '';
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) delete document.body.dataset.over;
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    delete document.body.dataset.over;
    take(event.dataTransfer?.files ?? []);
  });
}

function listenForControls() {
  at('strength').addEventListener('input', (event) => {
    at('overlay').style.opacity = event.target.value / 100;
  });
  at('similar-ask').addEventListener('click', () => showSimilar(current));
  at('map-ask').addEventListener('click', () => showMap(current));
  at('again').addEventListener('click', () => locate(current));
  at('ask-why').addEventListener('click', () => showEvidence(current, current.area));
  at('ask-why-not').addEventListener('click', () => showEvidence(current, current.area, true));
  at('gift-yes').addEventListener('click', () => gift(current, '/api/v1/gifts', 'POST', current.blob));
  at('gift-no').addEventListener('click', () => {
    current.gift.refused = true;
    renderGift(current);
  });
  at('gift-back').addEventListener('click', () => gift(current, `/api/v1/gifts/${current.gift.key}`, 'DELETE'));
  at('photo').addEventListener('load', ({ target }) => {
    const frame = target.parentElement;
    frame.classList.remove('broken');
    frame.style.setProperty('--ratio', target.naturalWidth / target.naturalHeight);
  });
  at('photo').addEventListener('error', ({ target }) => target.parentElement.classList.add('broken'));
}

addSamples();
listenForFiles();
listenForControls();
onLanguage(() => {
  labelThumbs();
  // The server words its problems itself: ask again rather than show the other language.
  if (current?.state === 'error') locate(current);
  else render();
});
startLanguages();

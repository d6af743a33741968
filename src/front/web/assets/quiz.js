// A round alone against the model. The server keeps the round, the clock and the truth; this page shows them and
// sends answers. Words come from the server, in both languages.

import { at, data, language, onLanguage, percent, say, startLanguages } from './words.js';

/** What the server knows of the round: see front/web/play/json.rs. */
let round = null;
/** The photo in sight, from 1. */
let shown = 1;
/** When the bell rings, by this browser's clock (ms). */
let bell = 0;
/** Whether the way in is shown over a round that has ended. */
let choosing = false;
let busy = false;

const areaOf = (index) => (language === 'en' ? round.areas[index].name_en.split(',')[0] : round.areas[index].municipality);

// --- asking ---

class Refusal extends Error {}

/** The answer as JSON; throws a Refusal with a sentence. */
async function ask(path, method = 'GET', body = undefined) {
  let response;
  try {
    response = await fetch(`/api/v1/quiz${path}`, {
      method,
      headers: { 'Accept-Language': language, 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new Refusal(say('page-offline'));
  }
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer.detail);
  return answer;
}

/** Does one thing at a time, and shows the sentence of a refusal. */
async function guarded(work) {
  if (busy) return;
  busy = true;
  problem('');
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    problem(error.message);
  } finally {
    busy = false;
    render();
  }
}

function take(found) {
  const before = round;
  round = found;
  if (!round) return;
  bell = performance.now() + round.seconds_left * 1000;
  if (before?.id !== round.id) {
    const first = round.photos.findIndex((photo) => photo.choice === null);
    shown = first < 0 ? 1 : first + 1;
    preload();
  }
}

/** The next photo is there before it is asked for. */
function preload() {
  for (const photo of round.photos) new Image().src = photo.url;
}

// --- playing ---

function begin(command, words = '') {
  return guarded(async () => {
    const said = await ask(`/commands/${command}`, 'POST', { words, name: at('name').value });
    take(said.round);
    if (said.replies.length > 0) problem(said.replies.map((reply) => reply.text).join('\n'));
    else choosing = false;
    focusOn('question');
  });
}

function answer(choice) {
  return guarded(async () => {
    const { notice, round: found } = await ask(`/rounds/${round.id}/answers/${shown}`, 'PUT', { choice });
    take(found);
    announce(notice);
    if (!round.is_open) return reveal();
    const open = round.photos.findIndex((photo) => photo.choice === null);
    if (open >= 0) shown = open + 1;
    else await closed();
  });
}

/** Waits for the results of a round whose bell is ringing. */
async function closed() {
  for (let i = 0; i < 20 && round.is_open; i += 1) {
    take((await ask('')).round);
    if (round.is_open) await new Promise((wake) => setTimeout(wake, 100));
  }
  if (!round.is_open) reveal();
}

function reveal() {
  render();
  announce(round.results.verdict);
  focusOn('verdict');
}

function stop() {
  return guarded(async () => {
    take((await ask('/commands/stop', 'POST', {})).round);
    choosing = true;
  });
}

function tick() {
  if (!round?.is_open) return;
  const left = Math.max(0, (bell - performance.now()) / 1000);
  at('clock').textContent = say('play-seconds-left', { seconds: Math.ceil(left) });
  at('time').style.setProperty('--share', `${(100 * left) / round.seconds}%`);
  at('round').classList.toggle('late', left < 10);
  if (left === 0) guarded(closed);
}

// --- showing ---

const announce = (words) => { at('live').textContent = words; };
const focusOn = (id) => { render(); at(id).focus({ preventScroll: true }); };

function problem(words) {
  at('problem').textContent = words;
  at('problem').hidden = words === '';
}

function render() {
  const state = round?.is_open ? 'round' : round?.results && !choosing ? 'results' : 'start';
  document.body.dataset.screen = state;
  for (const id of ['start', 'round', 'results']) at(id).hidden = id !== state;
  if (state === 'round') renderRound();
  if (state === 'results') renderResults();
}

function renderRound() {
  const all = round.photos.length;
  const done = round.photos.filter((photo) => photo.choice !== null).length;
  at('progress').textContent = say('play-progress', { done, all });
  at('question').textContent = say('play-question', { number: shown, all });
  const { url, choice } = round.photos[shown - 1];
  if (at('shot').getAttribute('src') !== url) at('shot').src = url;
  at('shot').alt = say('play-photo-alt', { number: shown });
  at('areas').replaceChildren(...round.areas.map((_, index) => {
    const button = make('button', '', areaOf(index));
    button.type = 'button';
    button.setAttribute('aria-pressed', String(choice === index));
    button.addEventListener('click', () => answer(index));
    return button;
  }));
  at('numbers').replaceChildren(...round.photos.map((photo, index) => {
    const button = make('button', photo.choice === null ? '' : 'done', String(index + 1));
    button.type = 'button';
    button.setAttribute('aria-current', String(index + 1 === shown));
    button.setAttribute('aria-label', say('play-number', { number: index + 1 }));
    button.addEventListener('click', () => { shown = index + 1; focusOn('question'); });
    return wrap('li', button);
  }));
  tick();
}

function renderResults() {
  const { verdict, model, model_right: right, mine, truths, credits, code } = round.results;
  const all = truths.length;
  at('verdict').textContent = verdict;
  at('mine').textContent = mine ? say('play-right', { right: mine.right, all }) : '–';
  at('models').textContent = say('play-right', { right, all });
  at('models').title = model;
  at('points').textContent = points(mine);
  at('truths').replaceChildren(...truths.map((truth, index) => tile(truth, round.photos[index], index + 1)));
  at('share').textContent = say('play-share', { code });
  at('credits').replaceChildren(...credits.map((line) => make('p', '', line)));
}

function points(mine) {
  if (!mine) return say('play-no-answer');
  if (!mine.scored) return say('play-unscored');
  const change = `${mine.rating_change >= 0 ? '+' : '−'}${Math.abs(Math.round(mine.rating_change))}`;
  return say('play-points', { points: mine.points, change });
}

function tile({ truth, guess, probability }, { url, choice }, number) {
  const picture = make('img');
  picture.src = url;
  picture.alt = say('play-photo-alt', { number });
  picture.loading = 'lazy';
  const caption = make('div', 'caption');
  const mine = choice === null ? say('play-your-none') : say('play-your-answer', { area: areaOf(choice) });
  const models = say('play-model-answer', { area: areaOf(guess), percent: percent(probability) });
  const mark = (answer) => (answer === null ? 'none' : answer === truth ? 'right' : 'wrong');
  caption.append(
    make('b', '', `${number}. ${areaOf(truth)}`),
    make('span', mark(choice), mine),
    make('span', mark(guess), models),
  );
  const item = make('li');
  item.append(picture, caption);
  return item;
}

function make(tag, className = '', text = '') {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function wrap(tag, child) {
  const element = make(tag);
  element.append(child);
  return element;
}

/** Shows what the bot says to a command about scores. */
function show(replies) {
  at('said').replaceChildren(...replies.flatMap(({ text, picture, alt, buttons }) => {
    const parts = [make('p', '', text)];
    if (picture) {
      const image = make('img');
      image.src = picture;
      image.alt = alt;
      parts.push(image);
    }
    if (buttons.length > 0) {
      const row = make('div', 'chips buttons');
      row.append(...buttons.map(({ label, payload }) => {
        const button = make('button', '', label);
        button.type = 'button';
        button.addEventListener('click', () => said(`/buttons/${encodeURIComponent(payload)}`));
        return button;
      }));
      parts.push(row);
    }
    return parts;
  }));
}

function said(path, words = '') {
  return guarded(async () => {
    show((await ask(path, 'POST', { words })).replies);
  });
}

// --- listening ---

function listPhotoCounts() {
  at('photos').replaceChildren(...data.photo_counts.map((count) => {
    const input = make('input');
    Object.assign(input, { type: 'radio', name: 'photos', value: count, checked: count === data.photo_counts.at(-1) });
    const label = make('label');
    label.append(input, make('span', '', String(count)));
    return label;
  }));
}

function listen() {
  at('wish').addEventListener('submit', (event) => {
    event.preventDefault();
    const wish = new FormData(at('wish'));
    begin('quiz', `photos=${wish.get('photos')} difficulty=${wish.get('difficulty')}`);
  });
  at('daily').addEventListener('click', () => begin('daily'));
  at('rematch').addEventListener('submit', (event) => {
    event.preventDefault();
    begin('rematch', at('code').value);
  });
  at('stop').addEventListener('click', stop);
  at('again').addEventListener('click', () => playAgain());
  at('other').addEventListener('click', () => { choosing = true; render(); });
  for (const button of document.querySelectorAll('[data-command]')) {
    button.addEventListener('click', () => said(`/commands/${button.dataset.command}`, button.dataset.words ?? ''));
  }
  at('forget').addEventListener('click', () => {
    if (confirm(say('play-forget-sure'))) said('/commands/forget');
  });
  document.addEventListener('keydown', ({ key, target }) => {
    const index = Number(key) - 1;
    if (round?.is_open && target.tagName !== 'INPUT' && index >= 0 && index < round.areas.length) answer(index);
  });
}

/** Another round like this one, as the button under a reveal in a chat. */
function playAgain() {
  return guarded(async () => {
    const { notice, round: found } = await ask(`/buttons/1n:${round.id}`, 'POST');
    take(found);
    problem(notice);
    focusOn('question');
  });
}

async function start() {
  const table = await ask('');
  if (table.name) at('name').value = table.name;
  take(table.round);
  // A round of another day is no news.
  choosing = !round?.is_open;
}

listPhotoCounts();
listen();
onLanguage(() => {
  if (round) guarded(async () => take((await ask('')).round));
  else render();
});
startLanguages();
guarded(start);
setInterval(tick, 250);

// Plays rounds on the quiz page in headless Chromium as people do, at a desk and on a phone.
//
//   node quiz.mjs http://127.0.0.1:PORT/quiz FOLDER_FOR_SCREENSHOTS

import assert from 'node:assert/strict';
import { Tour, DESKTOP, PHONE, SMALL } from './browser.mjs';

const [address, folder] = process.argv.slice(2);
const tour = new Tour(address, folder);

const WORDS = {
  'ja-JP': { begin: '始める', answered: '3枚中1枚に回答', model: 'モデル: ', drawn: '本物の街並みは一度も見たことがありません' },
  'en-GB': { begin: 'Play', answered: '1 of 3 answered', model: 'model: ', drawn: 'it has never seen a real street' },
};

const loaded = (page, selector) =>
  page.waitForFunction((found) => [...document.querySelectorAll(found)].every((image) => image.naturalWidth > 0), selector);

async function begin(page, name, words, photos) {
  assert.ok(await page.getByText(words.drawn).isVisible(), 'the page says what the model has seen');
  await page.locator(`#photos input[value="${photos}"]`).check({ force: true });
  await page.locator('#name').fill('Aoi 葵');
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-start`);
  await page.locator('#begin').click();
  await page.waitForSelector('body[data-screen="round"]');
  await loaded(page, '#shot');
}

/** Answers every photo, the first one by keyboard after a change of mind. */
async function play(page, name, words) {
  const areas = page.locator('#areas button');
  assert.ok((await areas.count()) >= 2, 'there are areas to choose from');
  await page.keyboard.press('1');
  await page.locator('#progress', { hasText: words.answered }).waitFor();
  assert.equal(await page.locator('#numbers button[aria-current="true"]').textContent(), '2', 'the next photo comes');
  await page.locator('#numbers button').first().click();
  assert.equal(await areas.first().getAttribute('aria-pressed'), 'true', 'the answer is kept');
  await areas.nth(1).click();
  await page.waitForFunction(() => document.querySelector('#numbers [aria-current="true"]').textContent === '2');
  await loaded(page, '#shot');
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-round`);
  // The page may be loaded again in the middle: the round goes on.
  await page.reload();
  await page.waitForSelector('body[data-screen="round"]');
  assert.ok((await page.locator('#progress').textContent()).includes('1'), 'the answer survives');
  for (const next of ['3', null]) {
    await areas.first().click();
    if (next) await page.waitForFunction((n) => document.querySelector('#numbers [aria-current="true"]').textContent === n, next);
  }
}

async function results(page, name, words) {
  await page.waitForSelector('body[data-screen="results"]');
  assert.equal(await page.locator('#truths li').count(), 3);
  for (const line of await page.locator('#truths .caption span:last-child').allTextContents()) {
    assert.ok(line.startsWith(words.model) && line.includes('%'), line);
  }
  for (const image of await page.locator('#truths img').all()) await image.scrollIntoViewIfNeeded();
  await loaded(page, '#truths img');
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-results`);
}

async function scores(page, name) {
  await page.locator('[data-command="score"]').click();
  await page.waitForFunction(() => document.querySelector('#said p')?.textContent.includes('Aoi 葵'));
  await page.locator('[data-command="versus"]').click();
  await page.waitForSelector('#said img');
  await loaded(page, '#said img');
  await page.locator('#again').click();
  await page.waitForSelector('body[data-screen="round"]');
  await page.locator('#stop').click();
  await page.waitForSelector('body[data-screen="start"]');
  await page.locator('#code').fill('nonsense');
  await page.locator('#rematch button').click();
  await page.waitForSelector('#problem:not([hidden])');
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-scores`);
}

async function walk(name, options, locale) {
  const words = WORDS[locale];
  const { context, page, complaints } = await tour.open(options, locale);
  await page.waitForSelector('body[data-screen="start"]');
  assert.equal(await page.locator('#begin').textContent(), words.begin, `${name}: speaks the browser's language`);
  await begin(page, name, words, 3);
  await play(page, name, words);
  await results(page, name, words);
  await scores(page, name);
  assert.deepEqual(complaints, [], `${name}: the browser complains`);
  await context.close();
  console.log(`${name}: ok`);
}

await tour.take(async () => {
  await walk('quiz-desktop-ja', DESKTOP, 'ja-JP');
  await walk('quiz-desktop-en-dark', { ...DESKTOP, colorScheme: 'dark' }, 'en-GB');
  await walk('quiz-phone-ja', PHONE, 'ja-JP');
  await walk('quiz-small-en-dark', { ...SMALL, colorScheme: 'dark' }, 'en-GB');
});

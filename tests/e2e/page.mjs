// Drives the page in headless Chromium as people do, at a desk and on a phone, and looks at what it says.
//
//   node page.mjs http://127.0.0.1:PORT/ PHOTO.jpg FOLDER_FOR_SCREENSHOTS
//
// The file of the photo says where it was taken.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Tour, DESKTOP, PHONE, SMALL } from './browser.mjs';

const [address, photo, folder] = process.argv.slice(2);
const tour = new Tour(address, folder);

const WORDS = {
  'ja-JP': { choose: '写真を選ぶ', drawn: '本物の街並みは一度も見たことがありません', of: 'の手がかり', bad: '画像ではない' },
  'en-GB': { choose: 'Choose a photo', drawn: 'it has never seen a real street', of: 'Evidence for', bad: 'is not a picture' },
};

/** Waits for an answer and checks that its parts agree with each other. */
async function answered(page, words) {
  await page.waitForSelector('body[data-state="answer"]');
  await page.waitForFunction(() => document.getElementById('overlay').naturalWidth > 0);
  const found = await page.evaluate(() => ({
    headline: document.getElementById('headline').textContent,
    live: document.getElementById('live').textContent,
    rows: [...document.querySelectorAll('.row')].map((row) => row.querySelector('.name').textContent),
    evidence: document.getElementById('evidence-of').textContent,
    ratios: ['photo', 'overlay'].map((id) => document.getElementById(id)).map((i) => i.naturalWidth / i.naturalHeight),
  }));
  assert.ok(found.headline.includes(found.rows[0]), `${found.headline} names ${found.rows[0]}`);
  assert.ok(found.rows.length >= 2, 'there are bars');
  assert.equal(found.live, found.headline, 'screen readers hear the answer');
  assert.ok(found.evidence.includes(words.of) && found.evidence.includes(found.rows[0]), found.evidence);
  assert.ok(Math.abs(found.ratios[0] - found.ratios[1]) < 0.02, 'the heatmap lies on the photo');
  return found;
}

async function samples(page, name, words) {
  assert.ok(await page.getByText(words.drawn).isVisible(), 'the page says what the model has seen');
  await page.locator('#samples-list .thumb').first().click();
  await answered(page, words);
  assert.ok(await page.locator('#truth').isVisible(), 'samples tell the truth');
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-sample`);
}

async function drop(page, name, words) {
  const bytes = (await readFile(photo)).toString('base64');
  await page.evaluate((bytes) => {
    const file = new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], 'street.jpg', { type: 'image/jpeg' });
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(file);
    const board = document.querySelector('.board');
    for (const kind of ['dragenter', 'dragover', 'drop']) {
      board.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
    }
  }, bytes);
  await page.waitForFunction(() => document.getElementById('photo').src.startsWith('blob:'));
  const found = await answered(page, words);
  assert.ok(!(await page.locator('#truth').isVisible()), 'nobody knows the truth of a photo that was dropped');
  await tour.shoot(page, `${name}-drop`);
  return found;
}

/** The file says where it was taken: the photo is given as a test photo, and taken back. */
async function give(page, name, complaints) {
  const question = await page.locator('#gift-text').textContent();
  assert.ok(await page.locator('#gift-no').isVisible(), question);
  await page.locator('#gift').scrollIntoViewIfNeeded();
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-gift`);
  await page.locator('#gift-yes').click();
  await page.locator('#gift-back:enabled').waitFor();
  const thanks = await page.locator('#gift-text').textContent();
  assert.notEqual(thanks, question);
  assert.ok(!(await page.locator('#gift-yes').isVisible()), 'asked once');
  await page.locator('#gift-back').click();
  await page.locator('#gift-back').waitFor({ state: 'hidden' });
  assert.notEqual(await page.locator('#gift-text').textContent(), thanks);
  assert.deepEqual(complaints, [], `${name}: the browser complains`);
}

/** Another area's evidence, by keyboard, and the slider. */
async function evidence(page, name, first) {
  const row = page.locator('.row').nth(1);
  const area = await row.locator('.name').textContent();
  const before = await page.locator('#overlay').getAttribute('src');
  await row.focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction((old) => document.getElementById('overlay').getAttribute('src') !== old, before);
  assert.ok((await page.locator('#evidence-of').textContent()).includes(area));
  assert.notEqual(area, first);
  assert.equal(await row.getAttribute('aria-pressed'), 'true');
  assert.ok(await row.evaluate((element) => element === document.activeElement), 'the focus stays');
  // Why not this one? Another map, and back without asking again.
  const own = await page.locator('#overlay').getAttribute('src');
  await page.locator('#ask-why-not').click();
  await page.waitForFunction((old) => document.getElementById('overlay').getAttribute('src') !== old, own);
  const against = await page.locator('#evidence-of').textContent();
  assert.ok(against.includes(area) && against.includes(first), against);
  assert.equal(await page.locator('#ask-why-not').getAttribute('aria-pressed'), 'true');
  await tour.shoot(page, `${name}-why-not`);
  await page.locator('#ask-why').click();
  assert.equal(await page.locator('#overlay').getAttribute('src'), own);
  await page.locator('#strength').fill('30');
  assert.equal(await page.locator('#overlay').evaluate((element) => element.style.opacity), '0.3');
  await tour.shoot(page, `${name}-evidence`);
}

/** Photos of other places that look alike, with where they are from and whom they are owed to. */
async function lookAlikes(page, name) {
  await page.locator('#similar-ask').click();
  await page.waitForFunction(() => {
    const pictures = [...document.querySelectorAll('#similar-list img')];
    return pictures.length === 3 && pictures.every((picture) => picture.naturalWidth > 0);
  });
  const places = await page.locator('#similar-list b').allTextContents();
  assert.equal(new Set(places).size, 3, `three places: ${places}`);
  const words = await page.locator('#similar-list li').first().textContent();
  assert.ok(words.includes(' km') && words.includes('CC0-1.0'), words);
  assert.ok(!(await page.locator('#similar-ask').isVisible()), 'asked once');
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-similar`);
}

/** Where the answer lies on a map. */
async function onTheMap(page, name) {
  await page.locator('#map-ask').click();
  await page.waitForFunction(() => document.getElementById('map-picture').naturalWidth > 0);
  assert.notEqual(await page.locator('#map-picture').getAttribute('alt'), '', 'the map has words');
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-map`);
}

async function switchLanguage(page, from, to) {
  await page.locator(`.languages a[lang="${to.slice(0, 2)}"]`).click();
  assert.ok((await page.locator('#evidence-of').textContent()).includes(WORDS[to].of), 'the answer is still there');
  await page.reload();
  assert.ok(await page.getByText(WORDS[to].choose).first().isVisible(), 'the choice is remembered');
  await page.locator(`.languages a[lang="${from.slice(0, 2)}"]`).click();
}

/** What is no photo gets the server's sentence; the browser notes the refused request, and nothing else. */
async function refused(page, name, words, complaints) {
  await page.setInputFiles('#file', { name: 'words.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
  await page.waitForSelector('body[data-state="error"]');
  assert.ok((await page.locator('#aside').textContent()).includes(words.bad));
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-error`);
  const noted = complaints.filter((complaint) => !complaint.includes('415'));
  assert.deepEqual(noted, [], `${name}: the browser complains`);
}

async function walk(name, options, locale) {
  const words = WORDS[locale];
  const { context, page, complaints } = await tour.open(options, locale);
  await page.waitForFunction(() => document.getElementById('model').textContent !== '');
  assert.ok(await page.getByText(words.choose).first().isVisible(), `${name}: speaks the browser's language`);
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, `${name}-idle`);
  await samples(page, name, words);
  const { rows } = await drop(page, name, words);
  await give(page, name, complaints);
  await evidence(page, name, rows[0]);
  await lookAlikes(page, name);
  await onTheMap(page, name);
  await switchLanguage(page, locale, locale === 'ja-JP' ? 'en-GB' : 'ja-JP');
  assert.deepEqual(complaints, [], `${name}: the browser complains`);
  await refused(page, name, words, complaints);
  await context.close();
  console.log(`${name}: ok`);
}

await tour.take(async () => {
  await walk('desktop-ja', DESKTOP, 'ja-JP');
  await walk('desktop-en-dark', { ...DESKTOP, colorScheme: 'dark' }, 'en-GB');
  await walk('phone-ja', PHONE, 'ja-JP');
  await walk('small-en-dark', { ...SMALL, colorScheme: 'dark' }, 'en-GB');
});

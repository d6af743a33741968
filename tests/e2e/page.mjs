// Drives the page in headless Chromium as people do, at a desk and on a phone, and looks at what it says.
//
//   node page.mjs http://127.0.0.1:PORT/ PHOTO.jpg FOLDER_FOR_SCREENSHOTS

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [address, photo, folder] = process.argv.slice(2);

const FLAGS = [
  '--no-sandbox', // Continuous integration runs as root, where Chromium's sandbox does not start.
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const DESKTOP = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const SMALL = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

const WORDS = {
  'ja-JP': { choose: '写真を選ぶ', drawn: '本物の街並みは一度も見たことがありません', of: 'の手がかり', bad: '画像ではない' },
  'en-GB': { choose: 'Choose a photo', drawn: 'it has never seen a real street', of: 'Evidence for', bad: 'is not a picture' },
};

/** The page in a fresh profile, with everything noted that the browser complains of. */
async function open(browser, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const local = [address, 'data:', `blob:${address}`].some((start) => request.url().startsWith(start));
    if (!local) complaints.push(`asks elsewhere: ${request.url()}`);
  });
  await page.goto(address);
  await page.waitForFunction(() => document.getElementById('model').textContent !== '');
  return { context, page, complaints };
}

async function shoot(page, name) {
  // Pictures are taken when nothing moves any more.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

async function fitsItsWidth(page, name) {
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(excess <= 0, `${name}: the page is ${excess} px too wide`);
}

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
  await fitsItsWidth(page, name);
  await shoot(page, `${name}-sample`);
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
  await shoot(page, `${name}-drop`);
  return found;
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
  await page.locator('#strength').fill('30');
  assert.equal(await page.locator('#overlay').evaluate((element) => element.style.opacity), '0.3');
  await shoot(page, `${name}-evidence`);
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
  await fitsItsWidth(page, name);
  await shoot(page, `${name}-error`);
  const noted = complaints.filter((complaint) => !complaint.includes('415'));
  assert.deepEqual(noted, [], `${name}: the browser complains`);
}

async function walk(browser, name, options, locale) {
  const words = WORDS[locale];
  const { context, page, complaints } = await open(browser, { ...options, locale });
  assert.ok(await page.getByText(words.choose).first().isVisible(), `${name}: speaks the browser's language`);
  await fitsItsWidth(page, name);
  await shoot(page, `${name}-idle`);
  await samples(page, name, words);
  const { rows } = await drop(page, name, words);
  await evidence(page, name, rows[0]);
  await switchLanguage(page, locale, locale === 'ja-JP' ? 'en-GB' : 'ja-JP');
  assert.deepEqual(complaints, [], `${name}: the browser complains`);
  await refused(page, name, words, complaints);
  await context.close();
  console.log(`${name}: ok`);
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
try {
  await walk(browser, 'desktop-ja', DESKTOP, 'ja-JP');
  await walk(browser, 'desktop-en-dark', { ...DESKTOP, colorScheme: 'dark' }, 'en-GB');
  await walk(browser, 'phone-ja', PHONE, 'ja-JP');
  await walk(browser, 'small-en-dark', { ...SMALL, colorScheme: 'dark' }, 'en-GB');
} finally {
  await browser.close();
}

// Looks at the page about the model in headless Chromium, at a desk and on a phone.
//
//   node model.mjs http://127.0.0.1:PORT/model FOLDER_FOR_SCREENSHOTS

import assert from 'node:assert/strict';
import { Tour, DESKTOP, PHONE } from './browser.mjs';

const [address, folder] = process.argv.slice(2);
const tour = new Tour(address, folder);

const WORDS = {
  'ja-JP': { overview: '各地域らしい写真', area: '東京都港区らしい写真', confusions: '何を何と間違えるか', credit: '国土交通省' },
  'en-GB': { overview: 'The photos most like each area', area: 'The photos most like Minato, Tokyo', confusions: 'What it takes for what', credit: '国土交通省' },
};

/** Waits for pictures with words that begin so. */
async function shown(page, name, words) {
  await page.waitForFunction(
    (words) =>
      document.body.dataset.state === 'shown' &&
      document.getElementById('words').textContent.includes(words) &&
      document.images.length > 0 &&
      [...document.images].every((image) => image.naturalWidth > 0 && image.alt !== ''),
    words,
  );
  await tour.fitsItsWidth(page, name);
  await tour.shoot(page, name);
}

async function walk(name, options, locale) {
  const words = WORDS[locale];
  const { context, page, complaints } = await tour.open(options, locale);
  await shown(page, `${name}-gallery`, words.overview);
  await page.locator('#area').selectOption('東京都港区');
  await shown(page, `${name}-area`, words.area);
  await page.locator('[data-about="confusions"]').click();
  await shown(page, `${name}-confusions`, words.confusions);
  assert.ok(!(await page.locator('#choice').isVisible()), 'mistakes are of all areas');
  await page.locator('[data-about="atlas"]').click();
  await shown(page, `${name}-atlas`, words.credit);
  assert.deepEqual(complaints, [], `${name}: the browser complains`);
  await context.close();
  console.log(`${name}: ok`);
}

await tour.take(async () => {
  await walk('model-desktop-ja', DESKTOP, 'ja-JP');
  await walk('model-phone-en', { ...PHONE, colorScheme: 'dark' }, 'en-GB');
});

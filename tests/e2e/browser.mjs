// Headless Chromium at a desk and on phones, and what every page must hold to.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox', // Continuous integration runs as root, where Chromium's sandbox does not start.
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
export const DESKTOP = { viewport: { width: 1280, height: 900 } };
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
export const SMALL = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** A walk through one page at `address`, with screenshots in `folder`. */
export class Tour {
  constructor(address, folder) {
    this.address = address;
    this.folder = folder;
  }

  /** Runs `walks` with a browser. */
  async take(walks) {
    this.browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
    try {
      await walks();
    } finally {
      await this.browser.close();
    }
  }

  /** The page in a fresh profile, with everything noted that the browser complains of. */
  async open(options, locale) {
    const context = await this.browser.newContext({ ...options, locale });
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    const { origin } = new URL(this.address);
    page.on('request', (request) => {
      const local = [origin, 'data:', `blob:${origin}`].some((start) => request.url().startsWith(start));
      if (!local) complaints.push(`asks elsewhere: ${request.url()}`);
    });
    await page.goto(this.address);
    return { context, page, complaints };
  }

  async shoot(page, name) {
    // Pictures are taken when nothing moves any more.
    await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
    await page.screenshot({ path: join(this.folder, `${name}.png`), fullPage: true });
  }

  async fitsItsWidth(page, name) {
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(excess <= 0, `${name}: the page is ${excess} px too wide`);
  }
}

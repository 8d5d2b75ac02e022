// Looks at pages as their readers do: in light, in dark and as wide as a phone. Each is photographed, has to fit, complain about
// nothing, ask for nothing, and have no violation of axe's rules.
// node pages.mjs CHROMIUM PICTURES NAME=PAGE.html ...
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [program, pictures, ...pages] = process.argv.slice(2);
const views = [
  { name: '', colorScheme: 'light', width: 1180, height: 900 },
  { name: '-dark', colorScheme: 'dark', width: 1180, height: 900 },
  { name: '-phone', colorScheme: 'light', width: 390, height: 844 },
];
const problems = [];
const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });
for (const given of pages) {
  const [name, file] = given.split('=');
  const address = pathToFileURL(file).href;
  for (const view of views) {
    const wrong = (what) => problems.push(`${name}${view.name}: ${what}`);
    const context = await browser.newContext({
      colorScheme: view.colorScheme,
      viewport: { width: view.width, height: view.height },
    });
    const page = await context.newPage();
    page.on('console', (said) => wrong(`the console says ${said.text()}`));
    page.on('pageerror', (error) => wrong(error.message));
    page.on('request', (request) => request.url() === address || wrong(`asks for ${request.url()}`));
    await page.goto(address);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > view.width) wrong(`is ${width} pixels wide, of ${view.width}`);
    // The picture of a long page shows its beginning.
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.screenshot({
      path: join(pictures, `${name}${view.name}.png`),
      clip: { x: 0, y: 0, width: view.width, height: Math.min(height, view.width > 500 ? 2000 : 1700) },
      fullPage: true,
    });
    await page.evaluate(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
    const opened = await page.evaluate(() => document.documentElement.scrollWidth);
    if (opened > view.width) wrong(`is ${opened} pixels wide once all is unfolded, of ${view.width}`);
    await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => window.axe.run(document));
    if (passes.length < 10) wrong(`axe applied only ${passes.length} rules`);
    for (const { id, help, nodes } of violations) {
      wrong(`axe: ${id}: ${help}: ${nodes.length} x, first ${nodes[0].html.slice(0, 200)} ${nodes[0].failureSummary}`);
    }
    await context.close();
  }
}
await browser.close();
console.log(`${pages.length * views.length} views of ${pages.length} pages`);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}

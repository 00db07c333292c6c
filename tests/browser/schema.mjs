/**
 * The API's page in a real browser, wide and narrow, light and dark: it is styled, fits the window,
 * a link to a route unfolds it, and nothing goes wrong or leaves this machine.
 *   node tests/browser/schema.mjs BASE_URL
 * Exits 0, or 1 with the reasons on stderr.
 */
import { withPage } from "./browser.mjs";

const [base] = process.argv.slice(2);
if (!URL.canParse(base)) {
  console.error("usage: schema.mjs BASE_URL");
  process.exit(1);
}
const reasons = await withPage({}, async (page, faults) => {
  for (const width of [1280, 360]) {
    for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      const found = await look(page);
      faults.push(...found.map((reason) => `${width} px, ${colorScheme}: ${reason}`));
    }
  }
  return faults;
});
for (const reason of reasons) console.error(reason);
process.exitCode = reasons.length > 0 ? 1 : 0;

/** @param {import("playwright-core").Page} page */
async function look(page) {
  /** @type {string[]} */
  const faults = [];
  await page.goto(new URL("/schema", base).href);
  const link = page.locator("nav li a").first();
  const route = page.locator(/** @type {string} */ (await link.getAttribute("href")));
  if (await route.isVisible()) faults.push("a route is unfolded before anybody asks for it");
  await link.click();
  await route.waitFor({ timeout: 5_000 });
  const { overflow, ink, paper } = await page.evaluate(() => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
    const { color, backgroundColor } = getComputedStyle(document.body);
    const { scrollWidth } = document.documentElement;
    return { overflow: scrollWidth - innerWidth, ink: color, paper: backgroundColor };
  });
  if (overflow > 0) faults.push(`the page is ${overflow} px wider than the window`);
  const dark = matchesDark(paper);
  if (dark === matchesDark(ink)) faults.push(`${ink} on ${paper} cannot be read`);
  return faults;
}

/** @param {string} color rgb(r, g, b) */
function matchesDark(color) {
  const [red, green, blue] = (color.match(/\d+/g) ?? []).map(Number);
  return red + green + blue < 3 * 128;
}

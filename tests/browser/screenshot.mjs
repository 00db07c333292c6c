/**
 * A picture of a page, to look at:
 *   node tests/browser/screenshot.mjs URL WIDTH HEIGHT dark|light OUT.png
 * Prints what went wrong in the page on stderr; exits 1 only where there is no picture.
 */
import { setTimeout as pause } from "node:timers/promises";
import { withPage } from "./browser.mjs";

const SETTLE_MS = 700;

const [url, width, height, colorScheme, path] = process.argv.slice(2);
if (!URL.canParse(url) || !(width > 0 && height > 0) || !/^(dark|light)$/.test(colorScheme) || !path) {
  console.error("usage: screenshot.mjs URL WIDTH HEIGHT dark|light OUT.png");
  process.exit(1);
}
await withPage({ width: Number(width), height: Number(height), colorScheme }, async (page, faults) => {
  await page.goto(url);
  // Not "networkidle": a page with live updates is never idle.
  await pause(SETTLE_MS);
  await page.screenshot({ path });
  for (const fault of faults) console.error(fault);
}).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

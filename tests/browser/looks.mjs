/** What every page of ours is held to: axe finds nothing, nothing is cut off, nothing moves. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

/** `options` are axe's own. */
export async function axe(page, where, options = {}) {
  const source = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
  await page.evaluate(source);
  const { violations } = await page.evaluate(
    // Without fetching styles and media again, for rules that are not run.
    (options) => globalThis.axe.run(document, { resultTypes: ["violations"], preload: false, ...options }),
    options,
  );
  const told = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map(({ html }) => html.slice(0, 300)).join("\n  ")}`,
  );
  assert.deepEqual(told, [], `${where}: axe`);
}

/** The page is no wider than the window. */
export async function fits(page, where) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${where}: ${wide} px wider than the window`);
}

/** How much has moved once it was there, by nobody's hand. */
export async function shifts(page, settle = 300) {
  return page.evaluate(
    (settle) =>
      new Promise((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
        }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => resolve(sum), settle);
      }),
    settle,
  );
}

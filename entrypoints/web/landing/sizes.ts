/**
 * What a browser fetches of the first page, compressed: node sizes.ts [DIST_FOLDER]
 * Prints the sizes; exits 1 where the page, its style and its script are past the limit together.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 100;
const [DIST = join(import.meta.dirname, "dist")] = process.argv.slice(2);

const page = readFileSync(join(DIST, "index.html"), "utf8");
const assets = page.matchAll(/<(?:script|link rel="stylesheet")[^>]* (?:src|href)="([^"]+)"/g);
const names = ["/index.html", ...[...assets].map(([, url]) => url ?? "")];
if (names.length !== 3) throw new Error(`not a page, a style and a script: ${names.join(", ")}`);
let total = 0;
for (const name of names) {
  const kilobytes = gzipSync(readFileSync(join(DIST, name))).length / 1000;
  total += kilobytes;
  console.log(`  ${name.padEnd(28)} ${kilobytes.toFixed(1).padStart(7)} kB`);
}
console.log(
  `  ${"first page".padEnd(28)} ${total.toFixed(1).padStart(7)} kB, gzip (limit ${LIMIT_KB})`,
);
if (total > LIMIT_KB) {
  console.error(`The first page is ${total.toFixed(1)} kB: more than ${LIMIT_KB}.`);
  process.exit(1);
}

/**
 * What a browser fetches of the built pages, compressed: node sizes.mjs
 * Prints a line for the first load (whoever is signed in opens /admin/) and one for each route;
 * exits 1 where the first load is past its limit.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const LIMIT_KB = 250;
const DIST = join(import.meta.dirname, "dist");
const FIRST = [
  "index.html",
  "src/routes/_app.tsx",
  "src/routes/_app/index.tsx",
  "src/i18n/en/index.ts",
];

const manifest = JSON.parse(readFileSync(join(DIST, ".vite", "manifest.json"), "utf8"));

/** The files that a chunk and all it imports at once are made of. */
function closure(keys, found = new Set()) {
  for (const key of keys) {
    const chunk = manifest[key];
    if (!chunk || found.has(key)) continue;
    found.add(key);
    closure(chunk.imports ?? [], found);
  }
  return found;
}

function kilobytes(keys) {
  const files = new Set(
    [...keys].map((key) => manifest[key].file).filter((name) => name.endsWith(".js")),
  );
  let bytes = 0;
  for (const file of files) {
    const path = join(DIST, file);
    // Small files are not worth compressing, and are sent as they are.
    bytes += (statSync(`${path}.gz`, { throwIfNoEntry: false }) ?? statSync(path)).size;
  }
  return bytes / 1000;
}

const routes = Object.keys(manifest).filter((key) => key.startsWith("src/routes/_app/"));
const chunk = (route) => Object.keys(manifest).filter((key) => key.startsWith(route));
const first = closure(FIRST.flatMap(chunk));
const total = kilobytes(first);
console.log(
  `  ${"first load".padEnd(28)} ${total.toFixed(1).padStart(7)} kB of script, gzip (limit ${LIMIT_KB})`,
);
for (const route of new Set(routes.map((key) => key.replace(/\?.*/, "")))) {
  const more = [...closure(chunk(route))].filter((key) => !first.has(key));
  const name = route.replace("src/routes/_app/", "").replace(/(\/index)?\.tsx$/, "");
  console.log(`  ${name.padEnd(28)} ${`+${kilobytes(more).toFixed(1)}`.padStart(7)} kB`);
}
if (total > LIMIT_KB) {
  console.error(`The first load is ${total.toFixed(1)} kB: more than ${LIMIT_KB}.`);
  process.exit(1);
}

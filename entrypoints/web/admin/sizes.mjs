/**
 * What a browser fetches of the built pages, compressed: node sizes.mjs
 * Prints a line for the first load (whoever is signed in opens /admin/) in each language, and one for
 * each route; exits 1 where a first load is past its limit.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const LIMIT_KB = 250;
const DIST = join(import.meta.dirname, "dist");
const FIRST = ["src/routes/_app.tsx", "src/routes/_app/index.tsx"];
const LANGUAGES = ["en", "ru"];

const manifest = JSON.parse(readFileSync(join(DIST, ".vite", "manifest.json"), "utf8"));

/** The files that a chunk and all it imports at once are made of. */
function closure(keys, found = new Set()) {
  for (const key of keys) {
    if (found.has(key)) continue;
    found.add(key);
    closure(manifest[key].imports ?? [], found);
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

/** What the build made of a source, a route's component apart; none where it is part of "start". */
function chunks(source) {
  statSync(join(import.meta.dirname, source)); // Throws: what is misspelt would weigh nothing.
  return Object.keys(manifest).filter((key) => key.replace(/\?.*/, "") === source);
}

const say = (name, kB, more = "") =>
  console.log(`  ${name.padEnd(28)} ${kB.padStart(7)} kB${more}`);

/** What the document itself asks for. */
function entries() {
  const html = readFileSync(join(DIST, "index.html"), "utf8");
  const keys = Object.keys(manifest).filter((key) =>
    html.includes(`src="/admin/${manifest[key].file}"`),
  );
  if (keys.length === 0) throw new Error("index.html has no script of the build");
  return keys;
}

const start = closure([...entries(), ...FIRST.flatMap(chunks)]);
for (const language of LANGUAGES) {
  const total = kilobytes(closure(chunks(`src/i18n/${language}/index.ts`), new Set(start)));
  say(`first load (${language})`, total.toFixed(1), ` of script, gzip (limit ${LIMIT_KB})`);
  if (total > LIMIT_KB) {
    console.error(`The first load is ${total.toFixed(1)} kB: more than ${LIMIT_KB}.`);
    process.exitCode = 1;
  }
}
const routes = Object.keys(manifest).filter((key) => key.startsWith("src/routes/_app/"));
for (const route of new Set(routes.map((key) => key.replace(/\?.*/, "")))) {
  const more = [...closure(chunks(route))].filter((key) => !start.has(key));
  const name = route.replace("src/routes/_app/", "").replace(/(\/index)?\.tsx$/, "");
  say(name, `+${kilobytes(more).toFixed(1)}`);
}

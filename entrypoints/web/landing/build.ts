/**
 * Builds the site: node build.ts [DOCS_FOLDER [DIST_FOLDER]]
 * First what browsers fetch (script and style, with names that hold a digest), then the pages for
 * Node, which is called once and writes them. Addresses hold the origin of src/language.ts;
 * entrypoints/http/landing_site.py puts the real one in, and compresses what it changed.
 * All is built beside dist, which is only replaced by a whole site.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, parse, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { compression } from "vite-plugin-compression2";
import { LANGUAGES } from "./src/language.ts";
import type * as Pages from "./src/site";

const LANDING = import.meta.dirname;
const REPOSITORY = join(LANDING, "../../..");
const SCREENSHOTS = join(LANDING, "../screenshots");
const [DOCS = join(LANDING, "docs"), DIST = join(LANDING, "dist")] = process.argv
  .slice(2)
  .map((folder) => resolve(folder));
const [PART, OLD] = [`${DIST}.part`, `${DIST}.old`];
const FOR_NODE = join(LANDING, "node_modules/.pages");
const SCRIPT = "src/script/main.ts";
const STYLE = "src/style/style.css";
const SHOTS = ["overview", "chats", "message"];
const LOOKS = ["wide", "dark", "narrow", "narrow-dark"];
const FILES = [
  ...SHOTS.flatMap((name) => LOOKS.map((look) => `${name}-${look}.png`)),
  "social.png",
];
const PICTURES = LANGUAGES.flatMap((language) => FILES.map((file) => `${language}/${file}`));

process.chdir(REPOSITORY);

await build({
  root: LANDING,
  configFile: false,
  logLevel: "warn",
  plugins: [compression({ algorithms: ["gzip", "brotliCompress"], threshold: 512 })],
  build: {
    outDir: PART,
    emptyOutDir: true,
    target: "es2023",
    modulePreload: false,
    manifest: true,
    rolldownOptions: { input: [SCRIPT, STYLE].map((file) => join(LANDING, file)) },
  },
});
await build({
  root: LANDING,
  configFile: false,
  logLevel: "warn",
  publicDir: false,
  build: { outDir: FOR_NODE, emptyOutDir: true, ssr: "src/site.tsx", target: "es2023" },
});

const manifest = JSON.parse(readFileSync(join(PART, ".vite/manifest.json"), "utf8"));
const { site }: typeof Pages = await import(pathToFileURL(join(FOR_NODE, "site.js")).href);
try {
  const files = site(REPOSITORY, DOCS, {
    script: `/${manifest[SCRIPT].file}`,
    style: `/${manifest[STYLE].file}`,
    pictures: Object.fromEntries(PICTURES.map((name) => [name, picture(name)])),
  });
  for (const [path, text] of files) write(path, text);
  rmSync(OLD, { recursive: true, force: true });
  if (existsSync(DIST)) renameSync(DIST, OLD);
  renameSync(PART, DIST);
  rmSync(OLD, { recursive: true, force: true });
} catch (error) {
  // What is wrong is in a file of the repository's, which the message names; not in the code.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
  rmSync(PART, { recursive: true, force: true });
}

/** Puts a picture among the assets; its address and size. */
function picture(name: string): { url: string; width: number; height: number } {
  const path = join(SCREENSHOTS, name);
  if (!existsSync(path)) throw new Error(`${path} is not there: make screenshots`);
  const bytes = readFileSync(path);
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
  const url = `/assets/${parse(name).name}-${digest}.png`;
  write(url, bytes);
  // A PNG begins with its signature and the IHDR chunk, whose first fields are these.
  return { url, width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

function write(path: string, content: string | Buffer): void {
  const file = join(PART, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

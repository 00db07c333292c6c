/**
 * Where the browser comes from: the Chromium inside the npm package @sparticuz/chromium, with the
 * libraries and fonts that a bare machine lacks. It is unpacked once (2 s, 210 MB) into
 * node_modules/.chromium, which `npm ci` empties, so it is always the locked version.
 *
 * The package is built for Linux on x64. Elsewhere CHROMIUM names an installed Chrome or Chromium.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const MODULES = join(import.meta.dirname, "node_modules");
const UNPACKED = join(MODULES, ".chromium");

/**
 * The browser's path and environment. What it writes (profile, caches) goes below `scratch`.
 * @param {string} scratch an empty directory of the caller
 * @returns {Promise<{executablePath: string, env: Record<string, string>}>}
 */
export async function locateChromium(scratch) {
  const env = { ...process.env, HOME: scratch, TMPDIR: scratch };
  if (process.env.CHROMIUM) return { executablePath: process.env.CHROMIUM, env };
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `no bundled Chromium for ${process.platform}/${process.arch}: set CHROMIUM to the path of an installed one`,
    );
  }
  if (!existsSync(UNPACKED)) await unpack();
  const fonts = join(scratch, "fonts.conf");
  await writeFile(fonts, fontsConf(scratch));
  const libraries = [join(UNPACKED, "al2023", "lib"), env.LD_LIBRARY_PATH];
  return {
    executablePath: join(UNPACKED, "chromium"),
    env: { ...env, FONTCONFIG_FILE: fonts, LD_LIBRARY_PATH: libraries.filter(Boolean).join(":") },
  };
}

/**
 * Unpacks beside the final place and renames, so that an interruption leaves nothing half made.
 * Changes this process's environment, as the package does: the browser gets one of its own.
 */
async function unpack() {
  const staging = await mkdtemp(join(MODULES, ".chromium-"));
  try {
    // The package unpacks into TMPDIR, takes an older browser that lies there, and leaves its
    // libraries out unless it believes to be in a cloud function.
    process.env.TMPDIR = staging;
    process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs24.x";
    const { default: packed } = await import("@sparticuz/chromium");
    await packed.executablePath();
    await rename(staging, UNPACKED);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    // Another run was quicker: its copy is as good.
    if (!existsSync(join(UNPACKED, "chromium"))) throw error;
  }
}

/** The package's own fonts.conf knows the places of a cloud function only. */
function fontsConf(scratch) {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${escapeXml(join(UNPACKED, "fonts"))}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${escapeXml(join(scratch, "fonts-cache"))}</cachedir>
</fontconfig>
`;
}

/** @param {string} text */
function escapeXml(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

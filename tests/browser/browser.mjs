/**
 * Opens one page in a headless Chromium of its own, for pages that this machine serves. Everything
 * that goes wrong in the page, and every request for another host, is collected as a fault.
 */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { locateChromium } from "./chromium.mjs";

const FLAGS = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
  "--no-proxy-server",
  // Beside being a fault, a request for another host gets nowhere.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]",
];
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Runs `visit(page, faults)` and closes the browser whatever comes of it.
 * @template T
 * @param {{width?: number, height?: number} & import("playwright-core").BrowserContextOptions} look
 *   CSS pixels, and what else playwright knows of: colorScheme, javaScriptEnabled, permissions
 * @param {(page: import("playwright-core").Page, faults: string[]) => Promise<T>} visit
 * @returns {Promise<T>}
 */
export async function withPage({ width = 1280, height = 800, ...look }, visit) {
  const temporary = tmpdir();
  const scratch = await mkdtemp(join(temporary, "kotodom-browser-"));
  // At exit too: playwright ends the process when a signal comes, past every `finally`.
  const clean = () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", clean);
  try {
    const { executablePath, env } = await locateChromium(scratch);
    // playwright puts the profile, new for each launch, where TMPDIR says.
    process.env.TMPDIR = scratch;
    // Without Chromium's own sandbox: root may not have it, and the pages are ours.
    const browser = await chromium.launch({
      executablePath,
      env,
      args: FLAGS,
      chromiumSandbox: false,
    });
    try {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: "light",
        ...look,
      });
      const page = await context.newPage();
      return await visit(page, collectFaults(page));
    } finally {
      await browser.close();
    }
  } finally {
    process.env.TMPDIR = temporary;
    clean();
  }
}

/** @param {import("playwright-core").Page} page */
function collectFaults(page) {
  /** @type {string[]} */
  const faults = [];
  const refuseForeign = (address) => {
    const url = new URL(address);
    const remote = /^(https?|wss?):$/.test(url.protocol) && !LOOPBACK.has(url.hostname);
    if (remote) faults.push(`a request left this machine: ${address}`);
  };
  page.on("request", (request) => refuseForeign(request.url()));
  page.on("websocket", (socket) => refuseForeign(socket.url()));
  page.on("pageerror", (error) => faults.push(`uncaught in the page: ${error.message}`));
  page.on("crash", () => faults.push("the page crashed"));
  page.on("console", (message) => {
    if (message.type() === "error") {
      faults.push(`console error: ${message.text()} (${message.location().url})`);
    }
  });
  return faults;
}

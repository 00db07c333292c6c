/**
 * Pictures of every page of the Admin Web, wide, narrow and dark, in both its languages:
 *   node tests/browser/screenshots.mjs '{"base": URL, "out": FOLDER, "admin": {…}, "chats": {…}, …}'
 */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { withPage } from "./browser.mjs";

const SETTLE_MS = 1200;
const LANGUAGES = ["en", "ru"];
const LOOKS = {
  wide: { width: 1280, height: 800 },
  narrow: { width: 360, height: 740 },
  dark: { width: 1280, height: 800, colorScheme: "dark" },
  "narrow-dark": { width: 360, height: 740, colorScheme: "dark" },
};

const { base, out, admin, chats, message, bot } = JSON.parse(process.argv[2]);
const pages = (chat) => ({
  overview: "",
  bots: "bots",
  "new-bot": "bots/new",
  bot: `bots/${bot}`,
  "bot-settings": `bots/${bot}?tab=settings`,
  chats: `chats/${encodeURIComponent(chat)}`,
  messages: "messages",
  message: `messages/${message}`,
  jobs: "jobs",
  statistics: "statistics?days=7",
  settings: "settings",
  users: "users",
  "api-keys": "api-keys",
  audit: "audit",
  account: "account",
});

for (const language of LANGUAGES)
  for (const [look, how] of Object.entries(LOOKS)) {
    await take(language, look, how);
    console.log(`  ${language} ${look}`);
  }

async function take(language, look, how) {
  const picture = (name) => ({ path: join(out, language, `${name}-${look}.png`) });
  await withPage(how, async (page, faults) => {
    await page.addInitScript((own) => localStorage.setItem("kotodom.language", own), language);
    await page.goto(`${base}/admin/`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.screenshot(picture("sign-in"));
    await page.request.post(`${base}/api/auth/login`, { data: admin, headers: { Origin: base } });
    // Whoever is not signed in is told so by a 401.
    faults.length = 0;
    for (const [name, path] of Object.entries(pages(chats[language]))) {
      await page.goto(`${base}/admin/${path}`);
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      await pause(SETTLE_MS);
      await page.screenshot(picture(name));
    }
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) process.exitCode = 1;
  });
}

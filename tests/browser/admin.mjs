/**
 * The Admin Web in a real browser, on a running system: one story of a person's work.
 *   node tests/browser/admin.mjs STORY '{"base": URL, "control": URL, …}' [FAILURE.png]
 * Exit 0, or the reason on stderr, the page as FAILURE.png and exit 1. A console error, a script
 * that ran out of a text, or a request for another host is a failure too.
 */
import { stories } from "./admin-stories.mjs";
import { withPage } from "./browser.mjs";

const PAGE_MS = 60_000;

const [name, given = "{}", picture = "admin-failure.png"] = process.argv.slice(2);
const story = stories[name];
if (!story) {
  console.error(`usage: admin.mjs ${Object.keys(stories).join("|")} JSON [FAILURE.png]`);
  process.exit(1);
}
const world = JSON.parse(given);

try {
  await withPage(story.look ?? {}, async (page, faults) => {
    page.setDefaultTimeout(PAGE_MS);
    await page.addInitScript((language) => {
      localStorage.setItem("kotodom.language", language);
    }, story.language ?? "en");
    try {
      await story.play(page, world);
      const bad = faults.filter((fault) => !(story.expected ?? []).some((one) => fault.includes(one)));
      if (bad.length > 0) throw new Error(`the story ended well, but:\n${bad.join("\n")}`);
    } catch (error) {
      const seen = await page.screenshot({ path: picture }).then(() => picture, String);
      throw new Error([error.message, `at ${page.url()}`, ...faults, `the page: ${seen}`].join("\n"));
    }
  });
} catch (error) {
  console.error(`${name}: ${error.message}`);
  process.exitCode = 1;
}

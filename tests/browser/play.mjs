/**
 * Plays one story in a real browser: of `stories`, the one that the command line names.
 *   node admin.mjs STORY '{"base": URL, …}' [FAILURE.png]
 * Exit 0, or the reason on stderr, the page as FAILURE.png and exit 1. A console error, a script
 * that ran out of a text, or a request for another host is a failure too.
 */
import { withPage } from "./browser.mjs";

const PAGE_MS = 60_000;

/**
 * @param {Record<string, {look?: object, expected?: string[], play: Function}>} stories
 * @param {string} picture where the page goes by itself when a story fails
 * @param {(page: import("playwright-core").Page, story: object) => Promise<unknown>} [before]
 */
export async function play(stories, picture, before = async () => {}) {
  const [name, given = "{}", out = picture] = process.argv.slice(2);
  const story = stories[name];
  if (!story) {
    console.error(`usage: ${process.argv[1]} ${Object.keys(stories).join("|")} JSON [FAILURE.png]`);
    process.exit(1);
  }
  const world = JSON.parse(given);
  try {
    await withPage(story.look ?? {}, async (page, faults) => {
      page.setDefaultTimeout(PAGE_MS);
      await before(page, story);
      try {
        await story.play(page, world);
        const bad = faults.filter((fault) => !(story.expected ?? []).some((one) => fault.includes(one)));
        if (bad.length > 0) throw new Error(`the story ended well, but:\n${bad.join("\n")}`);
      } catch (error) {
        const seen = await page.screenshot({ path: out }).then(() => out, String);
        throw new Error([error.message, `at ${page.url()}`, ...faults, `the page: ${seen}`].join("\n"));
      }
    });
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}

/**
 * A person's first minute, in a real browser: opens the sandbox, takes the bot that stands ready,
 * writes a message and sees the answer.
 *   node tests/browser/sandbox.mjs BASE_URL [MESSAGE [FAILURE.png]]
 * One JSON line {sent, answer, milliseconds} on stdout and exit 0; or the reason on stderr, the
 * page as FAILURE.png and exit 1. A console error or a request for another host is a failure too.
 */
import { withPage } from "./browser.mjs";

const PAGE_MS = 15_000;
const ANSWER_MS = 30_000;
const ANSWER = "[data-testid=message][data-sender=bot] .text";

const [base, sent = "Hello! Who are you?", picture = "sandbox-failure.png"] = process.argv.slice(2);
if (!URL.canParse(base)) {
  console.error("usage: sandbox.mjs BASE_URL [MESSAGE [FAILURE.png]]");
  process.exit(1);
}

try {
  const result = await withPage({}, async (page, faults) => {
    try {
      return await talk(page, faults);
    } catch (error) {
      const seen = await page.screenshot({ path: picture }).then(() => picture, String);
      throw new Error([error.message, ...faults, `the page: ${seen}`].join("\n"));
    }
  });
  console.log(JSON.stringify(result));
} catch (error) {
  console.error(`The sandbox in the browser: ${error.message}`);
  process.exitCode = 1;
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string[]} faults
 */
async function talk(page, faults) {
  page.setDefaultTimeout(PAGE_MS);
  await page.goto(new URL("/sandbox/", base).href);
  const bots = page.getByTestId("bot-select");
  await bots.locator("option").first().waitFor({ state: "attached" });
  await bots.selectOption({ index: 0 });
  const answers = page.locator(ANSWER).filter({ hasText: /\S/ });
  const before = await answers.count();
  await page.getByTestId("message-input").fill(sent);
  const began = performance.now();
  await page.getByTestId("send-button").click();
  await answers.nth(before).waitFor({ timeout: ANSWER_MS });
  const milliseconds = Math.round(performance.now() - began);
  const answer = (await answers.nth(before).innerText()).trim();
  if (faults.length > 0) throw new Error("it answered, but not everything was in order:");
  return { sent, answer, milliseconds };
}

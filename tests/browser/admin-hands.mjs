/** What every story of the Admin Web does: signs in, opens pages, and speaks as Telegram and the model. */
import assert from "node:assert/strict";

/** It runs where a page takes a text for markup. */
export const HTML = '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script>';
export const NARROW = { width: 360, height: 740 };
/** The browser tells of each answer that is no success; these are what the story is about. */
export const REFUSED = ["status of 401", "status of 403", "status of 404"];

export const post = (url, body) =>
  fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).then((answer) => assert.ok(answer.ok, `${url}: ${answer.status}`));

export const say = (world, text, user = 1001) =>
  post(`${world.control}/send`, { bot: world.telegramId, user, text });

/** What was said in a chat with the bot, as Telegram has it. */
export async function texts(world, chat = 1001) {
  const answer = await fetch(`${world.control}/messages?bot=${world.telegramId}&chat=${chat}`);
  const { messages } = await answer.json();
  return messages.map(({ text }) => text);
}

export async function said(world, text, chat = 1001) {
  for (let tries = 0; tries < 300; tries += 1) {
    if ((await texts(world, chat)).includes(text)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`Telegram never got ${text}: ${await texts(world, chat)}`);
}

export const fault = (world, rest) => post(`${world.control}/faults`, { side: "openai", method: "responses", times: 1, ...rest });

/** By the form, as a person does. */
export async function signIn(page, world, who = world.admin) {
  await page.goto(`${world.base}/admin/`);
  await fillIn(page, who);
}

/** Into the form that is shown. */
export async function fillIn(page, { email, password }) {
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("navigation").first().waitFor();
}

/** By the API, for stories that are about something else. */
export async function enter(page, world, who = world.admin) {
  const answer = await page.request.post(`${world.base}/api/auth/login`, {
    data: who,
    headers: { Origin: world.base },
  });
  assert.equal(answer.status(), 200);
}

/** What the one who is signed in asks of the API; its JSON. */
export async function ask(page, world, method, path, data) {
  const answer = await page.request.fetch(`${world.base}/api/${path}`, {
    method,
    ...(data === undefined ? {} : { data }),
    headers: { Origin: world.base },
  });
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.status() === 204 ? null : answer.json();
}

export const open = (page, world, path) => page.goto(`${world.base}/admin/${path}`);
export const box = (page, name) => page.getByRole("textbox", { name, exact: true });
export const button = (page, name) => page.getByRole("button", { name, exact: true });
/** A table's row that has these words. */
export const row = (page, words) => page.getByRole("row").filter({ has: page.getByText(words, { exact: true }) });
export const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();

/** Opens the list's select and takes one of its entries. */
export async function choose(page, label, entry) {
  await page.getByRole("combobox", { name: label, exact: true }).click();
  await page.getByRole("option", { name: entry, exact: true }).click();
}

export async function settled(page) {
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true], .mantine-Skeleton-root[data-visible]"));
}

export async function nothingRan(page) {
  assert.equal(await page.evaluate(() => window.ran), undefined, "a text's script ran");
  assert.equal(await page.locator("img[src=x]").count(), 0, "a text became a picture");
}

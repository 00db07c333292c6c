/** What is written into forms and fields: nothing is lost, nothing goes twice, nothing else is sent. */
import assert from "node:assert/strict";
import { ask, box, button, enter, fillIn, heading, NARROW, open, said, say, settled, texts } from "./admin-hands.mjs";
import { axe } from "./looks.mjs";

/** Holds a request's answer back until the returned function is called; counts the requests. */
async function held(page, path, method = "POST") {
  let release;
  const released = new Promise((resolve) => {
    release = resolve;
  });
  const asked = { count: 0, release };
  await page.route(path, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    asked.count += 1;
    await released;
    // The page that asked may be gone.
    await route.continue().catch(() => {});
  });
  return asked;
}

const problem = (status, detail, errors = []) => ({
  status,
  contentType: "application/problem+json",
  body: JSON.stringify({ type: "about:blank", title: "Refused", status, detail, errors }),
});

const composer = (page) => box(page, "Write in the bot's name");
const focused = (page) =>
  page.evaluate(() => {
    const { activeElement: element } = document;
    return element === document.body ? "nothing" : element.getAttribute("aria-label") || element.textContent;
  });

/** The focus comes back a moment after what it was in has closed. */
async function focusIsOn(page, name) {
  for (let tries = 0; tries < 50; tries += 1) {
    if ((await focused(page)) === name) return;
    await page.waitForTimeout(50);
  }
  assert.equal(await focused(page), name);
}

/** Opens a dialog by keyboard and closes it by Esc. */
async function lookInto(page, opener, dialog) {
  await opener.focus();
  const name = await focused(page);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: dialog }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await focusIsOn(page, name);
}

async function openChat(page, world) {
  await say(world, "/sandbox:echo hello");
  await said(world, "hello");
  await open(page, world, `chats/${world.botId}:1001`);
  await page.getByText("hello", { exact: true }).first().waitFor();
}

export const forms = {
  /** Two tabs change one bot, and each saves what it has written only. */
  twoTabs: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, `bots/${world.botId}?tab=settings`);
      await box(page, "Answer to /help").fill("Mine");
      await ask(page, world, "PATCH", `bots/${world.botId}`, { instructions: "Theirs", helpText: "Theirs" });
      await page.waitForFunction(() =>
        [...document.querySelectorAll("textarea")].some(({ value }) => value === "Theirs"),
      );
      assert.equal(await box(page, "Answer to /help").inputValue(), "Mine");
      const saving = page.waitForRequest((request) => request.method() === "PATCH");
      await button(page, "Save").click();
      assert.deepEqual((await saving).postDataJSON(), { helpText: "Mine" });
      await page.getByText("The bot is saved.").waitFor();
      assert.equal(await page.getByText("Not saved yet.").count(), 0);
      assert.equal((await ask(page, world, "GET", `bots/${world.botId}`)).instructions, "Theirs");
    },
  },

  /** Two change the same field: who saves later is told, and takes the other's or writes over it. */
  laterSaver: {
    async play(page, world) {
      await enter(page, world);
      const path = `bots/${world.botId}`;
      await open(page, world, `${path}?tab=settings`);
      const help = box(page, "Answer to /help");
      const changed = (words) => page.getByText(`Changed meanwhile to: ${words}`);
      await help.pressSequentially("Mine");
      await ask(page, world, "PATCH", path, { helpText: "Theirs" });
      await changed("Theirs").waitFor();
      await page.keyboard.type("!");
      assert.equal(await help.inputValue(), "Mine!");
      await button(page, "Take it").click();
      await changed("Theirs").waitFor({ state: "detached" });
      assert.equal(await help.inputValue(), "Theirs");
      assert.equal(await page.getByText("Not saved yet.").count(), 0);

      await help.fill("Mine again");
      await ask(page, world, "PATCH", path, { helpText: null });
      await page.getByText("Emptied meanwhile.").waitFor();
      await button(page, "Save").click();
      await page.getByText("The bot is saved.").waitFor();
      await page.getByText("Emptied meanwhile.").waitFor({ state: "detached" });
      assert.equal((await ask(page, world, "GET", path)).helpText, "Mine again");

      const key = box(page, "A key of its own");
      await key.fill("sk-mine-0123456789");
      const { apiKeyMask } = await ask(page, world, "PATCH", path, { apiKey: "sk-theirs-9876543210" });
      await changed(apiKeyMask).waitFor();
      await button(page, "Undo").click();
      await changed(apiKeyMask).waitFor({ state: "detached" });

      await open(page, world, "settings");
      await box(page, "Model").fill("gpt-mine");
      await ask(page, world, "PUT", "settings", { "defaults.model": "gpt-theirs" });
      await changed("gpt-theirs").waitFor();
      await axe(page, "a field that another changed");
      await ask(page, world, "PUT", "settings", { "defaults.model": "gpt-mine" });
      await changed("gpt-theirs").waitFor({ state: "detached" });
      await page.getByText("Not saved yet.").waitFor({ state: "detached" });
      await ask(page, world, "PUT", "settings", { "defaults.model": null });
    },
  },

  /** What is written in one tab of the page is there after a look at another; leaving it asks. */
  ownTabs: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, `bots/${world.botId}?tab=settings`);
      await box(page, "Instructions").fill("Half a thought");
      await page.getByRole("tab", { name: "Overview" }).click();
      await page.getByText("Last 7 days").waitFor();
      page.once("dialog", (dialog) => dialog.dismiss());
      await page.getByRole("link", { name: "Statistics", exact: true }).click();
      await page.getByRole("tab", { name: "Settings" }).click();
      assert.equal(await box(page, "Instructions").inputValue(), "Half a thought");
    },
  },

  /** A number out of its bounds stays as it was written, is told so, and is not saved. */
  numbers: {
    expected: ["status of 422"],
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "settings");
      const days = box(page, "Updates, days");
      await days.fill("0");
      await days.blur();
      await page.getByText("A number from 1 to 3,650.").waitFor();
      assert.equal(await days.inputValue(), "0");
      await button(page, "Save").click();
      await page.getByText("Not saved yet.").waitFor();
      assert.equal(await days.inputValue(), "0");
      assert.equal((await ask(page, world, "GET", "settings"))["retention.updatesDays"], 30);
      await button(page, "Undo").click();
      assert.equal(await days.inputValue(), "30");
      await open(page, world, `bots/${world.botId}?tab=settings`);
      await box(page, "Temperature").fill("5");
      await box(page, "Temperature").blur();
      await page.getByText("A number from 0 to 2.").waitFor();
      assert.equal(await box(page, "Temperature").inputValue(), "5");
      page.once("dialog", (dialog) => dialog.accept());
    },
  },

  /** A secret is no text to edit: it stays, is replaced, or is removed. */
  secrets: {
    async play(page, world) {
      await enter(page, world);
      await ask(page, world, "PUT", "settings", { "openai.apiKey": "sk-a-key-to-be-masked-1234" });
      const { "openai.apiKey": mask } = await ask(page, world, "GET", "settings");
      await open(page, world, "settings");
      const key = box(page, "OpenAI key");
      assert.equal(await key.getAttribute("placeholder"), mask);
      assert.equal(await key.inputValue(), "");
      await box(page, "Model").fill("gpt-5.4-mini");
      await button(page, "Save").click();
      await page.getByText("The settings are saved").waitFor();
      assert.equal((await ask(page, world, "GET", "settings"))["openai.apiKey"], mask);
      await button(page, `Remove ${mask}`).click();
      assert.equal(await key.getAttribute("placeholder"), "It is removed when you save.");
      await button(page, "Undo").click();
      await button(page, `Remove ${mask}`).click();
      await button(page, "Save").click();
      await page.waitForFunction(() => !document.querySelector('[placeholder^="It is removed"]'));
      assert.equal((await ask(page, world, "GET", "settings"))["openai.apiKey"], null);
    },
  },

  /** Two clicks are one request; what is on its way is neither a draft nor sent again. */
  twice: {
    async play(page, world) {
      await enter(page, world);
      await openChat(page, world);
      const writing = await held(page, "**/api/chats/*/messages");
      await composer(page).fill("Only once");
      // As two clicks that come before the page is drawn anew.
      await button(page, "Send").evaluate((send) => {
        send.click();
        send.click();
      });
      await page.getByRole("link", { name: "Statistics", exact: true }).click();
      await heading(page, "Statistics");
      await page.goBack();
      await composer(page).waitFor();
      await page.waitForTimeout(100);
      assert.equal(writing.count, 1);
      await composer(page).press("Enter");
      writing.release();
      await page.waitForFunction(() => document.querySelector("form textarea").value === "");
      await said(world, "Only once");
      assert.equal(writing.count, 1);
      assert.equal((await texts(world)).filter((text) => text === "Only once").length, 1);

      const pausing = await held(page, "**/pause");
      await button(page, "Pause the bot").evaluate((pause) => {
        pause.click();
        pause.click();
      });
      pausing.release();
      await page.getByText("The bot is paused here").waitFor();
      assert.equal(pausing.count, 1);
    },
  },

  /** A write that is done and never answered: the page says so, shows it, and sends it once. */
  unanswered: {
    expected: ["ERR_FAILED"],
    async play(page, world) {
      // What it shows it has asked for itself.
      await page.route("**/api/events", (route) => route.abort());
      await page.addInitScript(() => {
        const limit = AbortSignal.timeout.bind(AbortSignal);
        AbortSignal.timeout = (ms) => limit(ms === 60_000 ? 500 : ms);
      });
      await enter(page, world);
      await openChat(page, world);
      let count = 0;
      await page.route("**/api/chats/*/messages", async (route) => {
        if (route.request().method() !== "POST") return route.fallback();
        count += 1;
        await route.fetch();
      });
      await composer(page).fill("Done all the same");
      await button(page, "Send").click();
      await page.getByText("It may have been done all the same: look at the conversation").waitFor();
      await said(world, "Done all the same");
      await page.locator("li").getByText("Done all the same", { exact: true }).waitFor({ timeout: 8_000 });
      assert.equal(await composer(page).inputValue(), "Done all the same");
      assert.equal(count, 1);

      await open(page, world, `bots/${world.botId}?tab=settings`);
      await page.route("**/api/bots/*", async (route) => {
        if (route.request().method() !== "PATCH") return route.fallback();
        await route.fetch();
      });
      await box(page, "Answer to /help").fill("Saved unheard");
      await button(page, "Save").click();
      await page.getByText("It may have been done all the same: look at the bot").waitFor();
      // It was done: the form has it as saved.
      await page.getByText("Not saved yet.").waitFor({ state: "detached", timeout: 8_000 });
    },
  },

  /** What somebody has begun to write is not shown to who signs in after them. */
  drafts: {
    // The sign-in asks who is signed in already.
    expected: ["status of 401"],
    async play(page, world) {
      await enter(page, world);
      const manager = { email: `${world.telegramId}@example.org`, password: "a password of a manager" };
      await ask(page, world, "POST", "users", { ...manager, role: "MANAGER" });
      await openChat(page, world);
      await composer(page).fill("For nobody else");
      await button(page, "Sign out").click();
      await heading(page, "Kotodom GPT");
      await fillIn(page, manager);
      await page.getByRole("link", { name: "Chats", exact: true }).click();
      await page.locator(`[id="chat-${world.botId}:1001"]`).click();
      await composer(page).waitFor();
      assert.equal(await composer(page).inputValue(), "");
    },
  },

  /** A bot that is made and could not be switched on is switched on, and not made again. */
  wizardAgain: {
    expected: ["status of 422", "status of 503"],
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "bots/new");
      const check = async (token, username) => {
        await box(page, "Token").fill(token);
        await button(page, "Check the token").click();
        await page.getByText(`@${username}`).waitFor();
        await button(page, "Next").click();
      };
      await check(world.otherToken, "pushok_bot");
      await button(page, "Back").click();
      await check(world.token, "murka_again_bot");
      assert.equal(await box(page, "Name").inputValue(), "Murka");

      page.once("dialog", (dialog) => dialog.dismiss());
      await page.getByRole("link", { name: "Statistics", exact: true }).click();
      await button(page, "Next").click();

      const words = "needs PUBLIC_URL";
      const refused = problem(422, words, [{ field: "telegramMode", message: words }]);
      await page.route("**/api/bots", (route) => route.fulfill(refused), { times: 1 });
      await button(page, "Make and switch on").click();
      await page.getByText(words).waitFor();
      assert.equal(await page.getByText(words).count(), 1, "it is told twice");

      await page.route("**/enable", (route) => route.fulfill(problem(503, "Try later.")), { times: 1 });
      await button(page, "Make and switch on").click();
      await page.getByText("The bot is made, and not switched on yet.").waitFor();
      await button(page, "Switch on").click();
      await page.getByText("Waiting for the first message").waitFor();
      const { items } = await ask(page, world, "GET", "bots");
      assert.deepEqual(items.filter(({ username }) => username === "murka_again_bot").map(({ enabled }) => enabled), [true]);
    },
  },

  /** What closes gives the focus back to where it came from. */
  focus: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "users");
      await settled(page);
      await lookInto(page, button(page, "Add a user"), "Add a user");
      await lookInto(page, page.getByRole("button", { name: /^Edit / }).first(), "Edit a user");
      await open(page, world, "audit");
      await settled(page);
      await lookInto(page, page.getByRole("button", { name: "Details" }).first(), /./);
      const at = new Date().toISOString();
      const job = { id: 7, entrypoint: "chat", status: "failed", chatId: null, effect: null, payload: "{}", attempts: 1 };
      const items = [{ ...job, createdAt: at, nextAt: at, heartbeatAt: null, worker: null, error: "It broke." }];
      await page.route("**/api/jobs?*", (route) => route.fulfill({ json: { items, nextCursor: null } }));
      await page.route("**/api/jobs", (route) => route.fulfill({ json: { items, nextCursor: null } }));
      await open(page, world, "jobs");
      await lookInto(page, button(page, "Details"), "Job 7");

      await openChat(page, world);
      await button(page, "Pause the bot").focus();
      await page.keyboard.press("Enter");
      await page.getByText("The bot is paused here").waitFor();
      await focusIsOn(page, "Resume the bot");
      await page.keyboard.press("Enter");
      await page.getByText("The bot is paused here").waitFor({ state: "detached" });
      await focusIsOn(page, "Pause the bot");
    },
  },

  /** Esc does not close a key that is shown only this once; the next dialog begins anew. */
  newKey: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "api-keys");
      const add = page.getByRole("button", { name: "New API key" }).first();
      await lookInto(page, add, "New API key");
      await add.click();
      await box(page, "Name").fill(`key ${world.telegramId}`);
      await button(page, "Make the key").click();
      await page.getByTestId("api-key").waitFor();
      await page.keyboard.press("Escape");
      await page.waitForTimeout(400);
      assert.ok(await page.getByTestId("api-key").isVisible());
      await button(page, "Done").click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await add.click();
      assert.equal(await box(page, "Name").inputValue(), "");
    },
  },

  /** Fields and what is chosen are of the address: by whatever way it changes, they go with it. */
  addresses: {
    async play(page, world) {
      await say(world, "/sandbox:echo parcel");
      await said(world, "parcel");
      await enter(page, world);
      const menu = page.getByRole("navigation").first();
      await open(page, world, "messages?q=parcel");
      await page.getByRole("row").getByRole("checkbox").nth(1).check();
      await page.getByText("Updates are paused").waitFor();
      await menu.getByRole("link", { name: "Messages" }).click();
      await page.getByText("Updates are paused").waitFor({ state: "detached" });
      await settled(page);
      assert.equal(await page.getByRole("searchbox").inputValue(), "");
      await button(page, "Retry all of these").click();
      await page.getByText("There are no filters: every message").waitFor();
      await page.keyboard.press("Escape");
      await open(page, world, "audit?actor=nobody");
      assert.equal(await box(page, "Who").inputValue(), "nobody");
      await menu.getByRole("link", { name: "Audit" }).click();
      await page.waitForURL((url) => url.search === "");
      assert.equal(await box(page, "Who").inputValue(), "");
      await page.getByLabel("Action", { exact: true }).first().click();
      await page.getByRole("option", { name: "Sign-in" }).click();
      await page.waitForURL((url) => url.search === "?action=login");
    },
  },

  /** On a phone filters stand behind a button, and a chat's name has its place. */
  phone: {
    look: NARROW,
    async play(page, world) {
      await enter(page, world);
      await openChat(page, world);
      const name = await page.getByRole("heading", { level: 2 }).boundingBox();
      const pause = await button(page, "Pause the bot").boundingBox();
      assert.ok(pause.x - name.x > 180, `the chat's name has ${pause.x - name.x} px`);
      await open(page, world, "messages?status=COMPLETED");
      const search = page.getByRole("searchbox");
      await button(page, "Filters (1)").waitFor();
      assert.equal(await search.isVisible(), false);
      await button(page, "Filters (1)").click();
      await search.waitFor();
    },
  },
};

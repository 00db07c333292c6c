/** What is seldom done and matters: jobs, alerts, deleting, what is counted, and what is very large. */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import {
  ask,
  box,
  button,
  choose,
  enter,
  fault,
  HTML,
  heading,
  NARROW,
  nothingRan,
  open,
  post,
  row,
  said,
  say,
  settled,
  texts,
} from "./admin-hands.mjs";
import { fits } from "./looks.mjs";

/** Waits until what a function of the page says is as it should be; else tells what it said last. */
async function becomes(page, what, expected, look, about) {
  const right = typeof expected === "function" ? expected : (value) => value === expected;
  let seen;
  for (let tries = 0; tries < 300; tries += 1) {
    seen = await page.evaluate(look, about);
    if (right(seen)) return seen;
    await page.waitForTimeout(50);
  }
  return assert.fail(`${what}: ${JSON.stringify(seen)}`);
}

/** The figure of that name. */
const figure = (name) =>
  [...document.querySelectorAll("p")].find(({ textContent }) => textContent === name)?.nextElementSibling?.textContent;

// --- jobs -------------------------------------------------------------------------------------------

const ENDED = () =>
  Number(/([\d,]+) in the last hour/.exec(document.body.innerText)?.[1].replaceAll(",", "") ?? Number.NaN);
const BARS = () => document.querySelectorAll(".recharts-bar-rectangle path").length;

// --- statistics -------------------------------------------------------------------------------------

/** The rows of the table below a heading: what each begins with, and its numbers. */
const table = (title) => {
  const heading = [...document.querySelectorAll("h2")].find(({ textContent }) => textContent === title);
  const rows = heading?.parentElement?.querySelectorAll("tbody tr") ?? [];
  const number = (text) => (text === "–" ? null : Number(text.replace(/[^\d.]/g, "")));
  const units = { d: 86_400, h: 3_600, m: 60, s: 1 };
  const seconds = (text) => {
    const parts = [...text.matchAll(/([\d.]+)([dhms])/g)].map(([, count, unit]) => count * units[unit]);
    return text === "–" ? null : parts.reduce((sum, part) => sum + part, 0);
  };
  return [...rows].map(({ children }) => {
    const [name, messages, answered, terminal, p50, p95, tokens, price] = [...children].map(({ innerText }) => innerText);
    return {
      name,
      messages: number(messages),
      answered: number(answered),
      terminal: number(terminal),
      p50: seconds(p50),
      p95: seconds(p95),
      tokens: tokens.split("/").map(number),
      price: number(price),
    };
  });
};

/** Figures as they are shown: two digits of a time and of a small sum. */
function same(shown, expected, where) {
  for (const name of ["messages", "answered", "terminal"]) assert.equal(shown[name], expected[name], `${where}: ${name}`);
  assert.deepEqual(shown.tokens, expected.tokens, `${where}: tokens`);
  for (const name of ["p50", "p95", "price"]) {
    const [found, right] = [shown[name], expected[name]];
    if (right === null) assert.equal(found, null, `${where}: ${name}`);
    else assert.ok(Math.abs(found - right) <= 0.08 * right, `${where}: ${name} is ${found}, not ${right}`);
  }
}

const NONE = { messages: 0, answered: 0, terminal: 0, tokens: [0, 0], p50: null, p95: null, price: 0 };

async function countsRight(page, world, days) {
  const shown = await becomes(page, `${days} days`, ({ length }) => length === days, table, "By day");
  const date = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });
  const known = new Map(world.days.map((day) => [date.format(new Date(day.day)), day]));
  for (const each of shown) same(each, known.get(each.name) ?? NONE, each.name);
  const within = world.days.filter(({ ago }) => ago < days);
  assert.equal(
    shown.reduce((sum, { messages }) => sum + messages, 0),
    within.reduce((sum, { messages }) => sum + messages, 0),
    `${days} days`,
  );
}

// --- a long conversation ----------------------------------------------------------------------------

const scroller = (page) => page.getByRole("region", { name: /^Conversation with/ });

/** The first message in sight, how far below the top it is, and how much the page holds. */
const sight = () => {
  const pane = document.querySelector("section[tabindex='0']");
  const { top } = pane.getBoundingClientRect();
  const lines = [...pane.querySelectorAll("li")].flatMap((line) => {
    const number = /message no\. (\d+)/.exec(line.innerText)?.[1];
    return number ? [{ number: Number(number), at: line.getBoundingClientRect().top - top }] : [];
  });
  const first = lines.filter(({ at }) => at >= 0).sort((one, other) => one.at - other.at)[0];
  return {
    first: first?.number,
    at: Math.round(first?.at),
    lines: lines.length,
    nodes: document.getElementsByTagName("*").length,
    fromEnd: Math.round(pane.scrollHeight - pane.scrollTop - pane.clientHeight),
    fromTop: Math.round(pane.scrollTop),
  };
};

/** Holds requests back, one after the other; `waits`: one does now. */
async function heldBack(page, path) {
  const held = {
    waits: undefined,
    release() {
      held.waits();
      held.waits = undefined;
    },
  };
  await page.route(path, async (route) => {
    await new Promise((resolve) => {
      held.waits = resolve;
    });
    await route.continue();
  });
  return held;
}

/** A moment in which nothing moves any more. */
async function still(page) {
  let before;
  for (let tries = 0; tries < 100; tries += 1) {
    const now = await page.evaluate(sight);
    if (isDeepStrictEqual(now, before)) return now;
    before = now;
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  }
  return assert.fail("the conversation does not come to rest");
}

export const work = {
  /** A held job is seen with its error and run; another is deleted; all of it shows by itself. */
  jobs: {
    async play(page, world) {
      const [run, kept] = world.held.map(String);
      await enter(page, world);
      await open(page, world, "jobs?status=failed");
      await row(page, run).getByText("No such star").waitFor();
      await becomes(page, "held", "2", figure, "held");
      await row(page, run).getByRole("button", { name: "Details" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("ValueError: No such star").waitFor();
      await dialog.getByText("What it carries").click();
      await dialog.getByText("notification.adminAlert").waitFor();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });

      await row(page, run).getByRole("button", { name: "Run now" }).click();
      await said(world, "The alert was held.");
      await row(page, run).waitFor({ state: "detached" });
      await becomes(page, "held", "1", figure, "held");

      const remove = row(page, kept).getByRole("button", { name: "Delete" });
      await remove.click();
      await page.getByRole("dialog", { name: `Delete job ${kept}` }).waitFor();
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await dialog.waitFor({ state: "detached" });
      const { items } = await ask(page, world, "GET", "jobs?status=failed");
      assert.deepEqual(items.map(({ id }) => String(id)), [kept]);
      await remove.click();
      await dialog.getByRole("button", { name: "Delete" }).click();
      await page.getByText("No jobs in this state.").waitFor();
      await becomes(page, "held", "0", figure, "held");

      // One that answers a message, and waits for its next try.
      await page.getByText("queued", { exact: true }).last().click();
      const waits = await ask(page, world, "GET", "jobs?status=queued");
      const turn = waits.items.find(({ chatId }) => chatId === `${world.botId}:1002`);
      await row(page, String(turn.id)).getByRole("button", { name: "Delete" }).click();
      await dialog.getByText("that message ends unanswered").waitFor();
      await dialog.getByRole("button", { name: "Delete" }).click();
      await row(page, String(turn.id)).waitFor({ state: "detached" });
      await open(page, world, `messages?botId=${world.botId}`);
      await page.getByText("its job was deleted").waitFor();

      // What workers do shows by itself too.
      await open(page, world, "jobs");
      const ended = await becomes(page, "ended", Number.isFinite, ENDED);
      console.log("ended");
      await said(world, "and on", 1003);
      await becomes(page, `more than ${ended} ended`, (now) => now > ended, ENDED);
      const { minutes } = await ask(page, world, "GET", "jobs/stats");
      const busy = minutes.filter(({ ended }) => ended > 0).length;
      await becomes(page, `bars of ${busy} minutes`, busy, BARS);
      assert.ok(!(await texts(world)).includes("The alert was deleted."), "a deleted job ran");
    },
  },

  /** A bot's name, and that alone, deletes it, with all that was its own. */
  deletedBot: {
    expected: ["status of 404"],
    async play(page, world) {
      await say(world, "/sandbox:echo soon gone");
      await said(world, "soon gone");
      await enter(page, world);
      const { items } = await ask(page, world, "GET", `processing?botId=${world.botId}`);
      await open(page, world, "bots");
      await page.getByRole("link", { name: world.botName }).click();
      await page.getByRole("tab", { name: "Delete" }).click();
      const name = box(page, `Write ${world.botName} to confirm`);
      const remove = button(page, "Delete for good");
      for (const wrong of ["", world.botName.toLowerCase(), `${world.botName}0`, world.botName.slice(1)]) {
        await name.fill(wrong);
        await page.keyboard.press("Enter");
        assert.ok(await remove.isDisabled(), `"${wrong}" would delete it`);
      }
      await ask(page, world, "GET", `bots/${world.botId}`);
      await name.fill(world.botName);
      await remove.click();
      await page.getByText("The bot is deleted.").waitFor();
      await heading(page, "Bots");
      await page.getByRole("link", { name: world.botName }).waitFor({ state: "detached" });
      const menu = page.getByRole("navigation").first();
      await menu.getByRole("link", { name: "Chats" }).click();
      await settled(page);
      const chat = page.locator(`[id="chat-${world.botId}:1001"]`);
      await chat.waitFor({ state: "detached" });
      await open(page, world, `chats?botId=${world.botId}`);
      await page.getByText("No chat matches this search.").waitFor();
      await open(page, world, `messages?botId=${world.botId}`);
      await page.getByText("No messages like these").waitFor();
      for (const path of [`bots/${world.botId}`, `chats/${world.botId}:1001`, `messages/${items[0].id}`]) {
        await open(page, world, path);
        await page.getByRole("heading", { name: "Not found" }).waitFor();
      }
    },
  },

  /** The model is asked with the chat's thread; once that is forgotten, without. */
  forgotten: {
    async play(page, world) {
      await enter(page, world);
      const told = "My name is Murka";
      const given = async (count) => {
        await say(world, "/sandbox:history");
        for (let tries = 0; tries < 300; tries += 1) {
          const answers = (await texts(world)).filter((text) => text.startsWith("instructions: "));
          if (answers.length === count) return answers.at(-1);
          await page.waitForTimeout(50);
        }
        return assert.fail("the model was not asked");
      };
      await say(world, told);
      assert.match(await given(1), new RegExp(told));
      await open(page, world, `chats/${world.botId}:1001`);
      await page.getByText(told).first().waitFor();
      const forget = async (answer) => {
        await button(page, "More about this chat").click();
        await page.getByRole("menuitem", { name: "Forget the thread" }).click();
        await page.getByRole("dialog").getByRole("button", { name: answer }).click();
        await page.getByRole("dialog").waitFor({ state: "detached" });
      };
      await forget("Cancel");
      assert.match(await given(2), new RegExp(told));
      await forget("Forget");
      await page.getByText("The model forgets its thread").waitFor();
      const { length } = await texts(world);
      assert.doesNotMatch(await given(3), /Murka/);
      assert.equal((await texts(world)).length, length + 2, "the person was told something");
      await page.getByText(told).first().waitFor();
    },
  },

  /** The alerts' chat: a test arrives, a refusal says why, and a code fills the chat in. */
  alerts: {
    expected: ["status of 409"],
    async play(page, world) {
      const alerts = { ...world, telegramId: world.alertsId };
      const [token, chat] = [box(page, "Token of the alerts' bot"), box(page, "Chat that gets the alerts")];
      const save = async () => {
        await button(page, "Save").click();
        await page.getByText("Not saved yet.").waitFor({ state: "detached" });
      };
      const test = async (answer) => {
        await button(page, "Send a test").click();
        await page.getByText(answer).waitFor();
      };
      await enter(page, world);
      await open(page, world, "settings");
      await test("Set the token of the alerts' bot in the settings first.");
      await token.fill(world.alertsToken);
      assert.ok(await button(page, "Send a test").isDisabled(), "it would use what is not saved");
      await save();
      await test("Set the chat that gets the alerts in the settings first.");
      await chat.fill("77");
      await save();
      await test("Telegram took the test alert.");
      assert.deepEqual(await texts(alerts, 77), ["This is a test alert of Kotodom GPT. Alerts arrive in this chat."]);

      const wrong = { side: "telegram", method: "sendMessage", bot: world.alertsId };
      await fault(world, { ...wrong, kind: "chat_not_found" });
      await test(/did not take the test alert: .*chat not found/);
      await post(`${world.control}/revoke`, { bot: world.alertsId });
      await test(/did not take the test alert: .*Unauthorized/);
      await button(page, "Find the chat by a code").click();
      await page.getByText(/could not be asked about the alerts' bot: .*Unauthorized/).waitFor();
      await post(`${world.control}/revoke`, { bot: world.alertsId, revoked: false });

      const code = page.getByText(/^\/link [A-Z0-9]{8}$/);
      const makeCode = async (former) => {
        await button(page, "Find the chat by a code").click();
        await page.getByText(former ?? "nothing", { exact: true }).waitFor({ state: "detached" });
        return code.innerText();
      };
      const expired = await makeCode();
      console.log(`expire ${expired}`);
      await said(alerts, expired, 1002);
      const spoken = await makeCode(expired);
      await say(alerts, "/link AAAAAAAA", 1002);
      await say(alerts, spoken, 1003);
      await said(alerts, "This chat gets the alerts of Kotodom GPT from now on.", 1003);
      await page.waitForFunction(() => [...document.querySelectorAll("input")].some(({ value }) => value === "1003"));
      assert.equal(await chat.inputValue(), "1003");
      assert.equal(await page.getByText("Not saved yet.").count(), 0);
      assert.deepEqual(await texts(alerts, 1002), [expired, "/link AAAAAAAA"], "a wrong code was answered");
      const { items } = await ask(page, world, "GET", "audit?action=link_alerts_by_code");
      assert.deepEqual(items.map(({ after }) => after["alerts.chatId"]), ["1003"]);
      await test("Telegram took the test alert.");
      assert.equal((await texts(alerts, 1003)).length, 3);
    },
  },

  /** The figures are those of the database, of the days and of the bot that are chosen. */
  figures: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "statistics");
      await choose(page, "Bot", world.botName);
      await page.waitForURL(new RegExp(`botId=${world.botId}`));
      await countsRight(page, world, 30);
      assert.deepEqual(await page.evaluate(table, "By bot"), []);
      for (const days of [7, 90]) {
        await choose(page, "Days (UTC)", `the last ${days} days`);
        await countsRight(page, world, days);
      }
      await page.getByLabel("all bots").click();
      await page.waitForURL((url) => !url.search.includes("botId"));
      const bots = await becomes(page, "the bots", ({ length }) => length > 0, table, "By bot");
      same(bots.find(({ name }) => name === world.botName), world.total, "the bot");
      await page.getByRole("link", { name: world.botName }).click();
      await countsRight(page, world, 90);

      await choose(page, "Bot", world.quiet);
      await page.getByText("No messages in these days.").waitFor();
      assert.equal(await page.locator("table, .recharts-surface").count(), 0, "charts of nothing");
      assert.doesNotMatch(await page.locator("main").innerText(), /NaN|undefined|Infinity|Invalid/);
    },
  },

  /** What Telegram says of a webhook that leads elsewhere, and the way back. */
  webhook: {
    async play(page, world) {
      const telegram = async (method, parameters) => {
        const url = `${world.telegram}/bot${world.token}/${method}?${new URLSearchParams(parameters)}`;
        return (await (await fetch(url)).json()).result;
      };
      const ours = (await telegram("getWebhookInfo")).url;
      assert.match(ours, new RegExp(`/webhook/${world.botId}$`));
      await telegram("setWebhook", { url: "http://127.0.0.1:1/elsewhere" });
      await say(world, "/sandbox:echo it came after all");
      let info;
      do info = await telegram("getWebhookInfo");
      while (!info.last_error_message);
      await enter(page, world);
      await open(page, world, `bots/${world.botId}`);
      const told = (name) => page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });
      await told("Webhook").getByText("http://127.0.0.1:1/elsewhere").waitFor();
      await told("Waiting at Telegram").getByText("1", { exact: true }).waitFor();
      await told("Last error").getByText(info.last_error_message).waitFor();
      await button(page, "Set the webhook again").click();
      await page.getByText("Telegram is being asked.").waitFor();
      await said(world, "it came after all");
      assert.equal((await telegram("getWebhookInfo")).url, ours);
      await button(page, "Ask Telegram again").click();
      await told("Webhook").getByText(ours).waitFor();
      await told("Waiting at Telegram").getByText("0", { exact: true }).waitFor();
    },
  },

  /** A message's recording comes as a file (which the test replays). */
  recording: {
    async play(page, world) {
      await fault(world, { kind: "content_filter" });
      await say(world, "/sandbox:echo for the record");
      await enter(page, world);
      await open(page, world, `messages?botId=${world.botId}`);
      await page.getByRole("link", { name: "for the record" }).click();
      await button(page, "Retry").click();
      await page.getByText("Part 1 of 1 was sent").last().waitFor();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        button(page, "Recording").click(),
      ]);
      assert.match(download.suggestedFilename(), /^recording-\d+\.jsonl$/);
      await download.saveAs(world.file);
    },
  },

  /** A chat of 100,000 messages opens at its end, and is read upwards without losing the place. */
  longChat: {
    async play(page, world) {
      await enter(page, world);
      const began = Date.now();
      await open(page, world, `chats/${world.botId}:${world.reader}`);
      await scroller(page).getByText("message no. 100000").waitFor();
      const opened = Date.now() - began;
      assert.ok(opened < 10_000, `it opened in ${opened} ms`);
      const end = await still(page);
      assert.ok(end.fromEnd <= 2, `it opened ${end.fromEnd} px above its end`);
      await scroller(page).hover();
      const older = await heldBack(page, /messages\?.*cursor=/);
      for (const toTheTop of [false, true, false, true]) {
        const there = await still(page);
        let before = there;
        while (older.waits === undefined || before.first === there.first || (toTheTop && before.fromTop > 0)) {
          await page.mouse.wheel(0, -1_500);
          before = await still(page);
        }
        assert.ok(before.first < there.first, "it does not go up");
        older.release();
        await becomes(page, "older ones", (now) => now.fromTop > before.fromTop + 5_000, sight);
        const after = await still(page);
        assert.equal(after.first, before.first, "the place is lost");
        assert.equal(older.waits, undefined, "it asked for still older ones at once");
        assert.ok(Math.abs(after.at - before.at) <= 2, `what is read has moved by ${after.at - before.at} px`);
        for (const { lines, nodes } of [before, after]) {
          assert.ok(lines < 80 && nodes < 3_000, `${lines} lines and ${nodes} elements are in the page`);
        }
      }
      const reading = await still(page);
      await say(world, "/sandbox:echo while one reads", world.reader);
      await button(page, "New messages").waitFor();
      const read = await still(page);
      assert.deepEqual([read.first, read.at], [reading.first, reading.at], "a new message moved the old ones");
      await button(page, "New messages").click();
      await scroller(page).getByText("while one reads", { exact: true }).waitFor();

      await page.getByRole("searchbox").first().fill("Reader of");
      await page.waitForURL(/q=Reader/);
      await page.getByRole("link", { name: "Reader of it all" }).waitFor();
      await page.getByRole("searchbox").first().fill("nobody of that name");
      await page.getByText("No chat matches this search.").waitFor();
      await open(page, world, `messages?botId=${world.botId}`);
      await page.getByRole("searchbox").fill("no. 99778");
      await page.waitForURL(/q=no/);
      await page.getByRole("link", { name: "message no. 99778" }).waitFor();
      await becomes(page, "one found", 2, () => document.querySelectorAll("tr").length);
    },
  },

  /** Emoji, a name from right to left, and markup in every text: on every page they are texts. */
  hostile: {
    look: NARROW,
    async play(page, world) {
      await enter(page, world);
      for (const [path, ...words] of world.pages) {
        await open(page, world, path);
        await settled(page);
        for (const each of words) await page.getByText(each).first().waitFor({ state: "attached" });
        await fits(page, path);
        const wide = await page.evaluate(() => {
          const pane = document.querySelector("section[tabindex='0']");
          return pane ? pane.scrollWidth - pane.clientWidth : 0;
        });
        assert.equal(wide, 0, `${path}: the conversation scrolls sideways`);
        await nothingRan(page);
      }
    },
  },
};

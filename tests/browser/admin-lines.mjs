/** What a page's single lines promise, and no other story would miss. */
import assert from "node:assert/strict";
import {
  ask,
  box,
  button,
  choose,
  enter,
  fillIn,
  heading,
  NARROW,
  open,
  row,
  said,
  say,
  settled,
} from "./admin-hands.mjs";
import { axe } from "./looks.mjs";

/** What does not come by then does not come. */
const SOON = { timeout: 10_000 };
const KATHMANDU = { timezoneId: "Asia/Kathmandu" };

/** What stands below that name. */
const figure = (page, name) => page.locator(`xpath=//p[. = "${name}"]/following-sibling::*[1]`);

const direction = (place) => place.evaluate((element) => getComputedStyle(element).direction);

/** The names of a list's chats in sight, from the top. */
const inSight = (list) =>
  list.evaluate((pane) => {
    const { top, bottom } = pane.getBoundingClientRect();
    return [...pane.querySelectorAll("a")]
      .map((link) => ({ link, at: link.getBoundingClientRect() }))
      .filter(({ at }) => at.top >= top && at.bottom <= bottom)
      .sort((one, other) => one.at.top - other.at.top)
      .map(({ link }) => /Reader no\. \d+/.exec(link.innerText)?.[0] ?? link.innerText);
  });

/** The status of an API's answer to somebody who is not the page. */
const status = async (world, path, init) => (await fetch(`${world.base}/api/${path}`, init)).status;

const signingIn = (world, { email, password }) =>
  status(world, "auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: world.base },
    body: JSON.stringify({ email, password }),
  });

/** What Telegram says of a bot. */
async function telegram(world, token, method) {
  const answer = await fetch(`${world.telegram}/bot${token}/${method}`);
  return (await answer.json()).result;
}

/** Goes on from there by Tab; what has the focus must look other than without it. */
async function focusShows(page, from, where) {
  await page.evaluate(() => {
    const still = new CSSStyleSheet();
    still.replaceSync("*, ::before, ::after { transition: none !important; animation: none !important }");
    document.adoptedStyleSheets.push(still);
  });
  await page.locator(from).first().focus();
  let stops = 0;
  for (; stops < 25; stops += 1) {
    await page.keyboard.press("Tab");
    const unseen = await page.evaluate(() => {
      const { activeElement: focused } = document;
      if (focused === document.body) return null;
      const look = () =>
        // Fields show it by their frame, which may be their parent's.
        [focused, focused.parentElement, focused.nextElementSibling, focused.parentElement.parentElement]
          .filter(Boolean)
          .map((element) => {
            const { outlineStyle, outlineWidth, borderColor, boxShadow, insetInlineStart } = getComputedStyle(element);
            const outline = outlineStyle !== "none" && outlineWidth !== "0px";
            return [outline, borderColor, boxShadow, insetInlineStart].join();
          })
          .join("; ");
      const seen = look();
      focused.blur();
      const plain = look();
      focused.focus({ preventScroll: true });
      return seen === plain ? focused.outerHTML.slice(0, 200) : "";
    });
    if (unseen === null) break;
    assert.equal(unseen, "", `${where}: nobody sees that this has the focus`);
  }
  assert.ok(stops > 0, `${where}: Tab reaches ${stops} places`);
}

export const lines = {
  /** Today's figures, every bot's light with its reason, the worst first; a failure of two bots is one. */
  today: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "");
      const { total } = await ask(page, world, "GET", "stats?days=1");
      const { COMPLETED: answered, TERMINAL: failed } = total.statuses;
      assert.deepEqual([total.messages, answered, failed], [3, 1, 2]);
      const shows = (name, count) => figure(page, name).getByText(String(count), { exact: true }).waitFor(SOON);
      await shows("Messages today (UTC)", total.messages);
      await shows("Answered", answered);
      await shows("Not answered", failed);
      const cost = await figure(page, "Cost today (UTC)").innerText();
      assert.match(cost, /^\$/);
      assert.ok(Math.abs(Number(cost.slice(1)) - total.price) <= 0.08 * total.price, `${cost} for ${total.price}`);

      const bots = page.getByRole("region", { name: "Bots", exact: true });
      await bots.getByText(world.reason).waitFor(SOON);
      const words = ["in error", "silent", "retrying", "connecting", "answering", "switched off"];
      const lights = (await bots.innerText()).split("\n").filter((line) => words.includes(line));
      assert.deepEqual(lights, ["in error", "answering", "answering", "switched off"]);

      const failures = page.getByRole("region", { name: "What failed" });
      await failures.getByText("2 messages, 2 bots").waitFor(SOON);
      await failures.getByRole("button", { name: "Retry all" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("Now these are 2 messages.").waitFor(SOON);
      await dialog.getByRole("button", { name: "Retry" }).click();
      await page.getByText("2 messages are tried again.").waitFor(SOON);
      await failures.getByText("Nothing failed.").waitFor(SOON);
    },
  },

  /** The inbox goes on when it is scrolled, and keeps its place; a conversation and the way out of it. */
  inbox: {
    async play(page, world) {
      const further = [];
      page.on("request", (request) => {
        if (/api\/chats\?.*cursor=/.test(request.url())) further.push(request.url());
      });
      await enter(page, world);
      await open(page, world, `chats?botId=${world.botId}`);
      const list = page.getByRole("navigation", { name: "Chats, the latest first" });
      const first = list.getByRole("link").filter({ hasText: world.name });
      await first.waitFor();
      for (const text of [world.name, world.text]) {
        assert.equal(await direction(first.getByText(text, { exact: true })), "rtl", text);
      }
      assert.deepEqual(further, []);

      const last = list.getByText(`Reader no. ${world.readers.length - 1}`, { exact: true });
      await list.hover();
      for (let turns = 0; turns < 200 && !(await last.isVisible()); turns += 1) {
        await page.mouse.wheel(0, 1_000);
        await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      }
      assert.ok(await last.isVisible(), "the list ends before its end");
      const before = await inSight(list);
      const chosen = before[3];
      await say(world, "/sandbox:echo from below", world.readers[chosen.split(" ").at(-1)]);
      await list.getByRole("link").filter({ hasText: chosen }).getByText("from below", { exact: true }).waitFor(SOON);
      assert.deepEqual(await inSight(list), before, "the list has moved under who reads it");
      await list.evaluate((pane) => pane.scrollTo(0, 0));
      await page.waitForFunction(
        (name) => document.querySelector("nav a[id^=chat-]")?.innerText.includes(name),
        chosen,
        SOON,
      );

      await first.click();
      const name = page.getByRole("heading", { name: world.name });
      await name.waitFor();
      assert.equal(await direction(name), "rtl");
      const composer = box(page, "Write in the bot's name");
      const send = button(page, "Send");
      await composer.fill("😀".repeat(16_384));
      assert.equal(await send.isDisabled(), false);
      await composer.fill("x".repeat(16_385));
      await page.getByText("At most 16,384 characters.").waitFor(SOON);
      assert.ok(await send.isDisabled());
      await composer.fill("");
      await page.getByRole("link", { name: "Timeline" }).click();
      await page.getByText("The model answered").waitFor(SOON);
      await page.goBack();
      await composer.focus();
      await page.keyboard.press("Escape");
      assert.match(page.url(), /chats\/\d/);
      await page.keyboard.press("Escape");
      await page.waitForURL((url) => url.pathname.endsWith("/chats"), SOON);
    },
  },

  /** Messages by time, and all times in the viewer's zone; choosing stops what moves; a message's price. */
  times: {
    look: KATHMANDU,
    async play(page, world) {
      await enter(page, world);
      const { items } = await ask(page, world, "GET", `processing?botId=${world.botId}`);
      const { id, createdAt } = items.find(({ text }) => text.endsWith("lately"));
      const local = (at, options) =>
        page.evaluate(
          ([at, options]) =>
            new Intl.DateTimeFormat("en", { ...options, timeZone: "Asia/Kathmandu" }).format(new Date(at)),
          [at, options],
        );
      const message = (text) => page.getByRole("link", { name: `/sandbox:echo ${text}` });
      const day = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
      const between = `${day}T10:00:00.000Z`;
      const list = `messages?botId=${world.botId}`;
      await open(page, world, `${list}&to=${between}`);
      await message("long ago").waitFor(SOON);
      assert.equal(await message("lately").count(), 0);
      await open(page, world, `${list}&from=${between}`);
      await message("lately").waitFor(SOON);
      assert.equal(await message("long ago").count(), 0);
      const from = page.getByLabel("From", { exact: true });
      assert.match(await from.innerText(), /\b15:45\b|\b0?3:45\s?PM/i);
      await from.click();
      await page.locator("table button:not([data-outside], [data-selected])").first().click();
      await button(page, "Take this time").click();
      await page.waitForURL((url) => {
        const chosen = url.searchParams.get("from") ?? "";
        return /T10:00:00/.test(chosen) && !chosen.startsWith(day);
      }, SOON);

      await open(page, world, list);
      const clock = await local(createdAt, { timeStyle: "medium" });
      const came = row(page, "/sandbox:echo lately").locator(`time[datetime="${createdAt}"]`);
      await came.waitFor(SOON);
      const title = await came.getAttribute("title");
      assert.ok(title?.includes(clock) && title.includes("GMT+5:45"), `${title}, and not ${clock}`);

      const other = await page.context().newPage();
      await open(other, world, list);
      await other.getByRole("link", { name: "lately" }).waitFor();
      await row(page, "/sandbox:echo lately").getByRole("checkbox").check();
      await page.getByText("Updates are paused").waitFor(SOON);
      for (const text of ["meanwhile", "and again"]) {
        await say(world, `/sandbox:echo ${text}`);
        await other.getByRole("link", { name: text }).waitFor(SOON);
      }
      assert.equal(await message("meanwhile").count(), 0, "the list has moved under who chooses");
      await other.close();
      await button(page, "Select none").click();
      await message("and again").waitFor(SOON);

      await message("lately").click();
      const { inputTokens, outputTokens, price } = await ask(page, world, "GET", `processing/${id}`);
      assert.ok(inputTokens > 0 && outputTokens > 0 && price > 0);
      await page.getByText(`${inputTokens} tokens in, ${outputTokens} out`, { exact: true }).waitFor(SOON);
      const cost = (await page.getByText(/^\$[\d.]+$/).innerText(SOON)).slice(1);
      assert.ok(Math.abs(cost - price) <= 0.08 * price, `$${cost} for ${price}`);
      const step = page.locator("time").filter({ hasText: clock }).first();
      assert.ok((await step.getAttribute("title", SOON)).includes("GMT+5:45"));
      const raw = page.getByText('"event"').first();
      assert.equal(await raw.isVisible(), false);
      await page.getByText("The step itself").first().click();
      await raw.waitFor(SOON);
      await page.getByText("To the chat").click();
      await page
        .locator('[data-sender="USER"]')
        .getByText(await local(createdAt, { timeStyle: "short" }))
        .first()
        .waitFor(SOON);
    },
  },

  /** A token that another has is refused at once; a webhook, chosen in the wizard and in settings, is set. */
  webhooks: {
    expected: ["status of 409", "status of 422"],
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "bots/new");
      const check = async (token) => {
        await box(page, "Token").fill(token);
        await button(page, "Check the token").click();
      };
      await check(world.taken);
      await page.getByText("Another bot here has this token already.").waitFor(SOON);
      assert.equal(await button(page, "Next").count(), 0);
      await check(world.token);
      await button(page, "Next").click();
      await button(page, "Next").click();
      await choose(page, "How updates come", "webhook");
      await button(page, "Make and switch on").click();
      await page.getByText("Waiting for the first message").waitFor();
      const { items } = await ask(page, world, "GET", "bots");
      const made = items.find(({ username }) => username === world.username);
      const hook = new RegExp(`/webhook/${made.id}$`);
      assert.match((await telegram(world, world.token, "getWebhookInfo")).url, hook);
      await say({ ...world, telegramId: world.newId }, "/sandbox:echo by the webhook");
      await page.getByText("It was answered. Your bot is ready.").waitFor(SOON);

      for (const [mode, url] of [
        ["polling", /^$/],
        ["webhook", hook],
      ]) {
        await open(page, world, `bots/${made.id}?tab=settings`);
        await choose(page, "How updates come", mode);
        await button(page, "Save").click();
        await page.getByText("The bot is saved.").waitFor(SOON);
        let info;
        for (let tries = 0; tries < 100 && !url.test(info?.url ?? "-"); tries += 1) {
          info = await telegram(world, world.token, "getWebhookInfo");
          await page.waitForTimeout(50);
        }
        assert.match(info.url, url);
        await said({ ...world, telegramId: world.newId }, "by the webhook");
      }
    },
  },

  /** Somebody is added, made another, and shut out; the last administrator stays one. */
  users: {
    expected: ["status of 409"],
    async play(page, world) {
      const user = { email: `made-${world.botId}@example.org`, password: "a password of theirs" };
      await enter(page, world);
      await open(page, world, "users");
      await button(page, "Add a user").click();
      const dialog = page.getByRole("dialog");
      await box(dialog, "E-mail").fill(user.email);
      await dialog.getByLabel("Password", { exact: true }).fill(user.password);
      await button(dialog, "Save").click();
      const theirs = row(page, user.email);
      await theirs.getByText("user", { exact: true }).waitFor(SOON);
      assert.equal(await signingIn(world, user), 200);

      const change = async (email, label, entry) => {
        await button(page, `Edit ${email}`).click();
        await choose(page, label, entry);
        await button(dialog, "Save").click();
      };
      await change(user.email, "Role", "manager");
      await theirs.getByText("manager", { exact: true }).waitFor(SOON);
      await dialog.waitFor({ state: "detached" });
      await change(user.email, "Status", "disabled");
      await theirs.getByText("disabled", { exact: true }).waitFor(SOON);
      assert.equal(await signingIn(world, user), 401);
      await dialog.waitFor({ state: "detached" });

      await change(world.admin.email, "Role", "manager");
      await dialog.getByText("the last active ADMIN").waitFor(SOON);
      const { items } = await ask(page, world, "GET", "users");
      const now = (email) => items.find((one) => one.email === email);
      assert.deepEqual([now(user.email).role, now(user.email).status], ["MANAGER", "DISABLED"]);
      assert.deepEqual([now(world.admin.email).role, now(world.admin.email).status], ["ADMIN", "ACTIVE"]);
    },
  },

  /** A key that was made opens the API to a script; once it is revoked, no more. */
  keys: {
    async play(page, world) {
      const name = `export ${world.botId}`;
      await enter(page, world);
      await open(page, world, "api-keys");
      await button(page, "New API key").first().click();
      const dialog = page.getByRole("dialog");
      await box(dialog, "Name").fill(name);
      await choose(page, "Role", "manager");
      await button(dialog, "Make the key").click();
      const key = await page.getByTestId("api-key").innerText(SOON);
      const asked = (path) => status(world, path, { headers: { Authorization: `Bearer ${key}` } });
      assert.deepEqual([await asked("jobs"), await asked("users")], [200, 403]);
      await button(dialog, "Done").click();
      await dialog.waitFor({ state: "detached" });
      await button(page, `Revoke ${name}`).click();
      await button(dialog, "Revoke").click();
      await row(page, name).waitFor({ state: "detached", ...SOON });
      assert.equal(await asked("jobs"), 401);
    },
  },

  /** Language and theme stay; the new password opens, and the old one does not. */
  account: {
    // Signed out, the sign-in asks who is signed in.
    expected: ["status of 401", "status of 422"],
    async play(page, world) {
      const me = { email: `me-${world.botId}@example.org`, password: "the old password" };
      await enter(page, world);
      await ask(page, world, "POST", "users", { ...me, role: "USER" });
      await enter(page, world, me);
      await open(page, world, "account");
      await page.getByText("Dark", { exact: true }).click();
      await page.getByText("Русский", { exact: true }).click();
      await heading(page, "Моя учётная запись");
      await page.reload();
      await heading(page, "Моя учётная запись");
      assert.equal(await page.locator("html").getAttribute("data-mantine-color-scheme"), "dark");
      assert.equal(await page.locator("html").getAttribute("lang"), "ru");
      await page.getByText("English", { exact: true }).click();
      await heading(page, "My account");

      const renewed = { ...me, password: "the new password" };
      const change = async (current) => {
        await page.getByLabel("Current password", { exact: true }).fill(current);
        await page.getByLabel("New password", { exact: true }).fill(renewed.password);
        await button(page, "Change the password").click();
      };
      await change("not the password");
      await page.locator(".mantine-InputWrapper-error, [role=alert]").first().waitFor(SOON);
      assert.equal(await signingIn(world, renewed), 401);
      await change(me.password);
      await heading(page, "Kotodom GPT");
      assert.equal(await signingIn(world, me), 401);
      await fillIn(page, renewed);
      await page.getByRole("navigation").getByText(me.email).waitFor(SOON);
    },
  },

  /** Who goes by keyboard sees where they are. */
  focusSeen: {
    // The sign-in asks who is signed in.
    expected: ["status of 401"],
    async play(page, world) {
      await open(page, world, "");
      await box(page, "E-mail").waitFor();
      await focusShows(page, "input", "sign-in");
      await enter(page, world);
      for (const path of world.more) {
        await open(page, world, path);
        await settled(page);
        await focusShows(page, path === "" ? ".skip" : "main", path);
      }
    },
  },

  /** On a phone nothing is hidden from those who do not see it. */
  axeNarrow: {
    look: NARROW,
    async play(page, world) {
      await enter(page, world);
      for (const path of world.more) {
        await open(page, world, path);
        await settled(page);
        await axe(page, path);
      }
      await button(page, "Menu").click();
      await page.getByRole("link", { name: "Overview" }).waitFor();
      await axe(page, "the menu");
    },
  },
};

/** What others, the network and the address do to a page that somebody is at work on. */
import assert from "node:assert/strict";
import { ask, box, button, enter, fault, heading, open, REFUSED, said, say, settled } from "./admin-hands.mjs";

const ENDED = "Your session has ended.";

async function signInOver(page, world) {
  await page.getByText(ENDED).waitFor();
  await box(page.getByRole("dialog", { name: "Sign in" }), "Password").fill(world.admin.password);
  await page.keyboard.press("Enter");
  await page.getByText(ENDED).waitFor({ state: "detached" });
}

/** The list of the bot's messages, with as many that were not answered. */
async function failed(page, world, count) {
  await fault(world, { kind: "content_filter", times: count });
  for (let nth = 1; nth <= count; nth += 1) await say(world, `/sandbox:echo no. ${nth}`, 1000 + nth);
  await enter(page, world);
  await open(page, world, `messages?botId=${world.botId}`);
  await page.getByRole("row").getByText("not answered").nth(count - 1).waitFor();
}

const choice = (page, nth) => page.getByRole("row").getByRole("checkbox").nth(nth);
const selected = (page, count) => page.getByText(new RegExp(`^${count} messages? selected\\.`)).waitFor();
const retry = (page) => page.getByRole("status").getByRole("button", { name: "Retry", exact: true });

export const hostile = {
  /** A dialog of a user saves what was changed in it: another's change of the user stays. */
  userLost: {
    async play(page, world) {
      await enter(page, world);
      const email = `${world.telegramId}@example.org`;
      const { id } = await ask(page, world, "POST", "users", { email, password: "a password of anna", role: "USER" });
      await open(page, world, "users");
      await button(page, `Edit ${email}`).click();
      const dialog = page.getByRole("dialog");
      await ask(page, world, "PATCH", `users/${id}`, { status: "DISABLED", role: "MANAGER" });
      await dialog.getByLabel("Password", { exact: true }).fill("another password");
      const [request] = await Promise.all([
        page.waitForRequest((request) => request.method() === "PATCH"),
        button(dialog, "Save").click(),
      ]);
      assert.deepEqual(request.postDataJSON(), { password: "another password" });
      await dialog.waitFor({ state: "detached" });
      await page.getByRole("row").filter({ hasText: email }).getByText("disabled").waitFor();

      // What another changes is seen as soon as it is known, and contested where both have.
      await button(page, `Edit ${email}`).click();
      await dialog.getByRole("combobox", { name: "Role" }).click();
      await page.getByRole("option", { name: "administrator" }).click();
      await ask(page, world, "PATCH", `users/${id}`, { status: "ACTIVE", role: "USER" });
      await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
      await dialog.getByText("Changed meanwhile to: user").waitFor();
      assert.equal(await dialog.getByRole("combobox", { name: "Status" }).inputValue(), "active");
    },
  },

  /** Nobody answers midway: what was tried again is told, and the rest stays chosen. */
  bulkCut: {
    expected: ["ERR_FAILED"],
    async play(page, world) {
      await failed(page, world, 4);
      for (const nth of [1, 2, 3]) await choice(page, nth).check();
      await selected(page, 3);
      let count = 0;
      await page.route("**/api/processing/*/retry", async (route) => {
        count += 1;
        if (count === 2) return route.abort();
        // Another row is chosen meanwhile.
        await choice(page, 4).check();
        return route.continue();
      });
      await retry(page).click();
      await page.getByText("1 message is tried again.").waitFor();
      await page.getByText("2 more are left: retry once more.").waitFor();
      await selected(page, 3);
      assert.equal(count, 2);
      await page.unroute("**/api/processing/*/retry");
      await retry(page).click();
      await page.getByText("3 messages are tried again.").waitFor();
      await page.getByText("selected.").waitFor({ state: "detached" });
    },
  },

  /** A choice ends with the filters that it was made under. */
  selectionBack: {
    async play(page, world) {
      await page.clock.install();
      await failed(page, world, 1);
      await choice(page, 1).check();
      await selected(page, 1);
      await page.getByRole("link", { name: "Messages", exact: true }).click();
      await page.waitForURL(/messages$/);
      await page.clock.fastForward("06:00");
      await page.goBack();
      await page.getByRole("row").getByText("not answered").first().waitFor();
      assert.equal(await page.getByText("selected.").count(), 0);
    },
  },

  /** A question goes with the page that it is about. */
  pageDialog: {
    async play(page, world) {
      await enter(page, world);
      const name = `a key of ${world.telegramId}`;
      await ask(page, world, "POST", "api-keys", { name, role: "USER" });
      await open(page, world, "bots");
      await page.getByRole("link", { name: "API keys", exact: true }).click();
      await button(page, `Revoke ${name}`).click();
      await page.getByRole("dialog", { name: `Revoke ${name}` }).waitFor();
      await page.goBack();
      await heading(page, "Bots");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await page.goForward();
      await button(page, `Revoke ${name}`).waitFor();
    },
  },

  /** Who revokes a key by keyboard is not thrown back to the page's beginning. */
  revoked: {
    async play(page, world) {
      await enter(page, world);
      const name = `a key of ${world.telegramId}`;
      await ask(page, world, "POST", "api-keys", { name, role: "USER" });
      await open(page, world, "api-keys");
      await button(page, `Revoke ${name}`).press("Enter");
      await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).press("Enter");
      await button(page, `Revoke ${name}`).waitFor({ state: "detached" });
      await page.waitForFunction(() => document.activeElement?.id === "page");
    },
  },

  /** Nothing that an address holds makes a request that is refused, or a date that is none. */
  address: {
    async play(page, world) {
      await enter(page, world);
      const refused = [];
      page.on("response", (answer) => answer.status() >= 400 && refused.push(answer.url()));
      const long = "a".repeat(400);
      for (const path of [
        "messages?from=zzz&to=2026-13-01&status=zzz&botId=abc&foo=1",
        `messages?from=zzz%201&q=${long}`,
        "jobs?status=zzz",
        "statistics?days=0&botId=abc",
        "statistics?days=8",
        `bots/${world.botId}?tab=zzz`,
        `chats?botId=abc&q=${long}`,
        `audit?actor=${long}&action=%7B%7D`,
      ]) {
        await open(page, world, path);
        await settled(page);
        assert.deepEqual(refused, [], path);
        assert.equal(await page.getByText("Invalid Date").count(), 0, path);
        const { search } = new URL(page.url());
        for (const wrong of ["zzz", "foo", "abc", "=0", "=8"]) assert.ok(!search.includes(wrong), search);
      }
      await open(page, world, "statistics?days=8");
      await page.waitForFunction(() => document.querySelector("input")?.value === "the last 30 days");
      await open(page, world, `bots/${world.botId}?tab=zzz`);
      await page.getByRole("tabpanel").waitFor();
      await open(page, world, "messages?foo=1&status=FAILED");
      const counting = page.waitForRequest(/\/api\/processing\/retry/);
      await button(page, "Retry all of these").click();
      assert.equal(new URL((await counting).url()).search, "?status=FAILED");
      await open(page, world, "sign-in?next=@evil");
      await page.waitForURL(/\/admin\/?$/);
    },
  },

  /** A name is confirmed as the page shows it. */
  spacedName: {
    async play(page, world) {
      await enter(page, world);
      await ask(page, world, "PATCH", `bots/${world.botId}`, { name: "Two  spaces\nand a line" });
      await open(page, world, `bots/${world.botId}?tab=danger`);
      const field = page.getByRole("textbox", { name: "to confirm" });
      await field.fill("Two spaces and");
      assert.ok(await button(page, "Delete for good").isDisabled());
      await field.fill("Two spaces and a line");
      assert.ok(await button(page, "Delete for good").isEnabled());
    },
  },

  /** What was begun in a chat is there after the page was loaded anew, and gone when it is sent. */
  reloaded: {
    async play(page, world) {
      await say(world, "/sandbox:echo hello");
      await said(world, "hello");
      await enter(page, world);
      await open(page, world, `chats/${world.botId}:1001`);
      const composer = box(page, "Write in the bot's name");
      await composer.fill("Half a thought");
      await page.reload();
      await composer.waitFor();
      assert.equal(await composer.inputValue(), "Half a thought");
      await composer.press("Enter");
      await said(world, "Half a thought");
      await page.waitForFunction(() => document.querySelector("form textarea").value === "");
      await page.reload();
      await composer.waitFor();
      assert.equal(await composer.inputValue(), "");
    },
  },

  /** That the session has ended is told by the sign-in only, and is over with it. */
  saidOnce: {
    expected: REFUSED,
    async play(page, world) {
      await failed(page, world, 1);
      await choice(page, 1).check();
      await page.context().clearCookies();
      await retry(page).click();
      await page.getByText(ENDED).waitFor();
      assert.equal(await page.getByText("Sign in first.").count(), 0);
      await signInOver(page, world);
      await selected(page, 1);
      await open(page, world, "users");
      await button(page, "Add a user").click();
      const dialog = page.getByRole("dialog");
      await box(dialog, "E-mail").fill(`${world.telegramId}@example.org`);
      await dialog.getByLabel("Password", { exact: true }).fill("a password of a user");
      await page.context().clearCookies();
      await button(dialog, "Save").click();
      await signInOver(page, world);
      await button(dialog, "Save").waitFor();
      assert.equal(await page.getByText("Sign in first.").count(), 0);
    },
  },

  /** A recording that cannot be had says why; one whose session has ended asks to sign in. */
  recordingEnded: {
    expected: [...REFUSED, "status of 503"],
    async play(page, world) {
      await failed(page, world, 1);
      await page.getByRole("link", { name: "no. 1" }).click();
      const recording = button(page, "Recording");
      const refusal = { type: "about:blank", title: "Refused", status: 503, detail: "Try later.", errors: [] };
      await page.route(
        "**/recording",
        (route) =>
          route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify(refusal) }),
        { times: 1 },
      );
      await recording.click();
      await page.getByRole("alert").getByText("Try later.").waitFor();
      await page.context().clearCookies();
      await recording.click();
      await signInOver(page, world);
      const [download] = await Promise.all([page.waitForEvent("download"), recording.click()]);
      assert.match(download.suggestedFilename(), /^recording-\d+\.jsonl$/);
    },
  },

  /** Keys of the chats' list rest while a menu is open; tables say nothing that is not so; dates are clear. */
  small: {
    async play(page, world) {
      for (const user of [1001, 1002]) await say(world, "/sandbox:echo hello", user);
      for (const chat of [1001, 1002]) await said(world, "hello", chat);
      await enter(page, world);
      await open(page, world, `chats/${world.botId}:1001?botId=${world.botId}`);
      await page.getByRole("link", { name: /hello/ }).nth(1).waitFor();
      await button(page, "More about this chat").click();
      await page.getByRole("menu").waitFor();
      await page.keyboard.press("j");
      await page.keyboard.press("k");
      await page.keyboard.press("Escape");
      await page.getByRole("menu").waitFor({ state: "detached" });
      assert.ok(page.url().includes(`${world.botId}:1001`), page.url());

      await open(page, world, `messages?botId=${world.botId}&from=2026-03-08T12:00:00Z`);
      await page.getByRole("link", { name: "hello" }).first().waitFor();
      assert.equal(await page.getByText("No records").count(), 0);
      await page.getByLabel("From", { exact: true }).getByText(/^8 Mar 2026 \d\d:\d\d$/).waitFor();
    },
  },
};

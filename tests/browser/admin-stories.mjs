/** What people do in the Admin Web; each story begins signed out, on a system of its own. */
import assert from "node:assert/strict";
import {
  enter,
  fault,
  heading,
  NARROW,
  open,
  REFUSED,
  said,
  say,
  settled,
  signIn,
  texts,
} from "./admin-hands.mjs";
import { axe, fits, shifts } from "./looks.mjs";

const HTML = '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script>';
const EMOJI = "😀".repeat(2048);

/** Pages that everybody may open, then those for ADMIN. */
const PAGES = ["", "bots", "bots/new", "chats", "messages", "statistics", "api-keys", "account"];
const ADMIN_PAGES = ["jobs", "settings", "users", "audit"];

async function nothingRan(page) {
  assert.equal(await page.evaluate(() => window.ran), undefined, "a text's script ran");
}

async function everyPage(page, world, look) {
  await enter(page, world);
  const paths = [...PAGES, ...ADMIN_PAGES, ...world.more];
  for (const path of paths) {
    await open(page, world, path);
    await settled(page);
    await look(path);
  }
}


export const stories = {
  /** Sign in wrongly, then rightly; make a bot; its first message arrives live and is answered. */
  wizard: {
    expected: [...REFUSED, "status of 422"],
    async play(page, world) {
      await open(page, world, "bots/new");
      await page.getByRole("textbox", { name: "E-mail" }).fill(world.admin.email);
      await page.getByLabel("Password", { exact: true }).fill("wrong password");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").getByText("The e-mail or the password is wrong.").waitFor();
      await page.getByLabel("Password", { exact: true }).fill(world.admin.password);
      await page.keyboard.press("Enter");
      await heading(page, "A new bot");
      await page.getByRole("textbox", { name: "Token" }).fill("no token");
      await page.getByRole("button", { name: "Check the token" }).click();
      await page.locator(".mantine-InputWrapper-error").first().waitFor();
      await page.getByRole("textbox", { name: "Token" }).fill(world.token);
      await page.getByRole("button", { name: "Check the token" }).click();
      await page.getByText(`@${world.username}`).waitFor();
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByRole("textbox", { name: "Instructions" }).fill("Be kind.");
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByRole("button", { name: "Make and switch on" }).click();
      await page.getByText("Waiting for the first message").waitFor();
      await say(world, `/sandbox:echo ${HTML}`);
      await page.getByText("The first message came:").waitFor();
      await page.getByText("It was answered. Your bot is ready.").waitFor();
      await page.getByRole("link", { name: "What happened" }).click();
      await page.getByText("The model answered").waitFor();
      await nothingRan(page);
    },
  },

  /** A message fails and says why; it is tried again, and answered. */
  retry: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "messages?status=TERMINAL");
      await page.getByText("No messages like these").waitFor();
      await fault(world, { kind: "content_filter" });
      await say(world, "/sandbox:echo please answer");
      const link = page.getByRole("link", { name: "please answer" });
      await link.waitFor();
      await link.click();
      await page.getByText("The model did not answer").waitFor();
      await page.getByRole("button", { name: "Retry" }).click();
      await page.getByText("Somebody asked for another try").waitFor();
      await page.getByText("Part 1 of 1 was sent").last().waitFor();
      await page.getByText("answered", { exact: true }).waitFor();
    },
  },

  /** Many are chosen, and tried again together. */
  retryMany: {
    async play(page, world) {
      await fault(world, { kind: "content_filter", times: 2 });
      await say(world, "/sandbox:echo one", 1001);
      await say(world, "/sandbox:echo two", 1002);
      await enter(page, world);
      await open(page, world, "messages");
      await page.getByText("not answered").nth(1).waitFor();
      const boxes = page.getByRole("row").getByRole("checkbox");
      await boxes.nth(1).check();
      await boxes.nth(2).check();
      await page.getByText("2 messages selected. Updates are paused").waitFor();
      await page.getByRole("button", { name: "Retry", exact: true }).click();
      await page.getByText("2 messages are tried again.").waitFor();
      await page.getByText("answered", { exact: true }).nth(1).waitFor();
    },
  },

  /** An operator takes a chat over, writes, and gives it back. */
  operator: {
    async play(page, world) {
      await say(world, "/sandbox:echo hello");
      await say(world, EMOJI, 1002);
      await enter(page, world);
      await open(page, world, "chats");
      await page.getByRole("link", { name: /1001|Person|hello/ }).first().click();
      await page.getByText("hello", { exact: true }).first().waitFor();
      await page.getByRole("button", { name: "Pause the bot" }).click();
      await page.getByText("The bot is paused here").waitFor();
      await page.getByRole("textbox", { name: "Write in the bot's name" }).fill("A person writes.");
      await page.keyboard.press("Enter");
      await said(world, "A person writes.");
      await say(world, "/sandbox:echo unanswered");
      await page.getByText("/sandbox:echo unanswered").first().waitFor();
      await page.getByRole("button", { name: "Resume the bot" }).click();
      await page.getByRole("button", { name: "Pause the bot" }).waitFor();
      await say(world, "/sandbox:echo again");
      await said(world, "again");
      assert.ok(!(await texts(world)).includes("unanswered"), "the paused bot answered");
      await nothingRan(page);
    },
  },

  settings: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "settings");
      const field = page.getByRole("textbox", { name: "What a user reads when an answer fails" });
      await field.fill("Sorry, later.");
      await page.getByRole("textbox", { name: "Chat that gets the alerts" }).fill("not a chat");
      await page.getByRole("button", { name: "Save" }).click();
      await page.locator(".mantine-InputWrapper-error").first().waitFor();
      await page.getByRole("textbox", { name: "Chat that gets the alerts" }).fill("@alerts_chat");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("The settings are saved").waitFor();
      await page.reload();
      assert.equal(await field.inputValue(), "Sorry, later.");
    },
    expected: ["status of 422"],
  },

  /** What a USER does not see. */
  roles: {
    expected: REFUSED,
    async play(page, world) {
      await signIn(page, world, world.user);
      const menu = page.getByRole("navigation").first();
      await menu.getByRole("link", { name: "Bots" }).waitFor();
      for (const hidden of ["Jobs", "Settings", "Users", "Audit"]) {
        assert.equal(await menu.getByRole("link", { name: hidden, exact: true }).count(), 0, hidden);
      }
      for (const path of ADMIN_PAGES) {
        await open(page, world, path);
        await page.getByRole("heading", { name: "403" }).waitFor();
      }
      for (const path of [`bots/${world.botId}`, `chats/${world.botId}:1001`, "messages/999999", "no-such-page"]) {
        await open(page, world, path);
        await page.getByRole("heading", { name: "404" }).waitFor();
      }
    },
  },

  /** A session that ended returns to the sign-in, and then to where one was. */
  session: {
    expected: REFUSED,
    async play(page, world) {
      await signIn(page, world);
      await open(page, world, "messages?status=FAILED");
      await heading(page, "Messages");
      await page.context().clearCookies();
      await page.getByRole("link", { name: "Statistics" }).click();
      await heading(page, "Kotodom GPT");
      await page.getByRole("textbox", { name: "E-mail" }).fill(world.admin.email);
      await page.getByLabel("Password", { exact: true }).fill(world.admin.password);
      await page.keyboard.press("Enter");
      await heading(page, "Statistics");
    },
  },

  /** The API goes and comes back (the test's part, told by lines on stdout and stdin). */
  away: {
    expected: ["status of 5", "ERR_"],
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "bots");
      await heading(page, "Bots");
      console.log("open");
      await page.getByText("Kotodom GPT does not answer").first().waitFor({ timeout: 40_000 });
      console.log("seen");
      await page.getByText("Kotodom GPT does not answer").first().waitFor({ state: "detached", timeout: 60_000 });
      await page.getByRole("link", { name: world.botName }).waitFor();
    },
  },

  /** Live events are interrupted: it shows, and the page asks every 15 s instead. */
  live: {
    expected: ["ERR_FAILED"],
    async play(page, world) {
      await page.route("**/api/events", (route) => route.abort());
      await enter(page, world);
      await open(page, world, "messages");
      await page.getByText("Live updates are interrupted").waitFor();
      await say(world, "/sandbox:echo asked for again");
      await page.getByRole("link", { name: "asked for again" }).waitFor();
      await page.unroute("**/api/events");
      await page.getByText("Live updates are interrupted").waitFor({ state: "detached" });
    },
  },

  /** Two tabs: what is done in one shows in the other; changes that are not saved are not lost. */
  tabs: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, `bots/${world.botId}?tab=settings`);
      const other = await page.context().newPage();
      await open(other, world, `bots/${world.botId}`);
      await other.getByRole("button", { name: "Switch off" }).click();
      await page.getByText("switched off").waitFor();
      await page.getByRole("textbox", { name: "Instructions" }).fill("Half a thought");
      page.once("dialog", (dialog) => dialog.dismiss());
      await page.getByRole("link", { name: "Statistics" }).click();
      assert.match(page.url(), /tab=settings/);
      page.once("dialog", (dialog) => dialog.accept());
      await page.getByRole("link", { name: "Statistics" }).click();
      await heading(page, "Statistics");
    },
  },

  /** By keyboard alone: between chats, into the search and out of it. */
  keyboard: {
    async play(page, world) {
      await say(world, "/sandbox:echo first", 1001);
      await say(world, "/sandbox:echo second", 1002);
      await enter(page, world);
      await open(page, world, `chats?botId=${world.botId}`);
      await page.locator(`a[href*="chats/"]`).nth(1).waitFor();
      await page.keyboard.press("j");
      await page.getByText("The conversation began here.").waitFor();
      const first = page.url();
      await page.keyboard.press("j");
      await page.waitForFunction((before) => location.href !== before, first);
      await page.getByText("The conversation began here.").waitFor();
      await page.keyboard.press("k");
      await page.waitForURL(first);
      await page.keyboard.press("/");
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "INPUT");
      await page.keyboard.press("Escape");
      assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), "INPUT");
    },
  },

  russian: {
    language: "ru",
    look: NARROW,
    async play(page, world) {
      await everyPage(page, world, async (path) => {
        await fits(page, path);
        assert.equal(await page.evaluate(() => document.documentElement.lang), "ru");
        const title = await page.getByRole("heading", { level: 1 }).first().innerText();
        if (!path.includes("/")) assert.match(title, /[а-яё]/i, path);
      });
      await open(page, world, "bots");
      await page.getByRole("button", { name: "Меню" }).click();
      await page.getByRole("link", { name: "Чаты" }).click();
      await heading(page, "Чаты");
    },
  },

  light: {
    async play(page, world) {
      await everyPage(page, world, async (path) => {
        await fits(page, path);
        assert.ok((await shifts(page)) < 0.1, `${path}: it moves while it loads`);
        await axe(page, path);
      });
    },
  },

  dark: {
    look: { colorScheme: "dark" },
    async play(page, world) {
      await everyPage(page, world, (path) => axe(page, path));
    },
  },
};

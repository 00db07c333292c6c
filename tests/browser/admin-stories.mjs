/** What people do in the Admin Web; each story begins signed out, on a system of its own. */
import assert from "node:assert/strict";
import {
  ask,
  enter,
  fault,
  HTML,
  heading,
  NARROW,
  nothingRan,
  open,
  REFUSED,
  said,
  say,
  settled,
  signIn,
  texts,
} from "./admin-hands.mjs";
import { axe, fits, shifts } from "./looks.mjs";

const ANSWER = `## Opening hours

**Opening hours** of _today_, see [the map](https://example.org/map) or [this](javascript:window.ran=1).
![a photo](https://evil.example/photo.png)

| day | from | until | and a column that is wide enough to scroll on a phone |
|---|---|---|---|
| Sunday | 9:00 | 14:00 | no |

- On foot
- By bike

\`\`\`js
let answer = "a line of code that is wider than a phone, and is not broken";
\`\`\`

> Somebody said ${HTML}`;
const EMOJI = "😀".repeat(2048);

/** Pages that everybody may open, then those for ADMIN. */
const PAGES = ["", "bots", "bots/new", "chats", "messages", "statistics", "api-keys", "account"];
const ADMIN_PAGES = ["jobs", "settings", "users", "audit"];

async function everyPage(page, world, look) {
  await enter(page, world);
  const paths = [...PAGES, ...ADMIN_PAGES, ...world.more];
  for (const path of paths) {
    await open(page, world, path);
    await settled(page);
    await look(path);
  }
}
async function everyPageIsWell(page, world) {
  await everyPage(page, world, async (path) => {
    await fits(page, path);
    const moved = await shifts(page);
    assert.ok(moved < 0.1, `${path}: it moves by ${moved} while it loads`);
    await axe(page, path);
  });
}

/** All of it is within the window's width, and visible. */
async function seen(page, locator, what) {
  await locator.waitFor();
  const { x, width } = await locator.boundingBox();
  assert.ok(x >= 0 && x + width <= page.viewportSize().width, `${what}: from ${x} to ${x + width}`);
}

/** Opens the statistics of two days and two bots, such as the API would count. */
async function openStatistics(page, world) {
  const figures = {
    ...{ messages: 5, statuses: { RECEIVED: 0, PROCESSING: 0, COMPLETED: 3, FAILED: 1, TERMINAL: 1 } },
    ...{ answerSecondsP50: 1.5, answerSecondsP95: 2.5, inputTokens: 10, outputTokens: 20, price: 0.01 },
  };
  const days = ["2026-11-26", "2026-11-27"].map((day) => ({ ...figures, day }));
  const bots = ["Murka", "مرحبا"].map((name, botId) => ({ ...figures, name, botId }));
  await page.route("**/api/stats?*", (route) =>
    route.fulfill({ json: { from: "2026-11-26", to: "2026-11-27", total: figures, days, bots } }),
  );
  await open(page, world, "statistics");
  await settled(page);
}

/** What a chart's card holds ends before its padding does. */
async function inCards(page) {
  const spare = await page.locator(".mantine-ChartLegend-legend").evaluateAll((legends) =>
    legends.map((legend) => {
      const card = legend.parentElement;
      const inner = card.getBoundingClientRect().bottom - Number.parseFloat(getComputedStyle(card).paddingBottom);
      return inner - legend.getBoundingClientRect().bottom;
    }),
  );
  assert.ok(spare.length > 0 && Math.min(...spare) >= -1.5, `legends beyond their cards: ${spare}`);
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
      const left = async (locator) => (await locator.boundingBox()).x;
      assert.equal(
        await left(page.getByRole("button", { name: "A Bot API server of your own" })),
        await left(page.getByRole("textbox", { name: "Token" })),
      );
      const step = async (number, name) => {
        const title = page.getByRole("heading", { level: 2, name: `Step ${number} of 4: ${name}` });
        await title.waitFor();
        assert.ok(await title.evaluate((node) => node === document.activeElement), `${name} has no focus`);
        assert.match(await page.locator("[aria-current=step]").innerText(), new RegExp(name));
      };
      await page.getByRole("button", { name: "Next" }).click();
      await step(2, "Model");
      await page.getByRole("textbox", { name: "Instructions" }).fill("Be kind.");
      await page.getByRole("button", { name: "Next" }).click();
      await step(3, "Updates");
      const first = "**/api/processing?*limit=1";
      await page.route(first, (route) =>
        route.fulfill({ status: 422, contentType: "application/problem+json", body: '{"detail": "Not just now."}' }),
      );
      await page.getByRole("button", { name: "Make and switch on" }).click();
      await step(4, "Write to it");
      await page.getByText("Not just now.").waitFor();
      await page.unroute(first);
      const failed = { id: 1, status: "FAILED", text: "hello", terminalReason: null, lastError: "no answer in 60 s" };
      await page.route(first, (route) => route.fulfill({ json: { items: [failed], nextCursor: null } }));
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText("It failed, and is tried again: no answer in 60 s").waitFor();
      await page.unroute(first);
      await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
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

  /** All that filters name are tried again; how many is known before. */
  retryAll: {
    async play(page, world) {
      await fault(world, { kind: "content_filter", times: 2 });
      await say(world, "/sandbox:echo one", 1001);
      await say(world, "/sandbox:echo two", 1002);
      await enter(page, world);
      await open(page, world, `messages?botId=${world.botId}`);
      await page.getByText("not answered").nth(1).waitFor();
      await page.getByRole("button", { name: "Retry all of these" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("Now these are 2 messages.").waitFor();
      await dialog.getByRole("button", { name: "Retry" }).click();
      await page.getByText("2 messages are tried again.").waitFor();
      await page.getByText("answered", { exact: true }).nth(1).waitFor();
      await page.getByRole("button", { name: "Retry all of these" }).click();
      await dialog.getByText("Now there is none.").waitFor();
    },
  },

  /** A held job that no version of this knows says why it is held, and what it carries. */
  heldJob: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "jobs?status=failed");
      await page
        .getByRole("row")
        .filter({ hasText: "somebody.elses" })
        .getByRole("button", { name: "Details" })
        .click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("KeyError: nobody handles it").waitFor();
      const carried = dialog.getByText('"letters"');
      assert.equal(await carried.isVisible(), false);
      await dialog.getByText("What it carries").click();
      await carried.waitFor();
      assert.ok(!(await dialog.innerText()).includes(world.secret), "a secret is shown");
    },
  },

  /** An operator takes a chat over, writes, and gives it back. */
  operator: {
    async play(page, world) {
      await say(world, "/sandbox:echo hello");
      await say(world, EMOJI, 1002);
      await enter(page, world);
      await open(page, world, "chats");
      await page.locator(`[id="chat-${world.botId}:1001"]`).click();
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

  /** A model's Markdown is shown as it is meant, and does nothing; a person's stays as it is. */
  markdown: {
    look: NARROW,
    async play(page, world) {
      const asked = `/sandbox:echo ${ANSWER}`;
      await say(world, asked);
      await enter(page, world);
      await open(page, world, `chats/${world.botId}:1001`);
      const bubble = page.locator('[data-sender="BOT"]');
      await bubble.locator("strong", { hasText: "Opening hours" }).nth(1).waitFor();
      for (const part of ["td >> text=14:00", "pre >> text=let answer", "li >> text=By bike"]) {
        await bubble.locator(part).first().waitFor();
      }
      const [link] = await bubble.locator("a[href]").evaluateAll((links) =>
        links
          .filter(({ host }) => host !== location.host)
          .map(({ href, rel, target }) => ({ href, rel, target })),
      );
      assert.deepEqual(link, { href: "https://example.org/map", rel: "noopener noreferrer", target: "_blank" });
      await bubble.getByText(HTML).waitFor();
      assert.equal(await bubble.locator("img, script, a[href^=javascript]").count(), 0);
      assert.ok((await page.locator('[data-sender="USER"]').innerText()).includes("**Opening hours**"));
      await fits(page, "a chat with wide code");
      await axe(page, "a chat with Markdown");
      await page.getByRole("link", { name: "Timeline" }).click();
      await page.locator("strong", { hasText: "Opening hours" }).nth(1).waitFor();
      await fits(page, "a message with wide code");
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
      const others = ["Jobs", "Settings", "Users", "Audit"];
      const seen = async () => {
        await page.getByRole("link", { name: "Bots" }).waitFor();
        const links = await page.getByRole("navigation").first().getByRole("link").allInnerTexts();
        return others.filter((name) => links.includes(name));
      };
      const manager = { email: `manager-${world.botId}@example.org`, password: "a password of a manager" };
      await enter(page, world);
      await ask(page, world, "POST", "users", { ...manager, role: "MANAGER" });
      await enter(page, world, manager);
      await open(page, world, "jobs");
      await heading(page, "Jobs");
      assert.deepEqual(await seen(), ["Jobs"]);
      for (const path of ["settings", "users", "audit"]) {
        await open(page, world, path);
        await heading(page, "Not for your role");
      }
      await page.context().clearCookies();
      await signIn(page, world, world.user);
      assert.deepEqual(await seen(), []);
      for (const path of ADMIN_PAGES) {
        await open(page, world, path);
        await heading(page, "Not for your role");
      }
      for (const path of [`bots/${world.botId}`, `chats/${world.botId}:1001`, "messages/999999", "no-such-page"]) {
        await open(page, world, path);
        await heading(page, "Not found");
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

  /** Each figure of the overview leads to what it counts, and each row of them is full. */
  overview: {
    async play(page, world) {
      await fault(world, { kind: "content_filter" });
      await say(world, "/sandbox:echo not today");
      await enter(page, world);
      await open(page, world, "");
      await settled(page);
      const main = page.getByRole("main");
      const ends = async () => {
        const cards = await main.locator(".mantine-Grid-col > *").evaluateAll((nodes) =>
          nodes.map((node) => node.getBoundingClientRect()).map(({ top, right }) => ({ top, right })),
        );
        return new Set(cards.filter(({ top }, at) => top !== cards[at + 1]?.top).map(({ right }) => Math.round(right)));
      };
      for (const size of [{ width: 1280, height: 800 }, NARROW]) {
        await page.setViewportSize(size);
        assert.equal((await ends()).size, 1, `${size.width} px: a row of figures has a hole`);
      }
      await main.getByRole("link", { name: "Not answered" }).click();
      await heading(page, "Messages");
      const { status, from } = Object.fromEntries(new URL(page.url()).searchParams);
      assert.equal(status, "TERMINAL");
      assert.equal(from, `${new Date().toISOString().slice(0, 10)}T00:00:00.000Z`);
      await page.getByText("not today").first().waitFor();
      await page.goBack();
      await main.getByRole("link", { name: "Cost today" }).click();
      await heading(page, "Statistics");
    },
  },

  /** On a phone a list shows what it is for, and nothing is cut off. */
  narrowLists: {
    look: NARROW,
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "bots");
      const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: world.botName, exact: true }) });
      await seen(page, row.getByRole("link"), "the bot");
      await seen(page, row.getByText(/answering|connecting/), "the bot's light");
      await open(page, world, "jobs");
      for (const state of ["all", "queued", "running", "held"]) {
        await seen(page, page.getByText(state, { exact: true }).last(), state);
      }
      await page.getByText("running", { exact: true }).last().click();
      await page.waitForURL((url) => url.search === "?status=picked");
      await openStatistics(page, world);
      await inCards(page);
    },
  },

  /** By day and by bot, with all that stands on the axes. */
  charts: {
    async play(page, world) {
      await enter(page, world);
      await openStatistics(page, world);
      for (const part of ["By day", "By bot"]) {
        const region = page.getByRole("region", { name: part });
        await region.locator("svg.recharts-surface").nth(2).waitFor();
        await region.locator(".recharts-bar-rectangle path").first().waitFor();
      }
      const bots = page.getByRole("region", { name: "By bot" }).locator("svg.recharts-surface");
      for (const name of ["Murka", "مرحبا"]) assert.equal(await bots.getByText(name).count(), 3, name);
      const days = page.getByRole("region", { name: "By day" }).locator("svg.recharts-surface");
      for (const day of ["Nov 26", "Nov 27"]) assert.equal(await days.getByText(day).count(), 3, day);
      await inCards(page);
      const minutes = Array.from({ length: 60 }, (_, minute) => ({
        at: new Date(Date.UTC(2026, 10, 27, 11, minute)).toISOString(),
        ended: minute,
      }));
      await page.route("**/api/jobs/stats", (route) =>
        route.fulfill({ json: { counts: [], oldestDueSeconds: null, minutes } }),
      );
      await open(page, world, "jobs");
      const ticks = page.locator(".recharts-yAxis-tick-labels text");
      await ticks.first().waitFor();
      assert.deepEqual(await ticks.allTextContents(), ["0", "15", "30", "45", "60"]);
    },
  },

  /** What was refused says of what, and does not outlive what was done since. */
  refusals: {
    expected: ["status of 409"],
    async play(page, world) {
      const refuse = (route) => {
        const problem = { status: 409, title: "Conflict", detail: "Not just now." };
        return route.fulfill({ status: 409, contentType: "application/problem+json", body: JSON.stringify(problem) });
      };
      await enter(page, world);
      await open(page, world, `bots/${world.botId}`);
      const alert = page.getByRole("main").getByRole("alert");
      await page.route("**/disable", refuse);
      await page.getByRole("button", { name: "Switch off" }).click();
      await alert.getByText("Not just now.").waitFor();
      await ask(page, world, "POST", `bots/${world.botId}/disable`);
      await page.getByRole("button", { name: "Switch on" }).click();
      await page.getByRole("button", { name: "Switch off" }).waitFor();
      assert.equal(await alert.count(), 0, "the first refusal is still there");

      const at = new Date().toISOString();
      const job = { chatId: null, effect: null, payload: "", attempts: 0, createdAt: at, nextAt: at };
      const items = [71, 72].map((id) => ({
        ...job,
        ...{ id, entrypoint: "a.kind", status: "queued", heartbeatAt: null, worker: null, error: null },
      }));
      await page.route(/\/api\/jobs(\?|$)/, (route) => route.fulfill({ json: { items, nextCursor: null } }));
      await page.route("**/api/jobs/71/requeue", refuse);
      await open(page, world, "jobs");
      await page.getByRole("button", { name: "Run now" }).first().click();
      await page.getByText("Job 71: Not just now.").waitFor();
      assert.equal(await alert.count(), 0, "a refusal without the job's number");
    },
  },

  /** What comes late finds its place kept, on a phone as well. */
  keptPlaces: {
    look: NARROW,
    async play(page, world) {
      await say(world, "/sandbox:echo hello");
      await said(world, "hello");
      await enter(page, world);
      await ask(page, world, "PATCH", `bots/${world.botId}`, { name: "Бот с именем на целую строку" });
      const late = /\/api\/(jobs\/stats|stats\?.*|bots\?limit.*|bots\/\d+\/telegram)$/;
      await page.route(late, async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 700));
        await route.continue();
      });
      for (const path of ["", "jobs", `bots/${world.botId}`, `chats/${world.botId}:1001`]) {
        await open(page, world, path);
        await page.waitForResponse(late);
        await settled(page);
        const moved = await shifts(page);
        assert.ok(moved < 0.02, `${path}: it moves by ${moved}`);
      }
    },
  },

  /** Filters and groups of fields stand in line; a bot that is not there is not found. */
  inLine: {
    async play(page, world) {
      const edges = (locator, edge) =>
        locator.evaluateAll((nodes, edge) => nodes.map((node) => node.getBoundingClientRect()[edge]), edge);
      await enter(page, world);
      await open(page, world, "messages");
      await settled(page);
      const filters = await edges(page.getByRole("search").locator("label"), "top");
      assert.equal(filters.length, 5);
      assert.equal(new Set(filters).size, 1, `filters at ${filters}`);
      await page.getByRole("combobox", { name: "Bot" }).fill("no bot is called that");
      await page.getByText("No bot of that name.").waitFor();

      await open(page, world, `bots/${world.botId}?tab=settings`);
      await settled(page);
      const form = page.locator("form");
      const [name] = await edges(form.getByRole("textbox", { name: "Name" }), "left");
      for (const group of await edges(form.locator("fieldset"), "left")) assert.equal(group, name);
    },
  },

  /** The inbox is the page, a chat a part of it, wide and narrow. */
  chatHeadings: {
    async play(page, world) {
      await say(world, "/sandbox:echo hello");
      await said(world, "hello");
      await enter(page, world);
      for (const size of [{ width: 1280, height: 800 }, NARROW]) {
        await page.setViewportSize(size);
        await open(page, world, `chats/${world.botId}:1001`);
        await page.getByRole("heading", { level: 2 }).waitFor();
        const headings = await page.getByRole("heading").evaluateAll((nodes) => nodes.map(({ tagName }) => tagName));
        assert.deepEqual(headings, ["H1", "H2"], `${size.width} px`);
        assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "Chats");
        await axe(page, "a chat's headings");
      }
    },
  },

  /** What Telegram has of a bot: its name, and what waits and went wrong there. */
  atTelegram: {
    async play(page, world) {
      const webhook = {
        url: "https://bots.example.org/webhook/1",
        pendingUpdateCount: 12345,
        lastErrorAt: new Date().toISOString(),
        lastErrorMessage: "Connection refused",
      };
      await page.route("**/api/bots/*/telegram", (route) =>
        route.fulfill({ json: { username: "murka_bot", name: "Мурка", webhook, error: null } }),
      );
      await enter(page, world);
      await open(page, world, `bots/${world.botId}`);
      for (const [name, value] of [
        ["Name", "Мурка @murka_bot"],
        ["Webhook", webhook.url],
        ["Waiting at Telegram", "12,345"],
        ["Last error", "Connection refused"],
      ]) {
        const row = page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });
        await row.getByText(value).waitFor();
      }
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
    play: everyPageIsWell,
  },

  lightNarrow: {
    look: NARROW,
    play: everyPageIsWell,
  },

  dark: {
    look: { colorScheme: "dark" },
    async play(page, world) {
      await everyPage(page, world, (path) => axe(page, path));
    },
  },
};

/** What holds on every page of the Admin Web: sessions, connections, menus, and how it all looks. */
import assert from "node:assert/strict";
import { ask, enter, fillIn, heading, NARROW, open, REFUSED, said, say, settled, signIn } from "./admin-hands.mjs";
import { axe } from "./looks.mjs";

const AWAY = "Kotodom GPT does not answer. This page comes back by itself";
const ENDED = "Your session has ended.";
const SORRY = "What a user reads when an answer fails";

const problem = (status, detail, headers = {}) => ({
  status,
  contentType: "application/problem+json",
  headers,
  body: JSON.stringify({ status, title: "Refused", detail }),
});

/** As one who comes back from another window. */
const lookAgain = (page) => page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));

/** Says no to the page's question, or yes; a second question is a fault. */
function answerOnce(page, answer) {
  page.once("dialog", (dialog) => dialog[answer]());
}

async function isFocused(page, locator, what) {
  const focused = await locator.evaluate((node) => node === document.activeElement);
  assert.ok(focused, `${what} has no focus, but ${await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))}`);
}

/** Every state that a page shows only when somebody asks for it. */
async function states(page, world) {
  await say(world, "/sandbox:echo a message");
  await enter(page, world);

  await open(page, world, `messages?botId=${world.botId}`);
  await page.getByRole("row").getByRole("checkbox").nth(1).check();
  await axe(page, "a selected row");
  await page.getByLabel("From", { exact: true }).click();
  await page.getByRole("dialog", { name: "From" }).waitFor();
  await faded(page);
  await axe(page, "the date picker");

  await open(page, world, "users");
  await settled(page);
  await page.getByRole("button", { name: "Add a user" }).click();
  await page.getByRole("dialog").waitFor();
  await faded(page);
  await axe(page, "a dialog");

  await open(page, world, `chats/${world.botId}:1001`);
  await settled(page);
  await page.getByRole("button", { name: "More about this chat" }).click();
  await page.getByRole("menu").waitFor();
  await faded(page);
  await axe(page, "the chat's menu");
  await page.keyboard.press("ArrowUp");
  await isFocused(page, page.getByRole("menuitem", { name: "Delete the chat" }), "the menu's last item");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await faded(page);
  await axe(page, "a question with a red button");

  await page.setViewportSize(NARROW);
  await open(page, world, "statistics");
  await settled(page);
  await axe(page, "narrow tables");

  await open(page, world, "account");
  await page.route("**/api/auth/logout", (route) => route.fulfill({ status: 502 }));
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are still signed in").waitFor();
  await faded(page);
  await axe(page, "a notification");
}

/** Nothing is on its way in or out: a half transparent text has no contrast yet. */
const faded = (page) =>
  page.waitForFunction(() => {
    const over = [...document.querySelectorAll("[role=dialog], [role=menu], [role=alert]")];
    return (
      over.every((node) => getComputedStyle(node).opacity === "1") &&
      document.getAnimations().every(({ playState }) => playState !== "running")
    );
  });

export const shell = {
  /** A session ends under a form that is not saved: no question, nothing lost. */
  sessionOverForm: {
    expected: REFUSED,
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "settings");
      page.on("dialog", () => assert.fail("a question nobody can answer"));
      const field = page.getByRole("textbox", { name: SORRY });
      await field.fill("Saved after all");
      await page.context().clearCookies();
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(ENDED).waitFor();
      assert.equal(await page.getByLabel("E-mail").inputValue(), world.admin.email);
      await page.getByLabel("Password", { exact: true }).fill(world.admin.password);
      await page.keyboard.press("Enter");
      await page.getByText(ENDED).waitFor({ state: "detached" });
      assert.equal(await field.inputValue(), "Saved after all");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("The settings are saved").waitFor();
    },
  },

  /** Signing out asks first, once; the sign-in is not for who is signed in. */
  signOut: {
    expected: REFUSED,
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "sign-in");
      await heading(page, "Overview");
      await page.getByText("Messages today (UTC)").waitFor();
      await open(page, world, "settings");
      const field = page.getByRole("textbox", { name: SORRY });
      await field.fill("Never saved");
      answerOnce(page, "dismiss");
      await page.getByRole("button", { name: "Sign out" }).click();
      assert.equal(await field.inputValue(), "Never saved");
      assert.equal((await page.request.get(`${world.base}/api/auth/me`)).status(), 200);
      answerOnce(page, "accept");
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByText("Signing in for the first time?").waitFor();
      assert.equal(await page.title(), "Sign in · Kotodom GPT");
      assert.equal((await page.request.get(`${world.base}/api/auth/me`)).status(), 401);
    },
  },

  /** The session ends in two tabs: signing in in one is enough for both. */
  twoTabsEnded: {
    expected: REFUSED,
    async play(page, world) {
      await enter(page, world);
      const other = await page.context().newPage();
      const tabs = [page, other];
      for (const tab of tabs) {
        await open(tab, world, "bots");
        await settled(tab);
      }
      await page.context().clearCookies();
      for (const tab of tabs) {
        await tab.getByRole("link", { name: "Statistics" }).click();
        await tab.getByText(ENDED).waitFor();
      }
      await page.getByLabel("Password", { exact: true }).fill(world.admin.password);
      await page.keyboard.press("Enter");
      await page.getByText(ENDED).waitFor({ state: "detached" });
      await lookAgain(other);
      await other.getByText(ENDED).waitFor({ state: "detached" });
      await heading(other, "Statistics");
    },
  },

  /** What is still asked for on the way out is refused: who signs in again is not asked twice. */
  signOutAndIn: {
    expected: REFUSED,
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "account");
      await heading(page, "My account");
      // Slow, so that the page that is left still asks who one is.
      await page.route("**/api/auth/me", async (route) => {
        await new Promise((later) => setTimeout(later, 300));
        await route.continue();
      });
      const out = page.waitForResponse("**/api/auth/logout");
      await page.getByRole("button", { name: "Sign out" }).click();
      await out;
      await lookAgain(page);
      await fillIn(page, world.admin);
      await heading(page, "Overview");
      await settled(page);
      assert.equal(await page.getByText(ENDED).count(), 0, "asked to sign in once more");
    },
  },

  /** A newer build has taken this one's files away: a language says so, a session can be gone on with. */
  upgraded: {
    expected: [...REFUSED, "Failed to fetch dynamically imported module"],
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "account");
      await settled(page);
      await page.route("**/admin/assets/**", (route) => route.fulfill({ status: 404, body: "" }));
      await page.getByText("Русский").click();
      await page.getByRole("alert").getByText("The language could not be fetched.").waitFor();
      assert.equal(await page.evaluate(() => localStorage.getItem("kotodom.language")), "en");
      await page.unroute("**/admin/assets/**");
      await open(page, world, "settings");
      await settled(page);
      const field = page.getByRole("textbox", { name: SORRY });
      await field.fill("Half a thought");
      await page.route("**/admin/assets/**", (route) => route.fulfill({ status: 404, body: "" }));
      await page.context().clearCookies();
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(ENDED).waitFor();
      await page.getByLabel("Password", { exact: true }).fill(world.admin.password);
      await page.keyboard.press("Enter");
      await page.getByText(ENDED).waitFor({ state: "detached" });
      assert.equal(await field.inputValue(), "Half a thought");
    },
  },

  /** The tab is closed or loaded anew over what is not saved: the browser asks. */
  closing: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "settings");
      const field = page.getByRole("textbox", { name: SORRY });
      await field.click();
      // A browser asks only where somebody has typed.
      await page.keyboard.type("!");
      const asked = new Promise((resolve) => {
        page.once("dialog", async (dialog) => {
          await dialog.accept();
          resolve(dialog.type());
        });
      });
      await page.reload();
      assert.equal(await Promise.race([asked, "nobody asked"]), "beforeunload");
    },
  },

  /** The first page, as it is sent: small, and in few files, in both languages. */
  firstLoad: {
    async play(page, world) {
      await enter(page, world);
      for (const language of ["en", "ru"]) {
        await page.addInitScript((now) => localStorage.setItem("kotodom.language", now), language);
        await open(page, world, "");
        await settled(page);
        assert.equal(await page.evaluate(() => document.documentElement.lang), language);
        const scripts = await page.evaluate(() =>
          performance
            .getEntriesByType("resource")
            .filter(({ name }) => name.endsWith(".js"))
            .map(({ encodedBodySize }) => encodedBodySize),
        );
        const bytes = scripts.reduce((sum, size) => sum + size, 0);
        assert.ok(bytes > 100_000 && bytes < 250_000, `${language}: ${bytes} bytes of script`);
        assert.ok(scripts.length <= 10, `${language}: ${scripts.length} scripts`);
      }
    },
  },

  /** A list that is refused says so once. */
  refusedOnce: {
    expected: ["status of 422"],
    async play(page, world) {
      await page.route(/api\/(bots|processing\/failures)/, (route) => route.fulfill(problem(422, "A bug.")));
      await enter(page, world);
      await open(page, world, "");
      for (const name of ["Bots", "What failed"]) {
        const list = page.getByRole("region", { name, exact: true });
        await list.getByRole("alert").waitFor();
        await list.getByRole("button", { name: "Try again" }).waitFor();
      }
    },
  },

  /** From the menu a keyboard goes on in the page, whose name is said. */
  wideMenu: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "account");
      await heading(page, "My account");
      await page.getByRole("link", { name: "Statistics" }).focus();
      await page.keyboard.press("Enter");
      await heading(page, "Statistics");
      await page.waitForFunction(() => document.activeElement === document.querySelector("main"));
      await page.locator("[aria-live=polite]").getByText("Statistics · Kotodom GPT").waitFor();
    },
  },

  /** A page that breaks says so in words, and can be loaded again. */
  brokenPage: {
    expected: ["TypeError", "Cannot read properties of null"],
    async play(page, world) {
      const list = "**/api/audit*";
      await page.route(list, (route) => route.fulfill({ json: { items: [null], nextCursor: null } }));
      await enter(page, world);
      await open(page, world, "audit");
      await heading(page, "This page broke");
      assert.equal(await page.title(), "This page broke · Kotodom GPT");
      await page.unroute(list);
      await page.getByRole("button", { name: "Load again" }).click();
      await heading(page, "Audit");
    },
  },

  /** A page of a proxy's in place of an answer: the form beneath stays, and all is well by itself. */
  proxyPage: {
    async play(page, world) {
      const bot = `**/api/bots/${world.botId}`;
      await enter(page, world);
      await open(page, world, `bots/${world.botId}?tab=settings`);
      const field = page.getByRole("textbox", { name: "Instructions", exact: true });
      await field.fill("Half a thought");
      await page.route("**/health", (route) => route.fulfill({ status: 502, body: "<html>" }));
      await page.route(bot, (route) =>
        route.request().method() === "GET"
          ? route.fulfill({ contentType: "text/html", body: "<html>" })
          : route.continue(),
      );
      await ask(page, world, "PATCH", `bots/${world.botId}`, { helpText: "In another tab" });
      await page.getByText(AWAY).waitFor();
      await page.unrouteAll();
      await page.getByText(AWAY).waitFor({ state: "detached" });
      assert.equal(await field.inputValue(), "Half a thought");
    },
  },

  /** Somebody else signs in in another tab: this one becomes theirs. */
  otherPerson: {
    expected: REFUSED,
    async play(page, world) {
      await signIn(page, world);
      await enter(page, world, world.user);
      await page.getByRole("link", { name: "Users" }).click();
      await heading(page, "Not for your role");
      assert.equal(await page.title(), "Not for your role · Kotodom GPT");
      await page.getByText(world.user.email).waitFor();
      assert.equal(await page.getByRole("link", { name: "Users" }).count(), 0);
    },
  },

  /** Seven tabs, one of them seen: none takes a connection from the others. */
  sevenTabs: {
    async play(page, world) {
      const context = page.context();
      await context.addInitScript(() => {
        let state = "visible";
        Object.defineProperty(document, "visibilityState", { get: () => state });
        window.show = (now) => {
          state = now;
          document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        };
      });
      await enter(page, world);
      await open(page, world, `messages?botId=${world.botId}`);
      await heading(page, "Messages");
      for (let tab = page, opened = 1; opened < 8; opened += 1) {
        await tab.evaluate(() => window.show("hidden"));
        tab = await context.newPage();
        await open(tab, world, "bots");
        await tab.getByRole("link", { name: world.botName }).waitFor({ timeout: 10_000 });
      }
      await say(world, "/sandbox:echo while nobody looked");
      await page.evaluate(() => window.show("visible"));
      await page.getByRole("link", { name: "while nobody looked" }).waitFor();
    },
  },

  /** The menu of a narrow screen, by keyboard. */
  narrowMenu: {
    look: NARROW,
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "account");
      await heading(page, "My account");
      const burger = page.getByRole("button", { name: "Menu" });
      const first = page.getByRole("link", { name: "Overview" });
      await burger.focus();
      await page.keyboard.press("Tab");
      const within = (id) => page.evaluate((id) => document.activeElement?.closest(id) !== null, id);
      assert.ok(await within("main"), "the closed menu took the keyboard");
      await burger.focus();
      await page.keyboard.press("Enter");
      await first.waitFor();
      await page.keyboard.press("Tab");
      await isFocused(page, first, "the menu's first link");
      await page.keyboard.press("Escape");
      await first.waitFor({ state: "hidden" });
      await isFocused(page, burger, "the menu's button");
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: "Bots" }).click();
      await heading(page, "Bots");
      await first.waitFor({ state: "hidden" });
      assert.ok(await within("main"), "the page has no focus");
    },
  },

  statesLight: { expected: ["status of 502"], play: states },
  statesDark: { expected: ["status of 502"], look: { colorScheme: "dark" }, play: states },

  /** The calendar speaks Russian. */
  calendar: {
    language: "ru",
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "messages?from=2026-11-27T10:00:00Z");
      await page.getByLabel("С", { exact: true }).click();
      const dialog = page.getByRole("dialog", { name: "С", exact: true });
      await dialog.getByText(/ноябрь 2026/i).waitFor();
      await dialog.getByText(/^пн$/i).first().waitFor();
    },
  },

  /** Who one is cannot be asked at first: it says so, and comes back by itself. */
  meAway: {
    expected: ["status of 503", "Valkey is away."],
    async play(page, world) {
      await enter(page, world);
      await page.route("**/api/auth/me", (route) => route.fulfill(problem(503, "Valkey is away.")));
      await open(page, world, "bots");
      await page.getByRole("alert").getByText("Valkey is away.").waitFor();
      await page.getByRole("button", { name: "Try again" }).waitFor();
      await page.unroute("**/api/auth/me");
      await heading(page, "Bots");
    },
  },

  /** What the API refuses is no reason to say that it is away; what a gateway says is. */
  gateway: {
    expected: ["status of 502", "status of 503"],
    async play(page, world) {
      await enter(page, world);
      let asked = 0;
      page.on("request", (request) => {
        if (request.url().includes("/api/")) asked += 1;
      });
      const telegram = "**/api/bots/*/telegram";
      await page.route(telegram, (route) => route.fulfill(problem(503, "Ask later.", { "Retry-After": "20" })));
      await open(page, world, `bots/${world.botId}`);
      await page.getByText("Ask later. Ask again in 20 seconds.").waitFor();
      assert.equal(await page.getByText(AWAY).count(), 0);
      assert.ok(asked < 15, `it asked ${asked} times`);
      await page.route("**/health", (route) => route.fulfill({ status: 502, body: "<html>" }));
      await page.route(telegram, (route) => route.fulfill({ status: 502, body: "<html>" }));
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText(AWAY).waitFor();
      await page.unrouteAll();
      await page.getByText(AWAY).waitFor({ state: "detached" });
      await page.getByText("Ask later.").waitFor({ state: "detached" });
    },
  },

  /** A connection that is open and dead is noticed; what is never answered is asked again. */
  silence: {
    async play(page, world) {
      await page.clock.install();
      await page.addInitScript(() => {
        AbortSignal.timeout = (ms) => {
          const ends = new AbortController();
          setTimeout(() => ends.abort(new DOMException("", "TimeoutError")), ms);
          return ends.signal;
        };
      });
      await enter(page, world);
      await open(page, world, "bots");
      await page.getByRole("link", { name: world.botName }).waitFor();
      const neverAnswered = async (path, ask) => {
        await page.route(path, () => {});
        await Promise.all([page.waitForRequest(path), ask()]);
      };
      await neverAnswered("**/health", () => page.clock.runFor(30_000));
      await page.clock.runFor(10_000);
      await page.getByText(AWAY).waitFor();
      await page.unroute("**/health");
      await page.clock.runFor(3_000);
      await page.getByText(AWAY).waitFor({ state: "detached" });
      const audit = "**/api/audit*";
      await neverAnswered(audit, () => page.getByRole("link", { name: "Audit" }).click());
      await Promise.all([page.waitForRequest(audit), page.clock.runFor(31_000)]);
    },
  },

  /** "Show more" that fails says so, and so does a filter's bot that is not in the list. */
  moreFails: {
    expected: ["status of 422"],
    async play(page, world) {
      await enter(page, world);
      await page.route("**/api/audit*", async (route) => {
        if (route.request().url().includes("cursor")) return route.fulfill(problem(422, "A bug."));
        const response = await route.fetch();
        return route.fulfill({ response, json: { ...(await response.json()), nextCursor: "more" } });
      });
      await open(page, world, "audit");
      await page.getByRole("button", { name: "Show more" }).click();
      await page.getByRole("alert").getByText("A bug.").waitFor();
      await page.getByRole("row").nth(1).waitFor();
      await page.getByRole("button", { name: "Try again" }).waitFor();
      await open(page, world, "messages?botId=999999");
      await page.waitForFunction(() => [...document.querySelectorAll("input")].some(({ value }) => value === "bot 999999"));
    },
  },

  /** However many pages of a list are there, a new message asks for the first alone. */
  longList: {
    async play(page, world) {
      await enter(page, world);
      const list = /api\/processing\?/;
      const asked = [];
      page.on("request", (request) => {
        if (list.test(request.url())) asked.push(request.url());
      });
      // Pages of two: ours are of fifty.
      await page.route(list, (route) => route.continue({ url: `${route.request().url()}&limit=2` }));
      for (const text of ["one", "two", "three", "four", "five", "six", "seven"]) {
        await say(world, `/sandbox:echo ${text}`);
      }
      await open(page, world, `messages?botId=${world.botId}&status=COMPLETED`);
      for (const text of ["seven", "five", "three", "one"]) {
        await page.getByRole("link", { name: text }).waitFor();
        if (text !== "one") await page.getByRole("button", { name: "Show more" }).click();
      }
      asked.length = 0;
      await say(world, "/sandbox:echo eight");
      await page.getByRole("link", { name: "eight" }).waitFor();
      await page.getByRole("link", { name: "one" }).waitFor();
      assert.equal(await page.getByRole("row").count(), 9);
      assert.deepEqual(asked.filter((url) => url.includes("cursor=")), [], "it asked for later pages");
    },
  },

  /** A page whose code is slow shows that it comes. */
  slowPage: {
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "");
      await settled(page);
      let answer;
      const answered = new Promise((resolve) => {
        answer = resolve;
      });
      await page.route("**/assets/*.js", async (route) => {
        await answered;
        await route.continue();
      });
      await page.getByRole("link", { name: "Statistics" }).click();
      await page.locator("main [aria-busy=true]").waitFor();
      answer();
      await heading(page, "Statistics");
    },
  },

  /** A banner takes its place from the conversation, not from the field to write in. */
  chatBanner: {
    expected: ["ERR_FAILED"],
    async play(page, world) {
      await page.route("**/api/events", (route) => route.abort());
      await say(world, "/sandbox:echo hello");
      await enter(page, world);
      await open(page, world, `chats/${world.botId}:1001`);
      await page.getByText("Live updates are interrupted").waitFor();
      await page.getByRole("button", { name: "Send" }).waitFor();
      const below = await page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight);
      assert.ok(below <= 0, `the page is ${below} px too tall`);
    },
  },

  /** The API is away when a page's files are wanted: it says so, and the page comes by itself. */
  filesAway: {
    expected: ["ERR_FAILED", "ERR_CONNECTION_REFUSED", "Lost: "],
    async play(page, world) {
      await enter(page, world);
      for (const name of ["Statistics", "Audit"]) {
        await open(page, world, "account");
        await settled(page);
        const url = (path) => `${world.base}${path}`;
        for (const path of ["/admin/**", "/api/**", "/health"]) await page.route(url(path), (route) => route.abort());
        await page.getByRole("link", { name }).click();
        await page.getByText(AWAY).waitFor();
        await page.locator("main").getByRole("alert").getByText("Try again in a moment.").waitFor();
        assert.equal(await page.getByRole("heading", { name: "This page broke" }).count(), 0);
        await page.unrouteAll();
        await heading(page, name);
        await page.getByText(AWAY).waitFor({ state: "detached" });
      }
    },
  },

  /** A newer build has taken a page's file away: the page is loaded anew, once; then it says so. */
  fileGone: {
    expected: ["status of 404", "Lost: "],
    async play(page, world) {
      const gone = "**/admin/assets/statistics-*.js";
      let loads = 0;
      page.on("load", () => {
        loads += 1;
      });
      await enter(page, world);
      await open(page, world, "account");
      await settled(page);
      await page.route(gone, (route) => route.fulfill({ status: 404, body: "" }));
      await page.getByRole("link", { name: "Statistics" }).click();
      await heading(page, "This page broke");
      assert.equal(loads, 2);
      await page.unroute(gone);
      await page.getByRole("button", { name: "Load again" }).click();
      await heading(page, "Statistics");
    },
  },

  /** A browser that keeps nothing for us, and says so by throwing. */
  nothingKept: {
    async play(page, world) {
      await page.addInitScript(() => {
        const refuse = () => {
          throw new DOMException("", "SecurityError");
        };
        for (const kept of ["localStorage", "sessionStorage"]) Object.defineProperty(window, kept, { get: refuse });
      });
      await enter(page, world);
      await open(page, world, "account");
      await page.getByText("Русский").click();
      await heading(page, "Моя учётная запись");
      await page.getByText("Тёмное").click();
      await page.locator("html[data-mantine-color-scheme=dark]").waitFor();
    },
  },

  /** The browser's clock is hours behind: what has just come has just come. */
  wrongClock: {
    async play(page, world) {
      await say(world, "/sandbox:echo just now");
      await said(world, "just now");
      await page.clock.install({ time: Date.now() - 5 * 3_600_000 });
      await enter(page, world);
      await open(page, world, `messages?botId=${world.botId}`);
      const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: "just now" }) });
      await row.getByText(/^now$|^\d+ seconds? ago$/).first().waitFor();
    },
  },

  /** Who has signed in over a page is where they were: in its dialog, without an old refusal. */
  wayBack: {
    expected: REFUSED,
    async play(page, world) {
      const signInOver = async (act) => {
        await page.context().clearCookies();
        await act();
        await page.getByText(ENDED).waitFor();
        await page.getByLabel("Password", { exact: true }).last().fill(world.admin.password);
        await page.keyboard.press("Enter");
        await page.getByText(ENDED).waitFor({ state: "detached" });
      };
      const isWithin = (selector) =>
        page.waitForFunction((selector) => document.activeElement?.closest(selector), selector);
      await enter(page, world);
      await open(page, world, "account");
      await settled(page);
      await signInOver(() => page.getByRole("link", { name: "Statistics" }).click());
      await heading(page, "Statistics");
      await isWithin("a, #page");
      await open(page, world, "users");
      await settled(page);
      await page.getByRole("button", { name: "Add a user" }).click();
      const dialog = page.getByRole("dialog", { name: "Add a user" });
      await dialog.getByLabel("E-mail").fill(`never-made-${world.botId}@example.org`);
      await dialog.getByLabel("Password", { exact: true }).fill("a password of nobody");
      await signInOver(() => page.keyboard.press("Enter"));
      await isWithin("[role=dialog]");
      assert.equal(await page.getByText("Sign in first").count(), 0, "an old refusal is left");
    },
  },

  /** Lists that are open, and pages without the menu: axe finds nothing, and nothing is cut off. */
  landmarks: {
    expected: [...REFUSED, "status of 503", "Valkey is away."],
    async play(page, world) {
      await enter(page, world);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await open(page, world, "statistics");
        await page.getByRole("combobox", { name: "Days (UTC)" }).click();
        await page.getByRole("option").first().waitFor();
        await faded(page);
        await axe(page, `an open list, ${colorScheme}`);
        await open(page, world, "users");
        await settled(page);
        await page.getByRole("button", { name: "Add a user" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByRole("combobox", { name: "Role" }).click();
        await dialog.getByRole("option").last().waitFor();
        await faded(page);
        await axe(page, `an open list in a dialog, ${colorScheme}`);
        await dialog.getByRole("option").last().click();
        for (const path of ["nope", "users/1"]) {
          await open(page, world, path);
          await heading(page, "Not found");
          await page.getByRole("link", { name: "Statistics" }).waitFor();
          await axe(page, `${path}, ${colorScheme}`);
        }
      }
      await page.route("**/api/auth/me", (route) => route.fulfill(problem(503, "Valkey is away.")));
      await open(page, world, "bots");
      await page.locator("main").getByText("Valkey is away.").waitFor();
      // It has no heading: it is a moment's page.
      await axe(page, "without the menu", { rules: { "page-has-heading-one": { enabled: false } } });
    },
  },

  /** On paper the page alone; in few colours what is open and what a chart's colours mean. */
  otherMedia: {
    async play(page, world) {
      await say(world, "/sandbox:echo on paper");
      await said(world, "on paper");
      await enter(page, world);
      await open(page, world, `chats/${world.botId}:1001`);
      const row = page.locator("a[aria-current=page]", { hasText: "on paper" });
      const outline = (locator) => locator.evaluate((node) => getComputedStyle(node).outlineStyle);
      await row.waitFor();
      assert.equal(await outline(row), "none");
      await page.emulateMedia({ forcedColors: "active" });
      assert.equal(await outline(row), "solid");
      assert.equal(await outline(page.getByRole("link", { name: "Chats", exact: true })), "solid");
      assert.equal(await outline(page.getByRole("link", { name: "Bots", exact: true })), "none");
      await open(page, world, "statistics");
      await settled(page);
      const colours = await page
        .locator(".mantine-ColorSwatch-colorOverlay")
        .evaluateAll((swatches) => new Set(swatches.map((node) => getComputedStyle(node).backgroundColor)).size);
      assert.ok(colours >= 5, `the legends have ${colours} colours`);
      await page.emulateMedia({ forcedColors: "none", media: "print" });
      await page.getByRole("navigation").first().waitFor({ state: "hidden" });
      await page.getByRole("banner").waitFor({ state: "hidden" });
      await page.waitForFunction(() => getComputedStyle(document.querySelector("main")).padding === "0px");
    },
  },
};

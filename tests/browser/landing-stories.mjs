/** What people see of the Landing Web, and do in it. `world` is {base, pages: every page's path}. */
import assert from "node:assert/strict";
import { axe, fits, shifts } from "./looks.mjs";

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };
const FOUR_K = { width: 3840, height: 2160 };
/** A4 between its margins, in CSS pixels. */
const PAPER = { width: 720, height: 1040 };
/** Of axe's rules those that the same page, narrow and dark, may break. */
const DIFFERENT = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"];
const SETTLE_MS = 60;
/** What moves less than this is a rounding of pixels. */
const STILL = 0.001;

/** One page of each kind. */
const kinds = ({ pages }) => ["/", "/ru/", "/docs/", pages.find((path) => /docs\/.+\//.test(path))];

async function everyPage(page, world, paths, look) {
  page.on("request", (request) => {
    assert.equal(new URL(request.url()).origin, world.base, `${page.url()} asks another host`);
  });
  for (const path of paths) {
    await page.goto(world.base + path);
    await look(path);
  }
  assert.deepEqual(await page.context().cookies(), [], "a cookie was set");
}

/** It is no wider than the window, and nothing moves, nor when its pictures come into sight. */
async function stands(page, where) {
  for (const picture of await page.locator("img").all()) await picture.scrollIntoViewIfNeeded();
  await fits(page, where);
  assert.ok((await shifts(page, SETTLE_MS)) < STILL, `${where}: it moves while it loads`);
}

async function textTwiceAsLarge(page, look) {
  const size = (size) => page.evaluate((size) => (document.documentElement.style.fontSize = size), size);
  await size("200%");
  await look();
  await size("");
}

/** What would be printed is all there, without what is only of use on a screen. */
async function prints(page, where) {
  await fits(page, `${where}, printed`);
  const useless = page.locator("header nav, .aside, .search, .copy, .neighbours, figcaption a");
  assert.equal(await useless.locator("visible=true").count(), 0, `${where}: nobody can press paper`);
  const cut = await page.locator("pre, .scroll, .shots").evaluateAll((all) =>
    all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent.slice(0, 80)),
  );
  assert.deepEqual(cut, [], `${where}: cut off at the paper's edge`);
  assert.equal(await background(page), "rgb(255, 255, 255)", `${where}: ink all over the paper`);
}

const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

const focused = (page) => page.evaluate(() => document.activeElement?.tagName);

async function searches(page, world, list, word) {
  await page.goto(world.base + list);
  await page.locator(".scripted").waitFor();
  await page.keyboard.press("/");
  assert.equal(await focused(page), "INPUT");
  await page.keyboard.type(word);
  const first = page.locator(".search li a").first();
  await first.waitFor();
  assert.match((await first.textContent()).toLowerCase(), new RegExp(word.slice(0, 6)));
  const said = page.getByRole("status");
  assert.match(await said.textContent(), /^(Found|Найдено): [1-8]$/);
  assert.ok((await said.boundingBox()).width <= 1, "what is only said is seen");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "A");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "INPUT");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname.startsWith(list) && url.pathname !== list);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.goBack();
  await page.locator(".search input").fill("zzzzqqqq");
  await page.locator(".search output:not(:empty, .unseen)").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".search input").inputValue(), "");
}

/** In Safari on macOS a mouse gives a link no focus, but what is around it and can have it. */
async function opensByMouse(page, world) {
  await page.goto(`${world.base}/docs/`);
  await page.locator(".scripted").waitFor();
  await page.evaluate(() => {
    document.addEventListener("mousedown", (event) => {
      if (event.defaultPrevented || !event.target.closest("a")) return;
      event.preventDefault();
      document.querySelector("main").focus();
    });
  });
  await page.locator(".search input").fill("backup");
  await page.locator(".search li a").first().click({ delay: SETTLE_MS });
  await page.waitForURL((url) => url.pathname === "/docs/backup/");
}

/** Enter, before the index has come: what is found then is opened. */
async function entersEarly(page, world) {
  const asked = Promise.withResolvers();
  const pressed = Promise.withResolvers();
  await page.route("**/search.json", async (route) => {
    asked.resolve();
    await pressed.promise;
    await route.continue();
  });
  await page.goto(`${world.base}/docs/`);
  await page.locator(".scripted").waitFor();
  await page.locator(".search input").click();
  await page.keyboard.type("webhook");
  await asked.promise;
  await page.keyboard.press("Enter");
  pressed.resolve();
  await page.waitForURL((url) => url.pathname !== "/docs/");
}

/** The button beside a command puts it where it can be pasted. */
async function copies(page, world) {
  await page.goto(world.base);
  const button = page.locator(".commands .copy").first();
  await button.click();
  await page.getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "make run");
  await page.getByText("Copied").waitFor({ state: "detached" });
  assert.equal(await button.textContent(), "Copy");
}

/** Where the browser refuses, the command is selected instead; over plain HTTP there is no button. */
async function copiesNot(page, world) {
  await page.addInitScript(() => {
    const refuse = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    const clipboard = location.hash === "#plain" ? undefined : { writeText: refuse };
    Object.defineProperty(navigator, "clipboard", { value: clipboard });
  });
  await page.goto(world.base);
  await page.locator(".commands .copy").first().click();
  assert.equal(await page.evaluate(() => getSelection().toString().trim()), "make run");
  await page.goto(`${world.base}/docs/#plain`);
  await page.goto(`${world.base}/#plain`);
  await page.locator(".scripted").waitFor();
  assert.equal(await page.locator(".copy:visible").count(), 0);
}

async function misses(page, world) {
  for (const where of ["/nowhere", "/docs/nowhere/", "/ru/docs/nowhere"]) {
    const answer = await page.goto(world.base + where);
    assert.equal(answer.status(), 404);
    await page.getByRole("heading", { level: 1, name: "There is nothing here" }).waitFor();
  }
  await axe(page, "404");
  await page.getByRole("link", { name: "На главную" }).click();
  await page.waitForURL(`${world.base}/ru/`);
}

export const stories = {
  /** Every page, wide and light, then narrow and dark; each leads to its counterpart. */
  pages: {
    async play(page, world) {
      await everyPage(page, world, world.pages, async (where) => {
        const language = where.startsWith("/ru/") ? "ru" : "en";
        assert.equal(await page.locator("html").getAttribute("lang"), language);
        const other = page.locator("header nav a[hreflang]");
        const counterpart = language === "ru" ? where.replace("/ru/", "/") : `/ru${where}`;
        assert.equal(await other.getAttribute("href"), counterpart);
        await stands(page, where);
        await axe(page, where);
        await page.setViewportSize(FOUR_K);
        await fits(page, `${where}, 4K`);
        await page.setViewportSize(WIDE);
        await textTwiceAsLarge(page, () => fits(page, `${where}, text at 200 %`));
        await page.setViewportSize(NARROW);
        await page.emulateMedia({ colorScheme: "dark" });
        await fits(page, `${where}, narrow`);
        await axe(page, `${where}, dark`, { runOnly: DIFFERENT });
        await page.setViewportSize(WIDE);
        await page.emulateMedia({ colorScheme: "light" });
      });
    },
  },

  /** On a phone, dark from the beginning: one page of each kind. */
  phone: {
    look: { ...NARROW, colorScheme: "dark" },
    async play(page, world) {
      await everyPage(page, world, kinds(world), async (where) => {
        await stands(page, where);
        await axe(page, where);
        const dark = await background(page);
        await page.emulateMedia({ colorScheme: "light" });
        assert.notEqual(await background(page), dark, `${where}: it is as light in the dark`);
        await page.emulateMedia({ colorScheme: "dark" });
      });
    },
  },

  /** On paper, from a dark screen too. */
  paper: {
    look: { ...PAPER, colorScheme: "dark" },
    async play(page, world) {
      await page.emulateMedia({ media: "print" });
      await everyPage(page, world, world.pages, (where) => prints(page, where));
    },
  },

  /** Whoever searches by mouse, or is quicker than the network. */
  seeker: {
    async play(page, world) {
      await opensByMouse(page, world);
      await entersEarly(page, world);
    },
  },

  /** Without a script everything reads, and what only a script does does not show. */
  scriptless: {
    look: { javaScriptEnabled: false },
    async play(page, world) {
      await everyPage(page, world, kinds(world), async (where) => {
        assert.ok((await page.locator("main").innerText()).length > 900, where);
        assert.equal(await page.locator(".copy:visible, .search:visible").count(), 0);
      });
    },
  },

  /**
   * A command is copied, where it can be; a word is found by keyboard alone, in both languages; an address that is not
   * there says so, and leads home.
   */
  visitor: {
    look: { permissions: ["clipboard-read", "clipboard-write"] },
    expected: ["status of 404"],
    async play(page, world) {
      await copies(page, world);
      await searches(page, world, "/docs/", "webhook");
      await searches(page, world, "/ru/docs/", "вебхук");
      await misses(page, world);
      await copiesNot(page, world);
    },
  },
};

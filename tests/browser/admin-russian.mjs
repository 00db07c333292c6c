/** What the API says in English, on a Russian page: errors of fields, refusals, reasons. */
import assert from "node:assert/strict";

import { ask, enter, fault, NARROW, open, say, settled } from "./admin-hands.mjs";

const REASON = "OpenAI: фильтр содержания остановил ответ";

const PAGES = [
  ["", "bots", "bots/new", "chats", "messages", "jobs", "statistics", "settings", "users"],
  ["api-keys", "audit", "account"],
].flat();

/** What needs no translation: names, addresses, examples of what is typed, and what people wrote. */
const NO_WORDS = [
  /^Kotodom GPT$/,
  /^[\w.]+@[\w.]+$/,
  /^@?\w+_?bot$/i,
  /^\d+:\w/,
  /^(bot|user|chat|apiKey|processing|job):[\w:-]+$/,
  /^https?:/,
  /^[a-z]+(_[a-z]+)*$/, // an action's name, beside its words
  /^(gpt|o\d)[\w.-]*$/,
  /^English$/,
  /^…/, // what is left of a secret
  /^(Bot|User) \d+$/,
  /^\/sandbox:/,
];

/** What a page tells who cannot see it, and what it tells beside its texts, without a Russian letter. */
function notRussian() {
  const names = ["aria-label", "title", "placeholder", "alt", "aria-description", "aria-roledescription"];
  return names.flatMap((name) =>
    [...document.body.querySelectorAll(`[${name}]`)]
      .filter((element) => !element.closest("[aria-hidden=true]"))
      // What people wrote, in whatever language.
      .filter((element) => name !== "title" || element.dir !== "auto")
      .map((element) => element.getAttribute(name))
      .filter((words) => /[a-z]/i.test(words) && !/[а-яё]/i.test(words))
      .map((words) => ({ name, words })),
  );
}

export const russian = {
  /** A wrong token, a test alert with nowhere to go, and a message that failed. */
  russianWords: {
    language: "ru",
    expected: ["status of 409", "status of 422"],
    async play(page, world) {
      await enter(page, world);
      await open(page, world, "bots/new");
      await page.getByRole("textbox", { name: "Токен" }).fill("no token");
      await page.getByRole("button", { name: "Проверить токен" }).click();
      await page.getByText("нужен токен от @BotFather, вида 123456:ABC-DEF1234").waitFor();
      await open(page, world, "settings");
      await page.getByRole("button", { name: "Отправить проверку" }).click();
      await page.getByText("Сначала укажите в настройках токен бота для оповещений.").waitFor();
      await fault(world, { kind: "content_filter" });
      await say(world, "/sandbox:echo please answer");
      await open(page, world, `messages?status=TERMINAL&botId=${world.botId}`);
      await page.getByText(REASON).waitFor();
      await page.getByRole("link", { name: "please answer" }).click();
      await page.getByText(REASON).nth(1).waitFor(); // above the story, and in it
      await page.getByRole("heading", { name: "Отправлено пользователю" }).waitFor();
      await page.getByText("попытка 1 из 6").waitFor();
      await open(page, world, "");
      await page.getByText(REASON).first().waitFor();
    },
  },

  /** Nothing is said in English to who hears a page or points at it. */
  russianAttributes: {
    language: "ru",
    expected: ["status of 401"],
    async play(page, world) {
      await page.goto(`${world.base}/admin/sign-in`);
      const left = [];
      const look = async (place) => {
        for (const { name, words } of await page.evaluate(notRussian)) {
          if (!NO_WORDS.some((pattern) => pattern.test(words))) left.push(`${place}: ${name}="${words}"`);
        }
      };
      await page.getByLabel("Пароль", { exact: true }).waitFor();
      await look("sign-in");
      await enter(page, world);
      await say(world, "Это спросили по-русски");
      const { items } = await waitFor(async () => {
        const found = await ask(page, world, "GET", `processing?botId=${world.botId}&q=по-русски`);
        return found.items.length > 0 && found;
      });
      const pages = [...PAGES, `bots/${world.botId}`, `chats/${items[0].chatId}`, `messages/${items[0].id}`];
      for (const path of pages) {
        await open(page, world, path);
        await settled(page);
        await look(path);
      }
      await open(page, world, "messages?q=по-русски");
      const box = page.getByRole("checkbox", { name: "Выбрать: Это спросили по-русски", exact: true });
      await box.first().click();
      await page.getByRole("checkbox", { name: "Выбрать все" }).waitFor();
      assert.deepEqual([...new Set(left)], []);
    },
  },

  /** A phone shows of each row what matters, and what can be done with it, without scrolling aside. */
  narrowRows: {
    async play(page, world) {
      await page.setViewportSize(NARROW);
      await enter(page, world);
      await ask(page, world, "POST", "api-keys", { name: "narrow", role: "USER" });
      await fault(world, { kind: "content_filter" });
      await say(world, "/sandbox:echo on a phone");
      for (const [path, ...shown] of [
        [`messages?status=TERMINAL&botId=${world.botId}`, ["row", /not answered OpenAI: the content filter/]],
        ["users", ["button", `Edit ${world.admin.email}`]],
        ["api-keys", ["button", "Revoke narrow"]],
        ["audit?action=create_api_key", ["button", "Details"], ["row", /New API key/]],
        ["bots", ["row", /answering|connecting/]],
      ]) {
        await open(page, world, path);
        for (const [role, name] of shown) {
          const part = page.getByRole(role, { name }).first();
          await part.waitFor();
          const { x, width } = await part.boundingBox();
          assert.ok(x >= 0 && x + width <= NARROW.width, `${path}: ${name} is beside the screen`);
        }
        const aside = await page.evaluate(() =>
          [...document.querySelectorAll(".mantine-ScrollArea-viewport")].some(
            ({ scrollWidth, clientWidth }) => scrollWidth > clientWidth,
          ),
        );
        assert.ok(!aside, `${path} scrolls aside`);
      }
    },
  },

  /** On plain HTTP no page may copy: the key's dialog says so, and has no button that does nothing. */
  copiedByHand: {
    async play(page, world) {
      await page.addInitScript(() => delete Navigator.prototype.clipboard);
      await enter(page, world);
      await open(page, world, "api-keys");
      await page.getByRole("button", { name: "New API key" }).first().click();
      await page.getByRole("textbox", { name: "Name" }).fill("by hand");
      await page.getByRole("button", { name: "Make the key" }).click();
      await page.getByText("copy it yourself").waitFor();
      assert.equal(await page.getByRole("button", { name: "Copy" }).count(), 0);
    },
  },
};

async function waitFor(look) {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return assert.fail("it never came");
}

/** What the API says in English, on a Russian page: errors of fields, refusals, reasons. */
import { enter, fault, open, say } from "./admin-hands.mjs";

const REASON = "OpenAI: фильтр содержания остановил ответ";

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
      await open(page, world, "");
      await page.getByText(REASON).first().waitFor();
    },
  },
};

/**
 * The pictures that stand for the Landing Web elsewhere: social.png for links to it (1200 x 630, one a
 * language), made of the real picture of a chat, and the icon that home screens show.
 *   node tests/browser/social.mjs SCREENSHOTS_FOLDER PUBLIC_FOLDER
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { withPage } from "./browser.mjs";

const [screenshots, open] = process.argv.slice(2);
const WORDS = {
  en: "Telegram bots answered by a language model. No message is lost.",
  ru: "Телеграм-боты, которым отвечает языковая модель. Ни одно сообщение не теряется.",
};
const address = async (folder, name, type) =>
  `data:${type};base64,${(await readFile(join(folder, name))).toString("base64")}`;
const mark = await address(open, "favicon.svg", "image/svg+xml");

for (const [language, words] of Object.entries(WORDS)) {
  const folder = join(screenshots, language);
  const chat = await address(folder, "chats-wide.png", "image/png");
  await withPage({ width: 1200, height: 630 }, async (page) => {
    await page.setContent(`
    <style>
      body { margin: 0; height: 630px; overflow: hidden; background: #fff; color: #1b1c20; font-family: system-ui, sans-serif }
      header { display: flex; align-items: center; gap: 22px; padding: 44px 60px 0 }
      header img { width: 72px }
      h1 { margin: 0; font-size: 54px; letter-spacing: -1px }
      p { margin: 14px 60px 34px; font-size: 30px; color: #495057 }
      main img { display: block; width: 1080px; margin: 0 60px; border: 2px solid #dcdfe6; border-radius: 12px }
    </style>
    <header><img src="${mark}" alt=""><h1>Kotodom GPT</h1></header>
    <p>${words}</p>
    <main><img src="${chat}" alt=""></main>`);
    await page.waitForFunction(() => [...document.images].every((image) => image.complete));
    await page.screenshot({ path: join(folder, "social.png") });
  });
}
await withPage({ width: 180, height: 180 }, async (page) => {
  await page.setContent(
    `<style>body { margin: 0; background: #fff } img { width: 148px; margin: 16px }</style><img src="${mark}" alt="">`,
  );
  await page.waitForFunction(() => document.images[0].complete);
  await page.screenshot({ path: join(open, "icon.png") });
});
console.log("  social.png and icon.png");

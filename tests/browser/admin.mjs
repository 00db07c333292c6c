/**
 * The Admin Web in a real browser, on a running system: one story of a person's work.
 *   node tests/browser/admin.mjs STORY '{"base": URL, "control": URL, …}' [FAILURE.png]
 */
import { forms } from "./admin-forms.mjs";
import { hostile } from "./admin-hostile.mjs";
import { lines } from "./admin-lines.mjs";
import { russian } from "./admin-russian.mjs";
import { shell } from "./admin-shell.mjs";
import { stories } from "./admin-stories.mjs";
import { work } from "./admin-work.mjs";
import { play } from "./play.mjs";

await play({ ...stories, ...forms, ...hostile, ...lines, ...russian, ...shell, ...work }, "admin-failure.png", (page, story) =>
  page.addInitScript((language) => {
    localStorage.setItem("kotodom.language", localStorage.getItem("kotodom.language") ?? language);
  }, story.language ?? "en"),
);

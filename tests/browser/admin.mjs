/**
 * The Admin Web in a real browser, on a running system: one story of a person's work.
 *   node tests/browser/admin.mjs STORY '{"base": URL, "control": URL, …}' [FAILURE.png]
 */
import { stories } from "./admin-stories.mjs";
import { play } from "./play.mjs";

await play(stories, "admin-failure.png", (page, story) =>
  page.addInitScript((language) => {
    localStorage.setItem("kotodom.language", language);
  }, story.language ?? "en"),
);

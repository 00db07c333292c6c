/**
 * The Landing Web in a real browser, as a running system serves it.
 *   node tests/browser/landing.mjs STORY '{"base": URL, "pages": ["/", …]}' [FAILURE.png]
 */
import { stories } from "./landing-stories.mjs";
import { play } from "./play.mjs";

await play(stories, "landing-failure.png");

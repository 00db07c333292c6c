/**
 * Whether the session has ended under the page that somebody is at. The page stays as it is, with
 * all that was written into it, and one signs in over it (shell/SignedOut.tsx).
 */
import { makeFlag } from "./flag";

export const sessionEnded = makeFlag(false);

/** Whether a person is on the way out: what is asked for meanwhile is refused, which is no news. */
export const leaving = makeFlag(false);

/**
 * Whether the API answers. Where it does not, /health is asked every few seconds until it does, so
 * that every page comes back by itself. A connection may be dead and open, and a stream of events
 * that is silent says nothing of that: /health is asked now and then as well while all seems well.
 */
import { makeFlag } from "./flag";

const ASK_AGAIN_MS = 3_000;
const LOOK_MS = 30_000;
const PATIENCE_MS = 10_000;

export const apiAway = makeFlag(false);

let timer: ReturnType<typeof setTimeout> | undefined;

/** A request found nobody, or a gateway that found nobody. */
export function away(): void {
  apiAway.set(true);
  timer ??= setTimeout(ask, ASK_AGAIN_MS);
}

/** A request was answered. */
export function back(): void {
  clearTimeout(timer);
  timer = undefined;
  apiAway.set(false);
}

/** Asks whether it answers now, and tells by `apiAway`. */
export async function ask(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch("/health", { signal }).catch(() => undefined);
  if (answer?.ok) back();
  else away();
}

/** Looks now and then until the returned function is called. */
export function watch(): () => void {
  const look = setInterval(() => {
    if (document.visibilityState === "visible" && !apiAway.get()) void ask();
  }, LOOK_MS);
  return () => clearInterval(look);
}

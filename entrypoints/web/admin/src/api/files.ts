/**
 * Files of a page that did not come, because the API is away or a newer build has taken them from
 * it. Browser and build tool remember that they failed: only the whole page anew asks again.
 */
import { ask } from "./connection";

/** A page that was loaded anew so lately is not loaded anew once more by itself. */
const ANEW_MS = 30_000;

const lost = new WeakSet<Error>();

/** Notes each one that does not come, from now on. */
export function followFiles(): void {
  window.addEventListener("vite:preloadError", ({ payload }) => {
    lost.add(payload);
    // By these words the router knows it, and would load the page anew where nobody answers.
    payload.message = `Lost: ${payload.message}`;
    void ask();
  });
}

export const isLost = (error: unknown): boolean => error instanceof Error && lost.has(error);

/** Whether to load it anew has just been tried. */
export function isAnew(): boolean {
  const [how] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return how?.type === "reload" && performance.now() < ANEW_MS;
}

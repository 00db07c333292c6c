/**
 * What time it is, by the API's clock where the viewer's is wrong: all times that are shown are the
 * API's, and by a clock that is hours behind what has just come would be hours ahead.
 */

/** Answers tell whole seconds and were on their way for some: a clock so near is right. */
const RIGHT_MS = 60_000;

let aheadMs = 0;

/** An answer that has just come was given then (its header Date). */
export function told(date: string | null): void {
  const off = date === null ? Number.NaN : Date.parse(date) - Date.now();
  if (!Number.isNaN(off)) aheadMs = Math.abs(off) < RIGHT_MS ? 0 : off;
}

export const now = (): Date => new Date(Date.now() + aheadMs);

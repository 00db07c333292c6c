/** What an address asks for: where it is nothing that the API takes, nothing is asked. */

/** Of a bot and the like. */
export const idOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;

/** Words to look for, no more of them than the API takes; digits come from an address as a number. */
export const wordsOf = (value: unknown, longest: number): string | undefined =>
  typeof value === "string" || typeof value === "number"
    ? String(value).slice(0, longest) || undefined
    : undefined;

const MOMENT = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** ISO 8601 with a zone. */
export const momentOf = (value: unknown): string | undefined =>
  typeof value === "string" && MOMENT.test(value) && !Number.isNaN(Date.parse(value))
    ? value
    : undefined;

/** Without what is not asked for. */
export function known<T extends object>(asked: T): { [name in keyof T]?: NonNullable<T[name]> } {
  const found = Object.entries(asked).filter(([, value]) => value !== undefined);
  return Object.fromEntries(found) as { [name in keyof T]?: NonNullable<T[name]> };
}

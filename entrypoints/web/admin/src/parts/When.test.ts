import { expect, test } from "vitest";

import { relative } from "./When";

const NOW = new Date("2026-11-27T12:00:00Z");

test.each([
  ["2026-11-27T12:00:00Z", "en", "now"],
  ["2026-11-27T11:59:15Z", "en", "45 seconds ago"],
  ["2026-11-27T11:57:00Z", "en", "3 minutes ago"],
  ["2026-11-26T11:00:00Z", "en", "1 day ago"],
  ["2026-10-28T12:00:00Z", "ru", "1 месяц назад"],
  ["2026-11-27T12:00:00.4Z", "ru", "сейчас"],
  ["2026-11-27T14:00:00Z", "en", "in 2 hours"],
  ["2026-11-27T11:57:00Z", "ru", "3 минуты назад"],
])("%s is told in %s as %s", (at, language, told) => {
  expect(relative(new Date(at), NOW, language)).toBe(told);
});

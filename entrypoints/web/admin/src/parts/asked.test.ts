import { expect, test } from "vitest";

import { idOf, known, momentOf, wordsOf } from "./asked";

test.each(["3", 3.5, 1e300, Number.NaN, true, null, undefined])("%o is no id", (value) => {
  expect(idOf(value)).toBeUndefined();
});

test("digits are words too, and there are no more than may be asked", () => {
  expect(wordsOf(2026, 200)).toBe("2026");
  expect(wordsOf("abcdef", 3)).toBe("abc");
  expect(wordsOf({ q: "abc" }, 200)).toBeUndefined();
  expect(wordsOf("", 200)).toBeUndefined();
});

test.each([
  "zzz",
  // What a browser takes for a date, and the API does not.
  "zzz 1",
  "2026-11-28",
  "2026-11-28T10:00",
  "2026-13-28T10:00:00Z",
  "0000-11-28T10:00:00Z",
  2026,
])("%o is no moment", (value) => {
  expect(momentOf(value)).toBeUndefined();
});

test.each(["2026-11-28T00:00:00.000Z", "2026-11-28T10:00+05:45"])("%s is a moment", (value) => {
  expect(momentOf(value)).toBe(value);
});

test("what is not asked for is left out", () => {
  expect(known({ status: "FAILED", q: undefined })).toEqual({ status: "FAILED" });
});

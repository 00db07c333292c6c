import { expect, test } from "vitest";

import { figuresIn } from "./figures";

/** As a browser breaks no line in a number. */
const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");

test.each([
  [0, "0s", "0 с"],
  [0.0012, "0.0012s", "0,0012 с"],
  [0.45, "0.45s", "0,45 с"],
  [1.35, "1.35s", "1,35 с"],
  [9.96, "10s", "10 с"],
  [12.4, "12s", "12 с"],
  [59.7, "1m", "1 мин"],
  [125, "2m 5s", "2 мин 5 с"],
  [3_600, "1h", "1 ч"],
  [86_399, "23h 59m", "23 ч 59 мин"],
  [90_000, "1d 1h", "1 д. 1 ч"],
])("%s seconds are told as %s", (value, english, russian) => {
  expect(plain(figuresIn("en").seconds(value))).toBe(english);
  expect(plain(figuresIn("ru").seconds(value))).toBe(russian);
});

test.each([
  [0, "$0.00", "0,00 $"],
  [0.000_123, "$0.00012", "0,00012 $"],
  [0.0099, "$0.0099", "0,0099 $"],
  [0.015, "$0.015", "0,015 $"],
  [0.5, "$0.50", "0,50 $"],
  [0.999, "$0.999", "0,999 $"],
  [12.4, "$12.40", "12,40 $"],
  [1_234.567, "$1,234.57", "1 234,57 $"],
])("%s dollars are told as %s", (value, english, russian) => {
  expect(plain(figuresIn("en").dollars(value))).toBe(english);
  expect(plain(figuresIn("ru").dollars(value))).toBe(russian);
});

test("a count has its thousands apart", () => {
  expect(plain(figuresIn("en").count(12_345))).toBe("12,345");
  expect(plain(figuresIn("ru").count(12_345))).toBe("12 345");
});

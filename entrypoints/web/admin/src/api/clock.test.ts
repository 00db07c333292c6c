import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { now, told } from "./clock";

const HERE = new Date("2026-11-27T12:00:00Z");

beforeEach(() => void vi.useFakeTimers({ now: HERE }));
afterEach(() => {
  told(HERE.toUTCString());
  vi.useRealTimers();
});

test.each([
  ["five hours ahead", "Fri, 27 Nov 2026 17:00:00 GMT", "2026-11-27T17:00:00Z"],
  ["a day behind", "Thu, 26 Nov 2026 12:00:00 GMT", "2026-11-26T12:00:00Z"],
  ["as near as an answer can tell", "Fri, 27 Nov 2026 11:59:58 GMT", "2026-11-27T12:00:00Z"],
  ["not told", null, "2026-11-27T12:00:00Z"],
  ["told in words", "noon", "2026-11-27T12:00:00Z"],
])("the API's clock is %s", (_, date, time) => {
  told(date);
  expect(now()).toEqual(new Date(time));
});

test("a clock that is set right is believed again", () => {
  told("Fri, 27 Nov 2026 17:00:00 GMT");
  vi.setSystemTime("2026-11-27T17:00:01Z");
  told("Fri, 27 Nov 2026 17:00:01 GMT");
  expect(now()).toEqual(new Date("2026-11-27T17:00:01Z"));
});

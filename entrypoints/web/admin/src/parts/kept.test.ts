import { expect, test } from "vitest";

import { changedMeanwhile } from "./kept";

const BEFORE = { name: "Murka", texts: { start: "Hello", help: "" }, days: 30 };

test("what another changed is followed where nobody has written", () => {
  const now = { name: "Murka 2", texts: { start: "Good day", help: "" }, days: 7 };
  expect(changedMeanwhile(BEFORE, BEFORE, now)).toEqual({
    untouched: [
      { path: "name", value: "Murka 2" },
      { path: "texts.start", value: "Good day" },
      { path: "days", value: 7 },
    ],
    contested: [],
  });
});

test("what was written stays, and is contested where another wrote something else", () => {
  const written = { name: "Mine", texts: { start: "Hello", help: "Mine too" }, days: 7 };
  const now = { name: "Theirs", texts: { start: "Theirs", help: "" }, days: 7 };
  expect(changedMeanwhile(BEFORE, written, now)).toEqual({
    untouched: [{ path: "texts.start", value: "Theirs" }],
    contested: [{ path: "name", value: "Theirs" }],
  });
});

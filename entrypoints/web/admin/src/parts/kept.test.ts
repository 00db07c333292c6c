import { expect, test } from "vitest";

import { untouched } from "./kept";

const BEFORE = { name: "Murka", texts: { start: "Hello", help: "" }, days: 30 };

test("what another changed is followed where nobody has written", () => {
  const now = { name: "Murka 2", texts: { start: "Good day", help: "" }, days: 7 };
  expect(untouched(BEFORE, BEFORE, now)).toEqual([
    ["name", "Murka 2"],
    ["texts.start", "Good day"],
    ["days", 7],
  ]);
});

test("what was written stays", () => {
  const written = { ...BEFORE, name: "Mine", texts: { start: "Hello", help: "Mine too" } };
  const now = { name: "Theirs", texts: { start: "Theirs", help: "Theirs" }, days: 30 };
  expect(untouched(BEFORE, written, now)).toEqual([["texts.start", "Theirs"]]);
});

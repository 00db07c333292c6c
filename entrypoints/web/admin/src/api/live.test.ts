import { expect, test } from "vitest";

import { type Change, concerns } from "./live";

const message: Change = { type: "message", id: 7 };
const refresh: Change = { type: "refresh", id: null };

test.each([
  ["/api/processing/{processing_id}", [message], true],
  ["/api/chats", [message], true],
  ["/api/stats", [message], true],
  ["/api/bots", [message], false],
  ["/api/bots", [message, refresh], true],
  ["/api/auth/me", [refresh], false],
  ["/api/jobs", [{ type: "of a later version", id: 1 } as unknown as Change], true],
])("%s is asked again after %j: %s", (path, changes, asked) => {
  expect(concerns(["get", path], changes)).toBe(asked);
});

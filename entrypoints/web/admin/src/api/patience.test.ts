import i18next from "i18next";
import { beforeAll, expect, test, vi } from "vitest";

import en from "../i18n/en";
import { patiently, Unanswered, unanswered } from "./patience";

beforeAll(() => i18next.init({ lng: "en", defaultNS: "common", resources: { en } }));

test.each([
  ["GET", 30_000],
  ["POST", 60_000],
  ["DELETE", 60_000],
])("%s is given up after %i ms, and asked once", async (method, limit) => {
  const asked = vi.spyOn(globalThis, "fetch").mockImplementation((_, init) => {
    return Promise.reject(init?.signal?.reason);
  });
  const silence = new DOMException("", "TimeoutError");
  const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort(silence));
  await expect(patiently(new Request("http://a/api/bots", { method }))).rejects.toBe(silence);
  expect(timeout).toHaveBeenCalledWith(limit);
  expect(asked).toHaveBeenCalledTimes(1);
  vi.restoreAllMocks();
});

const told = (method: string, path: string) => unanswered({ method, url: `http://a${path}?x=1` });

test.each([
  ["POST", "/api/chats/3:42/messages", "conversation"],
  ["PATCH", "/api/bots/3", "bot"],
  ["POST", "/api/processing/retry", "messages"],
  ["DELETE", "/api/jobs/7", "jobs"],
  ["PUT", "/api/settings", "settings"],
  ["POST", "/api/users", "users"],
  ["POST", "/api/api-keys", "keys"],
  ["POST", "/api/auth/password", "password"],
])("%s %s may have been done: look at the %s", (method, path, where) => {
  const problem = told(method, path);
  expect(problem).toBeInstanceOf(Unanswered);
  expect(problem.message).toMatch(/^No answer came\. It may have been done all the same/);
  expect(problem.message).toContain(where);
});

test.each([
  ["GET", "/api/bots"],
  ["POST", "/api/auth/login"],
  ["POST", "/api/bots/check-token"],
])("%s %s changes nothing: it is only away", (method, path) => {
  expect(told(method, path)).not.toBeInstanceOf(Unanswered);
});

import i18next from "i18next";
import { afterEach, expect, test, vi } from "vitest";

import { api } from "./client";
import { now } from "./clock";
import { apiAway, back } from "./connection";
import { Problem } from "./problem";

const JSON_TYPE = { "Content-Type": "application/json" };

afterEach(() => {
  vi.restoreAllMocks();
  back();
});

/** Asks for a bot where the network answers so. */
function answered(response: Response): Promise<unknown> {
  vi.spyOn(globalThis, "fetch").mockResolvedValue(response);
  const where = { baseUrl: "http://a/", params: { path: { bot_id: 3 } } };
  return api.GET("/api/bots/{bot_id}", where).then(
    ({ data }) => data,
    (error) => error,
  );
}

const cutOff = (reason: unknown) =>
  new ReadableStream<Uint8Array>({
    start: (body) => body.enqueue(new TextEncoder().encode('{"id"')),
    pull: (body) => body.error(reason),
  });

test.each([
  ["drops", new TypeError("network error")],
  ["falls silent", new DOMException("", "TimeoutError")],
])("an answer whose connection %s midway is none", async (_, reason) => {
  const problem = await answered(new Response(cutOff(reason), { headers: JSON_TYPE }));
  expect(problem).toBeInstanceOf(Problem);
  expect(problem).toMatchObject({ isPassing: true });
  expect(apiAway.get()).toBe(true);
});

test("what nobody waits for any more is no outage", async () => {
  const left = new DOMException("", "AbortError");
  const response = new Response(cutOff(left), { headers: JSON_TYPE });
  expect(await answered(response)).toBe(left);
  expect(apiAway.get()).toBe(false);
});

test.each([200, 502])("a proxy's page with %i is no answer", async (status) => {
  const headers = { "Content-Type": "text/html" };
  expect(await answered(new Response("<html>", { status, headers }))).toMatchObject({
    isPassing: true,
  });
  expect(apiAway.get()).toBe(true);
});

test("what the API says arrives: a body, none, a refusal", async () => {
  expect(await answered(Response.json({ id: 3 }))).toEqual({ id: 3 });
  expect(await answered(new Response(null, { status: 204 }))).toBeUndefined();
  const told = { status: 503, headers: { "Content-Type": "application/problem+json" } };
  const problem = await answered(new Response('{"detail": "Valkey is away."}', told));
  expect(problem).toMatchObject({ status: 503, message: "Valkey is away." });
  expect(apiAway.get()).toBe(false);
});

test.each([
  [413, "<html>", "problem.tooLarge"],
  [418, "<html>", "problem.unexplained"],
  [413, '{"detail": "At most 100 letters."}', "At most 100 letters."],
])("a refusal with %i and %s is told in our words, or in the API's", async (status, body, told) => {
  await i18next.init({ lng: "cimode" });
  const statusText = "In a server's words";
  expect(await answered(new Response(body, { status, statusText }))).toMatchObject({
    status,
    message: told,
  });
});

test("the time is the API's", async () => {
  const headers = { Date: "Fri, 27 Nov 2037 12:00:00 GMT" };
  await answered(Response.json({ id: 3 }, { headers }));
  expect(now().getFullYear()).toBe(2037);
  await answered(Response.json({ id: 3 }, { headers: { Date: new Date().toUTCString() } }));
  expect(now().getFullYear()).toBeLessThan(2037);
});

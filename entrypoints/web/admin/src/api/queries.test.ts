import { hashKey, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Me } from "./me";
import { meQuery } from "./me";
import { Problem } from "./problem";
import { makeQueries } from "./queries";
import { leaving, sessionEnded } from "./session";

const { queryKey } = meQuery;
const ME = { id: 1, email: "a@example.org", role: "ADMIN" } as unknown as Me;

let queries: ReturnType<typeof makeQueries>;

beforeEach(() => {
  queries = makeQueries();
  queries.setQueryData(queryKey, ME);
});

afterEach(() => {
  queries.clear();
  sessionEnded.set(false);
  leaving.set(false);
});

const refused = (status: number): Promise<unknown> =>
  queries
    .fetchQuery({
      queryKey: ["get", "/api/bots"],
      queryFn: () => Promise.reject(new Problem(status, "No.")),
    })
    .catch(() => undefined);

const isStale = (): boolean | undefined =>
  queries.getQueryCache().get(hashKey(queryKey))?.state.isInvalidated;

test("a 403 asks for one's role again, another refusal does not", async () => {
  await refused(422);
  expect(isStale()).toBe(false);
  await refused(403);
  expect(isStale()).toBe(true);
});

test("a 401 under somebody who is here ends the session", async () => {
  await refused(401);
  expect(sessionEnded.get()).toBe(true);
});

test("a 401 on one's way out is no news, nor is one where nobody was signed in", async () => {
  leaving.set(true);
  await refused(401);
  leaving.set(false);
  queries.removeQueries({ queryKey });
  await refused(401);
  expect(sessionEnded.get()).toBe(false);
});

test("who one is answers again: another tab has signed in, and all is asked again", async () => {
  let asked = 0;
  const stop = new QueryObserver(queries, {
    queryKey: ["get", "/api/chats"],
    queryFn: () => {
      asked += 1;
      return null;
    },
  }).subscribe(() => {});
  await expect.poll(() => asked).toBe(1);
  const ask = () => queries.fetchQuery({ queryKey, queryFn: () => ME, staleTime: 0 });
  await ask();
  expect(asked).toBe(1);
  sessionEnded.set(true);
  await queries.fetchQuery({ queryKey: ["get", "/api/jobs"], queryFn: () => null });
  expect(sessionEnded.get()).toBe(true);
  await ask();
  expect(sessionEnded.get()).toBe(false);
  await expect.poll(() => asked).toBe(2);
  stop();
});

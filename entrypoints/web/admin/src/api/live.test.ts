import { InfiniteQueryObserver, type QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { type Change, concerns, listen } from "./live";
import { makeQueries } from "./queries";

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

/** A stream that says what the test lets it say. */
class Stream {
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static last: Stream;
  readyState = 0;
  onopen?: () => void;
  onmessage?: (message: { data: string }) => void;

  constructor() {
    Stream.last = this;
  }

  open(): void {
    this.readyState = Stream.OPEN;
    this.onopen?.();
  }

  say(change: Change): void {
    this.onmessage?.({ data: JSON.stringify(change) });
  }

  close(): void {
    this.readyState = Stream.CLOSED;
  }
}

let queries: QueryClient;
let asked: number;
let answer: () => unknown;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Stream);
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  vi.stubGlobal("document", page);
  queries = makeQueries();
  asked = 0;
  answer = () => null;
  const queryFn = () => {
    asked += 1;
    return answer();
  };
  new QueryObserver(queries, { queryKey: ["get", "/api/chats"], queryFn }).subscribe(() => {});
  await vi.advanceTimersByTimeAsync(0);
  asked = 0;
});

afterEach(() => {
  queries.clear();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("without a stream it asks every 15 s", async () => {
  const end = listen(queries);
  await vi.advanceTimersByTimeAsync(14_900);
  expect(asked).toBe(0);
  await vi.advanceTimersByTimeAsync(400);
  expect(asked).toBe(1);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(asked).toBe(2);
  end();
});

test("what changes together is one question, and nothing runs on after it", async () => {
  const end = listen(queries);
  Stream.last.readyState = Stream.OPEN;
  Stream.last.say({ type: "chat", id: "3:42" });
  Stream.last.say({ type: "chat", id: "3:43" });
  const timers = vi.getTimerCount();
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toBe(1);
  expect(vi.getTimerCount()).toBeLessThan(timers);
  end();
});

test("once it has ended nothing is asked for, whatever was on its way", async () => {
  const end = listen(queries);
  let arrive: (value: null) => void = () => {};
  answer = () =>
    new Promise((resolve) => {
      arrive = resolve;
    });
  Stream.last.say({ type: "chat", id: "3:42" });
  await vi.advanceTimersByTimeAsync(300);
  Stream.last.say({ type: "chat", id: "3:43" });
  end();
  arrive(null);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toBe(1);
});

test("what was answered long before it opened, first or later, is asked for again", async () => {
  const end = listen(queries);
  await vi.advanceTimersByTimeAsync(1_100);
  for (const times of [1, 2]) {
    Stream.last.open();
    await vi.advanceTimersByTimeAsync(300);
    expect(asked).toBe(times);
  }
  end();
});

test("what comes together with the stream is not asked for twice", async () => {
  const end = listen(queries);
  await vi.advanceTimersByTimeAsync(900);
  Stream.last.open();
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toBe(0);
  end();
});

test("what is being asked for when it first opens is not asked for twice", async () => {
  let arrive: (value: null) => void = () => {};
  answer = () =>
    new Promise((resolve) => {
      arrive = resolve;
    });
  const end = listen(queries);
  await vi.advanceTimersByTimeAsync(1_100);
  void queries.invalidateQueries();
  Stream.last.open();
  arrive(null);
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toBe(1);
  end();
});

test("what somebody waits for of a list is not cut off by a change", async () => {
  let come: (page: number) => void = () => {};
  const more = new Promise<number>((resolve) => {
    come = resolve;
  });
  const list = new InfiniteQueryObserver(queries, {
    queryKey: ["get", "/api/processing"],
    queryFn: ({ pageParam }) => (pageParam === 0 ? 0 : more),
    initialPageParam: 0,
    getNextPageParam: (last: number) => last + 1,
  });
  list.subscribe(() => {});
  const end = listen(queries);
  Stream.last.open();
  await vi.advanceTimersByTimeAsync(0);
  void list.fetchNextPage();
  Stream.last.say(message);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toBe(0);
  come(1);
  await vi.advanceTimersByTimeAsync(300);
  expect(list.getCurrentResult().data?.pages).toEqual([0, 1]);
  expect(asked).toBe(1);
  end();
});

/**
 * Live events (GET /api/events): what has changed is asked for again. While the stream is down the
 * pages ask every 15 s instead, and say so. A page that nobody sees has no stream, for a browser opens
 * six connections to a host and no more: it asks when it is seen again.
 */
import type { Query, QueryClient } from "@tanstack/react-query";

import { makeFlag } from "./flag";
import { isLong, renew } from "./renewal";

export type Change = {
  type: "message" | "chat" | "bot" | "job" | "settings" | "refresh";
  id: number | string | null;
};

const REFRESH: Change = { type: "refresh", id: null };

const FALLBACK_MS = 15_000;
/** What a page asks for as it opens comes together with the stream, and is not asked for twice. */
const NEW_MS = 1_000;
/** Changes that come close together are one question. */
const GATHER_MS = 250;

/** Which answers of the API tell of what; longer paths than these belong to them too. */
const PATHS: Record<Exclude<Change["type"], "refresh">, readonly string[]> = {
  message: ["/api/processing", "/api/chats", "/api/stats"],
  chat: ["/api/chats"],
  bot: ["/api/bots"],
  job: ["/api/jobs"],
  settings: ["/api/settings"],
};

export const live = makeFlag(true);

/** Whether a query's answer may have changed. Its key is [method, path, init]. */
export function concerns(queryKey: readonly unknown[], changes: readonly Change[]): boolean {
  const path = String(queryKey[1]);
  if (path.startsWith("/api/auth")) return false;
  return changes.some(({ type }) => {
    // What this page does not know yet may be about anything.
    const prefixes = type in PATHS ? PATHS[type as keyof typeof PATHS] : ["/api/"];
    return prefixes.some((prefix) => path.startsWith(prefix));
  });
}

/** Whether it was answered a while ago, and may be old if nothing has told of changes until now. */
const isOld = ({ queryKey, state: { fetchStatus, dataUpdatedAt } }: Query): boolean =>
  fetchStatus === "idle" && Date.now() - dataUpdatedAt > NEW_MS && concerns(queryKey, [REFRESH]);

/** Whether somebody waits for more of a list. */
const isGoingOn = ({ state }: Query): boolean =>
  state.fetchStatus === "fetching" && state.fetchMeta?.fetchMore !== undefined;

function askAgain(queries: QueryClient, changes: readonly Change[]): Promise<unknown> {
  const isConcerned = ({ queryKey }: Query) => concerns(queryKey, changes);
  const isAll = changes.some(({ type }) => type === "refresh");
  const long = isAll
    ? []
    : queries.getQueryCache().findAll({ predicate: isConcerned }).filter(isLong);
  const changed = new Set(changes.map(({ id }) => id));
  return Promise.all([
    queries.invalidateQueries({
      predicate: (query) => isConcerned(query) && !long.includes(query),
    }),
    ...long.map((query) => renew(queries, query, changed)),
  ]);
}

/** Listen until the returned function is called. */
export function listen(queries: QueryClient): () => void {
  let gathered: Change[] = [];
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let hasEnded = false;
  const ask = async (): Promise<void> => {
    // To ask again would cut that off, and the rest of the list would not come.
    if (queries.isFetching({ predicate: isGoingOn }) > 0) {
      gathering = setTimeout(ask, GATHER_MS);
      return;
    }
    const changes = gathered;
    gathered = [];
    const asked = askAgain(queries, changes);
    // What changes meanwhile waits: to ask again cuts off an answer on its way, and on a busy day
    // none would ever arrive.
    let limit: ReturnType<typeof setTimeout> | undefined;
    const longEnough = new Promise((resolve) => {
      limit = setTimeout(resolve, FALLBACK_MS);
    });
    await Promise.race([asked, longEnough]);
    clearTimeout(limit);
    gathering = gathered.length > 0 && !hasEnded ? setTimeout(ask, GATHER_MS) : undefined;
  };
  const refresh = (): void => {
    gathered.push(REFRESH);
    gathering ??= setTimeout(ask, GATHER_MS);
  };

  let source: EventSource | undefined;
  let wasOpen = false;
  const open = (): void => {
    source = new EventSource("/api/events");
    source.onopen = () => {
      if (wasOpen) refresh();
      else void queries.invalidateQueries({ predicate: isOld });
      wasOpen = true;
      live.set(true);
    };
    source.onerror = () => live.set(false);
    source.onmessage = (message: MessageEvent<string>) => {
      gathered.push(JSON.parse(message.data) as Change);
      gathering ??= setTimeout(ask, GATHER_MS);
    };
  };
  const follow = (): void => {
    source?.close();
    source = undefined;
    if (document.visibilityState === "visible") open();
  };
  follow();
  document.addEventListener("visibilitychange", follow);
  const fallback = setInterval(() => {
    if (source === undefined || source.readyState === EventSource.OPEN) return;
    refresh();
    // A browser comes back by itself after a drop, but not after an answer that is no stream.
    if (source.readyState === EventSource.CLOSED) open();
  }, FALLBACK_MS);
  return () => {
    hasEnded = true;
    document.removeEventListener("visibilitychange", follow);
    source?.close();
    clearInterval(fallback);
    clearTimeout(gathering);
    live.set(true);
  };
}

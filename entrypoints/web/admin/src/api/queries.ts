/** The cache of what the API answered, and what happens where it refuses. */
import { hashKey, MutationCache, type Query, QueryCache, QueryClient } from "@tanstack/react-query";

import { apiAway } from "./connection";
import { meQuery } from "./me";
import { Unanswered } from "./patience";
import { Problem } from "./problem";
import { leaving, sessionEnded } from "./session";

const FRESH_MS = 5_000;
const TRIES = 3;
const ASK_AGAIN_MS = 15_000;

export function makeQueries(): QueryClient {
  const onError = (error: unknown): void => {
    if (!(error instanceof Problem)) return;
    const { queryKey } = meQuery;
    // Where nobody was signed in the routes go to the sign-in themselves.
    const isHere = queries.getQueryData(queryKey) !== undefined && !leaving.get();
    if (error.status === 401 && isHere) sessionEnded.set(true);
    // One's role has changed, or it is somebody else by now.
    if (error.status === 403) void queries.invalidateQueries({ queryKey });
  };
  const onSuccess = (_: unknown, { queryHash }: Query<unknown, unknown>): void => {
    // In another tab somebody has signed in again.
    if (queryHash !== hashKey(meQuery.queryKey) || !sessionEnded.get()) return;
    sessionEnded.set(false);
    void queries.invalidateQueries();
  };
  const queries = new QueryClient({
    queryCache: new QueryCache({ onError, onSuccess }),
    mutationCache: new MutationCache({
      onError: (error) => {
        onError(error);
        // What may have been done shows on the page.
        if (error instanceof Unanswered) void queries.invalidateQueries();
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        // What the API refuses it refuses again; what it could not do it may.
        retry: (count, error) =>
          count < TRIES && error instanceof Problem && (error.status === 0 || error.status >= 500),
        refetchInterval: ({ state: { error } }) =>
          error instanceof Problem && error.isPassing && ASK_AGAIN_MS,
        // A page of our own host is no question of being online.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
  // The rest is asked again by live.ts, whose stream was cut as well.
  apiAway.subscribe(() => {
    if (!apiAway.get()) void queries.refetchQueries({ type: "active", predicate: isInError });
  });
  return queries;
}

const isInError = ({ state }: Query): boolean => state.status === "error";

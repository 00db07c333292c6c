/** The cache of what the API answered, and what happens where it refuses. */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

import { isApiAway, onConnection } from "./connection";
import { Problem } from "./problem";

const FRESH_MS = 5_000;
const TRIES = 3;

/** `onSignedOut` is called where the session has ended. */
export function makeQueries(onSignedOut: () => void): QueryClient {
  const onError = (error: unknown): void => {
    if (error instanceof Problem && error.status === 401) onSignedOut();
  };
  const queries = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: FRESH_MS,
        // What the API refuses it refuses again; what it could not do it may.
        retry: (count, error) =>
          count < TRIES && error instanceof Problem && (error.status === 0 || error.status >= 500),
        // A page of our own host is no question of being online.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
  onConnection(() => {
    if (!isApiAway()) void queries.invalidateQueries();
  });
  return queries;
}

/** The cache of what the API answered, and what happens where it refuses. */
import { MutationCache, type Query, QueryCache, QueryClient } from "@tanstack/react-query";

import { apiAway } from "./connection";
import { meQuery } from "./me";
import { Problem } from "./problem";
import { sessionEnded } from "./session";

const FRESH_MS = 5_000;
const TRIES = 3;
const ASK_AGAIN_MS = 15_000;

export function makeQueries(): QueryClient {
  const onError = (error: unknown): void => {
    if (!(error instanceof Problem)) return;
    const { queryKey } = meQuery;
    // Where nobody was signed in the routes go to the sign-in themselves.
    if (error.status === 401 && queries.getQueryData(queryKey)) sessionEnded.set(true);
    // One's role has changed, or it is somebody else by now.
    if (error.status === 403) void queries.invalidateQueries({ queryKey });
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

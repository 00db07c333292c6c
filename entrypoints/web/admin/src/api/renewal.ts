/**
 * A long list when something has changed. Query asks for all its pages again, one after the other;
 * but what is new is in the first, which joins those that are known. So a change costs one request,
 * however far a person has scrolled.
 */
import type { InfiniteData, Query, QueryClient } from "@tanstack/react-query";

import type { Listed } from "./pages";

type Row = { id: unknown };
type Pages = InfiniteData<Listed<Row>, unknown>;

/**
 * The pages that are known, with the first as it is now. Undefined where the two do not meet, or
 * where one of the `changed` rows is further down: then all must be asked for.
 */
export function renewed(
  known: Pages,
  first: Listed<Row>,
  changed: ReadonlySet<unknown>,
): Pages | undefined {
  const ids = new Set(first.items.map(({ id }) => id));
  const last = first.items.at(-1)?.id;
  let isPast = false;
  const pages = known.pages.map((page) => {
    const after = isPast ? 0 : page.items.findIndex(({ id }) => id === last) + 1;
    isPast ||= after > 0;
    return {
      ...page,
      items: isPast ? page.items.slice(after).filter(({ id }) => !ids.has(id)) : [],
    };
  });
  const [start, ...rest] = pages;
  if (!isPast || !start || pages.some(({ items }) => items.some(({ id }) => changed.has(id)))) {
    return undefined;
  }
  return { ...known, pages: [{ ...start, items: [...first.items, ...start.items] }, ...rest] };
}

export function isLong(query: Query): boolean {
  const data = query.state.data as Partial<Pages> | undefined;
  return query.isActive() && query.state.fetchStatus === "idle" && (data?.pages?.length ?? 0) > 1;
}

/** Asks for the first page of a long list; for all of them where that is not enough. */
export async function renew(
  queries: QueryClient,
  query: Query,
  changed: ReadonlySet<unknown>,
): Promise<void> {
  const { queryKey, options, meta } = query;
  const { queryFn } = options;
  const { signal } = new AbortController();
  const known = query.state.data as Pages;
  const first =
    typeof queryFn === "function"
      ? await Promise.resolve(
          queryFn({
            client: queries,
            queryKey,
            signal,
            meta,
            pageParam: known.pageParams[0],
            direction: "forward",
          }),
        ).catch(() => undefined)
      : undefined;
  // Whatever was fetched meanwhile knows better.
  const isSame = query.state.data === known;
  const now = isSame && first ? renewed(known, first as Listed<Row>, changed) : undefined;
  if (now) queries.setQueryData(queryKey, now);
  else await queries.invalidateQueries({ queryKey, exact: true });
}

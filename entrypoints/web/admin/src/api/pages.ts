/** Lists of the API by keyset: one page after the other, each from the cursor of the one before. */
import type { InfiniteData } from "@tanstack/react-query";

export type Listed<T> = { items: T[]; nextCursor: string | null };

/** For `$api.useInfiniteQuery`: where the next page begins. */
export const byCursor = {
  pageParamName: "cursor",
  // Not undefined, for which openapi-react-query takes 0; null is left out of the address.
  initialPageParam: null as string | null,
  getNextPageParam: (last: Listed<unknown>) => last.nextCursor,
} as const;

/** All that was fetched so far, in order. */
export function items<T>(data: InfiniteData<Listed<T>, unknown> | undefined): T[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}

/** What `$api.useInfiniteQuery(…, byCursor)` gives. */
export type ListQuery<T> = {
  data: InfiniteData<Listed<T>, unknown> | undefined;
  error: unknown;
  isPending: boolean;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  fetchNextPage: () => unknown;
  refetch: () => unknown;
};

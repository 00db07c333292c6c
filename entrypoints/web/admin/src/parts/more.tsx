/** What stands for rows while they come, and the way to those that were not asked for yet. */
import { Button, Center, Skeleton, Stack } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { items, type ListQuery } from "../api/pages";
import { Problem } from "../api/problem";
import { Refused } from "./Trouble";

const SKELETON_ROWS = [1, 2, 3, 4, 5, 6, 7, 8];

/** How many pages without a row are looked through before a person is asked. */
const EMPTY_PAGES = 10;

/**
 * Whether rows are still looked for: a search goes through the newest rows some at a time, and a
 * page of it may hold none while older ones do.
 */
export function useLooking<T>(query: ListQuery<T>): boolean {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const pages = data?.pages.length ?? 0;
  const looking =
    pages > 0 && pages < EMPTY_PAGES && items(data).length === 0 && hasNextPage && error === null;
  useEffect(() => {
    if (looking && !isFetchingNextPage) void fetchNextPage();
  }, [looking, isFetchingNextPage, fetchNextPage]);
  return looking;
}

/** More of a list, or why there is none, or why what is shown may be old. */
export function More<T>({ query }: { query: ListQuery<T> }) {
  const { t } = useTranslation();
  const problem = Problem.in(query.error);
  if (problem) {
    const again = query.isFetchNextPageError ? query.fetchNextPage : query.refetch;
    return <Refused problem={problem} again={again} />;
  }
  if (!query.hasNextPage) return null;
  return (
    <Center>
      <Button
        variant="default"
        loading={query.isFetchingNextPage}
        onClick={() => void query.fetchNextPage()}
      >
        {t("more")}
      </Button>
    </Center>
  );
}

export function Rows() {
  return (
    <Stack gap="xs" aria-busy="true">
      {SKELETON_ROWS.map((row) => (
        <Skeleton key={row} height={40} />
      ))}
    </Stack>
  );
}

/** What stands for rows while they come, and the way to those that were not asked for yet. */
import { Button, Center, Skeleton, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { ListQuery } from "../api/pages";

const SKELETON_ROWS = [1, 2, 3, 4, 5, 6, 7, 8];

export function More<T>({ query }: { query: ListQuery<T> }) {
  const { t } = useTranslation();
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

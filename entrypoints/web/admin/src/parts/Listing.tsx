/** A list by keyset: skeleton, rows, "show more"; or what is wrong, or that there is nothing yet. */
import { Stack } from "@mantine/core";
import { DataTable, type DataTableColumn } from "mantine-datatable";
import type { ReactNode } from "react";

import { items, type ListQuery } from "../api/pages";
import { Problem } from "../api/problem";
import { More, Rows, useLooking } from "./more";
import { Refused } from "./Trouble";

type Shown<T> = {
  query: ListQuery<T>;
  columns: DataTableColumn<T>[];
  /** Shown where the list has nothing: what it would hold, and the next step. */
  empty: ReactNode;
  selected?: T[];
  onSelect?: (rows: T[]) => void;
};

export function Listing<T>({ query, columns, empty, selected, onSelect }: Shown<T>) {
  const looking = useLooking(query);
  if (query.data === undefined) {
    return query.isPending ? (
      <Rows />
    ) : (
      <Refused problem={Problem.in(query.error)} again={query.refetch} />
    );
  }
  const records = items(query.data);
  if (looking) return <Rows />;
  if (records.length === 0) {
    return (
      <>
        {empty}
        <More query={query} />
      </>
    );
  }
  return (
    <Stack gap="sm">
      <DataTable
        records={records}
        columns={columns}
        withTableBorder
        borderRadius="md"
        verticalSpacing="xs"
        {...(selected && onSelect
          ? { selectedRecords: selected, onSelectedRecordsChange: onSelect }
          : {})}
      />
      <More query={query} />
    </Stack>
  );
}

/** A list by keyset: skeleton, rows, "show more"; or what is wrong, or that there is nothing yet. */
import { Group, Stack, Text } from "@mantine/core";
import { DataTable, type DataTableColumn } from "mantine-datatable";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { items, type ListQuery } from "../api/pages";
import { Problem } from "../api/problem";
import { More, Rows, useLooking } from "./more";
import { Refused } from "./Trouble";

/** `narrow`: where a phone, which has room for one column, shows it; elsewhere it is left out. */
type Column<T> = DataTableColumn<T> & { narrow?: "title" | "beneath" };

type Shown<T> = {
  query: ListQuery<T>;
  columns: Column<T>[];
  /** Shown where the list has nothing: what it would hold, and the next step. */
  empty: ReactNode;
  selection?: { rows: T[]; select: (rows: T[]) => void; name: (row: T) => string };
};

const NARROW = "(max-width: 47.99em)";
const WIDE = "(min-width: 48em)";

export function Listing<T>({ query, columns, empty, selection }: Shown<T>) {
  const { t } = useTranslation();
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
        columns={[
          inOne(columns),
          ...columns.map(({ narrow: _, ...column }) => ({ ...column, visibleMediaQuery: WIDE })),
        ]}
        withTableBorder
        borderRadius="md"
        verticalSpacing="xs"
        // It stands, unseen, below the rows as well.
        noRecordsText=""
        {...(selection && {
          selectedRecords: selection.rows,
          onSelectedRecordsChange: selection.select,
          allRecordsSelectionCheckboxProps: { "aria-label": t("selectAll") },
          getRecordSelectionCheckboxProps: (row: T) => ({
            "aria-label": t("selectOne", { name: selection.name(row) }),
          }),
        })}
      />
      <More query={query} />
    </Stack>
  );
}

/** All that a phone shows of a row, one below the other. */
function inOne<T>(columns: Column<T>[]): DataTableColumn<T> {
  const title = columns.find(({ narrow }) => narrow === "title");
  const beneath = columns.filter(({ narrow }) => narrow === "beneath");
  return {
    accessor: "narrow",
    title: title?.title,
    visibleMediaQuery: NARROW,
    render: (row, index) => (
      <Stack gap={4}>
        <Text component="div" size="sm" lineClamp={2} className="breaking">
          {title && cell(title, row, index)}
        </Text>
        <Group gap="4px 12px">
          {beneath.map((column) => (
            <Fragment key={String(column.accessor)}>{cell(column, row, index)}</Fragment>
          ))}
        </Group>
      </Stack>
    ),
  };
}

function cell<T>({ render, accessor }: Column<T>, row: T, index: number): ReactNode {
  return render ? render(row, index) : (row[accessor as keyof T] as ReactNode);
}

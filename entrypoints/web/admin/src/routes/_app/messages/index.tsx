/** Messages and their processing: by status, bot, time and text; many at once tried again. */
import { Alert, Button, Group, Text } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { type Dispatch, type SetStateAction, useState } from "react";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { byCursor } from "../../../api/pages";
import { Empty } from "../../../parts/Empty";
import { useFigures } from "../../../parts/figures";
import { Go } from "../../../parts/Go";
import { Listing } from "../../../parts/Listing";
import { Page } from "../../../parts/Page";
import { RetryMatching, useRetry } from "../../../parts/retries";
import { StatusBadge } from "../../../parts/StatusBadge";
import { When } from "../../../parts/When";
import { why } from "../../../parts/why";
import { type Changed, filtersOf } from "./-filters";
import { MessageFilters } from "./-MessageFilters";

type Row = Schemas["ProcessingView"];

export const Route = createFileRoute("/_app/messages/")({
  validateSearch: filtersOf,
  component: Messages,
});

const NONE: Row[] = [];

/** Rows that are chosen of those that `asked` names, until something else is asked. */
function useSelection(asked: string): [Row[], Dispatch<SetStateAction<Row[]>>] {
  const [rows, select] = useState(NONE);
  const [of, setOf] = useState(asked);
  if (of !== asked) {
    setOf(asked);
    select(NONE);
  }
  return [of === asked ? rows : NONE, select];
}

function Messages() {
  const { t } = useTranslation(["messages", "common"]);
  const figures = useFigures();
  const filters = Route.useSearch();
  const navigate = Route.useNavigate();
  const [selected, select] = useSelection(JSON.stringify(filters));
  const query = $api.useInfiniteQuery(
    "get",
    "/api/processing",
    { params: { query: filters } },
    // Rows that somebody is choosing from stay where they are.
    { ...byCursor, enabled: selected.length === 0 },
  );
  const retry = useRetry((id) => select((rows) => rows.filter((row) => row.id !== id)));
  const change = (changed: Changed): void => {
    void navigate({ search: (old) => filtersOf({ ...old, ...changed }), replace: true });
  };
  return (
    <Page
      title={t("common:pages.messages")}
      actions={
        <RetryMatching
          filter={filters}
          label={t("retryAll")}
          disabled={filters.status === "COMPLETED"}
        />
      }
    >
      <MessageFilters filters={filters} onChange={change} />
      {selected.length > 0 && (
        <Alert color="blue" role="status">
          <Group justify="space-between">
            <Text size="sm">
              {t("selected", { count: selected.length })} {t("updatesPaused")}
            </Text>
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => select(NONE)}>
                {t("unselect")}
              </Button>
              <Button
                size="xs"
                leftSection={<RotateCcw size={14} aria-hidden />}
                loading={retry.isPending}
                onClick={() => retry.mutate(selected)}
              >
                {t("common:retry")}
              </Button>
            </Group>
          </Group>
        </Alert>
      )}
      <Listing
        query={query}
        selection={{ rows: selected, select, name: ({ text }) => text || t("noText") }}
        empty={<Empty text={Object.keys(filters).length > 0 ? t("nothing") : t("empty")} />}
        columns={[
          {
            accessor: "text",
            title: t("text"),
            width: 280,
            ellipsis: true,
            narrow: "title",
            render: ({ id, text }) => (
              <Go
                to="/messages/$messageId"
                params={{ messageId: String(id) }}
                dir="auto"
                title={text}
                inherit
              >
                {text || t("noText")}
              </Go>
            ),
          },
          {
            accessor: "status",
            title: t("status"),
            narrow: "beneath",
            render: ({ status }) => <StatusBadge status={status} />,
          },
          { accessor: "attempts", title: t("attempts"), textAlign: "right" },
          {
            accessor: "lastError",
            title: t("error"),
            width: 220,
            ellipsis: true,
            narrow: "beneath",
            render: why,
          },
          {
            accessor: "price",
            title: t("price"),
            textAlign: "right",
            render: ({ price }) => (price === null ? "–" : figures.dollars(price)),
          },
          {
            accessor: "createdAt",
            title: t("came"),
            render: ({ createdAt }) => <When at={createdAt} />,
          },
        ]}
      />
    </Page>
  );
}

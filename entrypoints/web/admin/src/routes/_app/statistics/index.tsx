/** Statistics: messages, time to answer and cost, by day and by bot. */
import { Group, Select, Skeleton, Stack } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { BotSelect } from "../../../parts/BotSelect";
import { Page } from "../../../parts/Page";
import { Refused } from "../../../parts/Trouble";
import { Charts } from "./-Charts";
import { BotTable, DayTable } from "./-Tables";

const SPANS = [7, 30, 90] as const;
type Filters = { days?: number | undefined; botId?: number | undefined };

export const Route = createFileRoute("/_app/statistics/")({
  validateSearch: ({ days, botId }): Filters => ({
    ...(SPANS.some((span) => span === days) ? { days: Number(days) } : {}),
    ...(Number.isSafeInteger(botId) ? { botId: Number(botId) } : {}),
  }),
  component: Statistics,
});

function Statistics() {
  const { t } = useTranslation(["statistics", "common"]);
  const { days = SPANS[1], botId } = Route.useSearch();
  const navigate = Route.useNavigate();
  const query = $api.useQuery("get", "/api/stats", {
    params: { query: { days, ...(botId === undefined ? {} : { botId }) } },
  });
  return (
    <Page title={t("common:pages.statistics")}>
      <Group align="flex-end">
        <Select
          label={t("span")}
          data={SPANS.map((span) => ({ value: String(span), label: t("days", { count: span }) }))}
          value={String(days)}
          allowDeselect={false}
          onChange={(value) =>
            void navigate({ search: (old) => ({ ...old, days: Number(value) }), replace: true })
          }
        />
        <BotSelect
          botId={botId}
          onChange={(chosen) =>
            void navigate({ search: (old) => ({ ...old, botId: chosen }), replace: true })
          }
        />
      </Group>
      {query.data ? (
        <Stack gap="lg">
          <Charts stats={query.data} />
          <DayTable days={query.data.days} />
          {botId === undefined && <BotTable bots={query.data.bots} />}
        </Stack>
      ) : query.isPending ? (
        <Skeleton height={760} />
      ) : (
        <Refused problem={Problem.in(query.error)} again={query.refetch} />
      )}
    </Page>
  );
}

/** Statistics: messages, time to answer and cost, by day and by bot. */
import { Group, Select, Skeleton, Stack, Title } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { idOf } from "../../../parts/asked";
import { BotSelect } from "../../../parts/BotSelect";
import { Empty } from "../../../parts/Empty";
import { Page } from "../../../parts/Page";
import { Refused } from "../../../parts/Trouble";
import { BotCharts, DayCharts } from "./-Charts";
import { BotTable, DayTable } from "./-Tables";

const SPANS = [7, 30, 90] as const;
type Filters = { days?: number | undefined; botId?: number | undefined };

export const Route = createFileRoute("/_app/statistics/")({
  validateSearch: ({ days, botId }): Filters => ({
    days: SPANS.find((span) => span === days),
    botId: idOf(botId),
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
      {query.data?.total.messages === 0 ? (
        <Empty text={t("empty")} />
      ) : query.data ? (
        <Stack gap="xl">
          <Part title={t("byDay")}>
            <DayCharts days={query.data.days} />
            <DayTable days={query.data.days} />
          </Part>
          {botId === undefined && query.data.bots.length > 0 && (
            <Part title={t("byBot")}>
              <BotCharts bots={query.data.bots} />
              <BotTable bots={query.data.bots} />
            </Part>
          )}
        </Stack>
      ) : query.isPending ? (
        <Skeleton height={760} />
      ) : (
        <Refused problem={Problem.in(query.error)} again={query.refetch} />
      )}
    </Page>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack component="section" aria-label={title}>
      <Title order={2} size="h4">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

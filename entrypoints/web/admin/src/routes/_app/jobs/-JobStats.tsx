import { BarChart } from "@mantine/charts";
import { Group, Paper, SimpleGrid, Skeleton, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import "@mantine/charts/styles.css";

import { $api, type Schemas } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { Figure } from "../../../parts/Figure";
import { useFigures } from "../../../parts/figures";
import { Refused } from "../../../parts/Trouble";
import { STATUSES } from "./-statuses";

const HEIGHT = 160;

/** How many jobs there are by state, how old the oldest due one is, and those of the last hour. */
export function JobStats() {
  const query = $api.useQuery("get", "/api/jobs/stats");
  if (query.data) return <Shown stats={query.data} />;
  if (query.isPending) return <Skeleton height={HEIGHT + 130} />;
  return <Refused problem={Problem.in(query.error)} again={query.refetch} />;
}

function Shown({ stats }: { stats: Schemas["JobStats"] }) {
  const { t, i18n } = useTranslation("jobs");
  const figures = useFigures();
  const time = new Intl.DateTimeFormat(i18n.language, { timeStyle: "short" });
  const ended = stats.minutes.reduce((sum, minute) => sum + minute.ended, 0);
  return (
    <>
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        {STATUSES.map((status) => {
          const counts = stats.counts.filter((count) => count.status === status);
          const more = counts.some(({ orMore }) => orMore) ? "+" : "";
          const sum = counts.reduce((all, { count }) => all + count, 0);
          return (
            <Figure key={status} name={t(`statuses.${status}`)} value={figures.count(sum) + more} />
          );
        })}
        <Figure
          name={t("oldestDue")}
          value={
            stats.oldestDueSeconds === null ? t("none") : figures.seconds(stats.oldestDueSeconds)
          }
        />
      </SimpleGrid>
      <Paper withBorder p="md">
        <Group justify="space-between" mb="sm">
          <Title order={2} size="h5">
            {t("throughput")}
          </Title>
          <Text size="sm">{t("ended", { count: ended })}</Text>
        </Group>
        <BarChart
          h={HEIGHT}
          data={stats.minutes.map(({ at, ended }) => ({ at: time.format(new Date(at)), ended }))}
          dataKey="at"
          series={[{ name: "ended", label: t("endedLabel"), color: "indigo.6" }]}
          barChartProps={{ accessibilityLayer: false }}
        />
      </Paper>
    </>
  );
}

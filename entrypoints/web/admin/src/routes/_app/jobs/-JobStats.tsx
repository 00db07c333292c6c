import { BarChart } from "@mantine/charts";
import { Group, Paper, SimpleGrid, Skeleton, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { AXES, UNFOCUSED } from "../../../parts/charts";
import { Figure } from "../../../parts/Figure";
import { useFigures } from "../../../parts/figures";
import { byLanguage } from "../../../parts/formats";
import { Refused } from "../../../parts/Trouble";
import { ASK_AGAIN_MS, STATUSES } from "./-statuses";

const HEIGHT = 160;

const clock = byLanguage((language) => new Intl.DateTimeFormat(language, { timeStyle: "short" }));

/** How many jobs there are by state, how old the oldest due one is, and those of the last hour. */
export function JobStats() {
  const { data, error, isPending, refetch } = $api.useQuery(
    "get",
    "/api/jobs/stats",
    {},
    { refetchInterval: ASK_AGAIN_MS },
  );
  if (data || isPending) return <Shown stats={data} />;
  return <Refused problem={Problem.in(error)} again={refetch} />;
}

/** Undefined while they are awaited: all stands where it will. */
function Shown({ stats }: { stats: Schemas["JobStats"] | undefined }) {
  const { t } = useTranslation("jobs");
  const figures = useFigures();
  const oldest = (seconds: number | null): string =>
    seconds === null ? t("none") : figures.seconds(seconds);
  const ended = stats?.minutes.reduce((sum, minute) => sum + minute.ended, 0);
  return (
    <>
      <SimpleGrid cols={{ base: 2, sm: 4 }}>
        {STATUSES.map((status) => (
          <Figure
            key={status}
            name={t(`statuses.${status}`)}
            value={stats && total(stats.counts, status, figures.count)}
          />
        ))}
        <Figure name={t("oldestDue")} value={stats && oldest(stats.oldestDueSeconds)} />
      </SimpleGrid>
      <Paper withBorder p="md">
        <Group justify="space-between" mb="sm">
          <Title order={2} size="h5">
            {t("throughput")}
          </Title>
          {ended === undefined ? (
            <Skeleton w="auto">
              <Text size="sm">{t("ended", { count: 0 })}</Text>
            </Skeleton>
          ) : (
            <Text size="sm">{t("ended", { count: ended })}</Text>
          )}
        </Group>
        {stats ? <Minutes minutes={stats.minutes} /> : <Skeleton height={HEIGHT} />}
      </Paper>
    </>
  );
}

type Count = Schemas["JobStats"]["counts"][number];

/** Of all kinds together; "+" where the API has stopped counting. */
function total(
  counts: readonly Count[],
  wanted: Count["status"],
  write: (value: number) => string,
): string {
  const of = counts.filter(({ status }) => status === wanted);
  const more = of.some(({ orMore }) => orMore) ? "+" : "";
  return write(of.reduce((all, { count }) => all + count, 0)) + more;
}

function Minutes({ minutes }: { minutes: Schemas["JobStats"]["minutes"] }) {
  const { t, i18n } = useTranslation("jobs");
  const { count } = useFigures();
  const time = clock(i18n.language);
  return (
    <BarChart
      h={HEIGHT}
      data={minutes.map(({ at, ended }) => ({ at: time.format(new Date(at)), ended }))}
      dataKey="at"
      valueFormatter={count}
      series={[{ name: "ended", label: t("endedLabel"), color: "indigo.6" }]}
      barChartProps={UNFOCUSED}
      {...AXES}
    />
  );
}

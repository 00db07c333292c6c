import "@mantine/charts/styles.css";

import { BarChart, LineChart } from "@mantine/charts";
import { Paper, Stack, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../../api/client";
import { useFigures } from "../../../parts/figures";

const HEIGHT = 224;
/** Below the chart, with room for a second line: at 360 pixels it needs one. */
const LEGEND = { verticalAlign: "bottom", height: 56 } as const;
const UNFOCUSED = { accessibilityLayer: false };

/** One figure a day each; the tables below say the same in numbers, to who sees no charts. */
export function Charts({ stats }: { stats: Schemas["Stats"] }) {
  const { t, i18n } = useTranslation(["statistics", "common"]);
  const figures = useFigures();
  // Days are UTC's.
  const day = new Intl.DateTimeFormat(i18n.language, {
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
  const data = stats.days.map((each) => {
    const { COMPLETED = 0, TERMINAL = 0 } = each.statuses;
    return {
      day: day.format(new Date(each.day)),
      answered: COMPLETED,
      terminal: TERMINAL,
      open: each.messages - COMPLETED - TERMINAL,
      p50: each.answerSecondsP50,
      p95: each.answerSecondsP95,
      price: each.price,
    };
  });
  const shared = { h: HEIGHT, data, dataKey: "day", withLegend: true, legendProps: LEGEND };
  return (
    <Stack gap="lg">
      <Paper withBorder p="md">
        <Title order={2} size="h5" mb="sm">
          {t("messages")}
        </Title>
        <BarChart
          {...shared}
          type="stacked"
          barChartProps={UNFOCUSED}
          valueFormatter={figures.count}
          series={[
            { name: "answered", label: t("common:status.COMPLETED"), color: "green.7" },
            { name: "open", label: t("open"), color: "gray.6" },
            { name: "terminal", label: t("common:status.TERMINAL"), color: "red.7" },
          ]}
        />
      </Paper>
      <Paper withBorder p="md">
        <Title order={2} size="h5" mb="sm">
          {t("latency")}
        </Title>
        <LineChart
          {...shared}
          lineChartProps={UNFOCUSED}
          valueFormatter={figures.seconds}
          series={[
            { name: "p50", label: t("p50"), color: "indigo.6" },
            { name: "p95", label: t("p95"), color: "orange.7" },
          ]}
        />
      </Paper>
      <Paper withBorder p="md">
        <Title order={2} size="h5" mb="sm">
          {t("price")}
        </Title>
        <BarChart
          {...shared}
          withLegend={false}
          barChartProps={UNFOCUSED}
          valueFormatter={figures.dollars}
          series={[{ name: "price", label: t("price"), color: "indigo.6" }]}
        />
      </Paper>
    </Stack>
  );
}

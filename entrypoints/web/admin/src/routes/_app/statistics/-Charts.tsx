import { BarChart, type ChartSeries, LineChart } from "@mantine/charts";
import { Paper, SimpleGrid, Stack, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../../api/client";
import { AXES, Legend, UNFOCUSED } from "../../../parts/charts";
import { useFigures } from "../../../parts/figures";
import { byLanguage } from "../../../parts/formats";

const HEIGHT = 200;
/** A bar of one bot, and the axis below them all. */
const BOT_PX = 44;
const AXIS_PX = 40;
const NAME_PX = 110;
/** So many bots are drawn, those with the most messages; the table beneath holds all. */
const DRAWN_BOTS = 12;

// Days are UTC's.
const dayOf = byLanguage(
  (language) =>
    new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" }),
);

type Series = Record<"messages" | "latency" | "price", ChartSeries[]>;

function useSeries(): Series {
  const { t } = useTranslation(["statistics", "common"]);
  return {
    messages: [
      { name: "answered", label: t("common:status.COMPLETED"), color: "green.7" },
      { name: "open", label: t("open"), color: "gray.6" },
      { name: "terminal", label: t("common:status.TERMINAL"), color: "red.7" },
    ],
    latency: [
      { name: "p50", label: t("p50"), color: "indigo.6" },
      { name: "p95", label: t("p95"), color: "orange.7" },
    ],
    price: [{ name: "price", label: t("price"), color: "indigo.6" }],
  };
}

/** By the names of the series. */
function drawn(figures: Schemas["Figures"]) {
  const { COMPLETED = 0, TERMINAL = 0 } = figures.statuses;
  return {
    answered: COMPLETED,
    terminal: TERMINAL,
    open: figures.messages - COMPLETED - TERMINAL,
    p50: figures.answerSecondsP50,
    p95: figures.answerSecondsP95,
    price: figures.price,
  };
}

/** One figure a day each; the table beneath says the same in numbers, to who sees no charts. */
export function DayCharts({ days }: { days: Schemas["Stats"]["days"] }) {
  const { t, i18n } = useTranslation("statistics");
  const { count, seconds, dollars } = useFigures();
  const { messages, latency, price } = useSeries();
  const date = dayOf(i18n.language);
  const data = days.map((each) => ({ day: date.format(new Date(each.day)), ...drawn(each) }));
  const shared = { h: HEIGHT, data, dataKey: "day", ...AXES };
  const bars = { ...shared, barChartProps: UNFOCUSED };
  return (
    <Stack gap="lg">
      <Drawn title={t("messages")} legend={messages}>
        <BarChart {...bars} type="stacked" series={messages} valueFormatter={count} />
      </Drawn>
      <Drawn title={t("latency")} legend={latency}>
        <LineChart
          {...shared}
          lineChartProps={UNFOCUSED}
          series={latency}
          valueFormatter={seconds}
        />
      </Drawn>
      <Drawn title={t("price")}>
        <BarChart {...bars} series={price} valueFormatter={dollars} />
      </Drawn>
    </Stack>
  );
}

/** One figure a bot each, beside one another where there is room. */
export function BotCharts({ bots }: { bots: Schemas["Stats"]["bots"] }) {
  const { t } = useTranslation("statistics");
  const { count, seconds, dollars } = useFigures();
  const { messages, latency, price } = useSeries();
  const data = bots.slice(0, DRAWN_BOTS).map((each) => ({ bot: each.name, ...drawn(each) }));
  const bars = {
    h: data.length * BOT_PX + AXIS_PX,
    data,
    dataKey: "bot",
    orientation: "vertical",
    gridAxis: "y",
    xAxisProps: { tickCount: 3, interval: 0 },
    yAxisProps: { ...AXES.yAxisProps, width: NAME_PX },
    // For half of the last number below.
    barChartProps: { ...UNFOCUSED, margin: { right: 24 } },
  } as const;
  return (
    <SimpleGrid cols={{ base: 1, lg: 3 }} spacing="lg">
      <Drawn title={t("messages")} legend={messages}>
        <BarChart {...bars} type="stacked" series={messages} valueFormatter={count} />
      </Drawn>
      <Drawn title={t("latency")} legend={latency}>
        <BarChart {...bars} series={latency} valueFormatter={seconds} />
      </Drawn>
      <Drawn title={t("price")}>
        <BarChart {...bars} series={price} valueFormatter={dollars} />
      </Drawn>
    </SimpleGrid>
  );
}

type Framed = { title: string; legend?: ChartSeries[]; children: ReactNode };

function Drawn({ title, legend, children }: Framed) {
  return (
    <Paper withBorder p="md">
      <Title order={3} size="h5" mb="sm">
        {title}
      </Title>
      {children}
      {legend && <Legend series={legend} />}
    </Paper>
  );
}

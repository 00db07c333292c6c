/** What all charts share: axes that leave nothing out, and a legend as tall as its lines need. */
import "@mantine/charts/styles.css";

import { ChartLegend, type ChartSeries } from "@mantine/charts";
import { getThemeColor, useMantineTheme } from "@mantine/core";

/** The charts' tables say the same in numbers, so that no chart need be walked through by keyboard. */
export const UNFOCUSED = { accessibilityLayer: false };

/** Labels of the x axis are left out evenly; neither they nor the line's ends are cut by the edge. */
export const AXES = {
  xAxisProps: { interval: "equidistantPreserveStart", padding: { left: 32, right: 32 } },
  yAxisProps: { interval: 0 },
} as const;

/** Below the plot, not in it, where it would have a height of its own. */
export function Legend({ series }: { series: ChartSeries[] }) {
  const theme = useMantineTheme();
  const payload = series.map(({ name, color }) => ({
    dataKey: name,
    color: getThemeColor(color, theme),
  }));
  return (
    <ChartLegend
      payload={payload}
      series={series}
      legendPosition="bottom"
      h="auto"
      onHighlight={() => undefined}
    />
  );
}

/** Overview: is it well? */
import { Grid, Stack } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { Figure } from "../../parts/Figure";
import { useFigures } from "../../parts/figures";
import { Go } from "../../parts/Go";
import { Page } from "../../parts/Page";
import { Refused } from "../../parts/Trouble";
import { Failures } from "./-overview/Failures";
import { Lights } from "./-overview/Lights";

type Status = Schemas["Status"];

export const Route = createFileRoute("/_app/")({ component: Overview });

function Overview() {
  const { t } = useTranslation();
  return (
    <Page title={t("pages.overview")}>
      <Stack gap="lg">
        <Today />
        <Lights />
        <Failures />
      </Stack>
    </Page>
  );
}

/** In a full row each: four and three, on a narrow screen two, two, two and one. */
const QUARTER = { base: 6, sm: 3 };
const THIRD = { base: 6, sm: 4 };
const LAST_THIRD = { base: 12, sm: 4 };

/** The day is UTC's, as in the statistics. */
function Today() {
  const { t } = useTranslation("overview");
  const figures = useFigures();
  const { data, error, isPending, refetch } = $api.useQuery("get", "/api/stats", {
    params: { query: { days: 1 } },
  });
  if (data === undefined && !isPending) {
    return <Refused problem={Problem.in(error)} again={refetch} />;
  }
  const total = data?.total;
  const status = (...names: Status[]): string | undefined =>
    total && figures.count(names.reduce((sum, name) => sum + (total.statuses[name] ?? 0), 0));
  const seconds = (value: number | null): string => (value === null ? "–" : figures.seconds(value));
  const messages = (name: string, of: { status?: Status } = {}): ReactNode =>
    data ? (
      <Go to="/messages" search={{ ...of, from: `${data.from}T00:00:00.000Z` }} inherit>
        {name}
      </Go>
    ) : (
      name
    );
  const statistics = (name: string): ReactNode => (
    <Go to="/statistics" inherit>
      {name}
    </Go>
  );
  return (
    <Grid>
      <Grid.Col span={QUARTER}>
        <Figure name={messages(t("messages"))} value={total && figures.count(total.messages)} />
      </Grid.Col>
      <Grid.Col span={QUARTER}>
        <Figure
          name={messages(t("answered"), { status: "COMPLETED" })}
          value={status("COMPLETED")}
        />
      </Grid.Col>
      <Grid.Col span={QUARTER}>
        <Figure name={t("waiting")} value={status("RECEIVED", "PROCESSING", "FAILED")} />
      </Grid.Col>
      <Grid.Col span={QUARTER}>
        <Figure name={messages(t("failed"), { status: "TERMINAL" })} value={status("TERMINAL")} />
      </Grid.Col>
      <Grid.Col span={THIRD}>
        <Figure name={statistics(t("p50"))} value={total && seconds(total.answerSecondsP50)} />
      </Grid.Col>
      <Grid.Col span={THIRD}>
        <Figure name={statistics(t("p95"))} value={total && seconds(total.answerSecondsP95)} />
      </Grid.Col>
      <Grid.Col span={LAST_THIRD}>
        <Figure name={statistics(t("cost"))} value={total && figures.dollars(total.price)} />
      </Grid.Col>
    </Grid>
  );
}

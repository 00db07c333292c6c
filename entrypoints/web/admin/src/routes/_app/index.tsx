/** Overview: is it well? */
import { SimpleGrid, Skeleton, Stack } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../api/client";
import { Problem } from "../../api/problem";
import { Figure } from "../../parts/Figure";
import { useFigures } from "../../parts/figures";
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
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }}>
      <Awaited name={t("messages")} value={total && figures.count(total.messages)} />
      <Awaited name={t("answered")} value={status("COMPLETED")} />
      <Awaited name={t("waiting")} value={status("RECEIVED", "PROCESSING", "FAILED")} />
      <Awaited name={t("failed")} value={status("TERMINAL")} />
      <Awaited name={t("p50")} value={total && seconds(total.answerSecondsP50)} />
      <Awaited name={t("p95")} value={total && seconds(total.answerSecondsP95)} />
      <Awaited name={t("cost")} value={total && figures.dollars(total.price)} />
    </SimpleGrid>
  );
}

/** As large while it comes as it will be, so that nothing beneath moves. */
function Awaited({ name, value }: { name: string; value: string | undefined }) {
  const coming = (
    <Skeleton component="span" display="block" width="4ch">
      &nbsp;
    </Skeleton>
  );
  return <Figure name={name} value={value ?? coming} />;
}

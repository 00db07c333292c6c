/** Overview: is it well? */
import { SimpleGrid, Skeleton, Stack } from "@mantine/core";
import { createFileRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { $api } from "../../api/client";
import { Problem } from "../../api/problem";
import { Figure } from "../../parts/Figure";
import { useFigures } from "../../parts/figures";
import { Page } from "../../parts/Page";
import { Refused } from "../../parts/Trouble";
import { Failures } from "./-overview/Failures";
import { Lights } from "./-overview/Lights";

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
  const query = $api.useQuery("get", "/api/stats", { params: { query: { days: 1 } } });
  if (query.data === undefined) {
    return query.isPending ? (
      <Skeleton height={200} />
    ) : (
      <Refused problem={Problem.in(query.error)} again={query.refetch} />
    );
  }
  const { total } = query.data;
  const status = (name: string): number => total.statuses[name] ?? 0;
  const seconds = (value: number | null) => (value === null ? "–" : figures.seconds(value));
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }}>
      <Figure name={t("messages")} value={figures.count(total.messages)} />
      <Figure name={t("answered")} value={figures.count(status("COMPLETED"))} />
      <Figure
        name={t("waiting")}
        value={figures.count(status("RECEIVED") + status("PROCESSING") + status("FAILED"))}
      />
      <Figure name={t("failed")} value={figures.count(status("TERMINAL"))} />
      <Figure name={t("p50")} value={seconds(total.answerSecondsP50)} />
      <Figure name={t("p95")} value={seconds(total.answerSecondsP95)} />
      <Figure name={t("cost")} value={figures.dollars(total.price)} />
    </SimpleGrid>
  );
}

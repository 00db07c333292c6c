import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { byCursor, items } from "../../../api/pages";
import { said } from "../../../i18n/said";
import { Empty } from "../../../parts/Empty";
import { Go } from "../../../parts/Go";
import { More, Rows } from "../../../parts/more";
import { RetryMatching } from "../../../parts/retries";
import { StatusBadge } from "../../../parts/StatusBadge";
import { When } from "../../../parts/When";

/** Failures of one kind are one line: what happened, how often, in how many bots. */
export function Failures() {
  const { t } = useTranslation("overview");
  const query = $api.useInfiniteQuery("get", "/api/processing/failures", {}, byCursor);
  const kinds = items(query.data);
  return (
    <Stack gap="sm" component="section" aria-labelledby="failures">
      <Title order={2} size="h4" id="failures">
        {t("failures")}
      </Title>
      {query.isPending && <Rows />}
      {query.data && kinds.length === 0 && <Empty text={t("noFailures")} />}
      {kinds.map((kind) => (
        <Kind key={`${kind.fingerprint} ${kind.status}`} kind={kind} />
      ))}
      <More query={query} />
    </Stack>
  );
}

function Kind({ kind }: { kind: Schemas["FailureView"] }) {
  const { t } = useTranslation("overview");
  return (
    <Paper withBorder p="sm">
      <Group justify="space-between" align="flex-start">
        <Stack gap={2} miw={0} flex={1}>
          <Text className="text">{said(kind.fingerprint)}</Text>
          <Group gap="sm">
            <StatusBadge status={kind.status} />
            <Text size="sm" c="dimmed">
              {t("times", { count: kind.count })}, {t("inBots", { count: kind.bots.length })},{" "}
              <When at={kind.lastAt} />
            </Text>
            <Go to="/messages/$messageId" params={{ messageId: String(kind.exampleId) }} size="sm">
              {t("example")}
            </Go>
          </Group>
        </Stack>
        <RetryMatching
          filter={{ status: kind.status, fingerprint: kind.fingerprint }}
          label={t("retryAll")}
          size="xs"
        />
      </Group>
    </Paper>
  );
}

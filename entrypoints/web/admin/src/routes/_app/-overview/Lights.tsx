import { Group, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../api/client";
import { byCursor, items } from "../../../api/pages";
import { BotLight } from "../../../parts/BotLight";
import { Empty } from "../../../parts/Empty";
import { Go, GoButton } from "../../../parts/Go";
import { More, Rows } from "../../../parts/more";

/** The worst first. */
const ORDER: readonly Schemas["BotStatus"][] = [
  "error",
  "silent",
  "retrying",
  "connecting",
  "answering",
  "disabled",
];

export function Lights() {
  const { t } = useTranslation(["overview", "common"]);
  const query = $api.useInfiniteQuery("get", "/api/bots", {}, byCursor);
  const bots = items(query.data).toSorted(
    (one, other) => ORDER.indexOf(one.health.status) - ORDER.indexOf(other.health.status),
  );
  return (
    <Stack gap="sm" component="section" aria-labelledby="bots">
      <Title order={2} size="h4" id="bots">
        {t("common:pages.bots")}
      </Title>
      {query.isPending && <Rows />}
      {query.data && bots.length === 0 && (
        <Empty text={t("noBots")}>
          <GoButton to="/bots/new">{t("makeBot")}</GoButton>
        </Empty>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {bots.map((bot) => (
          <Paper key={bot.id} withBorder p="sm">
            <Stack gap="xs">
              <Group gap="xs" wrap="nowrap" justify="space-between">
                <Go to="/bots/$botId" params={{ botId: String(bot.id) }} truncate title={bot.name}>
                  {bot.name}
                </Go>
                {bot.username !== null && (
                  <Text size="xs" c="dimmed">
                    @{bot.username}
                  </Text>
                )}
              </Group>
              <BotLight health={bot.health} />
            </Stack>
          </Paper>
        ))}
      </SimpleGrid>
      <More query={query} />
    </Stack>
  );
}

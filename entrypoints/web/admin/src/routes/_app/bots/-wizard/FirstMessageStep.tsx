import { Alert, Anchor, Group, Paper, Skeleton, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../../api/client";
import { Problem } from "../../../../api/problem";
import { BotLight } from "../../../../parts/BotLight";
import { GoButton } from "../../../../parts/Go";
import { StatusBadge } from "../../../../parts/StatusBadge";
import { Refused } from "../../../../parts/Trouble";
import { why } from "../../../../parts/why";

/** The first message arrives live, and then its answer. */
export function FirstMessageStep({ bot: made }: { bot: Schemas["BotView"] }) {
  const { t } = useTranslation("bots");
  const path = { params: { path: { bot_id: made.id } } };
  const bot = $api.useQuery("get", "/api/bots/{bot_id}", path).data ?? made;
  const { data, error, refetch } = $api.useQuery("get", "/api/processing", {
    params: { query: { botId: made.id, limit: 1 } },
  });
  const first = data?.items[0];
  return (
    <Stack maw={560}>
      <Group justify="space-between">
        <Text>
          {t("wizard.write")}{" "}
          {bot.username === null ? (
            <bdi>{bot.name}</bdi>
          ) : (
            <Anchor href={`https://t.me/${bot.username}`} target="_blank" rel="noreferrer">
              @{bot.username}
            </Anchor>
          )}
        </Text>
        <BotLight health={bot.health} />
      </Group>
      <Refused problem={Problem.in(error)} again={refetch} />
      {first === undefined ? (
        <Stack gap="xs" role="status">
          <Text c="dimmed">{t("wizard.waiting")}</Text>
          <Skeleton height={72} />
        </Stack>
      ) : (
        <Paper withBorder p="md" role="status">
          <Stack gap="xs">
            <Group justify="space-between">
              <Text size="sm">{t("wizard.came")}</Text>
              <StatusBadge status={first.status} />
            </Group>
            <Text className="text" lineClamp={4}>
              {first.text}
            </Text>
            {first.status === "COMPLETED" && <Alert color="green">{t("wizard.answered")}</Alert>}
            {why(first) && first.status !== "COMPLETED" && (
              <Alert color="yellow">
                {t(first.status === "TERMINAL" ? "wizard.notAnswered" : "wizard.triedAgain")}{" "}
                {why(first)}
              </Alert>
            )}
          </Stack>
        </Paper>
      )}
      <Group justify="flex-end">
        {first && (
          <GoButton
            variant="default"
            to="/messages/$messageId"
            params={{ messageId: String(first.id) }}
          >
            {t("wizard.toMessage")}
          </GoButton>
        )}
        <GoButton to="/bots/$botId" params={{ botId: String(bot.id) }}>
          {t("wizard.toBot")}
        </GoButton>
      </Group>
    </Stack>
  );
}

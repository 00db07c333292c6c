import {
  Button,
  Group,
  Paper,
  SimpleGrid,
  Skeleton,
  Stack,
  Table,
  Text,
  Title,
} from "@mantine/core";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../../api/client";
import { Problem } from "../../../../api/problem";
import { said } from "../../../../i18n/said";
import { Figure } from "../../../../parts/Figure";
import { useFigures } from "../../../../parts/figures";
import { GoButton } from "../../../../parts/Go";
import { Refused } from "../../../../parts/Trouble";
import { When } from "../../../../parts/When";

type Shown = { bot: Schemas["BotView"] };

const WEEK = 7;

export function BotOverview({ bot }: Shown) {
  const { t } = useTranslation("bots");
  return (
    <Stack gap="lg">
      <Group>
        <GoButton variant="light" to="/chats" search={{ botId: bot.id }}>
          {t("links.chats")}
        </GoButton>
        <GoButton variant="light" to="/messages" search={{ botId: bot.id, status: "TERMINAL" }}>
          {t("links.failures")}
        </GoButton>
        <GoButton variant="light" to="/statistics" search={{ botId: bot.id }}>
          {t("links.statistics")}
        </GoButton>
      </Group>
      <Week bot={bot} />
      <AtTelegram bot={bot} />
    </Stack>
  );
}

function Week({ bot }: Shown) {
  const { t } = useTranslation("bots");
  const figures = useFigures();
  const query = $api.useQuery("get", "/api/stats", {
    params: { query: { days: WEEK, botId: bot.id } },
  });
  const total = query.data?.total;
  return (
    <Stack gap="xs">
      <Title order={2} size="h5">
        {t("week")}
      </Title>
      <Refused problem={Problem.in(query.error)} again={query.refetch} />
      {query.isPending && <Skeleton height={88} />}
      {total && (
        <SimpleGrid cols={{ base: 1, xs: 3 }}>
          <Figure name={t("weekMessages")} value={figures.count(total.messages)} />
          <Figure name={t("weekFailed")} value={figures.count(total.statuses.TERMINAL ?? 0)} />
          <Figure name={t("weekCost")} value={figures.dollars(total.price)} />
        </SimpleGrid>
      )}
    </Stack>
  );
}

/** getMe and getWebhookInfo, as Telegram answers them now. */
function AtTelegram({ bot }: Shown) {
  const { t } = useTranslation("bots");
  const path = { params: { path: { bot_id: bot.id } } };
  const query = $api.useQuery("get", "/api/bots/{bot_id}/telegram", path);
  const ensure = $api.useMutation("post", "/api/bots/{bot_id}/webhook");
  const webhook = query.data?.webhook;
  return (
    <Paper withBorder p="md">
      <Stack gap="sm">
        <Title order={2} size="h5">
          {t("webhook.title")}
        </Title>
        {query.isPending && <Skeleton height={120} />}
        <Refused problem={Problem.in(query.error)} again={query.refetch} />
        {query.data?.error && <Text className="text">{said(query.data.error)}</Text>}
        {webhook && (
          <Table variant="vertical" layout="auto">
            <Table.Tbody>
              <Table.Tr>
                <Table.Th w={200}>{t("webhook.url")}</Table.Th>
                <Table.Td className="text">{webhook.url || t("webhook.none")}</Table.Td>
              </Table.Tr>
              <Table.Tr>
                <Table.Th>{t("webhook.pending")}</Table.Th>
                <Table.Td>{webhook.pendingUpdateCount}</Table.Td>
              </Table.Tr>
              {webhook.lastErrorMessage !== null && (
                <Table.Tr>
                  <Table.Th>{t("webhook.lastError")}</Table.Th>
                  <Table.Td className="text">
                    {webhook.lastErrorMessage}{" "}
                    {webhook.lastErrorAt !== null && <When at={webhook.lastErrorAt} />}
                  </Table.Td>
                </Table.Tr>
              )}
            </Table.Tbody>
          </Table>
        )}
        <Refused problem={Problem.in(ensure.error)} />
        {ensure.isSuccess && <Text size="sm">{t("webhook.asked")}</Text>}
        <Group gap="xs">
          <Button
            variant="default"
            size="xs"
            loading={query.isFetching}
            onClick={() => void query.refetch()}
          >
            {t("webhook.look")}
          </Button>
          {bot.telegramMode === "WEBHOOK" && (
            <Button
              variant="light"
              size="xs"
              loading={ensure.isPending}
              onClick={() => ensure.mutate(path)}
            >
              {t("webhook.again")}
            </Button>
          )}
        </Group>
      </Stack>
    </Paper>
  );
}

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
import type { ReactNode } from "react";
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
  const { data, error, isPending, refetch } = $api.useQuery("get", "/api/stats", {
    params: { query: { days: WEEK, botId: bot.id } },
  });
  const total = data?.total;
  return (
    <Stack gap="xs">
      <Title order={2} size="h5">
        {t("week")}
      </Title>
      <Refused problem={Problem.in(error)} again={refetch} />
      {(total || isPending) && (
        <SimpleGrid cols={{ base: 1, xs: 3 }}>
          <Figure name={t("weekMessages")} value={total && figures.count(total.messages)} />
          <Figure
            name={t("weekFailed")}
            value={total && figures.count(total.statuses.TERMINAL ?? 0)}
          />
          <Figure name={t("weekCost")} value={total && figures.dollars(total.price)} />
        </SimpleGrid>
      )}
    </Stack>
  );
}

/** What getMe and getWebhookInfo answer now. */
function AtTelegram({ bot }: Shown) {
  const { t } = useTranslation("bots");
  const figures = useFigures();
  const path = { params: { path: { bot_id: bot.id } } };
  const query = $api.useQuery("get", "/api/bots/{bot_id}/telegram", path);
  const ensure = $api.useMutation("post", "/api/bots/{bot_id}/webhook");
  const { data } = query;
  const webhook = data?.webhook;
  return (
    <Paper withBorder p="md">
      <Stack gap="sm">
        <Title order={2} size="h5">
          {t("webhook.title")}
        </Title>
        <Refused problem={Problem.in(query.error)} again={query.refetch} />
        {data?.error && <Text className="text">{said(data.error)}</Text>}
        {(webhook || query.isPending) && (
          <Table variant="vertical" layout="auto">
            <Table.Tbody>
              <Row name={t("webhook.name")}>
                {data && <Named name={data.name} username={data.username} />}
              </Row>
              <Row name={t("webhook.url")}>{webhook && (webhook.url || t("webhook.none"))}</Row>
              <Row name={t("webhook.pending")}>
                {webhook && figures.count(webhook.pendingUpdateCount)}
              </Row>
              {webhook && webhook.lastErrorMessage !== null && (
                <Row name={t("webhook.lastError")}>
                  {said(webhook.lastErrorMessage)}{" "}
                  {webhook.lastErrorAt !== null && <When at={webhook.lastErrorAt} />}
                </Row>
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

/** A skeleton stands for what is still awaited. */
function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th w="35%">{name}</Table.Th>
      <Table.Td className="text">{children ?? <Skeleton height={20} maw={240} />}</Table.Td>
    </Table.Tr>
  );
}

function Named({ name, username }: { name: string | null; username: string | null }) {
  return (
    <>
      <bdi>{name}</bdi>
      {username !== null && ` @${username}`}
    </>
  );
}

/** One bot: its state, what Telegram says of it, its settings, its end. */
import { Button, Group, Tabs } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { Power } from "lucide-react";
import { useTranslation } from "react-i18next";

import { $api, api, type Schemas } from "../../../api/client";
import { useOnce } from "../../../api/once";
import { Problem } from "../../../api/problem";
import { BotLight } from "../../../parts/BotLight";
import { Rows } from "../../../parts/more";
import { Page } from "../../../parts/Page";
import { NotFound, Refused } from "../../../parts/Trouble";
import { BotOverview } from "./-bot/BotOverview";
import { BotSettings } from "./-bot/BotSettings";
import { DeleteBot } from "./-bot/DeleteBot";

const TABS = ["overview", "settings", "danger"] as const;
type Tab = (typeof TABS)[number];

const isTab = (value: unknown): value is Tab => TABS.some((tab) => tab === value);

export const Route = createFileRoute("/_app/bots/$botId")({
  validateSearch: ({ tab }): { tab?: Tab } => (isTab(tab) ? { tab } : {}),
  component: BotPage,
});

function BotPage() {
  const { t } = useTranslation();
  const botId = Number(Route.useParams().botId);
  const query = $api.useQuery(
    "get",
    "/api/bots/{bot_id}",
    { params: { path: { bot_id: botId } } },
    { enabled: Number.isSafeInteger(botId) },
  );
  const problem = Problem.in(query.error);
  if (!Number.isSafeInteger(botId) || problem?.status === 404) return <NotFound />;
  if (query.data) return <Shown key={botId} bot={query.data} />;
  return (
    <Page title={t("bot")}>
      {query.isPending ? <Rows /> : <Refused problem={problem} again={query.refetch} />}
    </Page>
  );
}

function Shown({ bot }: { bot: Schemas["BotView"] }) {
  const { t } = useTranslation("bots");
  const { tab = "overview" } = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <Page title={bot.name} actions={<Switch bot={bot} />}>
      <Group>
        {bot.username !== null && <span>@{bot.username}</span>}
        <BotLight health={bot.health} />
      </Group>
      <Tabs
        value={tab}
        onChange={(value) => void navigate({ search: isTab(value) ? { tab: value } : {} })}
        keepMounted={false}
        keepMountedMode="display-none"
      >
        <Tabs.List mb="md">
          {TABS.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`tabs.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <BotOverview bot={bot} />
        </Tabs.Panel>
        {/* What is written there stays while one looks at another tab. */}
        <Tabs.Panel value="settings" keepMounted>
          <BotSettings bot={bot} />
        </Tabs.Panel>
        <Tabs.Panel value="danger">
          <DeleteBot bot={bot} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

/** On or off: the wish is kept at once, and the light follows when Telegram has agreed. */
function Switch({ bot }: { bot: Schemas["BotView"] }) {
  const { t } = useTranslation("bots");
  const queries = useQueryClient();
  const path = { params: { path: { bot_id: bot.id } } };
  // One for both, so that what was refused before does not outlive what was done since.
  const mutationKey = ["enable or disable", bot.id];
  const mutation = useMutation({
    mutationKey,
    mutationFn: (enabled: boolean) =>
      enabled
        ? api.POST("/api/bots/{bot_id}/enable", path)
        : api.POST("/api/bots/{bot_id}/disable", path),
    onSettled: () => queries.invalidateQueries({ queryKey: ["get", "/api/bots/{bot_id}"] }),
  });
  const change = useOnce(mutationKey, mutation);
  return (
    <Group gap="xs">
      <Refused problem={Problem.in(change.error)} />
      <Button
        variant={bot.enabled ? "default" : "filled"}
        leftSection={<Power size={16} aria-hidden />}
        loading={change.isPending}
        onClick={() => change.mutate(!bot.enabled)}
      >
        {t(bot.enabled ? "disable" : "enable")}
      </Button>
    </Group>
  );
}

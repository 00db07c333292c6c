/** Bots, each with its light. */
import { createFileRoute } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { byCursor } from "../../../api/pages";
import { BotLight } from "../../../parts/BotLight";
import { Empty } from "../../../parts/Empty";
import { Go, GoButton } from "../../../parts/Go";
import { Listing } from "../../../parts/Listing";
import { Page } from "../../../parts/Page";
import { When } from "../../../parts/When";

export const Route = createFileRoute("/_app/bots/")({ component: Bots });

function Bots() {
  const { t } = useTranslation(["bots", "common"]);
  const query = $api.useInfiniteQuery("get", "/api/bots", {}, byCursor);
  const make = (
    <GoButton to="/bots/new" leftSection={<Plus size={16} aria-hidden />}>
      {t("make")}
    </GoButton>
  );
  return (
    <Page title={t("common:pages.bots")} actions={make}>
      <Listing
        query={query}
        empty={<Empty text={t("empty")}>{make}</Empty>}
        columns={[
          {
            accessor: "name",
            title: t("name"),
            width: 240,
            ellipsis: true,
            narrow: "title",
            render: ({ id, name }) => (
              <Go to="/bots/$botId" params={{ botId: String(id) }} dir="auto" title={name} inherit>
                {name}
              </Go>
            ),
          },
          {
            accessor: "username",
            title: t("username"),
            render: ({ username }) => (username === null ? "" : `@${username}`),
          },
          {
            accessor: "health",
            title: t("state"),
            width: 280,
            narrow: "beneath",
            render: ({ health }) => <BotLight health={health} />,
          },
          {
            accessor: "telegramMode",
            title: t("updates"),
            render: ({ telegramMode }) => t(`modes.${telegramMode}`),
          },
          {
            accessor: "model",
            title: t("model"),
            noWrap: true,
            render: ({ model }) => model ?? t("defaultModel"),
          },
          {
            accessor: "createdAt",
            title: t("created"),
            render: ({ createdAt }) => <When at={createdAt} />,
          },
        ]}
      />
    </Page>
  );
}

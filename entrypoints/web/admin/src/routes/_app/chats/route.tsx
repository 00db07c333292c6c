/** The inbox: the chats at the left, one of them at the right; on a narrow screen one at a time. */
import { Title } from "@mantine/core";
import { createFileRoute, Outlet, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { idOf, wordsOf } from "../../../parts/asked";
import { ChatList } from "./-ChatList";
import classes from "./-chats.module.css";
import { Filters } from "./-Filters";
import { Keys } from "./-Keys";

type Search = { q?: string | undefined; botId?: number | undefined };

const LONGEST_Q = 200;

export const Route = createFileRoute("/_app/chats")({
  validateSearch: ({ q, botId }): Search => ({
    q: wordsOf(q, LONGEST_Q),
    botId: idOf(botId),
  }),
  component: Inbox,
});

function Inbox() {
  const { t } = useTranslation();
  const { q, botId } = Route.useSearch();
  const { chatId } = useParams({ strict: false });
  const isOpen = chatId !== undefined;
  return (
    <div className={classes.inbox} data-open={isOpen || undefined}>
      <div className={classes.side}>
        <Title order={1} size="h2">
          {t("pages.chats")}
        </Title>
        <Filters q={q ?? ""} botId={botId} />
        <ChatList key={`${botId}:${q}`} q={q} botId={botId} openId={chatId} />
        <Keys />
      </div>
      <div className={classes.main}>
        <Outlet />
      </div>
    </div>
  );
}

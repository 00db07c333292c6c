/** A conversation: whose it is, what was said, and a place to write. */
import { Group, Skeleton, Stack } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { Go } from "../../../parts/Go";
import { useTitle } from "../../../parts/Page";
import { NotFound, Refused } from "../../../parts/Trouble";
import { ChatHeader } from "./-ChatHeader";
import { Composer } from "./-Composer";
import { Conversation } from "./-Conversation";
import classes from "./-chats.module.css";
import { useHistory } from "./-history";
import { PausedBar, usePause } from "./-Pause";
import { type Chat, nameOf } from "./-steady";
import { useWaiting } from "./-waiting";

export const Route = createFileRoute("/_app/chats/$chatId")({ component: OneChat });

function OneChat() {
  const { t } = useTranslation("chats");
  const { chatId } = Route.useParams();
  const params = { path: { chat_id: chatId } };
  const { data: chat, error, refetch } = $api.useQuery("get", "/api/chats/{chat_id}", { params });
  const navigate = useNavigate();
  useHotkeys([
    [
      "Escape",
      (event) => {
        // A menu or a dialog has closed by it.
        if (event.defaultPrevented || document.querySelector("[role=dialog], [role=menu]")) return;
        void navigate({ to: "/chats", search: true });
      },
      { preventDefault: false },
    ],
  ]);
  const problem = Problem.in(error);
  if (problem?.status === 404) {
    return (
      <>
        <Go to="/chats" search hiddenFrom="md">
          {t("back")}
        </Go>
        <NotFound />
      </>
    );
  }
  if (chat !== undefined) return <Talk key={chat.id} chat={chat} />;
  return problem ? <Refused problem={problem} again={refetch} /> : <Coming />;
}

function Talk({ chat }: { chat: Chat }) {
  useTitle(nameOf(chat));
  const history = useHistory(chat.id);
  const pause = usePause(chat);
  const waiting = useWaiting(chat.id, history.messages);
  const { latest } = history;
  return (
    <section className={classes.talk} aria-labelledby="chat-name">
      <ChatHeader chat={chat} pause={pause} />
      {latest.data === undefined ? (
        latest.isPending ? (
          <Bubbles />
        ) : (
          <Refused problem={Problem.in(latest.error)} again={latest.refetch} />
        )
      ) : (
        <>
          <Conversation history={history} waiting={waiting} name={nameOf(chat)} />
          <PausedBar pause={pause} />
          <Composer chat={chat} messages={history.messages} />
        </>
      )}
    </section>
  );
}

function Coming() {
  return (
    <div className={classes.talk} aria-busy="true">
      <Stack gap="xs">
        <Skeleton height={36} width="60%" />
        <Skeleton height={20} width="80%" />
      </Stack>
      <Bubbles />
    </div>
  );
}

const WIDTHS = ["45%", "60%", "30%", "55%", "40%", "65%"] as const;

function Bubbles() {
  return (
    <Stack gap="sm" flex={1} justify="flex-end" aria-busy="true" className={classes.coming ?? ""}>
      {WIDTHS.map((width, row) => (
        <Group key={width} justify={row % 2 === 0 ? "flex-start" : "flex-end"}>
          <Skeleton height={64} width={width} />
        </Group>
      ))}
    </Stack>
  );
}

/** Whose chat it is, and what can be done with it as a whole. */
import { ActionIcon, Badge, Box, Group, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useBots } from "../../../parts/bots";
import { Go } from "../../../parts/Go";
import { When } from "../../../parts/When";
import { ChatActions } from "./-ChatActions";
import { PauseButton, type PauseState } from "./-Pause";
import { type Chat, nameOf } from "./-steady";

export function ChatHeader({ chat, pause }: { chat: Chat; pause: PauseState }) {
  const { t } = useTranslation(["chats", "common"]);
  const bot = useBots().find(({ id }) => id === chat.botId);
  return (
    <div>
      <Group gap="xs" wrap="nowrap">
        <ActionIcon
          variant="subtle"
          size="lg"
          color="gray"
          hiddenFrom="md"
          aria-label={t("back")}
          renderRoot={(props) => <Link to="/chats" search {...props} />}
        >
          <ArrowLeft size={20} aria-hidden />
        </ActionIcon>
        <Title
          order={2}
          size="h3"
          id="chat-name"
          dir="auto"
          lineClamp={1}
          miw={0}
          title={nameOf(chat)}
        >
          {nameOf(chat)}
        </Title>
        {chat.pausedAt !== null && (
          <Badge
            variant="light"
            color="orange"
            c="var(--mantine-color-text)"
            tt="none"
            miw="max-content"
          >
            {t("paused")}
          </Badge>
        )}
        <Group gap="xs" wrap="nowrap" ml="auto">
          <PauseButton pause={pause} />
          <ChatActions chat={chat} />
        </Group>
      </Group>
      <Text size="xs" c="dimmed" component="div">
        <Group gap="0 10px">
          {chat.username !== null && <span>@{chat.username}</span>}
          {/* On a phone a line of its own: its name comes later, and must not break another line. */}
          <Box w={{ base: "100%", sm: "auto" }} lh={1}>
            <Go
              to="/bots/$botId"
              params={{ botId: String(chat.botId) }}
              size="xs"
              maw={220}
              truncate
              title={bot?.name}
            >
              <bdi>{bot?.name ?? t("common:botNumber", { id: chat.botId })}</bdi>
            </Go>
          </Box>
          <span>{t("telegramId", { id: chat.telegramChatId })}</span>
          {chat.topicId !== null && <span>{t("topic", { id: chat.topicId })}</span>}
          <span>
            {t("created")} <When at={chat.createdAt} />
          </span>
        </Group>
      </Text>
    </div>
  );
}

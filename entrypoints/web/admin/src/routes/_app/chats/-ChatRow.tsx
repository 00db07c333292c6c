/** A chat in the list: who, when, what was said last and by whom. */
import { Badge, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import classes from "./-chats.module.css";
import { Lately } from "./-moments";
import { type Chat, nameOf } from "./-steady";

export const linkId = ({ id }: Chat): string => `chat-${id}`;

type Shown = { chat: Chat; bot: string | undefined; isOpen: boolean };

export function ChatRow({ chat, bot, isOpen }: Shown) {
  const { t } = useTranslation("chats");
  const name = nameOf(chat);
  const last = chat.lastMessage;
  return (
    <Link
      id={linkId(chat)}
      className={classes.row ?? ""}
      data-open={isOpen || undefined}
      aria-current={isOpen ? "page" : undefined}
      to="/chats/$chatId"
      params={{ chatId: chat.id }}
      search
    >
      <Group gap="xs" wrap="nowrap" justify="space-between">
        <Text component="span" fw={600} truncate dir="auto" title={name}>
          {name}
        </Text>
        <Text component="span" size="xs" c="dimmed" className={classes.time ?? ""}>
          {last && <Lately at={last.createdAt} />}
        </Text>
      </Group>
      <Group gap="xs" wrap="nowrap" justify="space-between">
        <Text component="span" size="sm" truncate>
          {last && last.sender !== "USER" && (
            <Text component="span" inherit c="dimmed">
              {t(`sender.${last.sender}`)}:{" "}
            </Text>
          )}
          <bdi>{last?.text}</bdi>
        </Text>
        {chat.pausedAt !== null && (
          <Badge
            variant="light"
            color="orange"
            c="var(--mantine-color-text)"
            size="sm"
            tt="none"
            className={classes.time ?? ""}
          >
            {t("paused")}
          </Badge>
        )}
      </Group>
      <Text component="span" display="block" size="xs" c="dimmed" truncate>
        <bdi>{bot}</bdi>
        {chat.username !== null && chat.name !== null && ` · @${chat.username}`}
        {chat.topicId !== null && ` · ${t("topic", { id: chat.topicId })}`}
      </Text>
    </Link>
  );
}

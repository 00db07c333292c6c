/** Who answers in this chat: the bot, or a person. */
import { Alert, Button, Group, Text, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { Pause, Play } from "lucide-react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Problem } from "../../../api/problem";
import type { Chat } from "./-steady";

function usePause(chat: Chat) {
  const { t } = useTranslation("common");
  const queries = useQueryClient();
  const init = { params: { path: { chat_id: chat.id } } };
  const told = {
    onSuccess: (after: Chat) => {
      queries.setQueryData($api.queryOptions("get", "/api/chats/{chat_id}", init).queryKey, after);
      return queries.invalidateQueries({ queryKey: ["get", "/api/chats"] });
    },
    onError: (error: unknown) => {
      const message = Problem.in(error)?.message || t("problem.away");
      notifications.show({ color: "red", message });
    },
  };
  const pause = $api.useMutation("post", "/api/chats/{chat_id}/pause", told);
  const resume = $api.useMutation("post", "/api/chats/{chat_id}/resume", told);
  const { mutate, isPending } = chat.pausedAt === null ? pause : resume;
  return { toggle: () => mutate(init), isPending };
}

export function PauseButton({ chat }: { chat: Chat }) {
  const { t } = useTranslation("chats");
  const { toggle, isPending } = usePause(chat);
  if (chat.pausedAt !== null) return null;
  return (
    <Tooltip label={t("pause.means")} multiline w={280} withArrow>
      <Button
        variant="default"
        size="xs"
        loading={isPending}
        onClick={toggle}
        leftSection={<Pause size={14} aria-hidden />}
      >
        {t("pause.do")}
      </Button>
    </Tooltip>
  );
}

/** As long as the bot is paused, above the place to write. */
export function PausedBar({ chat }: { chat: Chat }) {
  const { t } = useTranslation("chats");
  const { toggle, isPending } = usePause(chat);
  if (chat.pausedAt === null) return null;
  return (
    <Alert color="orange" py="xs" role="status">
      <Group gap="xs" justify="space-between">
        <Text size="sm" flex="1 1 220px">
          {t("pause.is")}
        </Text>
        <Tooltip label={t("resume.means")} multiline w={280} withArrow>
          <Button
            variant="default"
            size="xs"
            loading={isPending}
            onClick={toggle}
            leftSection={<Play size={14} aria-hidden />}
          >
            {t("resume.do")}
          </Button>
        </Tooltip>
      </Group>
    </Alert>
  );
}

/** Who answers in this chat: the bot, or a person. */
import { Alert, Box, Button, Group, Text, Tooltip } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Pause, Play } from "lucide-react";
import { type Ref, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { tellRefused } from "../../../parts/tell";
import type { Chat } from "./-steady";

export type PauseState = ReturnType<typeof usePause>;

export function usePause(chat: Chat) {
  const { t } = useTranslation("common");
  const queries = useQueryClient();
  const init = { params: { path: { chat_id: chat.id } } };
  const told = {
    onSuccess: (after: Chat) => {
      queries.setQueryData($api.queryOptions("get", "/api/chats/{chat_id}", init).queryKey, after);
      return queries.invalidateQueries({ queryKey: ["get", "/api/chats"] });
    },
    onError: (error: unknown) => tellRefused(error, t("problem.away")),
  };
  const pause = $api.useMutation("post", "/api/chats/{chat_id}/pause", told);
  const resume = $api.useMutation("post", "/api/chats/{chat_id}/resume", told);
  const { mutate, isPending } = chat.pausedAt === null ? pause : resume;
  return {
    isPaused: chat.pausedAt !== null,
    toggle: () => mutate(init),
    isPending,
    /** Whether it was this page that did it. */
    isOurs: !pause.isIdle || !resume.isIdle,
  };
}

/** Pausing and resuming take each other's place: the focus goes from the one to the other. */
function useFocus({ isOurs, isPending }: PauseState): Ref<HTMLButtonElement> {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const isLost = document.activeElement === document.body;
    if (isOurs && !isPending && isLost) button.current?.focus();
  }, [isOurs, isPending]);
  return button;
}

export function PauseButton({ pause }: { pause: PauseState }) {
  return pause.isPaused ? null : <Pausing {...pause} />;
}

function Pausing(pause: PauseState) {
  const { toggle, isPending } = pause;
  const { t } = useTranslation("chats");
  return (
    <Tooltip label={t("pause.means")} multiline w={280} withArrow>
      <Button
        ref={useFocus(pause)}
        variant="default"
        size="xs"
        loading={isPending}
        onClick={toggle}
        aria-label={t("pause.do")}
      >
        <Pause size={14} aria-hidden />
        <Box component="span" ml="xs" visibleFrom="sm">
          {t("pause.do")}
        </Box>
      </Button>
    </Tooltip>
  );
}

/** As long as the bot is paused, above the place to write. */
export function PausedBar({ pause }: { pause: PauseState }) {
  return pause.isPaused ? <Paused {...pause} /> : null;
}

function Paused(pause: PauseState) {
  const { toggle, isPending } = pause;
  const { t } = useTranslation("chats");
  return (
    <Alert color="orange" py="xs" role="status">
      <Group gap="xs" justify="space-between">
        <Text size="sm" flex="1 1 220px">
          {t("pause.is")}
        </Text>
        <Tooltip label={t("resume.means")} multiline w={280} withArrow>
          <Button
            ref={useFocus(pause)}
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

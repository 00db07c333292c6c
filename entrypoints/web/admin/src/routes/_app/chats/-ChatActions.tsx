/** What is done seldom, and asked about first: forget the thread, delete the chat. */
import { ActionIcon, Menu, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { EllipsisVertical, Eraser, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { tellRefused } from "../../../parts/tell";
import { type Chat, isolated, nameOf } from "./-steady";

const GONE = ["messages", "processing", "updates", "requests", "steps", "jobs"] as const;

export function ChatActions({ chat }: { chat: Chat }) {
  const { t } = useTranslation(["chats", "common"]);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const init = { params: { path: { chat_id: chat.id } } };
  const name = isolated(nameOf(chat));
  const onError = (error: unknown): void => tellRefused(error, t("common:problem.away"));
  const forget = $api.useMutation("post", "/api/chats/{chat_id}/refresh", {
    onSuccess: () => notifications.show({ message: t("forget.done", { name }) }),
    onError,
  });
  const erase = $api.useMutation("delete", "/api/chats/{chat_id}", {
    onSuccess: async (erased) => {
      const counts = GONE.filter((kind) => erased[kind] > 0);
      const gone = counts.map((kind) => t(`erase.${kind}`, { count: erased[kind] })).join(", ");
      notifications.show({ message: t("erase.done", { name, gone }), autoClose: false });
      await navigate({ to: "/chats", search: true });
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[1] === chat.id });
      await queries.invalidateQueries({ queryKey: ["get", "/api/chats"] });
    },
    onError,
  });
  const cancel = t("common:cancel");
  const confirmForget = (): void => {
    modals.openConfirmModal({
      title: t("forget.title"),
      children: <Text size="sm">{t("forget.means")}</Text>,
      labels: { confirm: t("forget.do"), cancel },
      onConfirm: () => forget.mutate(init),
    });
  };
  const confirmErase = (): void => {
    modals.openConfirmModal({
      title: t("erase.title", { name }),
      children: <Text size="sm">{t("erase.means")}</Text>,
      labels: { confirm: t("erase.do"), cancel },
      confirmProps: { color: "red" },
      onConfirm: () => erase.mutate(init),
    });
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          variant="default"
          size={30}
          aria-label={t("actions")}
          loading={forget.isPending || erase.isPending}
        >
          <EllipsisVertical size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Eraser size={14} aria-hidden />} onClick={confirmForget}>
          {t("forget.title")}
        </Menu.Item>
        <Menu.Item
          color="var(--mantine-color-red-light-color)"
          leftSection={<Trash2 size={14} aria-hidden />}
          onClick={confirmErase}
        >
          {t("erase.item")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

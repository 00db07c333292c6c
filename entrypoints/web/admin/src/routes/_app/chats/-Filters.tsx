/** Search and bot; both live in the address. */
import { Stack, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useTranslation } from "react-i18next";

import { BotSelect } from "../../../parts/BotSelect";
import { useTyped } from "../../../parts/typed";

export const SEARCH_ID = "chats-search";

type Chosen = { q: string; botId: number | undefined };

export function Filters({ q, botId }: Chosen) {
  const { t } = useTranslation("chats");
  const navigate = useNavigate();
  const [typed, type] = useTyped(
    q,
    (words) =>
      void navigate({
        to: ".",
        search: (before) => ({ ...before, q: words || undefined }),
        replace: true,
      }),
  );
  return (
    <Stack gap="xs">
      <TextInput
        id={SEARCH_ID}
        type="search"
        value={typed}
        onChange={({ currentTarget: { value } }) => type(value)}
        onKeyDown={({ key, currentTarget }) => {
          if (key === "Escape") currentTarget.blur();
        }}
        placeholder={t("search")}
        aria-label={t("search")}
        leftSection={<Search size={16} aria-hidden />}
        maxLength={200}
      />
      <BotSelect
        botId={botId}
        onChange={(chosen) =>
          void navigate({ to: ".", search: (before) => ({ ...before, botId: chosen }) })
        }
      />
    </Stack>
  );
}

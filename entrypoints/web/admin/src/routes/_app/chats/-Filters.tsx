/** Search and bot; both live in the address. */
import { Stack, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { BotSelect } from "../../../parts/BotSelect";

const PAUSE_MS = 300;
export const SEARCH_ID = "chats-search";

type Chosen = { q: string; botId: number | undefined };

export function Filters({ q, botId }: Chosen) {
  const { t } = useTranslation("chats");
  const navigate = useNavigate();
  const [typed, setTyped] = useState(q);
  const asked = useRef(q);
  const ask = useDebouncedCallback((words: string) => {
    asked.current = words;
    void navigate({
      to: ".",
      search: (before) => ({ ...before, q: words || undefined }),
      replace: true,
    });
  }, PAUSE_MS);
  // The address has changed by another way: back, or a link.
  useEffect(() => {
    if (q === asked.current) return;
    asked.current = q;
    setTyped(q);
  }, [q]);
  return (
    <Stack gap="xs">
      <TextInput
        id={SEARCH_ID}
        type="search"
        value={typed}
        onChange={({ currentTarget: { value } }) => {
          setTyped(value);
          ask(value.trim());
        }}
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

/** All bots, or one of them. */
import { Select } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useBots } from "./bots";

type Chosen = { botId: number | undefined; onChange: (botId: number | undefined) => void };

export function BotSelect({ botId, onChange }: Chosen) {
  const { t } = useTranslation();
  const data = useBots().map(({ id, name }) => ({ value: String(id), label: name }));
  const value = botId === undefined ? null : String(botId);
  // Of an address: deleted, or one of more bots than are fetched.
  if (value !== null && !data.some((bot) => bot.value === value)) {
    data.push({ value, label: t("botNumber", { id: value }) });
  }
  return (
    <Select
      label={t("bot")}
      placeholder={t("allBots")}
      data={data}
      value={value}
      onChange={(chosen) => onChange(chosen === null ? undefined : Number(chosen))}
      clearable
      searchable
      nothingFoundMessage={t("noSuchBot")}
      clearButtonProps={{ "aria-label": t("allBots") }}
    />
  );
}

/** All bots, or one of them. */
import { Select } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { $api } from "../api/client";

/** The API's longest page; who has more bots writes the number into the address. */
const MOST = 200;

type Chosen = { botId: number | undefined; onChange: (botId: number | undefined) => void };

export function BotSelect({ botId, onChange }: Chosen) {
  const { t } = useTranslation();
  const bots = $api.useQuery("get", "/api/bots", { params: { query: { limit: MOST } } });
  const data = (bots.data?.items ?? []).map(({ id, name }) => ({ value: String(id), label: name }));
  return (
    <Select
      label={t("bot")}
      placeholder={t("allBots")}
      data={data}
      value={botId === undefined ? null : String(botId)}
      onChange={(value) => onChange(value === null ? undefined : Number(value))}
      clearable
      searchable
      clearButtonProps={{ "aria-label": t("allBots") }}
    />
  );
}

import { Select, TextInput } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import "@mantine/dates/styles.css";
import dayjs from "dayjs";
// The names of months and days; English ones dayjs has itself.
import "dayjs/locale/ru";
import { useTranslation } from "react-i18next";

import { BotSelect } from "../../../parts/BotSelect";
import { FilterBar } from "../../../parts/FilterBar";
import { useTyped } from "../../../parts/typed";
import { type Changed, type Filters, isStatus, STATUSES } from "./-filters";

export function MessageFilters(props: { filters: Filters; onChange: (changed: Changed) => void }) {
  const { filters, onChange } = props;
  const { t, i18n } = useTranslation(["messages", "common"]);
  const [typed, type] = useTyped(filters.q ?? "", (q) => onChange({ q: q || undefined }));
  const day = (name: "from" | "to") => (
    <DateTimePicker
      // With the same id Mantine calls the calendar as its button is called.
      id={name}
      popoverProps={{ id: name }}
      label={t(name)}
      locale={i18n.language}
      // With the month's name nobody takes the 8th of March for the 3rd of August.
      valueFormat="D MMM YYYY HH:mm"
      value={
        filters[name] === undefined ? null : dayjs(filters[name]).format("YYYY-MM-DD HH:mm:ss")
      }
      onChange={(value) =>
        onChange({ [name]: value === null ? undefined : dayjs(value).toISOString() })
      }
      clearable
      clearButtonProps={{ "aria-label": t("anyTime") }}
      placeholder={t("anyTime")}
    />
  );
  return (
    <FilterBar count={Object.keys(filters).length}>
      <TextInput
        label={t("search")}
        placeholder={t("searchHint")}
        value={typed}
        onChange={(event) => type(event.currentTarget.value)}
        type="search"
      />
      <Select
        label={t("status")}
        placeholder={t("any")}
        data={STATUSES.map((value) => ({ value, label: t(`common:status.${value}`) }))}
        value={filters.status ?? null}
        onChange={(value) => onChange({ status: isStatus(value) ? value : undefined })}
        clearable
        clearButtonProps={{ "aria-label": t("any") }}
      />
      <BotSelect botId={filters.botId} onChange={(botId) => onChange({ botId })} />
      {day("from")}
      {day("to")}
    </FilterBar>
  );
}

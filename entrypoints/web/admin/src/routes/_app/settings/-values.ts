/** Settings are one flat object of "group.name"; a form's fields are nested by the same dots. */
import type { Schemas } from "../../../api/client";

export type Settings = Schemas["SettingsView"];
export type SettingId = keyof Settings;

/** In the order of the page. */
export const GROUPS = {
  openai: ["openai.apiKey", "openai.baseUrl"],
  alerts: ["alerts.botToken", "alerts.chatId"],
  defaults: [
    "defaults.model",
    "defaults.instructions",
    "defaults.helpText",
    "defaults.errorMessage",
  ],
  retention: ["retention.updatesDays", "retention.journalDays", "retention.jobLogDays"],
} as const satisfies Record<string, readonly SettingId[]>;

export const IDS: readonly SettingId[] = Object.values(GROUPS).flat();

export type Values = Record<string, Record<string, string | number>>;

function split(id: SettingId): [string, string] {
  const [group, name] = id.split(".");
  return [group!, name!];
}

export function nested(settings: Settings): Values {
  const values: Values = {};
  for (const id of IDS) {
    const [group, name] = split(id);
    values[group] = { ...values[group], [name]: settings[id] ?? "" };
  }
  return values;
}

export function fieldOf(values: Values, id: SettingId): string | number {
  const [group, name] = split(id);
  return values[group]?.[name] ?? "";
}

/** What differs from what holds; an empty field clears its setting. */
export function changes(settings: Settings, values: Values): Schemas["SettingsPatch"] {
  return Object.fromEntries(
    IDS.filter((id) => fieldOf(values, id) !== (settings[id] ?? "")).map((id) => {
      const value = fieldOf(values, id);
      return [id, value === "" ? null : value];
    }),
  );
}

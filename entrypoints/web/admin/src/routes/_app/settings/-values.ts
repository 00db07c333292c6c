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

const IDS: readonly SettingId[] = Object.values(GROUPS).flat();

/** Of these only masks are known: an empty field leaves them, null removes one. */
const SECRETS = ["openai.apiKey", "alerts.botToken"] as const satisfies readonly SettingId[];

export const isSecret = (id: SettingId): id is (typeof SECRETS)[number] =>
  SECRETS.some((secret) => secret === id);

export const masksOf = (settings: Settings): Record<string, string | null> =>
  Object.fromEntries(SECRETS.map((id) => [id, settings[id]]));

export type Values = Record<string, Record<string, string | number | null>>;

function split(id: SettingId): [string, string] {
  const [group, name] = id.split(".");
  return [group!, name!];
}

const shown = (settings: Settings, id: SettingId): string | number =>
  isSecret(id) ? "" : (settings[id] ?? "");

export function nested(settings: Settings): Values {
  const values: Values = {};
  for (const id of IDS) {
    const [group, name] = split(id);
    values[group] = { ...values[group], [name]: shown(settings, id) };
  }
  return values;
}

/** What differs from what holds; an empty field clears its setting. */
export function changes(settings: Settings, values: Values): Schemas["SettingsPatch"] {
  return Object.fromEntries(
    IDS.flatMap((id) => {
      const [group, name] = split(id);
      const value = values[group]?.[name] ?? null;
      return value === shown(settings, id) ? [] : [[id, value === "" ? null : value]];
    }),
  );
}

/** A bot's settings as a form holds them, and as the API takes them. */
import type { Schemas } from "../../../api/client";
import { differing } from "../../../parts/kept";

type Bot = Schemas["BotView"];

/** Texts are "" where the API says null; numbers are "" where they are not set. */
export type BotFields = {
  name: string;
  token: string;
  telegramMode: Bot["telegramMode"];
  model: string;
  modelApi: Bot["modelApi"];
  instructions: string;
  temperature: number | "";
  maxOutputTokens: number | "";
  historyMessages: number | "";
  assistantId: string;
  startMessage: string;
  helpText: string;
  errorMessage: string;
  telegramApiUrl: string;
  baseUrl: string;
  /** null: to be removed. */
  apiKey: string | null;
};

/** Of a token and a key only masks are known: an empty field leaves them, null removes one. */
const SECRETS = ["token", "apiKey"] as const satisfies readonly (keyof BotFields)[];

export function fieldsOf(bot: Bot): BotFields {
  return {
    name: bot.name,
    token: "",
    telegramMode: bot.telegramMode,
    model: bot.model ?? "",
    modelApi: bot.modelApi,
    instructions: bot.instructions ?? "",
    temperature: bot.temperature ?? "",
    maxOutputTokens: bot.maxOutputTokens ?? "",
    historyMessages: bot.historyMessages,
    assistantId: bot.assistantId ?? "",
    startMessage: bot.startMessage ?? "",
    helpText: bot.helpText ?? "",
    errorMessage: bot.errorMessage ?? "",
    telegramApiUrl: bot.telegramApiUrl ?? "",
    baseUrl: bot.baseUrl ?? "",
    apiKey: "",
  };
}

/** What differs from the bot; an empty field clears its setting, but a secret's leaves it. */
export function changes(bot: Bot, fields: BotFields): Schemas["BotPatch"] {
  return Object.fromEntries(
    Object.entries(differing(fieldsOf(bot), fields))
      .filter(([name, value]) => value !== "" || !SECRETS.some((secret) => secret === name))
      .map(([name, value]) => [name, value === "" ? null : value]),
  );
}

/** A new bot: what was left empty is not sent, so that the API's defaults hold. */
export function newBot({ name, token, historyMessages, ...fields }: BotFields): Schemas["NewBot"] {
  return {
    name: name.trim(),
    token: token.trim(),
    historyMessages: historyMessages === "" ? 20 : historyMessages,
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "")),
  };
}

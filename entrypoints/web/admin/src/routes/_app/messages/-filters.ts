/** What messages are looked for by, in the address and in a question to the API. */
import type { Schemas } from "../../../api/client";

type Status = Schemas["Status"];

export type Filters = {
  status?: Status | undefined;
  botId?: number | undefined;
  q?: string | undefined;
  /** ISO 8601 with a zone. */
  from?: string | undefined;
  to?: string | undefined;
};

export const STATUSES = [
  "RECEIVED",
  "PROCESSING",
  "COMPLETED",
  "FAILED",
  "TERMINAL",
] as const satisfies readonly Status[];

export const isStatus = (value: unknown): value is Status =>
  STATUSES.some((status) => status === value);
const isMoment = (value: unknown): value is string =>
  typeof value === "string" && !Number.isNaN(Date.parse(value));

/** What an address holds of filters; what it cannot hold is left out. */
export function filtersOf({ status, botId, q, from, to }: Record<string, unknown>): Filters {
  return {
    ...(isStatus(status) ? { status } : {}),
    ...(Number.isSafeInteger(botId) ? { botId: Number(botId) } : {}),
    ...(q === undefined || q === "" ? {} : { q: String(q) }),
    ...(isMoment(from) ? { from } : {}),
    ...(isMoment(to) ? { to } : {}),
  };
}

type Asked = { status?: Status; botId?: number; q?: string; from?: string; to?: string };

/** As the API wants them. */
export function asked(filters: Filters): Asked {
  return Object.fromEntries(
    Object.entries(filters).filter(([, value]) => value !== undefined),
  ) satisfies Asked;
}

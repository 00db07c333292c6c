/** What messages are looked for by, in the address and in a question to the API. */
import type { Schemas } from "../../../api/client";
import { idOf, known, momentOf, wordsOf } from "../../../parts/asked";

type Status = Schemas["Status"];

export type Filters = {
  status?: Status;
  botId?: number;
  q?: string;
  /** ISO 8601 with a zone. */
  from?: string;
  to?: string;
};

/** Undefined: by this one not any more. */
export type Changed = { [name in keyof Filters]: Filters[name] | undefined };

export const STATUSES = [
  "RECEIVED",
  "PROCESSING",
  "COMPLETED",
  "FAILED",
  "TERMINAL",
] as const satisfies readonly Status[];

export const isStatus = (value: unknown): value is Status =>
  STATUSES.some((status) => status === value);

const LONGEST_Q = 200;

/** What an address holds of filters; what it cannot hold is left out. */
export function filtersOf({ status, botId, q, from, to }: Record<string, unknown>): Filters {
  return known({
    status: isStatus(status) ? status : undefined,
    botId: idOf(botId),
    q: wordsOf(q, LONGEST_Q),
    from: momentOf(from),
    to: momentOf(to),
  });
}

import { $api, type Schemas } from "../../../api/client";

const MOST = 200;

/** The bots that one sees, for their names. */
export function useBots(): Schemas["BotView"][] {
  const { data } = $api.useQuery("get", "/api/bots", { params: { query: { limit: MOST } } });
  return data?.items ?? [];
}

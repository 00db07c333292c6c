/** The bots that one sees, for their names. */
import { $api, type Schemas } from "../api/client";

/** The API's longest page; who has more bots writes the number into the address. */
const MOST = 200;

export function useBots(): Schemas["BotView"][] {
  const { data } = $api.useQuery("get", "/api/bots", { params: { query: { limit: MOST } } });
  return data?.items ?? [];
}

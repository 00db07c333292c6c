/**
 * A chat's messages. Two queries, each with one owner: the latest page, which is asked for again at
 * every live change and joins what it knows already; and what was before it, which does not change
 * and is only ever asked for on the way up. So a change costs one request, however much is loaded.
 */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { $api, api, type Schemas } from "../../../api/client";
import { byCursor, items, type Listed } from "../../../api/pages";

export type Message = Schemas["MessageView"];
type Latest = Listed<Message> & {
  /** From this id on the states are as of the last answer; older ones ask for themselves. */
  freshFrom: number;
};

const PATH = "/api/chats/{chat_id}/messages";
const OLDER_AT_ONCE = 100;

/** The newest page and what was known (newest first), where they meet; else the page alone. */
export function joined(known: Listed<Message> | undefined, page: Listed<Message>): Listed<Message> {
  const oldest = page.items.at(-1);
  const newestKnown = known?.items[0];
  if (known === undefined || newestKnown === undefined || oldest === undefined) return page;
  if (page.nextCursor === null || newestKnown.id < oldest.id) return page;
  const older = known.items.filter(({ id }) => id < oldest.id);
  if (older.length === 0) return page;
  return { items: [...page.items, ...older], nextCursor: known.nextCursor };
}

function useLatest(chatId: string) {
  return useQuery({
    // The path is where api/live.ts looks.
    queryKey: ["get", PATH, { chatId }, "latest"] as const,
    queryFn: async ({ client, queryKey, signal }): Promise<Latest> => {
      const params = { path: { chat_id: chatId } };
      const { data } = await api.GET(PATH, { params, signal });
      if (data === undefined) throw new Error("an answer without a page");
      const freshFrom = data.items.at(-1)?.id ?? 0;
      return { ...joined(client.getQueryData<Latest>(queryKey), data), freshFrom };
    },
    staleTime: 0,
  });
}

export function useHistory(chatId: string) {
  const latest = useLatest(chatId);
  const cursor = latest.data?.nextCursor ?? null;
  const older = $api.useInfiniteQuery(
    "get",
    PATH,
    {
      params: {
        path: { chat_id: chatId },
        query: { limit: OLDER_AT_ONCE, ...(cursor && { cursor }) },
      },
    },
    { ...byCursor, initialPageParam: cursor, enabled: false, staleTime: "static" },
  );
  /** Oldest first. */
  const messages = useMemo(
    () => [...(latest.data?.items ?? []), ...items(older.data)].reverse(),
    [latest.data, older.data],
  );
  return {
    latest,
    messages,
    freshFrom: latest.data?.freshFrom ?? 0,
    hasOlder: older.data === undefined ? cursor !== null : older.hasNextPage,
    isAsking: older.isFetching,
    failed: older.isError,
    askOlder: older.fetchNextPage,
  };
}

export type History = ReturnType<typeof useHistory>;

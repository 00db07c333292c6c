/**
 * What an operator wrote and the chat's line has not come to yet. The API tells of it once, as it
 * accepts it (202); afterwards it is a message like any other.
 */
import { skipToken, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

import { $api, type Schemas } from "../../../api/client";
import type { Message } from "./-history";

export type Sent = Schemas["Waiting"] & {
  text: string;
  /** The chat's newest message when it was sent: it comes after this one. */
  after: number;
};

/**
 * Those that are not in the chat yet. A line keeps its order: what was sent first is said first.
 * (Neither the texts say which is which, as Markdown is gone from a message, nor the ids.)
 */
export function unsaid(sent: readonly Sent[], messages: readonly Message[]): Sent[] {
  const said = messages.filter(({ sender }) => sender === "OPERATOR").map(({ id }) => id);
  return sent.filter(({ after }) => {
    const found = said.findIndex((id) => id > after);
    if (found >= 0) said.splice(0, found + 1);
    return found < 0;
  });
}

const NONE: Sent[] = [];

const key = (chatId: string) => ["waiting", chatId] as const;

export function useWaiting(chatId: string, messages: readonly Message[]): Sent[] {
  const { data = NONE } = useQuery<Sent[]>({
    queryKey: key(chatId),
    queryFn: skipToken,
    gcTime: Infinity,
  });
  return useMemo(() => unsaid(data, messages), [data, messages]);
}

export function useWrite(chatId: string, messages: readonly Message[]) {
  const queries = useQueryClient();
  const after = messages.at(-1)?.id ?? 0;
  const write = $api.useMutation("post", "/api/chats/{chat_id}/messages", {
    onMutate: () => after,
    onSuccess: (waiting, { body: { text } }, after) => {
      const sent = { ...waiting, text, after };
      queries.setQueryData<Sent[]>(key(chatId), (all = []) => [...all, sent]);
    },
  });
  return {
    ...write,
    send: (text: string, then: () => void) =>
      write.mutate({ params: { path: { chat_id: chatId } }, body: { text } }, { onSuccess: then }),
  };
}

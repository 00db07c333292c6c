/**
 * What an operator wrote and the chat's line has not come to yet. The API tells of it once, as it
 * accepts it (202); afterwards it is a message like any other.
 */
import { skipToken, useIsMutating, useQuery, useQueryClient } from "@tanstack/react-query";
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

const PATH = "/api/chats/{chat_id}/messages";

type Writing = { params: { path: { chat_id: string } } };

/** `onSent` is called though the conversation was left meanwhile, and knows what was sent. */
export function useWrite(
  chatId: string,
  messages: readonly Message[],
  onSent: (text: string) => void,
) {
  const queries = useQueryClient();
  const after = messages.at(-1)?.id ?? 0;
  const write = $api.useMutation("post", PATH, {
    onMutate: () => after,
    onSuccess: (waiting, { body: { text } }, after) => {
      const sent = { ...waiting, text, after };
      queries.setQueryData<Sent[]>(key(chatId), (all = []) => [...all, sent]);
      onSent(text);
    },
  });
  // One that the conversation began before it was left and opened again is on its way as well.
  const running = useIsMutating({
    mutationKey: ["post", PATH],
    predicate: ({ state }) => (state.variables as Writing).params.path.chat_id === chatId,
  });
  return {
    ...write,
    isPending: running > 0,
    send: (text: string) => write.mutate({ params: { path: { chat_id: chatId } }, body: { text } }),
  };
}

import type { Schemas } from "../../../api/client";

export type Chat = Schemas["ChatView"];

/**
 * The chats as they are now in the order in which they are shown: while one reads further down, no
 * row goes away from under the eyes. New ones come first, those of the next page last.
 */
export function steady(shown: readonly Chat[], now: readonly Chat[]): Chat[] {
  const current = new Map(now.map((chat) => [chat.id, chat]));
  const kept = shown.flatMap(({ id }) => current.get(id) ?? []);
  const known = new Set(kept.map(({ id }) => id));
  const lastKnown = now.findLastIndex(({ id }) => known.has(id));
  const isNew = ({ id }: Chat) => !known.has(id);
  return [
    ...now.slice(0, lastKnown + 1).filter(isNew),
    ...kept,
    ...now.slice(lastKnown + 1).filter(isNew),
  ];
}

/** What a chat is called, where Telegram knows no name. */
export function nameOf(chat: Chat): string {
  return chat.name || (chat.username && `@${chat.username}`) || String(chat.telegramChatId);
}

/** A name within a sentence, which its direction must not turn round. */
export const isolated = (name: string): string => `\u2068${name}\u2069`;

/**
 * What an operator has begun to write in a chat. It outlives the conversation's page, and is shown
 * to nobody else who signs in here.
 */
import { useSyncExternalStore } from "react";

import { useMe } from "../../../api/me";

const drafts = new Map<string, string>();
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

type Draft = {
  text: string;
  change: (text: string) => void;
  /** Whoever shows the draft by now: it is gone, unless it has become another one. */
  sent: (text: string) => void;
};

export function useDraft(chatId: string): Draft {
  const key = `${useMe().id} ${chatId}`;
  const text = useSyncExternalStore(subscribe, () => drafts.get(key) ?? "");
  const change = (text: string): void => {
    drafts.set(key, text);
    for (const listener of listeners) listener();
  };
  return {
    text,
    change,
    sent: (text) => {
      if (drafts.get(key) === text) change("");
    },
  };
}

/** A conversation as rows, oldest first: days, messages, and what is being sent. */
import type { Message } from "./-history";
import type { Sent } from "./-waiting";

export type Row =
  | { kind: "day"; key: string; at: string }
  | { kind: "message"; key: string; message: Message }
  | { kind: "sent"; key: string; sent: Sent };

/** A day in the viewer's zone; the same for all its times. */
const dayOf = (at: string): string => new Date(at).toDateString();

/** A day's line stands before its first message; before the first of all only where it is that. */
export function rowsOf(
  messages: readonly Message[],
  sent: readonly Sent[],
  isWhole: boolean,
): Row[] {
  const rows: Row[] = [];
  let day = isWhole ? "" : messages[0] && dayOf(messages[0].createdAt);
  for (const message of messages) {
    const of = dayOf(message.createdAt);
    if (of !== day) rows.push({ kind: "day", key: `day ${message.id}`, at: message.createdAt });
    day = of;
    rows.push({ kind: "message", key: `message ${message.id}`, message });
  }
  for (const each of sent) rows.push({ kind: "sent", key: `sent ${each.id}`, sent: each });
  return rows;
}

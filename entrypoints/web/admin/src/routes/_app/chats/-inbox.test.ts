import { expect, test } from "vitest";

import { joined, type Message } from "./-history";
import { rowsOf } from "./-rows";
import { type Chat, steady } from "./-steady";
import { type Sent, unsaid } from "./-waiting";

const message = (id: number, sender: Message["sender"] = "USER", day = 1): Message => ({
  id,
  sender,
  text: String(id),
  markdown: false,
  createdAt: new Date(2026, 0, day, 12).toISOString(),
  tgUserId: null,
  telegramUpdateId: null,
  processing: null,
});
const page = (ids: number[], nextCursor: string | null) => ({
  items: ids.map((id) => message(id)),
  nextCursor,
});
const ids = ({ items }: { items: Message[] }) => items.map(({ id }) => id);

test("a newer page joins what is known, where they meet", () => {
  const both = joined(page([5, 4, 3], "c3"), page([6, 5, 4], "c4"));
  expect(ids(both)).toEqual([6, 5, 4, 3]);
  expect(both.nextCursor).toBe("c3");
});

test("a newer page stands alone after a gap, and where it is the whole chat", () => {
  expect(joined(page([5, 4], "c4"), page([9, 8], "c8"))).toEqual(page([9, 8], "c8"));
  expect(joined(page([5, 4], "c4"), page([5], null))).toEqual(page([5], null));
  expect(joined(undefined, page([2, 1], "c1"))).toEqual(page([2, 1], "c1"));
});

test("what was sent first is said first, whatever was said before", () => {
  const sent = (id: number, after: number): Sent => ({
    id,
    chatId: "1:2",
    kind: "OPERATOR_MESSAGE",
    createdAt: "2026-01-01T00:00:00Z",
    text: "",
    after,
  });
  const both = [sent(1, 10), sent(2, 10)];
  expect(unsaid(both, [message(9, "OPERATOR"), message(11, "BOT")])).toEqual(both);
  expect(unsaid(both, [message(9, "OPERATOR"), message(12, "OPERATOR")])).toEqual([both[1]]);
  expect(unsaid(both, [message(12, "OPERATOR"), message(13, "OPERATOR")])).toEqual([]);
});

test("a day's line stands before its first message; before the first only of a whole chat", () => {
  const said = [message(1), message(2), message(3, "BOT", 2)];
  const kinds = (isWhole: boolean) => rowsOf(said, [], isWhole).map(({ kind }) => kind);
  expect(kinds(false)).toEqual(["message", "message", "day", "message"]);
  expect(kinds(true)).toEqual(["day", "message", "message", "day", "message"]);
});

test("rows keep their order: new ones above, the next page below, the gone are gone", () => {
  const chat = (id: string): Chat => ({
    id,
    botId: 1,
    telegramChatId: 1,
    topicId: null,
    name: id,
    username: null,
    threadId: null,
    tgUserId: null,
    pausedAt: null,
    createdAt: "2026-01-01T00:00:00Z",
    lastMessageAt: null,
    lastMessage: null,
  });
  const list = (order: string) => [...order].map(chat);
  const shown = steady(list("abcd"), list("ncabxy"));
  expect(shown.map(({ id }) => id).join("")).toBe("nabcxy");
});

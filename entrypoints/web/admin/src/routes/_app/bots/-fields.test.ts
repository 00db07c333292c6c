import { expect, test } from "vitest";

import type { Schemas } from "../../../api/client";
import { changes, fieldsOf } from "./-fields";

const BOT: Schemas["BotView"] = {
  id: 3,
  name: "Kotodom",
  tokenMask: "42:…abcd",
  username: "kotodom_bot",
  model: null,
  modelApi: "RESPONSES",
  instructions: "Be kind.",
  temperature: null,
  maxOutputTokens: 500,
  historyMessages: 20,
  assistantId: null,
  startMessage: null,
  helpText: null,
  errorMessage: null,
  enabled: true,
  isActive: true,
  error: null,
  health: { status: "answering", reason: null, since: null, lookedAt: null },
  telegramMode: "POLLING",
  telegramApiUrl: null,
  baseUrl: null,
  apiKeyMask: "…wxyz",
  ownerUserId: null,
  createdAt: "2026-11-27T12:00:00Z",
  updatedAt: "2026-11-27T12:00:00Z",
};

test("what nobody touched is not sent", () => {
  expect(changes(BOT, fieldsOf(BOT))).toEqual({});
});

test("what is emptied is cleared, what is written is sent, secrets only where they are written", () => {
  const written = {
    ...fieldsOf(BOT),
    instructions: "",
    temperature: 0.5,
    maxOutputTokens: "" as const,
  };
  expect(changes(BOT, written)).toEqual({
    instructions: null,
    temperature: 0.5,
    maxOutputTokens: null,
  });
  expect(changes(BOT, { ...fieldsOf(BOT), apiKey: "sk-new" })).toEqual({ apiKey: "sk-new" });
  expect(changes(BOT, { ...fieldsOf(BOT), apiKey: null })).toEqual({ apiKey: null });
});

import i18next from "i18next";
import { beforeEach, expect, test, vi } from "vitest";

import { choose, start } from ".";

beforeEach(() => {
  vi.stubGlobal("document", { documentElement: { lang: "" } });
  vi.stubGlobal("navigator", { languages: ["de-AT", "ru-RU", "en"] });
  return () => vi.unstubAllGlobals();
});

const refuses = (): never => {
  throw new DOMException("", "SecurityError");
};

test("where the browser keeps nothing, its language is spoken, and another one when asked", async () => {
  vi.stubGlobal("localStorage", { getItem: refuses, setItem: refuses });
  await start();
  expect(i18next.language).toBe("ru");
  await choose("en");
  expect([i18next.language, document.documentElement.lang]).toEqual(["en", "en"]);
});

test("the language that was chosen is spoken the next time", async () => {
  const kept = new Map([["kotodom.language", "en"]]);
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
  await start();
  expect(i18next.language).toBe("en");
  await choose("ru");
  expect(kept.get("kotodom.language")).toBe("ru");
});

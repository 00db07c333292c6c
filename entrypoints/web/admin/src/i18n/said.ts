/**
 * What the API says in English, in the language that is on: the sentence is the key, as in gettext.
 *
 * A key is a template of application/refusals.py, domain/failures.py and others: {} stands for what
 * varies, and so in the translation, or {0}, {1} where the order is another one. What stands in a
 * place may be a sentence of its own ("gave up: OpenAI: no answer in 60 s"). Whatever has no
 * translation, as words of Telegram's and OpenAI's, stays as it is.
 * tests/entrypoints/web/test_said.py holds ru/said.json to what the API can say.
 */
import i18next from "i18next";

type Translation = (text: string) => string;

const known = new Map<string, Translation>();

/** The API's sentences in a language: translations by what is said in English. */
export function learn(language: string, sayings: Readonly<Record<string, string>>): void {
  known.set(language, translation(sayings));
}

export function said(text: string): string {
  return known.get(i18next.language)?.(text) ?? text;
}

export function translation(sayings: Readonly<Record<string, string>>): Translation {
  // The longest that fits says most: "gave up: told to wait …: {}" before "gave up: {}".
  const templates = Object.keys(sayings)
    .filter((key) => key.includes("{}"))
    .sort((one, other) => other.length - one.length)
    .map((key) => ({ key, pattern: pattern(key) }));
  const translate: Translation = (text) => {
    if (Object.hasOwn(sayings, text)) return sayings[text]!;
    for (const { key, pattern } of templates) {
      const values = pattern.exec(text)?.slice(1).map(translate);
      if (values) return filled(sayings[key]!, values);
    }
    return text;
  };
  return translate;
}

function pattern(key: string): RegExp {
  const words = key.split("{}").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${words.join("(.+?)")}$`, "s");
}

function filled(text: string, values: string[]): string {
  let next = 0;
  return text.replace(/\{(\d?)\}/g, (_, place: string) => values[Number(place || next++)] ?? "");
}

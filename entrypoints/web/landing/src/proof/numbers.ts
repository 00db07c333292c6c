/** Figures as each language writes them. */
import type { Language } from "../language";

export function whole(value: number, language: Language): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(value);
}

/** A number with its noun: `forms` by the names of Intl.PluralRules, "other" where one is not there. */
export function counted(
  count: number,
  language: Language,
  forms: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string },
): string {
  const number = Math.round(count);
  const form = new Intl.PluralRules(language).select(number);
  return `${whole(number, language)}\u00a0${forms[form] ?? forms.other}`;
}

/** Three digits that count, or all before the point. */
export function measured(value: number, language: Language): string {
  if (value >= 100) return whole(value, language);
  return new Intl.NumberFormat(language, { maximumSignificantDigits: 3 }).format(value);
}

const UNITS = { en: { ms: "ms", s: "s" }, ru: { ms: "мс", s: "с" } };

/** A time that was measured, in the unit that is easy to read. */
export function duration(milliseconds: number, language: Language): string {
  const { ms, s } = UNITS[language];
  return milliseconds < 1000
    ? `${measured(milliseconds, language)}\u00a0${ms}`
    : `${measured(milliseconds / 1000, language)}\u00a0${s}`;
}

export function day(at: string, language: Language): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "long", timeZone: "UTC" }).format(
    new Date(at),
  );
}

/** A time as people say it ("3 minutes ago"), with the full time in the viewer's zone on hover. */
import { useEffect, useReducer } from "react";
import { useTranslation } from "react-i18next";

const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const satisfies readonly [Intl.RelativeTimeFormatUnit, number][];

const ANEW_MS = 30_000;

export function relative(at: Date, now: Date, language: string): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  return words.format(Math.trunc(seconds / size), unit);
}

export function full(at: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" }).format(at);
}

export function When({ at }: { at: string }) {
  const { i18n } = useTranslation();
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(again, ANEW_MS);
    return () => clearInterval(timer);
  }, []);
  const date = new Date(at);
  return (
    <time dateTime={at} title={full(date, i18n.language)}>
      {relative(date, new Date(), i18n.language)}
    </time>
  );
}

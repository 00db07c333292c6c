/** A time as people say it ("3 minutes ago"), with the full time in the viewer's zone on hover. */
import { useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { now } from "../api/clock";
import { byLanguage, dates } from "./formats";

const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const satisfies readonly [Intl.RelativeTimeFormatUnit, number][];

const ANEW_MS = 30_000;

/** "now", but no "yesterday" and no "last month": so many hours ago may be neither. */
const present = byLanguage((language) =>
  new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "second"),
);
const words = byLanguage((language) => new Intl.RelativeTimeFormat(language));
const long = dates({ dateStyle: "full", timeStyle: "long" });

export function relative(at: Date, now: Date, language: string): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const unitAndSize = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  if (unitAndSize === undefined) return present(language);
  const [unit, size] = unitAndSize;
  return words(language).format(Math.trunc(seconds / size), unit);
}

/** "in 20 seconds" */
export const inSeconds = (seconds: number, language: string): string =>
  relative(new Date(seconds * 1000), new Date(0), language);

export const full = (at: Date, language: string): string => long(language).format(at);

/** One clock for all times of a page: they are told anew together. */
const clock = { ticks: 0, faces: new Set<() => void>(), timer: undefined as number | undefined };

function tick(): void {
  clock.ticks += 1;
  for (const face of clock.faces) face();
}

function follow(face: () => void): () => void {
  clock.faces.add(face);
  clock.timer ??= window.setInterval(tick, ANEW_MS);
  return () => {
    clock.faces.delete(face);
    if (clock.faces.size > 0) return;
    window.clearInterval(clock.timer);
    clock.timer = undefined;
  };
}

/** Shows the component anew each half minute: it tells times that depend on the present one. */
export function useClock(): void {
  useSyncExternalStore(follow, () => clock.ticks);
}

export function When({ at }: { at: string }) {
  const { language } = useTranslation().i18n;
  useClock();
  const date = new Date(at);
  return (
    <time dateTime={at} title={full(date, language)}>
      {relative(date, now(), language)}
    </time>
  );
}

/** Times within a conversation and in the inbox: short, with the full time on hover. */
import { useTranslation } from "react-i18next";

import { full } from "../../../parts/When";

/** 14:05 */
export function Clock({ at }: { at: string }) {
  const { i18n } = useTranslation();
  const date = new Date(at);
  return (
    <time dateTime={at} title={full(date, i18n.language)}>
      {clock(date, i18n.language)}
    </time>
  );
}

/** Today's time; the day of what is older. */
export function Lately({ at }: { at: string }) {
  const { i18n } = useTranslation();
  const date = new Date(at);
  const now = new Date();
  const isThisYear = date.getFullYear() === now.getFullYear();
  const day = new Intl.DateTimeFormat(
    i18n.language,
    isThisYear ? { day: "numeric", month: "short" } : { dateStyle: "short" },
  );
  const isToday = date.toDateString() === now.toDateString();
  return (
    <time dateTime={at} title={full(date, i18n.language)}>
      {isToday ? clock(date, i18n.language) : day.format(date)}
    </time>
  );
}

/** Friday, 27 November 2026 */
export function Day({ at }: { at: string }) {
  const { i18n } = useTranslation();
  const words = new Intl.DateTimeFormat(i18n.language, { dateStyle: "full" });
  return <time dateTime={at}>{words.format(new Date(at))}</time>;
}

function clock(date: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(date);
}

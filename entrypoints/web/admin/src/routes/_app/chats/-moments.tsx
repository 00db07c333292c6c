/** Times within a conversation and in the inbox: short, with the full time on hover. */
import { useTranslation } from "react-i18next";

import { now } from "../../../api/clock";
import { dates } from "../../../parts/formats";
import { full, useClock } from "../../../parts/When";

const hour = dates({ timeStyle: "short" });
const dayOfThisYear = dates({ day: "numeric", month: "short" });
const dayOfOld = dates({ dateStyle: "short" });
const wholeDay = dates({ dateStyle: "full" });

/** 14:05 */
export function Clock({ at }: { at: string }) {
  const { i18n } = useTranslation();
  const date = new Date(at);
  return (
    <time dateTime={at} title={full(date, i18n.language)}>
      {hour(i18n.language).format(date)}
    </time>
  );
}

/** Today's time; the day of what is older. */
export function Lately({ at }: { at: string }) {
  const { i18n } = useTranslation();
  useClock();
  const date = new Date(at);
  const today = now();
  const isThisYear = date.getFullYear() === today.getFullYear();
  const day = isThisYear ? dayOfThisYear : dayOfOld;
  const isToday = date.toDateString() === today.toDateString();
  return (
    <time dateTime={at} title={full(date, i18n.language)}>
      {(isToday ? hour : day)(i18n.language).format(date)}
    </time>
  );
}

/** Friday, 27 November 2026 */
export function Day({ at }: { at: string }) {
  const { i18n } = useTranslation();
  return <time dateTime={at}>{wholeDay(i18n.language).format(new Date(at))}</time>;
}

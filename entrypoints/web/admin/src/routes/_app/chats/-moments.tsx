/** Times within a conversation and in the inbox: short, with the full time on hover. */
import { useTranslation } from "react-i18next";

import { byLanguage } from "../../../parts/formats";
import { full } from "../../../parts/When";

const formats = (options: Intl.DateTimeFormatOptions) =>
  byLanguage((language) => new Intl.DateTimeFormat(language, options));

const hour = formats({ timeStyle: "short" });
const dayOfThisYear = formats({ day: "numeric", month: "short" });
const dayOfOld = formats({ dateStyle: "short" });
const wholeDay = formats({ dateStyle: "full" });

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
  const date = new Date(at);
  const now = new Date();
  const isThisYear = date.getFullYear() === now.getFullYear();
  const day = isThisYear ? dayOfThisYear : dayOfOld;
  const isToday = date.toDateString() === now.toDateString();
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

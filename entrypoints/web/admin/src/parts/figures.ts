/** Numbers as the viewer's language writes them. */
import { useTranslation } from "react-i18next";

import { byLanguage } from "./formats";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const formatsIn = byLanguage((language) => {
  const currency = { style: "currency", currency: "USD" } as const;
  const lasting = (unit: string, digits: Intl.NumberFormatOptions = {}) =>
    new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "narrow", ...digits });
  return {
    count: new Intl.NumberFormat(language),
    dollars: new Intl.NumberFormat(language, currency),
    cents: new Intl.NumberFormat(language, { ...currency, maximumFractionDigits: 3 }),
    lessThanCents: new Intl.NumberFormat(language, { ...currency, maximumSignificantDigits: 2 }),
    shortly: lasting("second", {
      maximumFractionDigits: 2,
      maximumSignificantDigits: 2,
      roundingPriority: "morePrecision",
    }),
    seconds: lasting("second"),
    minutes: lasting("minute"),
    hours: lasting("hour"),
    days: lasting("day"),
  };
});

type Formats = ReturnType<typeof formatsIn>;

/** US dollars: two digits after the point, and of small sums as many as say something. */
function dollars(formats: Formats, value: number): string {
  const size = Math.abs(value);
  if (size === 0 || size >= 1) return formats.dollars.format(value);
  return (size >= 0.01 ? formats.cents : formats.lessThanCents).format(value);
}

/** What lasted so many seconds: 0.45s, 12s, 2m 5s, 3h, 1d 4h. */
function lasting(formats: Formats, value: number): string {
  const whole = Math.round(value);
  if (whole < 10) return formats.shortly.format(value);
  if (whole < MINUTE) return formats.seconds.format(whole);
  const two = (
    [one, size]: [Intl.NumberFormat, number],
    [other, part]: [Intl.NumberFormat, number],
  ) => {
    const rest = Math.floor((whole % size) / part);
    const most = one.format(Math.floor(whole / size));
    return rest > 0 ? `${most} ${other.format(rest)}` : most;
  };
  if (whole < HOUR) return two([formats.minutes, MINUTE], [formats.seconds, 1]);
  if (whole < DAY) return two([formats.hours, HOUR], [formats.minutes, MINUTE]);
  return two([formats.days, DAY], [formats.hours, HOUR]);
}

export const figuresIn = byLanguage((language) => {
  const formats = formatsIn(language);
  return {
    /** 12,345 */
    count: (value: number) => formats.count.format(value),
    dollars: (value: number) => dollars(formats, value),
    seconds: (value: number) => lasting(formats, value),
  };
});

export const useFigures = () => figuresIn(useTranslation().i18n.language);

/** Numbers as the viewer's language writes them. */
import { useTranslation } from "react-i18next";

import { byLanguage } from "./formats";

const figuresIn = byLanguage((language) => {
  const currency = { style: "currency", currency: "USD" } as const;
  const count = new Intl.NumberFormat(language);
  const dollars = new Intl.NumberFormat(language, currency);
  const cents = new Intl.NumberFormat(language, { ...currency, maximumSignificantDigits: 2 });
  const seconds = new Intl.NumberFormat(language, {
    style: "unit",
    unit: "second",
    unitDisplay: "narrow",
    maximumSignificantDigits: 2,
  });
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  return {
    /** 12,345 */
    count: (value: number) => count.format(value),
    /** US dollars; small sums keep two digits that say something. */
    dollars: (value: number) => (Math.abs(value) < 1 ? cents : dollars).format(value),
    /** 1.4 s */
    seconds: (value: number) => seconds.format(value),
    /** 12 % */
    percent: (value: number) => percent.format(value),
  };
});

export const useFigures = () => figuresIn(useTranslation().i18n.language);

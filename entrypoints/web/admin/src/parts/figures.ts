/** Numbers as the viewer's language writes them. */
import { useTranslation } from "react-i18next";

export function useFigures() {
  const { i18n } = useTranslation();
  const language = i18n.language;
  return {
    /** 12,345 */
    count: (value: number) => new Intl.NumberFormat(language).format(value),
    /** US dollars; small sums keep two digits that say something. */
    dollars: (value: number) =>
      new Intl.NumberFormat(language, {
        style: "currency",
        currency: "USD",
        ...(Math.abs(value) < 1 ? { maximumSignificantDigits: 2 } : {}),
      }).format(value),
    /** 1.4 s */
    seconds: (value: number) =>
      new Intl.NumberFormat(language, {
        style: "unit",
        unit: "second",
        unitDisplay: "narrow",
        maximumSignificantDigits: 2,
      }).format(value),
    /** 12 % */
    percent: (value: number) =>
      new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(value),
  };
}

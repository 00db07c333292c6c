/**
 * A number that may be written as one likes: out of its bounds it is told so and stays as it is, so
 * that nobody saves another number than the one that was written.
 */
import { NumberInput, type NumberInputProps } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { useFigures } from "./figures";

type Bounded = NumberInputProps & { min: number; max: number };

export function NumberField({ min, max, value, error, ...field }: Bounded) {
  const { t } = useTranslation();
  const { count } = useFigures();
  const isWithin =
    value === undefined ||
    value === "" ||
    (typeof value === "number" && value >= min && value <= max);
  return (
    <NumberInput
      min={min}
      max={max}
      clampBehavior="none"
      {...field}
      value={value ?? ""}
      error={isWithin ? error : t("bounds", { min: count(min), max: count(max) })}
    />
  );
}

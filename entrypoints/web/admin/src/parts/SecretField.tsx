/**
 * A secret that only its mask is known of. Empty: it stays; null: it is removed when the form is
 * saved.
 */
import { CloseButton, TextInput, type TextInputProps } from "@mantine/core";
import { useTranslation } from "react-i18next";

type Kept = Omit<TextInputProps, "value" | "onChange"> & {
  mask: string | null;
  value?: string | null;
  onChange?: (value: string | null) => void;
};

export function SecretField({ mask, value, onChange, ...field }: Kept) {
  const { t } = useTranslation();
  const isRemoved = value === null;
  return (
    <TextInput
      autoComplete="off"
      spellCheck={false}
      {...field}
      placeholder={isRemoved ? t("secret.removed") : (mask ?? "")}
      value={value ?? ""}
      onChange={(event) => onChange?.(event.currentTarget.value)}
      rightSection={
        mask !== null &&
        !isRemoved && (
          <CloseButton
            aria-label={t("secret.remove", { mask })}
            title={t("secret.remove", { mask })}
            onClick={() => onChange?.(null)}
          />
        )
      }
    />
  );
}

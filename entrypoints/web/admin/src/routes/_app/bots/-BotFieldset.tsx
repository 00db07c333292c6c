import { Select, Stack, Textarea, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useTranslation } from "react-i18next";

import { NumberField } from "../../../parts/NumberField";
import { SecretField } from "../../../parts/SecretField";
import type { BotFields } from "./-fields";

type Form = { form: UseFormReturnType<BotFields> };

const MODES = ["POLLING", "WEBHOOK"] as const satisfies readonly BotFields["telegramMode"][];
const APIS = ["RESPONSES", "CHAT_COMPLETIONS"] as const satisfies readonly BotFields["modelApi"][];

/** How the values of what one chooses from are told. */
export function useChoices(): (name: string, value: unknown) => string | undefined {
  const { t } = useTranslation("bots");
  return (name, value) => {
    if (name === "telegramMode") return t(`modes.${value as BotFields["telegramMode"]}`);
    if (name === "modelApi") return t(`apis.${value as BotFields["modelApi"]}`);
    return undefined;
  };
}

export function ModelFields({ form }: Form) {
  const { t } = useTranslation("bots");
  return (
    <Stack>
      <TextInput
        label={t("model")}
        description={t("hints.model")}
        placeholder={t("defaultModel")}
        spellCheck={false}
        {...form.getInputProps("model")}
      />
      <Textarea
        label={t("instructions")}
        description={t("hints.instructions")}
        autosize
        minRows={4}
        maxRows={20}
        {...form.getInputProps("instructions")}
      />
    </Stack>
  );
}

export function FinerModelFields({ form }: Form) {
  const { t } = useTranslation("bots");
  return (
    <Stack>
      <Select
        label={t("modelApi")}
        description={t("hints.modelApi")}
        data={APIS.map((value) => ({ value, label: t(`apis.${value}`) }))}
        allowDeselect={false}
        {...form.getInputProps("modelApi")}
      />
      <NumberField
        label={t("temperature")}
        description={t("hints.temperature")}
        min={0}
        max={2}
        step={0.1}
        {...form.getInputProps("temperature")}
      />
      <NumberField
        label={t("maxOutputTokens")}
        description={t("hints.maxOutputTokens")}
        min={16}
        max={1_000_000}
        allowDecimal={false}
        {...form.getInputProps("maxOutputTokens")}
      />
      <NumberField
        label={t("historyMessages")}
        description={t("hints.historyMessages")}
        min={0}
        max={200}
        allowDecimal={false}
        {...form.getInputProps("historyMessages")}
      />
    </Stack>
  );
}

export function TextFields({ form }: Form) {
  const { t } = useTranslation("bots");
  return (
    <Stack>
      {(["startMessage", "helpText", "errorMessage"] as const).map((name) => (
        <Textarea
          key={name}
          label={t(name)}
          description={t(`hints.${name}`)}
          autosize
          minRows={2}
          maxRows={10}
          {...form.getInputProps(name)}
        />
      ))}
    </Stack>
  );
}

export function ModeField({ form }: Form) {
  const { t } = useTranslation("bots");
  return (
    <Select
      label={t("mode")}
      description={t(`modeHints.${form.values.telegramMode}`)}
      data={MODES.map((value) => ({ value, label: t(`modes.${value}`) }))}
      allowDeselect={false}
      {...form.getInputProps("telegramMode")}
    />
  );
}

type Servers = Form & { keyMask: string | null; addresses: boolean };

/** A key and servers of the bot's own; `addresses`: whether one may set those (an ADMIN may). */
export function ServerFields({ form, keyMask, addresses }: Servers) {
  const { t } = useTranslation("bots");
  return (
    <Stack>
      <SecretField
        mask={keyMask}
        label={t("apiKey")}
        description={t("hints.apiKey")}
        {...form.getInputProps("apiKey")}
      />
      {addresses && (
        <TextInput
          label={t("baseUrl")}
          description={t("hints.baseUrl")}
          spellCheck={false}
          {...form.getInputProps("baseUrl")}
        />
      )}
    </Stack>
  );
}

import { Button, Group, Stack, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useTranslation } from "react-i18next";

import { useMe } from "../../../../api/me";
import { ModelFields, ServerFields } from "../-BotFieldset";
import type { BotFields } from "../-fields";

type Shown = { form: UseFormReturnType<BotFields>; onNext: () => void; onBack: () => void };

export function ModelStep({ form, onNext, onBack }: Shown) {
  const { t } = useTranslation("bots");
  const me = useMe();
  return (
    <form onSubmit={form.onSubmit(onNext)} noValidate>
      <Stack maw={560}>
        <TextInput label={t("name")} {...form.getInputProps("name")} />
        <ModelFields form={form} />
        <ServerFields form={form} keyMask={null} addresses={me.role === "ADMIN"} />
        <Group justify="space-between">
          <Button variant="default" onClick={onBack}>
            {t("wizard.back")}
          </Button>
          <Button type="submit">{t("wizard.next")}</Button>
        </Group>
      </Stack>
    </form>
  );
}

import { Fieldset, Stack, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { useKeptForm } from "../../../parts/kept";
import { NumberField } from "../../../parts/NumberField";
import { SaveBar } from "../../../parts/SaveBar";
import { SecretField } from "../../../parts/SecretField";
import { AlertsActions } from "./-AlertsActions";
import {
  changes,
  GROUPS,
  isSecret,
  masksOf,
  nested,
  type SettingId,
  type Settings,
} from "./-values";

const LONG: readonly SettingId[] = [
  "defaults.instructions",
  "defaults.helpText",
  "defaults.errorMessage",
];

const LONGEST_DAYS = 3_650;

export function SettingsForm({ settings }: { settings: Settings }) {
  const { t } = useTranslation(["settings", "common"]);
  const queries = useQueryClient();
  const { form, keep } = useKeptForm(settings, nested, { masksOf });
  const change = $api.useMutation("put", "/api/settings", {
    onMutate: () => form.getValues(),
    onSuccess: (saved, _, sent) => {
      queries.setQueryData($api.queryOptions("get", "/api/settings").queryKey, saved);
      keep(saved, sent);
      notifications.show({ message: t("saved"), color: "green" });
    },
    onError: (error: unknown) => form.setErrors(Problem.in(error)?.fields ?? {}),
  });
  const save = form.onSubmit((values) => change.mutate({ body: changes(settings, values) }));
  return (
    <form onSubmit={save} noValidate>
      <Stack maw={720} gap="lg">
        {Object.entries(GROUPS).map(([group, ids]) => (
          <Fieldset key={group} legend={t(`groups.${group as keyof typeof GROUPS}`)}>
            <Stack>
              {ids.map((id) => {
                const name = id.split(".")[1] as Name;
                const field = {
                  label: t(`names.${name}`),
                  description: t(`hints.${name}`),
                  ...form.getInputProps(id),
                };
                if (group === "retention")
                  return (
                    <NumberField
                      key={id}
                      allowDecimal={false}
                      min={1}
                      max={LONGEST_DAYS}
                      {...field}
                    />
                  );
                if (isSecret(id)) return <SecretField key={id} mask={settings[id]} {...field} />;
                if (LONG.includes(id))
                  return <Textarea key={id} autosize minRows={2} maxRows={12} {...field} />;
                return <TextInput key={id} autoComplete="off" spellCheck={false} {...field} />;
              })}
              {group === "alerts" && <AlertsActions dirty={form.isDirty("alerts")} />}
            </Stack>
          </Fieldset>
        ))}
        <SaveBar form={form} isPending={change.isPending} problem={Problem.in(change.error)} />
      </Stack>
    </form>
  );
}

type AfterDot<T> = T extends `${string}.${infer Name}` ? Name : never;
type Name = AfterDot<SettingId>;

import { Fieldset, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { $api, type Schemas } from "../../../../api/client";
import { useMe } from "../../../../api/me";
import { Problem } from "../../../../api/problem";
import { useKeptForm } from "../../../../parts/kept";
import { SaveBar } from "../../../../parts/SaveBar";
import {
  FinerModelFields,
  ModeField,
  ModelFields,
  ServerFields,
  TextFields,
  useChoices,
} from "../-BotFieldset";
import { changes, fieldsOf } from "../-fields";

export function BotSettings({ bot }: { bot: Schemas["BotView"] }) {
  const { t } = useTranslation(["bots", "common"]);
  const me = useMe();
  const queries = useQueryClient();
  const { form, keep } = useKeptForm(bot, fieldsOf, {
    validate: { name: (value) => (value.trim() ? null : t("wizard.nameMissing")) },
    masksOf: ({ tokenMask, apiKeyMask }) => ({ token: tokenMask, apiKey: apiKeyMask }),
    say: useChoices(),
  });
  const path = { params: { path: { bot_id: bot.id } } };
  const change = $api.useMutation("patch", "/api/bots/{bot_id}", {
    onMutate: () => form.getValues(),
    onSuccess: (saved, _, sent) => {
      queries.setQueryData($api.queryOptions("get", "/api/bots/{bot_id}", path).queryKey, saved);
      keep(saved, sent);
      notifications.show({ message: t("saved"), color: "green" });
    },
    onError: (error: unknown) => form.setErrors(Problem.in(error)?.fields ?? {}),
  });
  const save = form.onSubmit((fields) => change.mutate({ ...path, body: changes(bot, fields) }));
  return (
    <form onSubmit={save} noValidate>
      <Stack maw={720} gap="lg">
        <TextInput label={t("name")} {...form.getInputProps("name")} />
        <Fieldset legend={t("groups.model")}>
          <ModelFields form={form} />
        </Fieldset>
        <Fieldset legend={t("groups.texts")}>
          <TextFields form={form} />
        </Fieldset>
        <Fieldset legend={t("groups.telegram")}>
          <Stack>
            <ModeField form={form} />
            <TextInput
              label={t("token")}
              description={t("tokenHint", { mask: bot.tokenMask })}
              autoComplete="off"
              spellCheck={false}
              {...form.getInputProps("token")}
            />
          </Stack>
        </Fieldset>
        <Fieldset legend={t("groups.finer")}>
          <FinerModelFields form={form} />
        </Fieldset>
        <Fieldset legend={t("groups.servers")}>
          <Stack>
            <ServerFields form={form} keyMask={bot.apiKeyMask} addresses={me.role === "ADMIN"} />
            {me.role === "ADMIN" && (
              <TextInput
                label={t("telegramApiUrl")}
                description={t("hints.telegramApiUrl")}
                spellCheck={false}
                {...form.getInputProps("telegramApiUrl")}
              />
            )}
          </Stack>
        </Fieldset>
        <SaveBar form={form} isPending={change.isPending} problem={Problem.in(change.error)} />
      </Stack>
    </form>
  );
}

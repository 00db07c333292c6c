import { Alert, Button, Collapse, Group, Paper, Stack, Text, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { useTranslation } from "react-i18next";

import { $api } from "../../../../api/client";
import { useMe } from "../../../../api/me";
import { Problem } from "../../../../api/problem";
import { Unfielded } from "../../../../parts/Trouble";
import type { BotFields } from "../-fields";

type Shown = { form: UseFormReturnType<BotFields>; onNext: () => void };

/** Paste the token, and see whose it is. */
export function TokenStep({ form, onNext }: Shown) {
  const { t } = useTranslation("bots");
  const me = useMe();
  const [servers, { toggle }] = useDisclosure(form.values.telegramApiUrl !== "");
  const check = $api.useMutation("post", "/api/bots/check-token", {
    onSuccess: ({ name }) => {
      // A name of one's own stays; that of another token's bot does not.
      if (form.isDirty("name")) return;
      form.setFieldValue("name", name);
      form.resetDirty({ ...form.getInitialValues(), name });
    },
    onError: (error: unknown) => form.setErrors(Problem.in(error)?.fields ?? {}),
  });
  const { token, telegramApiUrl } = form.values;
  const submit = (event: React.FormEvent): void => {
    event.preventDefault();
    form.clearErrors();
    check.mutate({ body: { token: token.trim(), telegramApiUrl: telegramApiUrl.trim() || null } });
  };
  const changed = { onInput: () => check.reset() };
  return (
    <Stack maw={560}>
      <form onSubmit={submit} noValidate>
        <Stack>
          <TextInput
            label={t("wizard.token")}
            description={t("wizard.tokenHint")}
            autoComplete="off"
            spellCheck={false}
            {...form.getInputProps("token")}
            {...changed}
          />
          {me.role === "ADMIN" && (
            <>
              <Button
                variant="subtle"
                size="compact-sm"
                style={{ alignSelf: "flex-start" }}
                onClick={toggle}
                aria-expanded={servers}
              >
                {t("wizard.server")}
              </Button>
              <Collapse expanded={servers}>
                <TextInput
                  label={t("telegramApiUrl")}
                  description={t("hints.telegramApiUrl")}
                  spellCheck={false}
                  {...form.getInputProps("telegramApiUrl")}
                  {...changed}
                />
              </Collapse>
            </>
          )}
          <Unfielded problem={Problem.in(check.error)} />
          <Group>
            <Button type="submit" loading={check.isPending} disabled={!token.trim()}>
              {t("wizard.check")}
            </Button>
          </Group>
        </Stack>
      </form>
      {check.data && (
        <Paper withBorder p="md" role="status">
          <Stack gap="xs">
            <Text size="sm">{t("wizard.card")}</Text>
            <Text fw={700} className="text">
              {check.data.name}
            </Text>
            <Text c="dimmed">@{check.data.username}</Text>
            {!check.data.canReadAllGroupMessages && <Text size="sm">{t("wizard.groups")}</Text>}
            {check.data.taken ? (
              <Alert color="red">{t("wizard.taken")}</Alert>
            ) : (
              <Group justify="flex-end">
                <Button onClick={onNext}>{t("wizard.next")}</Button>
              </Group>
            )}
          </Stack>
        </Paper>
      )}
    </Stack>
  );
}

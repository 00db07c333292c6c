/** My account: language, theme, password. */
import {
  Button,
  Fieldset,
  PasswordInput,
  SegmentedControl,
  Stack,
  Text,
  useMantineColorScheme,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { notifications } from "@mantine/notifications";
import { createFileRoute } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { $api } from "../../api/client";
import { useMe } from "../../api/me";
import { Problem } from "../../api/problem";
import { choose, LANGUAGES, type Language } from "../../i18n";
import { useLeave } from "../../parts/leave";
import { Page } from "../../parts/Page";
import { SHORTEST_PASSWORD } from "../../parts/password";
import { Unfielded } from "../../parts/Trouble";

export const Route = createFileRoute("/_app/account")({ component: Account });

const THEMES = ["auto", "light", "dark"] as const;

function Account() {
  const { t, i18n } = useTranslation(["account", "common"]);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const me = useMe();
  return (
    <Page title={t("common:pages.account")}>
      <Text c="dimmed">{me.email}</Text>
      <Stack maw={480} gap="lg">
        <Fieldset legend={t("language")}>
          <SegmentedControl
            aria-label={t("language")}
            value={i18n.language}
            onChange={(language) => {
              choose(language as Language).catch(() =>
                notifications.show({ message: t("languageAway"), color: "red" }),
              );
            }}
            data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          />
        </Fieldset>
        <Fieldset legend={t("theme.title")}>
          <SegmentedControl
            aria-label={t("theme.title")}
            value={colorScheme}
            onChange={(scheme) => setColorScheme(scheme as (typeof THEMES)[number])}
            data={THEMES.map((value) => ({ value, label: t(`theme.${value}`) }))}
          />
        </Fieldset>
        <PasswordForm />
      </Stack>
    </Page>
  );
}

function PasswordForm() {
  const { t } = useTranslation(["account", "common"]);
  const leave = useLeave();
  const hint = t("common:passwordShort", { least: SHORTEST_PASSWORD });
  const form = useForm({
    initialValues: { currentPassword: "", newPassword: "" },
    validate: {
      currentPassword: (value) => (value ? null : t("common:required")),
      newPassword: (value) => (value.length >= SHORTEST_PASSWORD ? null : hint),
    },
  });
  const change = $api.useMutation("post", "/api/auth/password", {
    onSuccess: leave,
    onError: (error: unknown) => form.setErrors(Problem.in(error)?.fields ?? {}),
  });
  return (
    <Fieldset legend={t("password.title")}>
      <form onSubmit={form.onSubmit((body) => change.mutate({ body }))} noValidate>
        <Stack>
          <PasswordInput
            label={t("password.current")}
            autoComplete="current-password"
            {...form.getInputProps("currentPassword")}
          />
          <PasswordInput
            label={t("password.new")}
            description={hint}
            autoComplete="new-password"
            {...form.getInputProps("newPassword")}
          />
          <Unfielded problem={Problem.in(change.error)} />
          <Text size="sm">{t("password.ends")}</Text>
          <Button type="submit" loading={change.isPending}>
            {t("password.change")}
          </Button>
        </Stack>
      </form>
    </Fieldset>
  );
}

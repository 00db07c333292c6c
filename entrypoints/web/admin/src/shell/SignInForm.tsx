import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { $api } from "../api/client";
import { meQuery } from "../api/me";
import { Problem } from "../api/problem";
import { sessionEnded } from "../api/session";

type Shown = { email?: string; hint: ReactNode; onSignedIn: () => void };

export function SignInForm({ email = "", hint, onSignedIn }: Shown) {
  const { t } = useTranslation(["signIn", "common"]);
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { email, password: "" },
    validate: {
      email: (value) => (value.trim() ? null : t("common:required")),
      password: (value) => (value ? null : t("common:required")),
    },
  });
  const login = $api.useMutation("post", "/api/auth/login", {
    onSuccess: (me) => {
      queries.setQueryData(meQuery.queryKey, me);
      sessionEnded.set(false);
      onSignedIn();
    },
  });
  return (
    <form onSubmit={form.onSubmit((body) => login.mutate({ body }))} noValidate>
      <Stack>
        <Title order={1} size="h2">
          Kotodom GPT
        </Title>
        <TextInput label={t("email")} autoComplete="username" {...form.getInputProps("email")} />
        <PasswordInput
          label={t("password")}
          autoComplete="current-password"
          {...form.getInputProps("password")}
        />
        <Wrong problem={Problem.in(login.error)} />
        <Button type="submit" loading={login.isPending}>
          {t("submit")}
        </Button>
        <Text component="div" size="sm" c="dimmed">
          {hint}
        </Text>
      </Stack>
    </form>
  );
}

function Wrong({ problem }: { problem: Problem | null }) {
  const { t } = useTranslation(["signIn", "common"]);
  if (problem === null) return null;
  const minutes = Math.ceil((problem.retryAfter ?? 60) / 60);
  const text =
    problem.status === 401
      ? t("wrong")
      : problem.status === 429
        ? t("tooMany", { count: minutes })
        : problem.message || t("common:problem.away");
  return (
    <Alert color="red" role="alert">
      {text}
    </Alert>
  );
}

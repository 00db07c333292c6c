import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { $api } from "../api/client";
import { meQuery } from "../api/me";
import { Problem } from "../api/problem";

type Shown = { email?: string; hint: string; onSignedIn: () => void };

export function SignInForm({ email = "", hint, onSignedIn }: Shown) {
  const { t } = useTranslation("signIn");
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { email, password: "" },
    validate: {
      email: (value) => (value.trim() ? null : t("required")),
      password: (value) => (value ? null : t("required")),
    },
  });
  const login = $api.useMutation("post", "/api/auth/login", {
    onSuccess: (me) => {
      queries.setQueryData(meQuery.queryKey, me);
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
        <Text size="sm" c="dimmed">
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

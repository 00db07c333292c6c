/** Sign in, then back to where one was. */
import {
  Alert,
  Button,
  Center,
  Paper,
  PasswordInput,
  Stack,
  TextInput,
  Title,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { createFileRoute, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { $api } from "../api/client";
import { meQuery } from "../api/me";
import { Problem } from "../api/problem";

export const Route = createFileRoute("/sign-in")({
  validateSearch: ({ next }): { next?: string } => (isOurs(next) ? { next } : {}),
  component: SignIn,
});

/** A path of ours: not another host's, which begins with two slashes or a slash and a backslash. */
function isOurs(next: unknown): next is string {
  return typeof next === "string" && /^\/(?![/\\])/.test(next);
}

function SignIn() {
  const { t } = useTranslation("signIn");
  const { next } = Route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { email: "", password: "" },
    validate: {
      email: (value) => (value.trim() ? null : t("required")),
      password: (value) => (value ? null : t("required")),
    },
  });
  const login = $api.useMutation("post", "/api/auth/login", {
    onSuccess: (me) => {
      queries.setQueryData(meQuery.queryKey, me);
      router.history.push(next === undefined ? "/admin/" : `/admin${next}`);
    },
  });
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" w="100%" maw={400}>
        <form onSubmit={form.onSubmit((body) => login.mutate({ body }))} noValidate>
          <Stack>
            <Title order={1} size="h2">
              Kotodom GPT
            </Title>
            <TextInput
              label={t("email")}
              autoComplete="username"
              {...form.getInputProps("email")}
            />
            <PasswordInput
              label={t("password")}
              autoComplete="current-password"
              {...form.getInputProps("password")}
            />
            <Wrong problem={Problem.in(login.error)} />
            <Button type="submit" loading={login.isPending}>
              {t("submit")}
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
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

/** What a page shows instead of itself: not found, not allowed, refused, broken. */
import { Alert, Button, Center, Stack, Text, Title } from "@mantine/core";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { CircleAlert } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { Problem } from "../api/problem";
import { GoButton } from "./Go";
import { useTitle } from "./Page";
import { inSeconds } from "./When";

function Instead({ code, text }: { code: string; text: string }) {
  const { t } = useTranslation();
  useTitle(code);
  return (
    <Center mih="60vh">
      <Stack align="center" maw={480} ta="center">
        <Title order={1}>{code}</Title>
        <Text>{text}</Text>
        <GoButton to="/" variant="light">
          {t("problem.home")}
        </GoButton>
      </Stack>
    </Center>
  );
}

export function NotFound() {
  const { t } = useTranslation();
  return <Instead code="404" text={t("problem.notFound")} />;
}

export function Forbidden() {
  const { t } = useTranslation();
  return <Instead code="403" text={t("problem.forbidden")} />;
}

/** A page whose loading was refused, or that has a bug. */
export function Broken({ error }: ErrorComponentProps) {
  const { t } = useTranslation();
  if (error instanceof Problem && error.status === 404) return <NotFound />;
  if (error instanceof Problem && error.status === 403) return <Forbidden />;
  if (error instanceof Problem) return <NotLoaded problem={error} />;
  return <Instead code=":-(" text={t("problem.broken")} />;
}

const ASK_AGAIN_MS = 5_000;

function NotLoaded({ problem }: { problem: Problem }) {
  const router = useRouter();
  const { isPassing } = problem;
  useEffect(() => {
    if (!isPassing) return;
    const timer = setInterval(() => void router.invalidate(), ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isPassing, router]);
  return (
    <Center mih="60vh" p="md">
      <Refused problem={problem} again={() => router.invalidate()} />
    </Center>
  );
}

/** What the API refused, in its own words, with a way to ask again. */
export function Refused({ problem, again }: { problem: Problem | null; again?: () => unknown }) {
  const { t, i18n } = useTranslation();
  if (problem === null) return null;
  const { message, retryAfter } = problem;
  return (
    <Alert color="red" icon={<CircleAlert />} role="alert">
      <Stack align="flex-start" gap="xs">
        <Text size="sm">
          {message || t("problem.away")}
          {retryAfter !== undefined &&
            ` ${t("problem.after", { when: inSeconds(retryAfter, i18n.language) })}`}
        </Text>
        {again && (
          <Button size="xs" variant="light" color="red" onClick={() => void again()}>
            {t("problem.again")}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** What was refused of a form as a whole; its fields' errors stand beside the fields. */
export function Unfielded({ problem }: { problem: Problem | null }) {
  const fields = problem === null ? {} : problem.fields;
  return Object.keys(fields).length > 0 ? null : <Refused problem={problem} />;
}

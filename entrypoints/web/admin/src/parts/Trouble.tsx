/** What a page shows instead of itself: not found, not allowed, refused, broken. */
import { Alert, Button, Center, Stack, Text, Title } from "@mantine/core";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { CircleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import { Problem } from "../api/problem";
import { GoButton } from "./Go";

function Instead({ code, text }: { code: string; text: string }) {
  const { t } = useTranslation();
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
  if (error instanceof Problem) return <Refused problem={error} />;
  return <Instead code=":-(" text={t("problem.broken")} />;
}

/** What the API refused, in its own words, with a way to ask again. */
export function Refused({ problem, again }: { problem: Error | null; again?: () => unknown }) {
  const { t } = useTranslation();
  if (problem === null) return null;
  return (
    <Alert color="red" icon={<CircleAlert />} role="alert">
      <Stack align="flex-start" gap="xs">
        <Text size="sm">{problem.message || t("problem.away")}</Text>
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

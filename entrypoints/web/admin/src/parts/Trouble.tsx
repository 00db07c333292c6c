/** What a page shows instead of itself: not found, not allowed, refused, broken. */
import { Alert, Button, Center, Stack, Text, Title } from "@mantine/core";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { CircleAlert } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { apiAway, ask } from "../api/connection";
import { isAnew, isLost } from "../api/files";
import { Problem } from "../api/problem";
import { GoButton } from "./Go";
import { useTitle } from "./Page";
import { inSeconds } from "./When";

type Shown = { title: string; text: string; children?: ReactNode };

function Instead({ title, text, children }: Shown) {
  const { t } = useTranslation();
  useTitle(title);
  return (
    <Center mih="60vh">
      <Stack align="center" maw={480} ta="center">
        <Title order={1}>{title}</Title>
        <Text>{text}</Text>
        {children}
        <GoButton to="/" variant="light">
          {t("problem.home")}
        </GoButton>
      </Stack>
    </Center>
  );
}

export function NotFound() {
  const { t } = useTranslation();
  return <Instead title={t("problem.notFound.title")} text={t("problem.notFound.text")} />;
}

export function Forbidden() {
  const { t } = useTranslation();
  return <Instead title={t("problem.forbidden.title")} text={t("problem.forbidden.text")} />;
}

/** A page whose loading was refused, or that has a bug. */
export function Broken({ error }: ErrorComponentProps) {
  if (error instanceof Problem && error.status === 404) return <NotFound />;
  if (error instanceof Problem && error.status === 403) return <Forbidden />;
  if (error instanceof Problem) return <NotLoaded problem={error} />;
  return isLost(error) ? <Lost /> : <Bug />;
}

/** The same where there is no menu, and so no landmark, around it. */
export function BrokenAlone(shown: ErrorComponentProps) {
  return (
    <main>
      <Broken {...shown} />
    </main>
  );
}

function Bug() {
  const { t } = useTranslation();
  return (
    <Instead title={t("problem.broken.title")} text={t("problem.broken.text")}>
      <Button onClick={() => window.location.reload()}>{t("problem.reload")}</Button>
    </Instead>
  );
}

/** A file of the page did not come. It is loaded anew once somebody answers; in vain no second time. */
function Lost() {
  const isAway = apiAway.useValue();
  const [isAsked, setAsked] = useState(false);
  useEffect(() => void ask().then(() => setAsked(true)), []);
  const answers = isAsked && !isAway;
  const [inVain] = useState(isAnew);
  useEffect(() => {
    if (answers && !inVain) window.location.reload();
  }, [answers, inVain]);
  if (isAway) return <Refused problem={Problem.away()} />;
  return answers && inVain ? <Bug /> : null;
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
  // That the session has ended is told by the sign-in over the page.
  if (problem === null || problem.status === 401) return null;
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

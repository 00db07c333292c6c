import { Alert, Anchor, Button, Code, Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { $api } from "../../../api/client";
import { Problem } from "../../../api/problem";
import { said } from "../../../i18n/said";
import { Refused } from "../../../parts/Trouble";
import { When } from "../../../parts/When";

/** Send a test alert; find the alerts' chat by a code. `dirty`: what is written is not saved yet. */
export function AlertsActions({ dirty }: { dirty: boolean }) {
  const { t } = useTranslation("settings");
  const test = $api.useMutation("post", "/api/settings/alerts/test");
  const link = $api.useMutation("post", "/api/settings/alerts/link");
  return (
    <Stack gap="sm">
      <Group>
        <Button
          variant="light"
          disabled={dirty}
          loading={test.isPending}
          onClick={() => test.mutate({})}
        >
          {t("test")}
        </Button>
        <Button
          variant="light"
          disabled={dirty}
          loading={link.isPending}
          onClick={() => link.mutate({})}
        >
          {t("link")}
        </Button>
      </Group>
      {dirty && <Text size="sm">{t("saveFirst")}</Text>}
      <Refused problem={Problem.in(test.error)} />
      {test.data && (
        <Alert color="green" role="status">
          {t("tested")}
        </Alert>
      )}
      <Refused problem={Problem.in(link.error)} />
      {link.data && (
        <Alert color={link.data.problem ? "yellow" : "blue"} role="status">
          <Stack gap="xs">
            <Text size="sm">
              {t("write")} <Code>/link {link.data.code}</Code> {t("to")}{" "}
              <Anchor href={link.data.link} target="_blank" rel="noreferrer">
                @{link.data.botUsername}
              </Anchor>
            </Text>
            <Text size="sm">
              {t("expires")} <When at={link.data.expiresAt} />. {t("filled")}
            </Text>
            {link.data.problem && <Text size="sm">{said(link.data.problem)}</Text>}
          </Stack>
        </Alert>
      )}
    </Stack>
  );
}

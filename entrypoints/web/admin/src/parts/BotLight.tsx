/** A bot's light, with its meaning and its reason in words. */
import { Group, Stack, Text } from "@mantine/core";
import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleOff,
  CircleX,
  type LucideIcon,
} from "lucide-react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../api/client";
import { said } from "../i18n/said";

type Health = Schemas["BotHealth"];

/** Shapes differ as well, for who does not tell the colours. */
const LIGHTS = {
  answering: { icon: CircleCheck, color: "green" },
  connecting: { icon: CircleDashed, color: "gray" },
  retrying: { icon: CircleAlert, color: "yellow" },
  silent: { icon: CircleAlert, color: "yellow" },
  error: { icon: CircleX, color: "red" },
  disabled: { icon: CircleOff, color: "gray" },
} as const satisfies Record<Health["status"], { icon: LucideIcon; color: string }>;

export function BotLight({ health }: { health: Health }) {
  const { t } = useTranslation();
  const { icon: Icon, color } = LIGHTS[health.status];
  const reason = health.reason && said(health.reason);
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <Icon
        size={18}
        color={`var(--mantine-color-${color}-6)`}
        aria-hidden
        style={{ flexShrink: 0 }}
      />
      <Stack gap={0} miw={0}>
        <Text size="sm">{t(`botStatus.${health.status}`)}</Text>
        {reason && (
          <Text size="xs" c="dimmed" className="text" lineClamp={2} title={reason}>
            {reason}
          </Text>
        )}
      </Stack>
    </Group>
  );
}

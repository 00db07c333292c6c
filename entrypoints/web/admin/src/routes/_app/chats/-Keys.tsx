/** Which keys do what; not where there is hardly a keyboard. */
import { Group, Kbd, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

const KEYS = [
  ["J", "keys.next"],
  ["K", "keys.previous"],
  ["/", "keys.search"],
  ["Esc", "keys.back"],
] as const;

export function Keys() {
  const { t } = useTranslation("chats");
  return (
    <Group gap="4px 12px" visibleFrom="sm" role="note" aria-label={t("keys.title")}>
      {KEYS.map(([key, does]) => (
        <Text key={key} size="xs" c="dimmed">
          <Kbd size="xs">{key}</Kbd> {t(does)}
        </Text>
      ))}
    </Group>
  );
}

import { Code, Stack, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../../api/client";
import { Dialog } from "../../../parts/Dialog";
import { When } from "../../../parts/When";
import { useActions } from "./-actions";

type Row = Schemas["AuditEntry"];

/** What was asked, in words; a route that has none is told by its name. */
export function Action({ action }: { action: string }) {
  return <span title={action}>{useActions()[action] ?? action}</span>;
}

/** What one request changed, field by field; secrets are masks. */
export function Entry({ entry, onClose }: { entry: Row | null; onClose: () => void }) {
  return (
    <Dialog
      of={entry}
      onClose={onClose}
      size="xl"
      title={({ action }) => <Action action={action} />}
    >
      {(entry) => <Changes entry={entry} />}
    </Dialog>
  );
}

function Changes({ entry }: { entry: Row }) {
  const { t } = useTranslation("audit");
  const before = entry.before ?? {};
  const after = entry.after ?? {};
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return (
    <Stack>
      <Text size="sm">
        {entry.actor}, <When at={entry.at} />, {entry.target}
      </Text>
      <Table.ScrollContainer minWidth={480}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("field")}</Table.Th>
              <Table.Th>{t("before")}</Table.Th>
              <Table.Th>{t("after")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {fields.map((field) => (
              <Table.Tr key={field}>
                <Table.Td>
                  <Code>{field}</Code>
                </Table.Td>
                <Table.Td className="text">{told(before[field])}</Table.Td>
                <Table.Td className="text">{told(after[field])}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

function told(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

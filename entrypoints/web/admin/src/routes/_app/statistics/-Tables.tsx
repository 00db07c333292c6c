import { Table } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../../../api/client";
import { useFigures } from "../../../parts/figures";
import { byLanguage } from "../../../parts/formats";
import { Go } from "../../../parts/Go";

const dayOf = byLanguage(
  (language) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" }),
);

export function DayTable({ days }: { days: Schemas["Stats"]["days"] }) {
  const { t, i18n } = useTranslation("statistics");
  const date = dayOf(i18n.language);
  return (
    <Figures first={t("day")}>
      {days.toReversed().map((figures) => (
        <Row key={figures.day} name={date.format(new Date(figures.day))} figures={figures} />
      ))}
    </Figures>
  );
}

export function BotTable({ bots }: { bots: Schemas["Stats"]["bots"] }) {
  const { t } = useTranslation("statistics");
  return (
    <Figures first={t("botName")}>
      {bots.map((figures) => (
        <Row
          key={figures.botId}
          name={
            <Go
              to="/statistics"
              search={(old) => ({ ...old, botId: figures.botId })}
              className="text"
              inherit
            >
              {figures.name}
            </Go>
          }
          figures={figures}
        />
      ))}
    </Figures>
  );
}

type Shown = { first: string; children: React.ReactNode };

function Figures({ first, children }: Shown) {
  const { t } = useTranslation(["statistics", "common"]);
  return (
    <Table.ScrollContainer minWidth={860}>
      <Table withTableBorder>
        <Table.Thead>
          <Table.Tr>
            <Table.Th miw={140}>{first}</Table.Th>
            <Table.Th ta="right">{t("messages")}</Table.Th>
            <Table.Th ta="right">{t("common:status.COMPLETED")}</Table.Th>
            <Table.Th ta="right">{t("common:status.TERMINAL")}</Table.Th>
            <Table.Th ta="right">{t("p50")}</Table.Th>
            <Table.Th ta="right">{t("p95")}</Table.Th>
            <Table.Th ta="right">{t("tokens")}</Table.Th>
            <Table.Th ta="right">{t("price")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Row({ name, figures }: { name: React.ReactNode; figures: Schemas["Figures"] }) {
  const { count, seconds, dollars } = useFigures();
  const told = (value: number | null) => (value === null ? "–" : seconds(value));
  return (
    <Table.Tr>
      <Table.Td>{name}</Table.Td>
      <Table.Td ta="right">{count(figures.messages)}</Table.Td>
      <Table.Td ta="right">{count(figures.statuses.COMPLETED ?? 0)}</Table.Td>
      <Table.Td ta="right">{count(figures.statuses.TERMINAL ?? 0)}</Table.Td>
      <Table.Td ta="right">{told(figures.answerSecondsP50)}</Table.Td>
      <Table.Td ta="right">{told(figures.answerSecondsP95)}</Table.Td>
      <Table.Td ta="right">
        {count(figures.inputTokens)} / {count(figures.outputTokens)}
      </Table.Td>
      <Table.Td ta="right">{dollars(figures.price)}</Table.Td>
    </Table.Tr>
  );
}

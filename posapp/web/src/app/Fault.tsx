import { Button, Stack, Text, Title } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { faultId, reportFault } from "@/lib/faults";
import { paths } from "@/lib/paths";

/** A screen that could not be drawn: own words, a way back, and the id of the report. */
export function Fault({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [id] = useState(faultId);
  useEffect(() => reportFault(error, id), [error, id]);
  return (
    <Stack align="center" justify="center" h="100%" p="xl" ta="center" role="alert">
      <Text c="var(--ember)" lh={0}>
        <CircleAlert size={60} strokeWidth={1.5} aria-hidden="true" />
      </Text>
      <Title order={1} fz={30}>
        {t("fault.title")}
      </Title>
      <Text maw={420}>{t("fault.hint")}</Text>
      <Text c="dimmed" size="sm">
        {t("fault.id")}: <code data-testid="fault-id">{id}</code>
      </Text>
      <Button size="lg" onClick={() => void navigate(paths.home)}>
        {t("app.toHome")}
      </Button>
      <Button variant="default" onClick={() => location.reload()}>
        {t("app.reload")}
      </Button>
    </Stack>
  );
}

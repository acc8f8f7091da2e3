import { Affix, Button, Group, Paper, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useRegisterSW } from "virtual:pwa-register/react";

/** Says that a new version waits; it comes only when someone asks for it, never mid-sale. */
export function UpdatePrompt() {
  const { t } = useTranslation();
  const { needRefresh, updateServiceWorker } = useRegisterSW();
  const [waiting, setWaiting] = needRefresh;
  if (!waiting) return null;
  return (
    <Affix position={{ bottom: 16, left: 16 }}>
      <Paper withBorder shadow="md" p="md" role="status">
        <Text fw={600}>{t("app.newVersion")}</Text>
        <Group mt="sm" gap="xs">
          <Button onClick={() => void updateServiceWorker(true)}>{t("app.reload")}</Button>
          <Button variant="subtle" color="wood" onClick={() => setWaiting(false)}>
            {t("app.later")}
          </Button>
        </Group>
      </Paper>
    </Affix>
  );
}

import { Button, Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Credentials } from "./queries";
import { useDemoLogins } from "./queries";

/** A row of accounts that fills the form; empty in production. */
export function DemoLogins({ onPick }: { onPick: (credentials: Credentials) => void }) {
  const { t } = useTranslation();
  const { data: logins = [] } = useDemoLogins();
  if (logins.length === 0) return null;
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {t("auth.demo")}
      </Text>
      <Group gap="xs">
        {logins.map(({ username, password, name }) => (
          <Button
            key={username}
            variant="default"
            px="md"
            title={name}
            onClick={() => onPick({ username, password })}
          >
            {username}
          </Button>
        ))}
      </Group>
    </Stack>
  );
}

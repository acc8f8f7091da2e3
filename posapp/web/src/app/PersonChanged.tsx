import { Button, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { seen } from "@/api/sign-in";
import type { User } from "@/api/types";
import { FirmDialog } from "@/components/FirmDialog";

/** Somebody else has signed in on this device, in another tab: what is done here is theirs now. */
export function PersonChanged({ user }: { user: User }) {
  const { t } = useTranslation();
  const title = t("session.switched", { name: user.name });
  return (
    <FirmDialog label={title}>
      <Title order={2} pt="lg">
        {title}
      </Title>
      <Text mt="xs">
        {t("session.switchedHint", { name: user.name, role: t(`role.${user.role}`) })}
      </Text>
      <Button mt="md" fullWidth onClick={seen} data-autofocus>
        {t("session.understood")}
      </Button>
    </FirmDialog>
  );
}

import { Button, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { seen } from "@/api/sign-in";
import type { User } from "@/api/types";
import { Sheet } from "@/components/Sheet";

/** Somebody else has signed in on this device, in another tab: what is done here is theirs now. */
export function PersonChanged({ user }: { user: User }) {
  const { t } = useTranslation();
  const role = t(`role.${user.role}`);
  return (
    <Sheet onClose={seen} width={440} title={t("session.switched", user)}>
      <Text>{t("session.switchedHint", { name: user.name, role })}</Text>
      <Button mt="md" fullWidth onClick={seen} data-autofocus>
        {t("session.understood")}
      </Button>
    </Sheet>
  );
}

import { Button, Stack } from "@mantine/core";
import { LogOut } from "lucide-react";
import { useTranslation } from "react-i18next";
import { leave } from "@/api/sign-in";
import type { User } from "@/api/types";
import { FirmDialog } from "@/components/FirmDialog";
import { LoginForm } from "./LoginForm";

/** The server has ended the session: sign in over the page, which waits as it is. */
export function SessionEnded({ user }: { user: User }) {
  const { t } = useTranslation();
  return (
    <FirmDialog label={t("session.ended")}>
      <Stack pt="lg">
        <LoginForm
          title={t("session.ended")}
          hint={t("session.endedHint", { name: user.name })}
          username={user.username}
        />
        <Button variant="subtle" color="wood" leftSection={<LogOut size={18} />} onClick={leave}>
          {t("session.leave")}
        </Button>
      </Stack>
    </FirmDialog>
  );
}

import { Button, Stack, Title } from "@mantine/core";
import { Compass } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { paths } from "@/lib/paths";

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Stack align="center" justify="center" h="100%">
      <Compass size={40} aria-hidden="true" />
      <Title order={1} fz={24}>
        {t("app.notFound")}
      </Title>
      <Button component={Link} to={paths.home}>
        {t("app.toHome")}
      </Button>
    </Stack>
  );
}

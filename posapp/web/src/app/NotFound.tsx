import { Button, Stack } from "@mantine/core";
import { Compass } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Empty } from "@/components/Empty";
import { paths } from "@/lib/paths";

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Stack align="center" justify="center" h="100%">
      <Empty icon={<Compass size={40} />} title={t("app.notFound")} />
      <Button component={Link} to={paths.home}>
        {t("app.toHome")}
      </Button>
    </Stack>
  );
}

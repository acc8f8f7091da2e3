import { Center, Loader, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ErrorNote, titleOf } from "./ErrorNote";

interface Asked {
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

/** A whole page that is not here: still asked for, or refused with a way to ask again. */
export function Pending({ asked }: { asked?: Asked }) {
  const { t } = useTranslation();
  return (
    <Center h="100%" p="xl">
      <VisuallyHidden component="h1">{t(asked?.isError ? titleOf(asked.error) : "app.loading")}</VisuallyHidden>
      {asked?.isError ? <ErrorNote error={asked.error} onRetry={() => void asked.refetch()} /> : <Loader aria-hidden />}
    </Center>
  );
}

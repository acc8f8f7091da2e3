import { Alert, Button, Group, Text } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";

function titleOf(error: unknown) {
  if (!(error instanceof ApiError)) return "error.failed";
  switch (error.status) {
    case 0:
      return "error.unreachable";
    case 403:
      return "error.forbidden";
    case 404:
      return "error.missing";
    case 429:
      return "error.busy";
    default:
      return error.status >= 500 ? "error.failed" : "error.refused";
  }
}

/** An error message with the request id that finds it in the log. */
export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const apiError = error instanceof ApiError ? error : null;
  const detail = apiError?.status === 0 ? t("error.unreachableHint") : (apiError?.detail ?? String(error));
  return (
    <Alert color="ember" icon={<CircleAlert />} title={t(titleOf(error))} role="alert">
      <Text size="sm">{detail}</Text>
      {apiError?.requestId && (
        <Text size="xs" c="dimmed" mt={4}>
          {t("error.requestId")}: <code>{apiError.requestId}</code>
        </Text>
      )}
      {onRetry && (
        <Group mt="sm">
          <Button variant="light" onClick={onRetry}>
            {t("error.retry")}
          </Button>
        </Group>
      )}
    </Alert>
  );
}

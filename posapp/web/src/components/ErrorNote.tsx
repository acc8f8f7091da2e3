import { Alert, Button, Group, Text } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/error";
import { rupiah } from "@/lib/money";
import { storageFault } from "@/lib/storage-fault";

/** The key of what is said first of an error. */
export function titleOf(error: unknown) {
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

/** What went wrong in the words of the screen; what the server alone can say, on its own language's. */
export function useDetail(error: unknown): string | null {
  const { t, i18n } = useTranslation();
  if (storageFault(error)) return t("storage.blocked");
  if (!(error instanceof ApiError)) return null;
  if (error.status === 0) return t("error.unreachableHint");
  const code = error.code && `problem.${error.code}`;
  if (code && i18n.exists(code)) return t(code as "problem.order_paid", sums(error.params));
  return i18n.language === "en" && error.detail ? error.detail : null;
}

/** What the server names, with its sums as people read them. */
function sums(params: Record<string, unknown>): Record<string, unknown> {
  const shown = Object.entries(params).map(([name, value]) =>
    SUMS.has(name) && typeof value === "number" ? [name, rupiah(value)] : [name, value],
  );
  return Object.fromEntries(shown) as Record<string, unknown>;
}

const SUMS = new Set(["due", "paid", "total", "tendered", "most", "step"]);

/** An error message with the request id that finds it in the log. */
export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const apiError = error instanceof ApiError ? error : null;
  const detail = useDetail(error);
  return (
    <Alert color="ember" icon={<CircleAlert />} title={t(titleOf(error))} role="alert">
      {detail && <Text size="sm">{detail}</Text>}
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

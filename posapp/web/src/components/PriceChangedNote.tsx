import { Alert, Button, Text } from "@mantine/core";
import { Tag } from "lucide-react";
import { useTranslation } from "react-i18next";
import { rupiah } from "@/lib/money";

interface PriceChangedNoteProps {
  /** The total that the guest was told, in rupiah. */
  before: number;
  /** The total at this moment, in rupiah. */
  now: number;
  /** Goes on at the total of now; without it the screen has an own way. */
  onAccept?: () => void;
}

/** The total is not the one that was on the screen: both, and the question. Nothing has been done yet. */
export function PriceChangedNote({ before, now, onAccept }: PriceChangedNoteProps) {
  const { t } = useTranslation();
  return (
    <Alert color="wood" icon={<Tag />} title={t("price.changed")} role="alert">
      <Text size="sm">
        {t("price.before", { amount: rupiah(before) })} · <b>{t("price.now", { amount: rupiah(now) })}</b>
      </Text>
      <Text size="sm">{t("price.hint")}</Text>
      {onAccept && (
        <Button mt="xs" onClick={onAccept}>
          {t("price.accept", { amount: rupiah(now) })}
        </Button>
      )}
    </Alert>
  );
}

import { Delete } from "lucide-react";
import { useTranslation } from "react-i18next";
import classes from "./AmountPad.module.css";

const KEYS = ["7", "8", "9", "4", "5", "6", "1", "2", "3", "000", "0", "back"];

/** Ten digits, three noughts at once, and one key that takes the last back. */
export function AmountPad({ locked, onPress }: { locked: boolean; onPress: (key: string) => void }) {
  const { t } = useTranslation();
  return (
    <div className={classes.pad} role="group" aria-label={t("pay.pad")}>
      {KEYS.map((key) => (
        <button
          key={key}
          type="button"
          disabled={locked}
          aria-label={key === "back" ? t("pay.back1") : key}
          onClick={() => onPress(key)}
        >
          {key === "back" ? <Delete aria-hidden="true" /> : key}
        </button>
      ))}
    </div>
  );
}

import { CircleQuestionMark } from "lucide-react";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { later } from "@/lib/later";
import { useKeys } from "@/lib/use-keys";
import classes from "./KeysHelp.module.css";

const KeysSheet = later("KeysSheet", () => import("./KeysSheet"));

/** Every key that does something, on "?" and behind a button. */
export function KeysHelp() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  useKeys({ "?": () => setOpen(true) });
  return (
    <>
      <button
        type="button"
        className={classes.button}
        aria-label={t("frame.keys")}
        title={t("frame.keys")}
        onClick={() => setOpen(true)}
      >
        <CircleQuestionMark size={20} aria-hidden="true" />
      </button>
      {open && (
        <Suspense>
          <KeysSheet onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

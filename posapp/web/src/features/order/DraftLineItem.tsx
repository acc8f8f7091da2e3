import { ActionIcon, Badge, Skeleton } from "@mantine/core";
import { NotebookPen } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import type { Draft, DraftLine } from "@/lib/database";
import { rupiah } from "@/lib/money";
import classes from "./DraftLineItem.module.css";
import { changeQuantity, MAX_QUANTITY, setNote, setQuantity } from "./draft";
import { detailsOf } from "./line-details";
import { NoteEditor } from "./NoteEditor";
import { Stepper } from "./Stepper";

interface DraftLineItemProps {
  line: DraftLine;
  product: Product | undefined;
  total: number | undefined;
  locked: boolean;
  /** Whether it was added to last: it is brought into view, and marked. */
  newest: boolean;
  onEdit: (line: DraftLine) => void;
  onChange: (change: (draft: Draft) => Draft) => void;
}

/** A line of the order. Of many, only what a tap has changed is drawn anew. */
export const DraftLineItem = memo(function DraftLineItem(props: DraftLineItemProps) {
  const { line, product, total, locked, newest, onEdit, onChange } = props;
  const { t } = useTranslation();
  const name = product?.name ?? t("draft.unknown");
  const details = detailsOf(line, product);
  const soldOut = product?.available === false;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (newest) item.current?.scrollIntoView({ block: "nearest" });
  }, [newest, line.quantity]);
  return (
    <li ref={item} className={classes.line} data-newest={newest} data-soldout={soldOut} tabIndex={-1}>
      <div className={classes.title}>
        <button
          type="button"
          className={classes.name}
          aria-label={t("line.edit", { name })}
          disabled={locked || !product}
          onClick={() => onEdit(line)}
        >
          {name}
        </button>
        <span className={classes.total}>
          {soldOut ? (
            <Badge color="ember">{t("menu.soldOut")}</Badge>
          ) : total === undefined ? (
            <Skeleton h="1.2em" w={80} animate={false} />
          ) : (
            rupiah(total)
          )}
        </span>
      </div>
      <div className={classes.actions}>
        <div className={classes.details}>
          {details && <p>{details}</p>}
          {line.note && <p className={classes.note}>“{line.note}”</p>}
        </div>
        <LineNote name={name} line={line} locked={locked} onChange={onChange} />
        <Stepper
          name={name}
          value={line.quantity}
          min={0}
          max={MAX_QUANTITY}
          disabled={locked}
          onStep={(by) => onChange((draft) => changeQuantity(draft, line.key, by))}
          onType={(quantity) => onChange((draft) => setQuantity(draft, line.key, quantity))}
        />
      </div>
    </li>
  );
});

interface LineNoteProps extends Pick<DraftLineItemProps, "line" | "locked" | "onChange"> {
  name: string;
}

/** The note of a line; what was typed and not saved is there when the editor is opened again. */
function LineNote({ name, line, locked, onChange }: LineNoteProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [unsaved, setUnsaved] = useState<string | null>(null);
  const title = t("draft.noteFor", { name });
  return (
    <>
      <ActionIcon aria-label={title} title={title} disabled={locked} onClick={() => setOpen(true)}>
        <NotebookPen size={18} />
      </ActionIcon>
      {open && (
        <NoteEditor
          title={title}
          note={unsaved ?? line.note}
          onClose={(text) => {
            setUnsaved(text);
            setOpen(false);
          }}
          onSave={(note) => {
            onChange((draft) => setNote(draft, line.key, note));
            setUnsaved(null);
            setOpen(false);
          }}
        />
      )}
    </>
  );
}

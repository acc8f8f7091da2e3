import { useState } from "react";
import type { Draft } from "@/lib/database";
import { changeBetween, type LineChange } from "./draft";

/** What the last change of the order did to its lines, wherever it was made. */
export function useLineChange(draft: Draft | undefined): LineChange | null {
  const [seen, setSeen] = useState(draft);
  const [change, setChange] = useState<LineChange | null>(null);
  if (seen !== draft) {
    setSeen(draft);
    const next = seen && draft && changeBetween(seen.lines, draft.lines);
    if (next) setChange(next);
  }
  return change;
}

import { useCallback, useState } from "react";
import type { Draft } from "@/lib/database";
import { type RemovedLine, removedLines, restoreLines } from "./draft";
import { edit } from "./use-draft";

/** Changes of the order that remember what they took out, so that each can be undone, the last first. */
export function useRemovals() {
  const [removals, setRemovals] = useState<RemovedLine[][]>([]);
  const change = useCallback((act: (draft: Draft) => Draft) => {
    void edit(act).then((edited) => {
      const lost = edited ? removedLines(edited.before.lines, edited.after.lines) : [];
      if (lost.length > 0) setRemovals((earlier) => [...earlier, lost]);
    });
  }, []);
  const last = removals.at(-1);
  const undo = () => {
    setRemovals((earlier) => earlier.slice(0, -1));
    void edit((draft) => restoreLines(draft, last ?? []));
  };
  return { change, last, undo, dismiss: () => setRemovals([]) };
}

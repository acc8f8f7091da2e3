import { useCallback } from "react";
import { v4 as uuid } from "uuid";
import { addLine, type ProductSelection } from "./draft";
import { edit } from "./use-draft";

/** @returns what adds a selection to the order; `begin` is told first, for another order may be shown still. */
export function useAdd(begin: () => void): (selection: ProductSelection) => void {
  return useCallback(
    (selection) => {
      begin();
      const key = uuid();
      void edit((before) => addLine(before, selection, key));
    },
    [begin],
  );
}

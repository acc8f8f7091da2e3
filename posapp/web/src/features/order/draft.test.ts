import { describe, expect, it } from "vitest";
import { addLine, countByProduct, emptyDraft, fromOrderInput, needsTable, setNote, setQuantity, toOrderInput } from "./draft";

const steak = { productId: 7, variantId: 70, modifierIds: [1, 4], quantity: 1, note: "" };
const tea = { productId: 9, variantId: null, modifierIds: [], quantity: 1, note: "" };
const two = addLine(addLine(emptyDraft, steak, "a"), tea, "b");

describe("the order being written", () => {
  it("counts a repeated wish up instead of listing it twice", () => {
    expect(addLine(two, steak, "c").lines.map(({ quantity }) => quantity)).toEqual([2, 1]);
  });

  it.each([{ note: "tanpa garam" }, { variantId: 71 }, { modifierIds: [1] }])(
    "keeps a wish that differs by %o on a line of its own",
    (difference) => {
      expect(addLine(two, { ...steak, ...difference }, "c").lines).toHaveLength(3);
    },
  );

  it("drops a line at zero and stops at 99", () => {
    expect(setQuantity(two, "a", 0).lines.map(({ key }) => key)).toEqual(["b"]);
    expect(setQuantity(two, "a", 1000).lines[0]?.quantity).toBe(99);
  });

  it.each([
    two,
    { ...two, tableId: 5, guest: { ...emptyDraft.guest, count: 3 } },
    { ...setNote(two, "a", "es"), type: "delivery" as const, guest: { count: null, name: "Sari", phone: "0812", address: "Jl. Melati" } },
  ])("is written on from what was sent of it", (draft) => {
    expect(toOrderInput(fromOrderInput(toOrderInput(draft), null))).toEqual(toOrderInput(draft));
  });

  it("counts each product over all its lines", () => {
    const draft = addLine(two, { ...steak, quantity: 2, note: "matang" }, "c");
    expect(countByProduct(draft)).toEqual(new Map([[7, 3], [9, 1]]));
  });
});

describe("what the server is sent", () => {
  it("names only what was chosen, and never a price", () => {
    const body = toOrderInput(setNote({ ...two, tableId: 12 }, "b", "es sedikit"));
    expect(body).toEqual({
      type: "dine_in",
      table_id: 12,
      lines: [
        { product_id: 7, variant_id: 70, modifier_ids: [1, 4], quantity: 1 },
        { product_id: 9, quantity: 1, note: "es sedikit" },
      ],
    });
  });

  it("leaves the table out when the food leaves the house", () => {
    expect(toOrderInput({ ...two, type: "takeaway", tableId: 12 })).not.toHaveProperty("table_id");
  });

  it("waits for a table only when guests sit down", () => {
    expect(needsTable(two)).toBe(true);
    expect(needsTable({ ...two, tableId: 12 })).toBe(false);
    expect(needsTable({ ...two, type: "delivery" })).toBe(false);
  });
});

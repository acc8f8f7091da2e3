import { SlidersHorizontal } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { rupiah } from "@/lib/money";
import { hasOptions } from "./modifiers";
import { hueOf } from "./hue";
import classes from "./ProductTile.module.css";

interface ProductTileProps {
  product: Product;
  count: number;
  locked: boolean;
  onTap: (product: Product) => void;
}

/** A product of the menu. Of hundreds, only what a tap has changed is drawn anew. */
export const ProductTile = memo(function ProductTile({ product, count, locked, onTap }: ProductTileProps) {
  const { t } = useTranslation();
  const { name, price, available, variants, category_id } = product;
  const lowestPrice = Math.min(...variants.map((variant) => variant.price));
  return (
    <button
      type="button"
      className={classes.tile}
      style={{ "--hue": hueOf(category_id) }}
      disabled={!available || locked}
      data-soldout={!available}
      onClick={() => onTap(product)}
    >
      <span className={classes.name}>{name}</span>
      {count > 0 && (
        <span className={classes.count} aria-label={t("menu.inDraft", { count })}>
          {count}
        </span>
      )}
      <span className={classes.foot}>
        {available ? (
          <span>
            {variants.length > 1 && <small>{t("menu.from")}</small>}
            {rupiah(variants.length > 1 ? lowestPrice : price)}
          </span>
        ) : (
          <span className={classes.soldout}>{t("menu.soldOut")}</span>
        )}
        <span className={classes.marks} aria-hidden="true">
          {available && hasOptions(product) && <SlidersHorizontal size={16} />}
          <small>{product.id}</small>
        </span>
      </span>
    </button>
  );
});

import { Skeleton } from "@mantine/core";
import { SearchX } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { Empty } from "@/components/Empty";
import { useRovingFocus } from "@/components/use-roving-focus";
import classes from "./ProductGrid.module.css";
import { ProductTile } from "./ProductTile";

interface ProductGridProps {
  products: Product[] | undefined;
  counts: Map<number, number>;
  locked: boolean;
  onTap: (product: Product) => void;
}

/** The products of a category or a search; one stop of the Tab key, with arrows from tile to tile. */
export const ProductGrid = memo(function ProductGrid({ products, counts, locked, onTap }: ProductGridProps) {
  const { t } = useTranslation();
  const roving = useRovingFocus<HTMLDivElement>("button:enabled");
  return (
    <div id="menu" role="tabpanel" aria-label={t("line.menu")} className={classes.grid} aria-busy={!products} {...roving}>
      {products?.length === 0 && (
        <div className={classes.nothing}>
          <Empty icon={<SearchX size={40} />} title={t("menu.nothing")} />
        </div>
      )}
      {products?.map((product) => (
        <ProductTile
          key={product.id}
          product={product}
          count={counts.get(product.id) ?? 0}
          locked={locked}
          onTap={onTap}
        />
      )) ?? Array.from({ length: 12 }, (_, at) => <Skeleton key={at} h={124} radius="lg" />)}
    </div>
  );
});

import { Skeleton } from "@mantine/core";
import { SearchX } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Product } from "@/api/types";
import { Empty } from "@/components/Empty";
import classes from "./ProductGrid.module.css";
import { ProductTile } from "./ProductTile";

interface ProductGridProps {
  products: Product[] | undefined;
  counts: Map<number, number>;
  locked: boolean;
  onTap: (product: Product) => void;
}

export function ProductGrid({ products, counts, locked, onTap }: ProductGridProps) {
  const { t } = useTranslation();
  if (products?.length === 0) {
    return <Empty icon={<SearchX size={40} />} title={t("menu.nothing")} />;
  }
  return (
    <div id="menu" role="tabpanel" className={classes.grid} aria-busy={!products}>
      {products?.map((product) => (
        <ProductTile
          key={product.id}
          product={product}
          count={counts.get(product.id) ?? 0}
          locked={locked}
          onTap={() => onTap(product)}
        />
      )) ?? Array.from({ length: 12 }, (_, at) => <Skeleton key={at} h={124} radius="lg" />)}
    </div>
  );
}

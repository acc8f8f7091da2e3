import { Skeleton, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "@/api/client";
import { afterSoldOut } from "@/api/keys";
import { useMenu } from "@/api/queries";
import type { Menu, Product } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import classes from "./SoldOutPage.module.css";

/** What is sold out, in one tap, and back in another: every till knows it within seconds. */
export function SoldOutPage() {
  const { t } = useTranslation();
  const menu = useMenu();
  const mark = useMark();
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  return (
    <div className={classes.page}>
      <header className={classes.head}>
        <Title order={1} fz={32}>
          {t("soldOut.title")}
        </Title>
        <TextInput
          className={classes.search}
          aria-label={t("menu.search")}
          placeholder={t("menu.search")}
          leftSection={<Search size={20} />}
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
        />
      </header>
      {menu.isPending && <Skeleton h={320} radius="lg" />}
      {menu.isError && !menu.data && (
        <ErrorNote error={menu.error} onRetry={() => void menu.refetch()} />
      )}
      {mark.isError && <ErrorNote error={mark.error} />}
      {menu.data?.categories.map(({ id, name, products }) => {
        const found = products.filter((product) => product.name.toLowerCase().includes(wanted));
        if (found.length === 0) return null;
        return (
          <section key={id} aria-label={name}>
            <h2 className={classes.category}>{name}</h2>
            <div className={classes.grid}>
              {found.map((product) => (
                <Mark
                  key={product.id}
                  product={product}
                  available={
                    mark.isPending && mark.variables.id === product.id
                      ? mark.variables.available
                      : product.available
                  }
                  onMark={(available) => mark.mutate({ id: product.id, available })}
                />
              ))}
            </div>
          </section>
        );
      })}
    </div>
  );
}

interface MarkProps {
  product: Product;
  available: boolean;
  onMark: (available: boolean) => void;
}

function Mark({ product, available, onMark }: MarkProps) {
  const { t } = useTranslation();
  return (
    <button
      type="button"
      role="switch"
      aria-checked={!available}
      className={classes.product}
      onClick={() => onMark(!available)}
    >
      <span>{product.name}</span>
      <strong>{t(available ? "soldOut.there" : "menu.soldOut")}</strong>
    </button>
  );
}

function useMark() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, available }: Pick<Product, "id" | "available">) =>
      unwrap(
        api.PUT("/api/v1/products/{product_id}/availability", {
          params: { path: { product_id: id } },
          body: { available },
        }),
      ),
    // The server's own menu may be two seconds old: until it is polled again the tap stands.
    onSuccess: (_, { id, available }) => {
      queries.setQueriesData<Menu>({ queryKey: ["menu"] }, (menu) => marked(menu, id, available));
      afterSoldOut(queries);
    },
  });
}

function marked(menu: Menu | undefined, id: number, available: boolean): Menu | undefined {
  const mark = (product: Product) => (product.id === id ? { ...product, available } : product);
  return (
    menu && {
      categories: menu.categories.map((category) => ({
        ...category,
        products: category.products.map(mark),
      })),
    }
  );
}

/** Warm, muted accents; a category keeps its own by its id. */
const HUES = [
  "#b5431a", "#8a6a2f", "#5f7a3a", "#a8722a", "#7a4a3a", "#3f7470", "#9a4f63", "#6b6f3a", "#c07f36",
  "#5a6b86",
];

export const hueOf = (categoryId: number): string => HUES[categoryId % HUES.length] ?? "#a84214";

/** @param basisPoints 500 is 5 %. @returns "5%", "7,5%". */
export const percent = (basisPoints: number): string =>
  `${(basisPoints / 100).toLocaleString("id-ID", { maximumFractionDigits: 2 })}%`;

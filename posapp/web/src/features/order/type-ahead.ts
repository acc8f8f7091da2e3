interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/**
 * Find the name that begins with what has been typed so far and `key`; a key that leads nowhere
 * begins anew.
 *
 * @returns the place of the name among `names` and the letters that led to it, or null.
 */
export function typeAhead(names: string[], typed: string, { key, ...held }: Key): { at: number; typed: string } | null {
  if (key.length !== 1 || key === " " || held.ctrlKey || held.metaKey || held.altKey) return null;
  for (const text of [typed + key, key]) {
    const wanted = text.toLowerCase();
    const at = names.findIndex((name) => name.toLowerCase().startsWith(wanted));
    if (at >= 0) return { at, typed: text };
  }
  return null;
}

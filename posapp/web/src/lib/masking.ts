/** The server's rules of masking (`healthkit.masking`), for what leaves the browser. */
export const MASK = "***MASKED***";

const PARTS =
  /passw|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|authorization|cookie|credential|csrf|session[_-]?id|jwt|dsn|kata[_-]?sandi|passcode|userpass|(?:pin|otp)code/i;
const SHORT = /(?<![A-Za-z])(?:pass|pin|otp|sig|sandi|cvv|cvc)(?![A-Za-z])/i;
const CAMEL = /(?<=[a-z0-9])(?:Pass|Pin|Otp|Sig|Sandi|Cvv|Cvc)(?![a-z])/;

/** Whether what goes under this name is a secret. */
export const secretName = (name: string): boolean =>
  PARTS.test(name) || SHORT.test(name) || CAMEL.test(name);

const LONGEST = 2_000;
const SHAPES = [
  /\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?/g, // a JWT
  /\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{3,}/gi,
  /(?<=:\/\/)[^\s/@]{1,200}@/g, // a name and password in an address
  /\b(?:\d[ -]?){12,18}\d\b/g, // the number of a card
];
/** `name=value`, `"name": "value"`: what stands under the name of a secret. */
const NAMED = /(["']?)([A-Za-z][\w.-]{1,60})\1\s{0,3}[=:]\s{0,3}("[^"]{0,500}"|'[^']{0,500}'|[^\s&,;}"']{1,500})/g;

/** Mask the secrets in a text, and cut it. */
export function mask(text: string): string {
  const shapeless = SHAPES.reduce(
    (masked, shape) => masked.replace(shape, shape.source.startsWith("(?<=") ? `${MASK}@` : MASK),
    text.slice(0, LONGEST),
  );
  return shapeless.replace(NAMED, (whole, _quote: string, name: string, value: string) =>
    secretName(name) ? whole.slice(0, whole.length - value.length) + MASK : whole,
  );
}

// The gamma curve as an SVG filter that the style sheet refers to; nothing without gamma.
import { GAMMA_FILTER, PLAIN, type Look } from "../../core/session";

export function Gamma({ look }: { readonly look: Look }) {
  if (look.gamma === PLAIN.gamma) return null;
  const exponent = 1 / look.gamma;
  return (
    <svg className="unseen" aria-hidden="true">
      <filter id={GAMMA_FILTER} colorInterpolationFilters="sRGB" x="0" y="0" width="1" height="1">
        <feComponentTransfer>
          <feFuncR type="gamma" exponent={exponent} />
          <feFuncG type="gamma" exponent={exponent} />
          <feFuncB type="gamma" exponent={exponent} />
        </feComponentTransfer>
      </filter>
    </svg>
  );
}

// Text of other people's making: Markdown without HTML, without pictures, and with links that take nothing along.
import Compiler from "markdown-to-jsx/react";
import type { AnchorHTMLAttributes, ImgHTMLAttributes } from "react";

const OPTIONS = {
  disableParsingRawHTML: true,
  forceBlock: true,
  forceWrapper: true,
  wrapper: "article",
  slugify: () => "", // a heading must not take an id that means something on this page
  overrides: { a: Link, img: Picture },
} as const;

export function Markdown({ text }: { readonly text: string }) {
  return <Compiler options={OPTIONS}>{text}</Compiler>;
}

/** A link to the web or to mail opens in a tab of its own, and does not say where from; any other is plain text. */
function Link({ href = "", children }: AnchorHTMLAttributes<HTMLAnchorElement>) {
  if (!/^(https?:\/\/|mailto:)/i.test(href)) return <>{children}</>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

/** Nothing is fetched: what the picture shows is told by its words. */
function Picture({ alt = "" }: ImgHTMLAttributes<HTMLImageElement>) {
  return alt === "" ? null : <em>[{alt}]</em>;
}

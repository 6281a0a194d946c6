// Markdown from other people: without HTML and pictures, and with links that send no referrer.
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

/** A picture is not fetched; its alternative text stands in its place. */
function Picture({ alt = "" }: ImgHTMLAttributes<HTMLImageElement>) {
  return alt === "" ? null : <em>[{alt}]</em>;
}

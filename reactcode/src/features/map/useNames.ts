// The names of the images that are shown as pictures: points carry none. Each is asked for once.
import { useEffect, useState } from "react";
import * as api from "../../api";
import type { MapImage } from "../../api";

export type Names = ReadonlyMap<number, MapImage>;

const AT_ONCE = 24;
const REST_MS = 60; // the mouse passes over many points

export function useNames(images: readonly number[]): Names {
  const [names, setNames] = useState<Names>(new Map());
  const missing = [...new Set(images)].filter((image) => !names.has(image)).slice(0, AT_ONCE);
  const wanted = missing.join(" ");
  useEffect(() => {
    if (wanted === "") return;
    let isOver = false;
    const timer = setTimeout(() => {
      api.mapImages(wanted.split(" ").map(Number)).then(
        ({ images }) => {
          if (!isOver)
            setNames((before) => new Map([...before, ...images.map((one) => [one.image, one] as const)]));
        },
        () => undefined, // without its name an image is not shown; the next look asks again
      );
    }, REST_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [wanted]);
  return names;
}

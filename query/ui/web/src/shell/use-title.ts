import { useEffect } from "react";

/** The title of the window while the component is there: what is seen, then whose page it is. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · clew`;
    return () => {
      document.title = "clew";
    };
  }, [title]);
}

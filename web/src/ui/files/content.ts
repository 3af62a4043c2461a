import { useEffect, useState } from "preact/hooks";
import type { FileState } from "../../files/types";
import type { FileInfo } from "../../protocol/texts";
import { useApp } from "../context";
import { fileURL } from "./words";

/** An address to show a picture or play a voice from: of this device's own copy, else of the server's. */
export function useContent(info: FileInfo, state: FileState, wanted: boolean): string | undefined {
  const { files } = useApp();
  const [own, setOwn] = useState<string>();
  const local = wanted && (files.sends(info.file) || state.kind === "here");
  useEffect(() => {
    if (!local) return undefined;
    let url: string | undefined;
    let over = false;
    void files.content(info).then((content) => {
      if (!content || over) return;
      url = URL.createObjectURL(content);
      setOwn(url);
    });
    return () => {
      over = true;
      setOwn(undefined);
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [info.file, local]);
  if (own !== undefined) return own;
  return wanted && state.kind === "kept" ? fileURL(info.file) : undefined;
}

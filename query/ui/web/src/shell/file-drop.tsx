import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useT } from "../i18n/index.ts";
import "./file-drop.css";

/** Wherever files are dropped on the page, they are opened. */
export function FileDrop() {
  const t = useT();
  const [, navigate] = useLocation();
  const [over, setOver] = useState(false);

  useEffect(() => {
    let inside = 0;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      inside += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      inside -= 1;
      if (inside <= 0) setOver(false);
    };
    const allow = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      inside = 0;
      setOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      navigate("/file");
      void import("../views/file/opened.ts").then(({ openFiles }) => openFiles(files));
    };
    addEventListener("dragenter", enter);
    addEventListener("dragleave", leave);
    addEventListener("dragover", allow);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragleave", leave);
      removeEventListener("dragover", allow);
      removeEventListener("drop", drop);
    };
  }, [navigate]);

  return over ? (
    <div className="file-drop" role="status">
      <p>{t("file.drop_anywhere")}</p>
    </div>
  ) : null;
}

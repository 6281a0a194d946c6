// A modal panel on top of the page: Escape, the cross and a click beside it close it.
import { useEffect, useRef, type ReactNode } from "react";
import { Icon } from "./Icon";

interface Props {
  readonly title: string;
  readonly className?: string;
  readonly children: ReactNode;
  readonly onClose: () => void;
}

export function Dialog({ title, className = "", children, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    sheet.current?.focus(); // not the cross: Space and Enter would press it
  }, []);
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="sheet" ref={sheet} tabIndex={-1}>
        <header>
          <h2>{title}</h2>
          <button type="button" className="plain" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

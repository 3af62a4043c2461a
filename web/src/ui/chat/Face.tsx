import type { JSX } from "preact";
import { isGroup } from "../../protocol/texts";
import { Avatar, hueOf } from "../Avatar";
import { useApp } from "../context";
import { Icon } from "../icons";

interface Props {
  id: string;
  name: string;
  small?: boolean;
}

/** The picture of a chat: the other person's, or a group's. */
export function Face({ id, name, small = false }: Props): JSX.Element {
  const app = useApp();
  const size = small ? "small" : undefined;
  if (!isGroup(id)) return <Avatar of={{ id, name }} status={app.people.find(id)?.status} size={size} />;
  return (
    <span class={`avatar hue-${hueOf(id)} ${size ?? ""}`} aria-hidden="true">
      <Icon name="people" size={small ? 20 : 24} />
    </span>
  );
}

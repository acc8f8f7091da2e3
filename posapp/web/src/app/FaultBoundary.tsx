import { Component, type ReactNode } from "react";
import { useLocation } from "react-router";
import { Fault } from "./Fault";

interface Props {
  /** The visit of a page: another one gets another chance. */
  visit: string;
  children: ReactNode;
}

class Boundary extends Component<Props, { faults: unknown[] }> {
  override state: { faults: unknown[] } = { faults: [] };

  static getDerivedStateFromError(error: unknown) {
    return { faults: [error] };
  }

  override componentDidUpdate({ visit }: Props) {
    if (visit !== this.props.visit && this.state.faults.length > 0) this.setState({ faults: [] });
  }

  override render() {
    const { faults } = this.state;
    return faults.length > 0 ? <Fault error={faults[0]} /> : this.props.children;
  }
}

/** Shows a fault of what it holds in its place, until somebody goes to another page. */
export function FaultBoundary({ children }: { children: ReactNode }) {
  return <Boundary visit={useLocation().key}>{children}</Boundary>;
}

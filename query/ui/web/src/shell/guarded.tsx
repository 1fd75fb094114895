import { Component, type ReactNode } from "react";
import { Failed } from "../components/states.tsx";

interface GuardedProps {
  /** An error of one place is none of the next. */
  place: string;
  children: ReactNode;
}

/** Shows what went wrong in a view instead of an empty page. */
export class Guarded extends Component<GuardedProps, { error: Error | undefined }> {
  override state = { error: undefined as Error | undefined };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidUpdate(before: GuardedProps) {
    if (before.place !== this.props.place && this.state.error) this.setState({ error: undefined });
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return <Failed error={this.state.error} onRetry={() => this.setState({ error: undefined })} />;
  }
}

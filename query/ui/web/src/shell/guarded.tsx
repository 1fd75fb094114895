import { Component, type ReactNode } from "react";
import { Failed } from "../components/states.tsx";

/** Shows what went wrong in a view instead of an empty page. */
export class Guarded extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state = { error: undefined as Error | undefined };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return <Failed error={this.state.error} onRetry={() => this.setState({ error: undefined })} />;
  }
}

// An event stream for the tests: says what it is given to hear.
export class FakeSource {
  readonly readyState = 1;
  private readonly listeners: { type: string; listener: (event: MessageEvent<string>) => void }[] = [];

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.push({ type, listener });
  }

  hear(type: string, data: string): void {
    for (const entry of this.listeners)
      if (entry.type === type) entry.listener(new MessageEvent(type, { data }));
  }

  close(): void {
    this.listeners.length = 0;
  }
}

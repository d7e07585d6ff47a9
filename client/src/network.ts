interface NetworkSignals {
  addEventListener?: (event: 'online' | 'offline', listener: () => void) => void;
  removeEventListener?: (event: 'online' | 'offline', listener: () => void) => void;
  navigator?: { onLine?: boolean };
}

/** What a browser says of the device's network; elsewhere it says nothing. */
export class Network {
  private readonly signals = globalThis as NetworkSignals;

  constructor(
    private readonly onOnline: () => void,
    private readonly onOffline: () => void,
  ) {}

  get isOffline(): boolean {
    return this.signals.navigator?.onLine === false;
  }

  listen(): void {
    this.signals.addEventListener?.('online', this.onOnline);
    this.signals.addEventListener?.('offline', this.onOffline);
  }

  stop(): void {
    this.signals.removeEventListener?.('online', this.onOnline);
    this.signals.removeEventListener?.('offline', this.onOffline);
  }
}

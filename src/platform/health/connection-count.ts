/** How many sockets this instance holds. Told by platform/realtime, shown by `/health`. */
export abstract class ConnectionCount {
  abstract count(): number;
}

/** Version of the wire contract. A client may send it at the handshake; a server that cannot speak it closes with `BAD_PROTOCOL`. */
export const PROTOCOL_VERSION = 1;

/** Version of the wire contract. A client may send it at the handshake; a server that cannot speak it answers `connect_error` `Forbidden` with the path `auth.protocol`. */
export const PROTOCOL_VERSION = 1;

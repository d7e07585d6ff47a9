/** Thrown by a handler whose job can never succeed: an address that is gone, a subject that is deleted. It is not tried again. */
export class PermanentFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PermanentFailure';
  }
}

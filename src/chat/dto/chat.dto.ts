import { Matches } from 'class-validator';
import type { SendSignal, Typing } from '../../contract/chat.js';
import { CONTRACT_LIMITS } from '../../contract/limits.js';
import { IsJsonWithin, IsRoomId, Optional, IsMessageId } from '../../platform/validation/rules.js';

export class TypingDto implements Typing {
  @IsRoomId()
  roomId!: string;

  @Optional()
  @IsMessageId()
  threadId?: string;
}

/** A signal without its room, which is in the path over REST. */
export class NewSignalDto {
  @Matches(/^[A-Za-z0-9_.:-]{1,64}$/, { message: 'must be 1 to 64 characters of A-Z a-z 0-9 _ . : -' })
  kind!: string;

  @IsJsonWithin(CONTRACT_LIMITS.dataBytes)
  data!: unknown;
}

export class SendSignalDto extends NewSignalDto implements SendSignal {
  @IsRoomId()
  roomId!: string;
}

import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import type {
  DeleteMessage,
  EditMessage,
  PinMessage,
  ReactToMessage,
  ReadHistory,
  ReadMessage,
  SendMessage,
  SyncRoom,
} from '../../contract/chat.js';
import { CONTRACT_LIMITS } from '../../contract/limits.js';
import {
  IsDistinct,
  IsJsonWithin,
  IsPosition,
  IsRoomId,
  IsUserId,
  Optional,
  IsMessageId,
} from '../../platform/validation/rules.js';

/**
 * No emoji has white space in it; 32 characters hold the longest sequences and `:shortcodes:`. Something in it can be
 * seen, and of what cannot only that which emoji are made with: joiner, variation selectors, tags. Else two reactions
 * could look like one, or like nothing.
 */
const IsEmoji = () =>
  Matches(
    /^(?=.*[^\p{DI}\p{M}])[^\s\p{Cc}\p{Cs}\u00ad\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f]{1,32}$/u,
    { message: 'must be an emoji, 1 to 32 characters without white space' },
  );

/** A message without its room, which is in the path over REST. */
export class NewMessageDto {
  /** Its length in code points is checked after trimming, against MAX_CONTENT_LENGTH. */
  @IsString()
  content!: string;

  @Optional()
  @MaxLength(CONTRACT_LIMITS.messageTypeLength)
  @Matches(/^(text|x-[a-z0-9][a-z0-9._-]*)$/, { message: 'must be text, or x- and a name of a-z 0-9 . _ -' })
  type?: string;

  @Optional()
  @IsJsonWithin(CONTRACT_LIMITS.dataBytes)
  data?: unknown;

  @Optional()
  @IsString()
  @Length(1, CONTRACT_LIMITS.clientMessageIdLength)
  clientMessageId?: string;

  @Optional()
  @IsMessageId()
  replyTo?: string;

  @Optional()
  @IsMessageId()
  threadId?: string;

  @Optional()
  @IsArray()
  @ArrayMaxSize(CONTRACT_LIMITS.mentions)
  @IsDistinct()
  @IsUserId({ each: true })
  mentions?: string[];
}

export class SendMessageDto extends NewMessageDto implements SendMessage {
  @IsRoomId()
  roomId!: string;
}

export class MessageRefDto {
  @IsMessageId()
  messageId!: string;
}

export class MessageContentDto {
  @IsString()
  content!: string;
}

export class EditMessageDto extends MessageRefDto implements EditMessage {
  @IsString()
  content!: string;
}

export class DeletionDto {
  @Optional()
  @IsString()
  @MaxLength(500)
  reason?: string;
}

export class DeleteMessageDto extends MessageRefDto implements DeleteMessage {
  @Optional()
  @IsString()
  @MaxLength(500)
  reason?: string;
}

export class ReactionRefDto extends MessageRefDto {
  @IsEmoji()
  emoji!: string;
}

export class ReactToMessageDto extends ReactionRefDto implements ReactToMessage {
  @IsBoolean()
  on!: boolean;
}

export class PinMessageDto extends MessageRefDto implements PinMessage {
  @IsBoolean()
  on!: boolean;
}

/** Exactly one of `seq` and `messageId`. */
export class ReadPositionDto {
  @Optional()
  @IsPosition()
  seq?: number;

  @Optional()
  @IsMessageId()
  messageId?: string;
}

export class ReadMessageDto extends ReadPositionDto implements ReadMessage {
  @IsRoomId()
  roomId!: string;
}

/** At most one of `before`, `after` and `around`. */
export class ReadHistoryDto implements ReadHistory {
  @IsRoomId()
  roomId!: string;

  @Optional()
  @IsMessageId()
  threadId?: string;

  @Optional()
  @IsPosition()
  before?: number;

  @Optional()
  @IsPosition()
  after?: number;

  @Optional()
  @IsPosition()
  around?: number;

  @Optional()
  @IsInt()
  @Min(1)
  @Max(CONTRACT_LIMITS.historyPageMax)
  limit?: number;
}

export class SyncRoomDto implements SyncRoom {
  @IsRoomId()
  roomId!: string;

  @IsPosition()
  since!: number;

  @Optional()
  @IsInt()
  @Min(1)
  @Max(CONTRACT_LIMITS.syncPageMax)
  limit?: number;
}

import type { Page } from '../../contract/rest.js';
import type { User, UserRole } from '../../contract/views.js';
import type { UserSummary } from '../user.view.js';

/** A user, as the documents of the API describe it. */
export class UserSummaryDto implements UserSummary {
  id!: string;
  username!: string;
  name!: string;
  avatarUrl?: string;
}

export class UserDto extends UserSummaryDto implements User {
  role!: UserRole;
}

export class UserPageDto implements Page<UserSummary> {
  data!: UserSummaryDto[];
  /** Of the next page. */
  cursor?: string;
  hasMore!: boolean;
}

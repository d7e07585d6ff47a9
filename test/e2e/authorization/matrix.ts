/**
 * Who may do what. The columns are roles in a public room: nobody signed in, somebody suspended, somebody who is not in the
 * room, its members by role, and an administrator of the installation, who is not in it either. A cell is `ok`, or the
 * code of the refusal. What follows the name of a command or route says which use of it is meant. Each cell is carried out
 * in `authorization.spec.ts`; a command or route without a row fails there.
 */
export const COMMANDS = `
  /chat                    | nobody          | suspended | stranger     | member    | room admin | owner     | administrator
  room:join                | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  room:leave               | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | CONFLICT  | NOT_A_MEMBER
  room:create              | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  room:list                | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  room:members             | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  room:invite              | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  room:invite with a role  | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | FORBIDDEN  | ok        | NOT_A_MEMBER
  room:kick                | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  room:kick the owner      | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | FORBIDDEN  | FORBIDDEN | NOT_A_MEMBER
  room:role                | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | FORBIDDEN  | ok        | NOT_A_MEMBER
  room:update              | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  room:update archived     | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | FORBIDDEN  | ok        | NOT_A_MEMBER
  room:sync                | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  room:positions           | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  room:signal              | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  message:send             | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  message:send to @room    | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  message:edit             | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  message:edit another's   | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | FORBIDDEN  | FORBIDDEN | NOT_A_MEMBER
  message:delete           | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  message:delete another's | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  message:react            | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  message:pin              | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  message:read             | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  message:history          | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  typing:start             | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  typing:stop              | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  auth:refresh             | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  auth:refresh another's   | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | FORBIDDEN

  /presence              | nobody          | suspended | stranger  | member    | room admin | owner     | administrator
  presence:set           | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  presence:activity      | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  presence:watch         | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  presence:unwatch       | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  auth:refresh           | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  auth:refresh another's | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | FORBIDDEN

  /notifications           | nobody          | suspended | stranger  | member    | room admin | owner     | administrator
  notification:list        | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  notification:seen        | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  notification:read        | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  notification:archive     | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  preference:get           | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  preference:set           | UNAUTHENTICATED | SUSPENDED | NOT_FOUND | ok        | ok         | ok        | NOT_FOUND
  preference:set of a kind | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  auth:refresh             | UNAUTHENTICATED | SUSPENDED | ok        | ok        | ok         | ok        | ok
  auth:refresh another's   | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | FORBIDDEN

  /admin               | nobody          | suspended | stranger  | member    | room admin | owner     | administrator
  announcement:send    | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  user:disconnect      | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  user:suspend         | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  user:suspend oneself | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | CONFLICT
  user:resume          | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  user:role            | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  room:freeze          | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  room:unfreeze        | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  message:delete       | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  connection:list      | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  auth:refresh         | UNAUTHENTICATED | SUSPENDED | FORBIDDEN | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
`;

/** Under `/api/v1`. */
export const API_ROUTES = `
  /api/v1                                                   | nobody          | suspended | stranger     | member    | room admin | owner     | administrator
  POST /auth/register                                       | ok              | ok        | ok           | ok        | ok         | ok        | ok
  POST /auth/login                                          | ok              | SUSPENDED | ok           | ok        | ok         | ok        | ok
  POST /auth/refresh                                        | ok              | SUSPENDED | ok           | ok        | ok         | ok        | ok
  POST /auth/logout                                         | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  POST /auth/logout-all                                     | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /users/me                                             | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  PATCH /users/me                                           | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /users                                                | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /rooms                                                | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  POST /rooms                                               | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /rooms/:roomId                                        | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  PATCH /rooms/:roomId                                      | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  DELETE /rooms/:roomId                                     | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | FORBIDDEN  | ok        | NOT_A_MEMBER
  POST /rooms/:roomId/signals                               | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  GET /rooms/:roomId/members                                | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  POST /rooms/:roomId/members                               | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  POST /rooms/:roomId/members oneself                       | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  PATCH /rooms/:roomId/members/:userId                      | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | FORBIDDEN  | ok        | NOT_A_MEMBER
  DELETE /rooms/:roomId/members/:userId                     | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  DELETE /rooms/:roomId/members/:userId oneself             | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | CONFLICT  | NOT_A_MEMBER
  GET /rooms/:roomId/changes                                | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  POST /rooms/:roomId/read                                  | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  GET /me/unread                                            | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /rooms/:roomId/messages                               | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  POST /rooms/:roomId/messages                              | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  PATCH /messages/:messageId                                | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  PATCH /messages/:messageId another's                      | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | FORBIDDEN  | FORBIDDEN | NOT_A_MEMBER
  DELETE /messages/:messageId                               | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  DELETE /messages/:messageId another's                     | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  PUT /messages/:messageId/reactions/:emoji                 | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  DELETE /messages/:messageId/reactions/:emoji              | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  PUT /messages/:messageId/pin                              | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  DELETE /messages/:messageId/pin                           | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | NOT_A_MEMBER
  GET /presence                                             | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /presence/me                                          | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  PUT /presence                                             | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /notifications                                        | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /notifications/:notificationId                        | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /notifications/:notificationId another's              | UNAUTHENTICATED | SUSPENDED | NOT_FOUND    | NOT_FOUND | NOT_FOUND  | NOT_FOUND | NOT_FOUND
  GET /notifications/decisions                              | UNAUTHENTICATED | SUSPENDED | NOT_FOUND    | ok        | ok         | ok        | ok
  GET /notifications/decisions of another                   | UNAUTHENTICATED | SUSPENDED | NOT_FOUND    | NOT_FOUND | NOT_FOUND  | NOT_FOUND | ok
  POST /notifications/seen                                  | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  POST /notifications/read                                  | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  POST /notifications/archive                               | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  POST /notifications                                       | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  GET /notification-preferences                             | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  PUT /notification-preferences                             | UNAUTHENTICATED | SUSPENDED | NOT_FOUND    | ok        | ok         | ok        | NOT_FOUND
  PUT /notification-preferences of a kind                   | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /notification-preferences/email                       | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  PUT /notification-preferences/email where no mail is sent | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | FORBIDDEN
  DELETE /notification-preferences/email                    | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /push-subscriptions/key                               | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  GET /push-subscriptions                                   | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  POST /push-subscriptions                                  | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  DELETE /push-subscriptions/:subscriptionId                | UNAUTHENTICATED | SUSPENDED | ok           | ok        | ok         | ok        | ok
  DELETE /push-subscriptions/:subscriptionId another's      | UNAUTHENTICATED | SUSPENDED | NOT_FOUND    | NOT_FOUND | NOT_FOUND  | NOT_FOUND | NOT_FOUND
  PUT /moderation/rooms/:roomId/mutes/:userId               | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | ok
  DELETE /moderation/rooms/:roomId/mutes/:userId            | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | ok
  PUT /moderation/rooms/:roomId/bans/:userId                | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | ok
  PUT /moderation/rooms/:roomId/bans/:userId the owner      | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  DELETE /moderation/rooms/:roomId/bans/:userId             | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | ok
  PUT /moderation/mutes/:userId                             | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  DELETE /moderation/mutes/:userId                          | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  PUT /moderation/bans/:userId                              | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  DELETE /moderation/bans/:userId                           | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  GET /moderation/restrictions                              | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  GET /moderation/restrictions of a room                    | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | ok
  GET /moderation/filters                                   | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  POST /moderation/filters                                  | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  DELETE /moderation/filters/:id                            | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  POST /moderation/reports                                  | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | ok        | ok         | ok        | NOT_A_MEMBER
  GET /moderation/reports                                   | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  GET /moderation/reports of a room                         | UNAUTHENTICATED | SUSPENDED | NOT_A_MEMBER | FORBIDDEN | ok         | ok        | ok
  POST /moderation/reports/:id/close                        | UNAUTHENTICATED | SUSPENDED | NOT_FOUND    | NOT_FOUND | ok         | ok        | ok
  GET /admin/stats                                          | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  GET /admin/connections                                    | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  POST /admin/announcements                                 | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  GET /admin/users                                          | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  POST /admin/users/:userId/disconnect                      | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  POST /admin/users/:userId/suspend                         | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  POST /admin/users/:userId/resume                          | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  PUT /admin/users/:userId/role                             | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  DELETE /admin/messages/:messageId                         | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  GET /admin/jobs                                           | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  POST /admin/jobs/:id/retry                                | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | NOT_FOUND
  GET /admin/outbox                                         | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  POST /admin/outbox/:id/retry                              | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | NOT_FOUND
  PUT /admin/rooms/:roomId/freeze                           | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  DELETE /admin/rooms/:roomId/freeze                        | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  GET /audit-log                                            | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
  GET /audit-log/export                                     | UNAUTHENTICATED | SUSPENDED | FORBIDDEN    | FORBIDDEN | FORBIDDEN  | FORBIDDEN | ok
`;

/** Outside it: for operators and browsers. */
export const OTHER_ROUTES = `
                          | nobody | suspended | stranger | member | room admin | owner | administrator
  GET /                   | ok     | ok        | ok       | ok     | ok         | ok    | ok
  GET /health             | ok     | ok        | ok       | ok     | ok         | ok    | ok
  GET /health/live        | ok     | ok        | ok       | ok     | ok         | ok    | ok
  GET /health/ready       | ok     | ok        | ok       | ok     | ok         | ok    | ok
  GET /metrics            | ok     | ok        | ok       | ok     | ok         | ok    | ok
  GET /docs/errors        | ok     | ok        | ok       | ok     | ok         | ok    | ok
  GET /setup              | ok     | ok        | ok       | ok     | ok         | ok    | ok
  POST /setup             | ok     | ok        | ok       | ok     | ok         | ok    | ok
  GET /email/confirm      | ok     | ok        | ok       | ok     | ok         | ok    | ok
  POST /email/confirm     | ok     | ok        | ok       | ok     | ok         | ok    | ok
  GET /email/unsubscribe  | ok     | ok        | ok       | ok     | ok         | ok    | ok
  POST /email/unsubscribe | ok     | ok        | ok       | ok     | ok         | ok    | ok
`;

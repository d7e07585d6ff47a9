import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NotificationsModule } from '../notifications/notifications.module.js';
import { OutsideChannels } from '../notifications/outside-channels.service.js';
import { UsersModule } from '../users/users.module.js';
import { AnnouncementDigests } from './announcement-digests.js';
import { Deliverables } from './deliverables.js';
import { DeliveryFacts } from './delivery-facts.js';
import { DigestJobs } from './digest-jobs.js';
import { EmailAddressEntity } from './email-address.entity.js';
import { EmailAddressesController } from './email-addresses.controller.js';
import { EmailAddressesRepository } from './email-addresses.repository.js';
import { EmailAddressesService } from './email-addresses.service.js';
import { EmailDialogues } from './email-dialogues.service.js';
import { EmailLinks } from './email-links.js';
import { EmailMails } from './email-mails.js';
import { EmailPagesController } from './email-pages.controller.js';
import { Mailer } from './mailer.js';
import { OutsideChannelsRepository } from './outside-channels.repository.js';
import { PushDelivery } from './push-delivery.js';
import { PushJobs } from './push-jobs.js';
import { PushSender } from './push-sender.js';
import { PushSubscriptionEntity } from './push-subscription.entity.js';
import { PushSubscriptionsController } from './push-subscriptions.controller.js';
import { PushSubscriptionsRepository } from './push-subscriptions.repository.js';
import { PushSubscriptionsService } from './push-subscriptions.service.js';
import { ServerKeyEntity } from './server-key.entity.js';
import { ServerKeysRepository } from './server-keys.repository.js';
import { VapidKeys } from './vapid-keys.js';

/** Notifications outside the socket: web push and e-mail. Global, because notifications find their `OutsideChannels` here. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forFeature([PushSubscriptionEntity, EmailAddressEntity, ServerKeyEntity]),
    UsersModule,
    NotificationsModule,
  ],
  controllers: [PushSubscriptionsController, EmailAddressesController, EmailPagesController],
  providers: [
    AnnouncementDigests,
    Deliverables,
    DeliveryFacts,
    DigestJobs,
    EmailAddressesRepository,
    EmailAddressesService,
    EmailDialogues,
    EmailLinks,
    EmailMails,
    Mailer,
    PushDelivery,
    PushJobs,
    PushSender,
    PushSubscriptionsRepository,
    PushSubscriptionsService,
    ServerKeysRepository,
    VapidKeys,
    { provide: OutsideChannels, useClass: OutsideChannelsRepository },
  ],
  exports: [OutsideChannels],
})
export class DeliveryModule {}

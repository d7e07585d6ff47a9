import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { ActingAdministrator } from './acting-administrator.service.js';
import { AccountsService } from './accounts.service.js';
import { SetupEntity } from './setup.entity.js';
import { UserAdministration } from './user-administration.service.js';
import { UserEntity } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

/** The people of the installation. */
@Module({
  imports: [TypeOrmModule.forFeature([UserEntity, SetupEntity]), AuditModule],
  controllers: [UsersController],
  providers: [UsersRepository, UsersService, AccountsService, UserAdministration, ActingAdministrator],
  exports: [UsersService, AccountsService, UserAdministration, ActingAdministrator],
})
export class UsersModule {}

import { Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { MediaTypeGuard } from '../http/media-type.guard.js';
import { type RotationJson, SecretRotation, type SecretsJson } from './secret-rotation.js';

/** Serves what `sluice secrets` asks; Kafka Connect has nothing like it. */
@Controller('admin/secrets')
@UseGuards(MediaTypeGuard)
export class SecretsController {
  constructor(@Inject(SecretRotation) private readonly rotation: SecretRotation) {}

  @Get()
  status(): Promise<SecretsJson> {
    return this.rotation.status();
  }

  @Post('connectors/:name/rotate')
  @HttpCode(200)
  rotate(@Param('name') name: string, @Query('key') key: unknown): Promise<RotationJson> {
    if (typeof key === 'string' && key !== '') return this.rotation.rotate(name, key);
    throw new ConnectError(ConnectErrorCode.requestInvalid, 'Query parameter key is missing: it is the id of the key to encrypt with');
  }
}

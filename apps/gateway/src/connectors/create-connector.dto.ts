import { Transform } from 'class-transformer';
import { IsIn, IsOptional, IsString, type ValidationArguments } from 'class-validator';
import { TargetState } from '@sluice/core';
import { IsConfigMap } from '../http/config-map.js';

const initialStates: readonly string[] = Object.values(TargetState);

function given(args: ValidationArguments): string {
  return args.value === undefined ? 'nothing' : JSON.stringify(args.value).slice(0, 100);
}

/** Body of `POST /connectors`. */
export class CreateConnectorDto {
  static readonly fields: readonly string[] = ['name', 'config', 'initial_state'];

  @IsString({ message: (args) => `name: ${given(args)} given, allowed is text` })
  readonly name?: string;

  /** Left as it came: copying it would lose keys that JavaScript objects have of their own. */
  @Transform(({ obj }: { obj: Record<string, unknown> }) => obj['config'])
  @IsConfigMap()
  readonly config?: object;

  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toUpperCase() : value))
  @IsOptional()
  @IsIn(initialStates, {
    message: (args) => `initial_state: ${given(args)} given, allowed are ${initialStates.join(', ')}`,
  })
  readonly initial_state?: TargetState | null;
}

import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import {
  getMetadataStorage,
  ValidationTypes,
  type ValidationArguments,
  type ValidatorConstraintInterface,
} from 'class-validator';

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];
type Fields = Record<string, unknown>;

/** One decorator of a property, as class-validator runs it. */
interface Rule {
  readonly constraint: ValidatorConstraintInterface;
  /** One for all payloads: rules are asked one after the other. */
  readonly context: ValidationArguments;
  readonly each: boolean;
}

interface Property {
  readonly name: string;
  /** Those of `ValidateIf`: when one says no, the property is not looked at. */
  readonly conditions: readonly ((dto: object, value: unknown) => boolean)[];
  readonly rules: readonly Rule[];
}

/** `TransformationType.PLAIN_TO_CLASS` of class-transformer. */
const PLAIN_TO_CLASS = 0;

/**
 * The rules of one DTO, gathered once from class-validator, which gathers, groups and filters them anew for every
 * payload. It says yes only, by the same constraints in the same order: whatever it does not accept goes the whole way,
 * which knows what to answer. What it does not know of is left to the whole way altogether.
 */
export class CompiledDto {
  private constructor(
    private readonly dto: Type<object>,
    private readonly known: ReadonlySet<string>,
    private readonly properties: readonly Property[],
    /** class-transformer takes all fields over as they come. */
    private readonly isCopied: boolean,
  ) {}

  /** Undefined for a DTO with anything but synchronous rules on its own fields. */
  static of(dto: Type<object>): CompiledDto | undefined {
    const metadatas = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    const names = [...new Set(metadatas.map(({ propertyName }) => propertyName))];
    if (!metadatas.every(isSynchronous)) return undefined;
    const isCopied =
      defaultMetadataStorage.getStrategy(dto) === 'none' && names.every((name) => isTakenOver(dto, name));
    const properties = names.map((name) =>
      propertyOf(
        dto.name,
        name,
        metadatas.filter(({ propertyName }) => propertyName === name),
      ),
    );
    return new CompiledDto(dto, new Set(names), properties, isCopied);
  }

  /** The DTO of a payload that passes all rules. */
  accept(payload: object): object | undefined {
    const made = (this.isCopied ? this.copy(payload) : plainToInstance(this.dto, payload)) as
      Fields | undefined;
    if (!made) return undefined;
    for (const name of Object.keys(made)) if (!this.known.has(name)) return undefined;
    for (const property of this.properties) if (!this.passes(made, property)) return undefined;
    return made;
  }

  private copy(payload: object): object | undefined {
    const made = new this.dto() as Fields;
    for (const name of Object.keys(payload)) {
      // Before it is set: not every name is one for an object of ours.
      if (!this.known.has(name)) return undefined;
      made[name] = (payload as Fields)[name];
    }
    return made;
  }

  private passes(dto: Fields, { name, conditions, rules }: Property): boolean {
    const value = dto[name];
    for (const applies of conditions) if (!applies(dto, value)) return true;
    for (const { constraint, context, each } of rules) {
      context.object = dto;
      context.value = value;
      const passes =
        each && Array.isArray(value)
          ? value.every((item) => constraint.validate(item, context) === true)
          : constraint.validate(value, context) === true;
      if (!passes) return false;
    }
    return true;
  }
}

function isTakenOver(dto: Type<object>, name: string): boolean {
  const rules = defaultMetadataStorage;
  return (
    !(name in dto.prototype) &&
    !rules.findTypeMetadata(dto, name) &&
    !rules.findExposeMetadata(dto, name) &&
    !rules.findExcludeMetadata(dto, name) &&
    rules.findTransformMetadatas(dto, name, PLAIN_TO_CLASS).length === 0
  );
}

function isSynchronous(metadata: Metadata): boolean {
  switch (metadata.type) {
    case ValidationTypes.WHITELIST:
    case ValidationTypes.CONDITIONAL_VALIDATION:
      return true;
    case ValidationTypes.CUSTOM_VALIDATION:
      return isUnconditional(metadata) && constraintsOf(metadata).every(({ async }) => !async);
    default:
      return false;
  }
}

const constraintsOf = ({ constraintCls }: Metadata) =>
  getMetadataStorage().getTargetValidatorConstraints(constraintCls);

/** Both are left out where a decorator was given no options, whatever the types say. */
function isUnconditional({ validateIf, groups }: Partial<Metadata>): boolean {
  return !validateIf && (groups ?? []).length === 0;
}

function propertyOf(targetName: string, name: string, metadatas: readonly Metadata[]): Property {
  const ofType = (type: string) => metadatas.filter((metadata) => metadata.type === type);
  return {
    name,
    conditions: ofType(ValidationTypes.CONDITIONAL_VALIDATION).map(
      ({ constraints }) => constraints[0] as Property['conditions'][number],
    ),
    rules: ofType(ValidationTypes.CUSTOM_VALIDATION).flatMap((metadata) =>
      constraintsOf(metadata).map(({ instance }) => ({
        constraint: instance,
        context: {
          targetName,
          property: name,
          object: {},
          value: undefined,
          constraints: metadata.constraints,
        },
        each: metadata.each,
      })),
    ),
  };
}

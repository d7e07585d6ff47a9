/** What class-transformer knows of decorated classes. It exports no door to it, and no types beside this file. */
declare module 'class-transformer/cjs/storage.js' {
  interface TransformationRules {
    findTypeMetadata(target: object, property: string): object | undefined;
    findTransformMetadatas(target: object, property: string, direction: number): object[];
    findExposeMetadata(target: object, property: string): object | undefined;
    findExcludeMetadata(target: object, property: string): object | undefined;
    getStrategy(target: object): 'excludeAll' | 'exposeAll' | 'none';
  }
  export const defaultMetadataStorage: TransformationRules;
}

/**
 * The boundaries of docs/architecture.md, checked by `npm run boundaries`.
 * contract <- platform <- features <- app; a feature knows only the features listed beside it.
 */
const FEATURES = {
  audit: [],
  users: ['audit'],
  auth: ['audit', 'users'],
  rooms: ['audit', 'users'],
  messages: ['audit', 'users', 'rooms'],
  presence: ['audit', 'users', 'rooms'],
  notifications: ['audit', 'users', 'rooms', 'messages'],
  delivery: ['audit', 'users', 'rooms', 'messages', 'notifications'],
  moderation: ['audit', 'users', 'rooms', 'messages'],
  chat: ['audit', 'users', 'rooms', 'messages'],
  admin: ['audit', 'users', 'auth', 'rooms', 'messages', 'presence', 'notifications', 'moderation', 'chat'],
};
const names = Object.keys(FEATURES);
const anyOf = (list) => `(${list.join('|')})`;
const FEATURE = `^src/${anyOf(names)}/`;
const DOORS = '\\.(module|service|policy|events|entity|view)\\.ts$';
const EDGE = '\\.(gateway|controller)\\.ts$';
const SPEC = '\\.spec\\.tsx?$';
/** Matches a package however it was resolved. */
const npm = (...packages) => `(^|node_modules/)${anyOf(packages)}(/|$)`;

/** client/src/index.ts is the door of a package, migrations/index.ts a list. */
const BARREL = { path: '/index\\.ts$', pathNot: ['/migrations/index\\.ts$', '^client/', 'node_modules/'] };
const JUNK_DRAWER = { path: '/(utils?|common|shared|helpers?)[./]', pathNot: ['node_modules/', '^@'] };

const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const directions = names.map((feature) => {
  const known = FEATURES[feature];
  const unknown = names.filter((other) => other !== feature && !known.includes(other));
  return error(
    `${feature}-knows-only-lower`,
    `${feature} may know ${known.length ? known.join(', ') : 'no other feature'}: tell a higher one by a domain event or an outbox row.`,
    { path: `^src/${feature}/` },
    { path: unknown.length ? `^src/${anyOf(unknown)}/` : '^$' },
  );
});

module.exports = {
  forbidden: [
    error(
      'contract-imports-nothing',
      'The wire is shared with clients: it stands alone.',
      { path: '^src/contract/', pathNot: SPEC },
      { pathNot: '^src/contract/' },
    ),
    error(
      'platform-knows-no-feature',
      'platform is how we run, not what we do.',
      { path: '^src/platform/' },
      { path: '^src/', pathNot: '^src/(platform|contract)/' },
    ),
    error(
      'features-know-no-app',
      'app.module assembles the features; they do not know it.',
      { path: '^src/.+/' },
      { path: '^src/[^/]+\\.ts$' },
    ),
    error(
      'app-takes-modules',
      'The root assembles modules; insides stay inside. main.ts starts and ends things, so it may reach in.',
      { path: '^src/[^/]+\\.ts$', pathNot: [SPEC, '^src/main\\.ts$'] },
      { path: FEATURE, pathNot: '\\.(module|service)\\.ts$' },
    ),
    error(
      'known-folders',
      'A new feature needs its place in FEATURES of .dependency-cruiser.cjs.',
      { path: '^src/[^/]+/', pathNot: [FEATURE, '^src/(contract|platform)/'] },
      {},
    ),
    error(
      'src-stays-inside',
      'src imports nothing of the repository around it.',
      { path: '^src/' },
      { path: '^(ormconfig|client/|scripts/|test/|bench/|web/)' },
    ),
    ...directions,
    error(
      'features-meet-at-doors',
      'Features meet only through module, service, policy, events, entity and (of a lower one) view files.',
      { path: FEATURE, pathNot: EDGE },
      { path: FEATURE, pathNot: ['^src/$1/', DOORS] },
    ),
    error(
      'edges-take-commands-too',
      'Gateways and controllers also take the DTOs of the lower features they call.',
      { path: `${FEATURE}.*${EDGE}` },
      { path: FEATURE, pathNot: ['^src/$1/', DOORS, '/dto/'] },
    ),
    error(
      'typeorm-in-repositories',
      'Only repositories, entities and platform/database know the ORM.',
      { path: '^src/', pathNot: ['\\.(repository|entity)\\.ts$', '^src/platform/database/', SPEC] },
      { path: npm('typeorm', 'pg', '@electric-sql/pglite') },
    ),
    error(
      'nest-typeorm-in-modules',
      '@nestjs/typeorm is for modules, repositories and platform/database.',
      { path: '^src/', pathNot: ['\\.(repository|module)\\.ts$', '^src/platform/database/', SPEC] },
      { path: npm('@nestjs/typeorm') },
    ),
    error(
      'sockets-at-the-edge',
      'Only gateways, chat and platform/realtime know Socket.IO.',
      { path: '^src/', pathNot: ['\\.gateway\\.ts$', '^src/chat/', '^src/platform/realtime/', SPEC] },
      { path: npm('socket\\.io', '@nestjs/websockets', '@nestjs/platform-socket\\.io', 'engine\\.io') },
    ),
    error(
      'edges-have-no-database',
      'A gateway or controller is decorators and one line: it calls a service.',
      { path: '\\.(gateway|controller)\\.ts$' },
      { path: ['\\.(repository|entity)\\.ts$', '^src/platform/database/'] },
    ),
    error(
      'use-cases-know-no-transport',
      'Services know no HTTP and no gateways.',
      { path: '^src/.+\\.(service|repository|policy|view|events|entity)\\.ts$' },
      {
        path: [
          '\\.(gateway|controller)\\.ts$',
          '/dto/',
          npm('express', '@types/express', '@nestjs/platform-express'),
        ],
      },
    ),
    error(
      'policies-are-pure',
      'A policy is rules that throw AppError: no I/O, no framework.',
      { path: '\\.policy\\.ts$' },
      { dependencyTypes: ['npm', 'npm-dev', 'core'] },
    ),
    error(
      'policies-ask-nobody',
      'A policy decides on what it is given.',
      { path: '\\.policy\\.ts$' },
      { path: ['\\.(service|repository)\\.ts$', '^src/platform/database/'] },
    ),
    error(
      'views-do-not-query',
      'A view maps what it is given.',
      { path: '\\.view\\.ts$' },
      { path: ['\\.(service|repository)\\.ts$', '^src/platform/database/'] },
    ),
    error(
      'broadcasters-do-not-write',
      'A broadcaster forwards facts; without a unit of work it cannot write.',
      { path: '\\.broadcaster\\.ts$' },
      { path: '^src/platform/database/' },
    ),
    error(
      'client-knows-the-contract-only',
      'The SDK imports src/contract, itself and packages.',
      { path: '^client/src/' },
      { path: '^(src|test|scripts|bench|ormconfig)', pathNot: '^src/contract/' },
    ),
    error(
      'no-cycles',
      'Two files that need each other are one file, or lack a third.',
      {},
      { circular: true },
    ),
    error(
      'no-orphans',
      'Nobody imports it and it imports nobody.',
      { orphan: true, path: '^(src|client/src)/', pathNot: ['\\.d\\.ts$', '^src/main\\.ts$'] },
      {},
    ),
    error('no-barrels', 'Import the file you mean.', BARREL, {}),
    error('no-barrels-imported', 'Import the file you mean.', {}, BARREL),
    error('no-junk-drawers', 'Name a file after what it is.', JUNK_DRAWER, {}),
    error('no-junk-drawers-imported', 'Name a file after what it is.', {}, JUNK_DRAWER),
    error('no-specs-imported', 'Specs are read by Jest only.', {}, { path: SPEC }),
    error(
      'no-dev-packages',
      'Needed at run time: belongs to dependencies.',
      { path: '^(src|client/src)/', pathNot: SPEC },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    ),
    error('no-unresolved', 'Does not exist.', {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Types count: a boundary is a boundary of the mind.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'types', 'default'],
    },
  },
};

// The private PostgreSQL of the tests is the demo's own.
export {
  findPostgresBin,
  type PrivatePostgres as TestPostgres,
  startPostgres,
} from '../../src/io/private-postgres.ts';

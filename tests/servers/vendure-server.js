// Vendure for tests: SQLite in memory, no pages, fields of its own for stores and members.
const { bootstrap, dummyPaymentHandler } = require('@vendure/core');

bootstrap({
  apiOptions: {
    hostname: '127.0.0.1', port: Number(process.env.POS_PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api',
  },
  authOptions: {
    tokenMethod: ['bearer', 'api-key'],
    superadminCredentials: { identifier: process.env.POS_USER, password: process.env.POS_PASSWORD },
  },
  dbConnectionOptions: { type: 'sqljs', synchronize: true, logging: false },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  customFields: {
    Channel: [{ name: 'store', type: 'string' }],
    Customer: [{ name: 'birthday', type: 'string' }],
  },
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
